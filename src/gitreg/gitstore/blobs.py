"""One blob more, durably: for what lies in refs and not in a branch."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.gitstore.objects import is_oid
from gitreg.gitstore.process import DURABLE, garbage, run
from gitreg.gitstore.repository import Repository


def add_blob(repository: Repository, data: bytes, *, held: Sequence[int]) -> str:
    """Store a blob and give its id; the caller holds the write lock.

    Args:
        repository: Where.
        data: Its bytes.
        held: The lock's descriptor, which Git's process inherits.
    """
    args = ["hash-object", "-w", "-t", "blob", "--stdin"]  # reading from stdin, it runs no filter
    answer = run(args, at=repository.root, stdin=data, held=held, settings=DURABLE)
    oid = answer.stdout.decode("ascii", "replace").strip()
    if not is_oid(oid):
        raise garbage(args, repository.root, answer.stdout)
    return oid
