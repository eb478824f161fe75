"""Objects that are thought of and never written: what a merge would give, seen through a reader."""

from __future__ import annotations

from collections.abc import Mapping

from gitreg.gitstore.edits import apply, plan
from gitreg.gitstore.objects import Signature, encode_commit, object_id
from gitreg.gitstore.pack import Likeness
from gitreg.gitstore.pending import PendingReader
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import FILE, Entry, Tree


class _Nowhere:
    """Takes objects in as a pack does, and keeps none: the reader has them in memory."""

    flushes = 0

    def __init__(self, algorithm: str) -> None:
        self._algorithm = algorithm

    def write(self, kind: str, data: bytes, *, like: Likeness | None = None) -> str:
        return object_id(kind, data, self._algorithm)

    def flush(self) -> None:
        """There is nothing to write."""


def overlay(beneath: Reader) -> PendingReader:
    """A reader that sees what is laid over the repository, and all that lies beneath."""
    return PendingReader(beneath, _Nowhere(beneath.repository.algorithm))


def lay_over(
    reader: PendingReader,
    tree: str,
    changes: Mapping[str, bytes | Entry | None],
    *,
    parents: tuple[str, ...],
    like: Signature,
) -> str:
    """The id of a commit that was never made: some changes on top of a tree.

    Args:
        reader: Of ``overlay``.
        tree: Id of the tree that the changes are laid over.
        changes: Path from the repository's root → new content, an entry that is there, or None to delete.
        parents: Of the commit.
        like: Its author and committer.
    """
    entries = {
        path: Entry(FILE, reader.add("blob", value)) if isinstance(value, bytes) else value
        for path, value in changes.items()
    }
    size = len(tree) // 2
    made = apply(plan(entries), tree, read=reader.tree, write=reader.add_tree, id_bytes=size)
    root = made or reader.add_tree(Tree(b"", size, {}), None)
    data = encode_commit(tree=root, parents=parents, author=like, committer=like, message="merged")
    return reader.add("commit", data)
