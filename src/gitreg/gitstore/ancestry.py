"""How two commits lie to each other."""

from __future__ import annotations

from gitreg.gitstore.objects import is_oid
from gitreg.gitstore.process import garbage, run
from gitreg.gitstore.repository import Repository


def merge_base(repository: Repository, one: str, other: str) -> str | None:
    """The newest commit that both histories hold, None when they share none (git-merge-base).

    Args:
        one: Full hex id of a commit.
        other: As ``one``.
    """
    for oid in (one, other):
        if not is_oid(oid):
            raise ValueError(f"not an object id: {oid!r}")
    args = ["merge-base", "--end-of-options", one, other]
    answer = run(args, at=repository.root, accept=(0, 1))
    found = answer.stdout.decode("ascii", "replace").strip()
    if found and not is_oid(found):
        raise garbage(args, repository.root, answer.stdout)
    return found or None


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
