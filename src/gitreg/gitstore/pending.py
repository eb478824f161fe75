"""A reader that also sees what a session has made and not yet written."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Protocol

from gitreg.gitstore.objects import Commit
from gitreg.gitstore.pack import Likeness
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import Tree

_TREES_KEPT = 5_000  # folders that grow: two for each model that a session writes to


class Sink(Protocol):
    """Where new objects go: a pack, or nowhere at all.

    Attributes:
        flushes: How often what was taken in was made readable for Git.
    """

    flushes: int

    def write(self, kind: str, data: bytes, *, like: Likeness | None = None) -> str:
        """Take an object in and give its id."""

    def flush(self) -> None:
        """Make what was taken in readable for Git."""


class PendingReader(Reader):
    """Reads a session's own objects from memory, everything else through the reader beneath.

    Args:
        beneath: The repository's reader; it stays open when this one is closed.
        sink: Takes the new objects.
    """

    def __init__(self, beneath: Reader, sink: Sink) -> None:
        super().__init__(beneath.repository)
        self._beneath = beneath
        self._sink = sink
        self._objects: dict[str, tuple[str, bytes]] = {}
        self._new_trees: OrderedDict[str, Tree] = OrderedDict()
        self._unflushed: set[str] = set()
        self._flushes = sink.flushes

    def add(self, kind: str, data: bytes) -> str:
        """Take in a blob, commit or tag and give its id."""
        oid = self._sink.write(kind, data)
        self._objects[oid] = (kind, data)
        self._forget_flushed()
        return oid

    def _forget_flushed(self) -> None:
        """What the sink has put on the disk need not stay in memory: thousands of commits would fill it."""
        if self._sink.flushes != self._flushes:
            self._flushes = self._sink.flushes
            self._objects.clear()
            self._unflushed.clear()

    def add_tree(self, tree: Tree, like: str | None) -> str:
        """Take in a tree that grew from ``like``, and give its id."""
        base = Likeness(like, self.tree(like).raw, *tree.kept) if like else None
        oid = self._sink.write("tree", tree.raw, like=base)
        self._new_trees[oid] = tree
        self._unflushed.add(oid)
        if like != oid:
            self._new_trees.pop(like or "", None)  # outgrown: nothing reads it before it is on the disk
        if len(self._new_trees) > _TREES_KEPT:
            self._new_trees.popitem(last=False)
        self._forget_flushed()
        return oid

    def object(self, oid: str) -> tuple[str, bytes]:
        """Kind and bytes of an object, new or old."""
        if oid in self._objects:
            return self._objects[oid]
        if oid in self._unflushed:
            if oid in self._new_trees:
                return "tree", self._new_trees[oid].raw
            self._sink.flush()  # a tree that is no longer in memory: read it from the disk
            self._forget_flushed()
        return self._beneath.object(oid)

    def commit(self, oid: str) -> Commit:
        """A commit, new or old."""
        return super().commit(oid) if oid in self._objects else self._beneath.commit(oid)

    def tree(self, oid: str) -> Tree:
        """A folder, new or old."""
        new = self._new_trees.get(oid)
        if new is not None:
            return new
        return super().tree(oid) if oid in self._unflushed else self._beneath.tree(oid)

    def has(self, oid: str) -> bool:
        """Whether the object is there."""
        return oid in self._objects or oid in self._unflushed or self._beneath.has(oid)

    def blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Many files' contents, in the order asked for."""
        wanted = list(oids)
        ours = {oid: self.blob(oid) for oid in wanted if oid in self._objects}
        theirs = self._beneath.blobs([oid for oid in wanted if oid not in ours])
        return ((oid, ours[oid]) if oid in ours else next(theirs) for oid in wanted)

    def published(self, tip: str) -> None:
        """Everything is on the disk: hand the trees down, so that the next session need not read them.

        Args:
            tip: The branch's new commit, which it asks for first.
        """
        for oid, tree in self._new_trees.items():
            self._beneath.remember(oid, tree)
        self._beneath.remember_commit(tip, self.commit(tip))
        self._unflushed.clear()
