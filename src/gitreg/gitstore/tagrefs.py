"""The tags of a repository with what they point at, in one look."""

from __future__ import annotations

from gitreg.gitstore.process import run
from gitreg.gitstore.repository import Repository

TAGS = "refs/tags/"


def tags(repository: Repository, start: str = "") -> dict[str, str]:
    """The names of all tags, without ``refs/tags/``, → the id that each holds; no object is read.

    Args:
        start: What their names begin with, such as ``churn/Production/`` or ``churn#``.
    """
    if start:  # a few, which a bulk write asks for a thousand times
        some = repository.refs.beginning(f"{TAGS}{start}")
        return {name.removeprefix(TAGS): oid for name, oid in some.items()}
    answer = run(["for-each-ref", "--format=%(objectname) %(refname)", TAGS], at=repository.root)
    found = {}
    for line in answer.stdout.decode("utf-8", "surrogateescape").splitlines():
        oid, _, name = line.partition(" ")
        found[name.removeprefix(TAGS)] = oid
    return found
