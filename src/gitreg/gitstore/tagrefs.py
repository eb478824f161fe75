"""The tags of a repository with what they point at, in one look."""

from __future__ import annotations

from gitreg.gitstore.process import run
from gitreg.gitstore.repository import Repository

TAGS = "refs/tags/"


def tags(repository: Repository) -> dict[str, str]:
    """The names of all tags, without ``refs/tags/``, → the id that each holds; no object is read."""
    answer = run(["for-each-ref", "--format=%(objectname) %(refname)", TAGS], at=repository.root)
    found = {}
    for line in answer.stdout.decode("utf-8", "surrogateescape").splitlines():
        oid, _, name = line.partition(" ")
        found[name.removeprefix(TAGS)] = oid
    return found
