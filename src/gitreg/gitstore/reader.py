"""Reads objects through one long-lived ``git cat-file --batch``."""

from __future__ import annotations

import select
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Self

from gitreg.errors import EnvironmentFailure, IntegrityError
from gitreg.gitstore.objects import Commit, is_oid, parse_commit
from gitreg.gitstore.process import (
    Answer,
    GitDied,
    check_version,
    failure,
    garbage,
    hung,
    launch,
    patience,
    run,
    scratch_file,
    start,
    stop,
)
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FOLDER, Entry, Tree

_BATCH = ["cat-file", "--batch"]
_TREES_KEPT = 4096  # parsed trees, two of each model
_TREES_SIZE = 16 << 20  # bytes of them; a registry of 1,000 models in one folder has 40 kB in one
_COMMITS_KEPT = 512  # the head is asked for four times in one registration
_FEW = 64  # requests that fit a pipe's buffer many times over: no thread is needed to send them


class Reader:
    """Objects and refs of one repository; close it, or use it in a ``with`` block.

    It can be used by several threads, one question at a time.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._child: _Child | None = None
        self._trees: OrderedDict[str, Tree] = OrderedDict()
        self._trees_size = 0
        self._commits: dict[str, Commit] = {}
        self._turn = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the reader starts another one when it is used again."""
        with self._turn:
            if self._child is not None:
                self._child.close()
                self._child = None

    def ref(self, name: str) -> str | None:
        """The object id that the ref of exactly that name holds, None when it does not exist."""
        return self.repository.refs.read(name)

    def resolve(self, rev: str) -> str | None:
        """The commit that any revision a person may give means, None when there is none (gitrevisions)."""
        if not rev or rev.startswith("^") or "\0" in rev:
            return None
        args = ["rev-parse", "--verify", "--quiet", "--end-of-options", rev + "^{commit}"]
        answer = run(args, at=self.repository.root, accept=(0, 1, 128))
        if answer.code:
            if "dubious ownership" in answer.stderr:
                raise failure(args, self.repository.root, answer)
            return None
        oid = answer.stdout.decode("ascii", "replace").strip()
        if not is_oid(oid):
            raise garbage(args, self.repository.root, answer.stdout)
        return oid

    def object(self, oid: str) -> tuple[str, bytes]:
        """Kind and bytes of an object.

        Raises:
            EnvironmentFailure: It is not there.
        """
        _, kind, data = next(self._ask([oid]))
        return kind, data

    def has(self, oid: str) -> bool:
        """Whether the object is there."""
        with self._turn:
            return self._started().ask(oid) is not None

    def commit(self, oid: str) -> Commit:
        """A commit, parsed."""
        found = self._commits.get(oid)
        if found is None:
            found = parse_commit(self._of_kind(oid, "commit"))
            self.remember_commit(oid, found)
        return found

    def remember_commit(self, oid: str, commit: Commit) -> None:
        """Keep a commit at hand."""
        if len(self._commits) >= _COMMITS_KEPT:
            self._commits.clear()
        self._commits[oid] = commit

    def blob(self, oid: str) -> bytes:
        """A file's content."""
        return self._of_kind(oid, "blob")

    def tree(self, oid: str) -> Tree:
        """A folder; the last ones are kept."""
        found = self._trees.get(oid)
        if found is None:
            found = Tree(self._of_kind(oid, "tree"), len(oid) // 2)
        self.remember(oid, found)
        return found

    def remember(self, oid: str, tree: Tree) -> None:
        """Keep a tree at hand; the one that was not used for longest goes."""
        with self._turn:
            if oid not in self._trees:
                self._trees_size += len(tree.raw)
            self._trees[oid] = tree
            self._trees.move_to_end(oid)
            while len(self._trees) > _TREES_KEPT or (self._trees_size > _TREES_SIZE and len(self._trees) > 1):
                _, gone = self._trees.popitem(last=False)
                self._trees_size -= len(gone.raw)

    def entry(self, tree: str, path: str) -> Entry | None:
        """What stands at ``path`` (``a/b/c``; ``""`` is the tree itself), None when nothing does."""
        here = Entry(FOLDER, tree)
        for name in path.split("/") if path else ():
            if here.mode != FOLDER:
                return None
            found = self.tree(here.oid).get(name)
            if found is None:
                return None
            here = found
        return here

    def walk(self, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Every file under a tree with its path after ``prefix`` (``"a/"``), folders in Git's order."""
        for name, entry in self.tree(tree).items():
            if entry.mode == FOLDER:
                yield from self.walk(entry.oid, f"{prefix}{name}/")
            else:
                yield prefix + name, entry

    def blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Many files' contents, in the order asked for; 100,000 take seconds."""
        wanted = list(oids)
        found = self._ask(wanted) if len(wanted) <= _FEW else self.stream(wanted)
        for oid, kind, data in found:
            yield oid, _expect(oid, kind, "blob", data)

    def _of_kind(self, oid: str, kind: str) -> bytes:
        found, data = self.object(oid)
        return _expect(oid, found, kind, data)

    def _ask(self, oids: list[str]) -> Iterator[tuple[str, str, bytes]]:
        for oid in oids:
            with self._turn:
                found = None
                try:
                    found = self._started().ask(oid)
                except GitDied:
                    pass
                except EnvironmentFailure:  # most often Git has ended: the next question needs a new child
                    self.close()
                    raise
                if found is None:  # killed, or confused by a repack beside us: a new child knows
                    self.close()
                    found = self._started().ask(oid)
            if found is None:
                raise self._missing(oid)
            yield oid, *found

    def stream(self, oids: list[str]) -> Iterator[tuple[str, str, bytes]]:
        """Id, kind and bytes of many objects, in the order asked for, through a process of their own."""
        with (
            scratch_file() as errors,
            start([*_BATCH, "--buffer"], at=self._at, stderr=errors) as process,
        ):
            assert process.stdin is not None and process.stdout is not None
            sender = threading.Thread(target=_send, args=(process.stdin, oids), daemon=True)
            sender.start()
            for oid in oids:
                found = _receive(process.stdout, oid, self._at, errors)
                if found is None:
                    raise self._missing(oid)
                yield oid, *found
            sender.join()

    @property
    def _at(self) -> Path:
        return self.repository.root

    def _started(self) -> _Child:
        if self._child is None:
            child = _Child(self._at)  # starts up while its version is asked for
            try:
                check_version()
            except BaseException:
                child.close()
                raise
            self._child = child
        return self._child

    def _missing(self, oid: str) -> EnvironmentFailure:
        if self.repository.partial:
            return EnvironmentFailure(
                "this partial clone does not hold an object that is needed",
                where=oid,
                hint="fetch all of it while online: git fetch --refetch --no-filter",
            )
        return EnvironmentFailure("an object is missing", where=oid, hint="git fsck --full")


class _Child:
    """One ``git cat-file --batch`` and the conversation with it."""

    def __init__(self, at: Path) -> None:
        self._at = at
        self._errors = scratch_file()
        self._process = launch(_BATCH, at=at, stderr=self._errors)

    def ask(self, oid: str) -> tuple[str, bytes] | None:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(_request(oid))
            self._process.stdin.flush()
        except OSError:  # most often a broken pipe
            raise _died(self._errors, self._at) from None
        self._await()
        return _receive(self._process.stdout, oid, self._at, self._errors)

    def _await(self) -> None:
        # Between two questions the pipe is empty: its first byte tells that Git is alive.
        assert self._process.stdout is not None
        pipe = select.poll()
        pipe.register(self._process.stdout, select.POLLIN)
        if not pipe.poll(patience() * 1000):
            raise hung(_BATCH, self._at, patience())

    def close(self) -> None:
        stop(self._process)
        self._errors.close()


def _request(oid: str) -> bytes:
    if not is_oid(oid):  # a newline would smuggle in a second question
        raise ValueError(f"not an object id: {oid!r}")
    return oid.encode() + b"\n"


def _send(pipe: IO[bytes], oids: list[str]) -> None:
    try:
        for oid in oids:
            pipe.write(_request(oid))
        pipe.close()
    except (OSError, ValueError):
        pass  # the reader's side finds out what happened, and says so


def _receive(pipe: IO[bytes], oid: str, at: Path, errors: IO[bytes]) -> tuple[str, bytes] | None:
    header = pipe.readline()
    words = header.split()
    if len(words) == 3 and words[0] == oid.encode() and words[2].isdigit():
        size = int(words[2])
        data = pipe.read(size + 1)
        if len(data) == size + 1 and data.endswith(b"\n"):
            return words[1].decode("ascii", "replace"), data[:-1]
        raise _died(errors, at)
    if words == [oid.encode(), b"missing"]:
        return None
    if not header:
        raise _died(errors, at)
    raise garbage(_BATCH, at, header)


def _died(errors: IO[bytes], at: Path) -> EnvironmentFailure:
    errors.seek(0)
    words = errors.read(4096).decode("utf-8", "replace")
    found = failure(_BATCH, at, Answer(code=1, stdout=b"", stderr=words))
    if "promisor" in words or "not allowed" in words:
        return EnvironmentFailure(
            f"this partial clone does not hold an object that is needed ({found.message})",
            where=str(at),
            hint="fetch all of it while online: git fetch --refetch --no-filter",
        )
    return GitDied(found.message, where=found.where, hint=found.hint)


def _expect(oid: str, kind: str, wanted: str, data: bytes) -> bytes:
    if kind != wanted:
        raise IntegrityError(
            f"a {wanted} was expected, but this is a {kind}", where=oid, hint="git fsck --full"
        )
    return data
