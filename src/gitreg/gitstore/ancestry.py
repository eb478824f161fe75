"""How two commits lie to each other."""

from __future__ import annotations

from collections.abc import Iterable

from gitreg.gitstore.objects import is_oid
from gitreg.gitstore.process import garbage, run
from gitreg.gitstore.repository import Repository

_MOST_KNOWN = 8192
_KNOWN: dict[tuple[str, str, str], str] = {}  # what two commits have in common never changes


def merge_base(repository: Repository, one: str, other: str) -> str | None:
    """The newest commit that both histories hold, None when they share none (git-merge-base).

    Args:
        one: Full hex id of a commit.
        other: As ``one``.
    """
    for oid in (one, other):
        if not is_oid(oid):
            raise ValueError(f"not an object id: {oid!r}")
    known = _KNOWN.get((str(repository.common_dir), one, other))
    if known is not None:
        return known
    args = ["merge-base", "--end-of-options", one, other]
    answer = run(args, at=repository.root, accept=(0, 1))
    found = answer.stdout.decode("ascii", "replace").strip()
    if found and not is_oid(found):
        raise garbage(args, repository.root, answer.stdout)
    if found:
        _remember(repository, one, other, found)
    return found or None


def look_ahead(repository: Repository, one: str, others: Iterable[str]) -> None:
    """Find what ``one`` and each of many commits have in common, so that ``merge_base`` knows: one process.

    Args:
        one: Full hex id of a commit.
        others: Of commits that grew from its history in a line; of others nothing is learnt.
    """
    heads = list(dict.fromkeys(others))
    if not all(is_oid(oid) for oid in (one, *heads)):
        raise ValueError("not an object id")
    args = ["rev-list", "--parents", "--ignore-missing", "--stdin"]
    words = "".join(f"{oid}\n" for oid in (f"^{one}", *heads)).encode()
    answer = run(args, at=repository.root, stdin=words, accept=(0, 128)) if heads else None
    if answer is None or answer.code:
        return
    lines = [line.split() for line in answer.stdout.decode("ascii", "replace").splitlines()]
    parents = {line[0]: line[1:] for line in lines}
    for head in heads:
        at: str | None = head
        while at in parents:  # until a commit that ``one`` holds, unless the line splits or ends
            at = parents[at][0] if len(parents[at]) == 1 else None
        if at is not None:
            _remember(repository, one, head, at)


def _remember(repository: Repository, one: str, other: str, found: str) -> None:
    if repository.shallow():  # what is fetched later may tell otherwise
        return
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[str(repository.common_dir), one, other] = found


def refs_within(repository: Repository, commit: str, prefix: str) -> frozenset[str]:
    """The refs below ``prefix`` whose commits the history of ``commit`` holds: one process for all of them.

    Args:
        commit: Full hex id.
        prefix: Of full names, with a slash at its end.
    """
    if not is_oid(commit):
        raise ValueError(f"not an object id: {commit!r}")
    args = ["for-each-ref", f"--merged={commit}", "--format=%(refname)", prefix]
    said = run(args, at=repository.root).stdout
    return frozenset(said.decode("utf-8", "surrogateescape").split("\n")[:-1])
