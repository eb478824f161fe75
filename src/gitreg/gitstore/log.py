"""The branch's first-parent history, streamed from one ``git log``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO

from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.objects import Person, is_oid, moment
from gitreg.gitstore.process import Answer, failure, garbage, printable, run, scratch_file, start
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import Entry, Touched, decode_name

# Fields end with NUL, which nothing in a commit can hold. Times are followed by their zone.
_FIELDS = ("%H", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%s", "%b")
_ARGS = (
    "log",
    "-z",
    "--raw",
    "--first-parent",
    "--diff-merges=first-parent",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--no-color",
    "--no-mailmap",
    "--no-notes",
    "--encoding=UTF-8",
    "--date=raw",
    "--format=" + "".join(field + "%x00" for field in _FIELDS),
)
# What a person's configuration could change in the output.
_SETTINGS = (
    "log.showRoot=true",
    "diff.orderFile=/dev/null",
    "diff.ignoreSubmodules=none",
    "log.follow=false",
)


def history(
    repository: Repository,
    *,
    head: str,
    paths: Sequence[str] = (),
    after: str | None = None,
    since: datetime | None = None,
    skip: int = 0,
    limit: int | None = None,
    oldest_first: bool = False,
) -> Iterator[HistoryCommit]:
    """First-parent commits, merges included as what they brought to the branch; newest first by default.

    Args:
        head: Id of the commit to begin with.
        paths: Files or folders, literally; only commits and changes that touch one are given.
        after: Id of a commit; it and what it holds are left out.
        since: The walk ends at the first commit that is older.
        skip: Commits passed over.
        limit: Commits given at most.
        oldest_first: From the root on; then all commits are given, also those that touch no path.

    Raises:
        GitFailure: Git failed in the middle; what was given until then is right.
    """
    args = [*_ARGS, f"--skip={skip}"]
    if since is not None:
        args.append(f"--since=@{int(since.timestamp())}")
    if limit is not None:
        args.append(f"--max-count={limit}")
    if oldest_first:
        args += ["--reverse", "--sparse"]
    without = [f"^{_checked(after)}"] if after else []
    args += ["--end-of-options", _checked(head), *without, "--", *paths]
    with (
        scratch_file() as errors,
        start(args, at=repository.root, stderr=errors, settings=_SETTINGS) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        yield from _commits(_tokens(process.stdout), repository)
        if process.wait():
            errors.seek(0)
            words = printable(errors.read(4096))
            raise failure(args, repository.root, Answer(code=process.returncode, stdout=b"", stderr=words))


def commit_at(repository: Repository, head: str, when: datetime) -> str | None:
    """The newest first-parent commit whose committer time is not after ``when``, None when there is none."""
    if when.timestamp() < 0:
        return None  # Git takes a negative number for "now"
    args = ["rev-list", "--max-count=1", "--first-parent", f"--before=@{int(when.timestamp())}"]
    answer = run([*args, "--end-of-options", _checked(head)], at=repository.root)
    found = answer.stdout.decode("ascii", "replace").strip()
    if found and not is_oid(found):
        raise garbage(args, repository.root, answer.stdout)
    return found or None


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Whether the history of the commit ``new`` holds ``old``; False too when ``old`` is not there."""
    args = ["merge-base", "--is-ancestor", "--end-of-options", _checked(old), _checked(new)]
    return run(args, at=repository.root, accept=(0, 1, 128)).code == 0


def authors(repository: Repository, *, head: str, after: Sequence[str], paths: Sequence[str]) -> set[str]:
    """E-mail addresses of those who made the commits that touch some paths, on whatever branch.

    Merges are left out: who merges does not write. Where nothing but merges touches the paths, their
    authors have written after all.

    Args:
        head: Id of the commit to begin with.
        after: Ids of commits; they and what they hold are left out.
        paths: Files or folders, literally.
    """
    kept = [f"^{_checked(oid)}" for oid in after]
    args = ["log", "-z", "--format=%ae", "--full-history", "--no-mailmap", "--encoding=UTF-8"]
    for kind in (["--no-merges"], ["--merges"]):
        words = [*args, *kind, "--end-of-options", _checked(head), *kept, "--", *paths]
        said = run(words, at=repository.root, settings=_SETTINGS).stdout
        found = {each for each in said.decode("utf-8", "surrogateescape").split("\0") if each.strip()}
        if found:
            return found
    return set()


def _checked(oid: str) -> str:
    if not is_oid(oid):
        raise ValueError(f"not an object id: {oid!r}")
    return oid


def _tokens(pipe: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := pipe.read(1 << 16):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
    if rest.strip(b"\n"):
        yield rest


def _commits(tokens: Iterator[bytes], repository: Repository) -> Iterator[HistoryCommit]:
    fields: list[bytes] = []
    changes: list[Touched] = []
    for raw in tokens:
        token = raw.lstrip(b"\n")  # between a message and its changes
        if token.startswith(b":"):
            changes.append(_touched(token, next(tokens, b""), repository))
        elif token:
            if fields:
                yield _commit(fields, changes)
            if not is_oid(token.decode("ascii", "replace")):
                raise garbage(_ARGS, repository.root, token)
            fields, changes = [token, *(next(tokens, b"") for _ in _FIELDS[1:])], []
    if fields:
        yield _commit(fields, changes)


def _commit(fields: list[bytes], changes: list[Touched]) -> HistoryCommit:
    text = [field.decode("utf-8", "surrogateescape") for field in fields]
    return HistoryCommit(
        oid=text[0],
        parents=tuple(text[1].split()),
        author=Person(name=text[2], email=text[3]),
        author_time=_time(text[4]),
        committer=Person(name=text[5], email=text[6]),
        commit_time=_time(text[7]),
        subject=text[8],
        body=text[9],
        changes=tuple(changes),
    )


def _time(raw: str) -> datetime:
    seconds, _, zone = raw.partition(" ")
    return moment(int(seconds or 0), zone or "+0000")


def _touched(head: bytes, path: bytes, repository: Repository) -> Touched:
    words = head[1:].decode("ascii", "replace").split()
    if len(words) != 5 or not path:
        raise garbage(_ARGS, repository.root, head)
    old_mode, new_mode, old, new, _ = words
    return Touched(path=decode_name(path), old=_side(old_mode, old), new=_side(new_mode, new))


def _side(mode: str, oid: str) -> Entry | None:
    return Entry(mode, oid) if oid.strip("0") else None


def first_parents(repository: Repository, head: str) -> Iterator[str]:
    """The ids of the first-parent chain, newest first."""
    args = ["rev-list", "--first-parent", "--end-of-options", _checked(head)]
    with scratch_file() as errors, start(args, at=repository.root, stderr=errors) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        for line in process.stdout:
            yield line.decode("ascii", "replace").strip()
        if process.wait():
            errors.seek(0)
            words = printable(errors.read(4096))
            raise failure(args, repository.root, Answer(code=process.returncode, stdout=b"", stderr=words))
