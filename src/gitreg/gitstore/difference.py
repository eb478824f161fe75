"""What differs between two trees, found by object ids alone."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import FOLDER, Entry, Touched, Tree


def diff_trees(reader: Reader, old: str | None, new: str | None, prefix: str = "") -> Iterator[Touched]:
    """Every file that differs, folders being entered only where their ids differ.

    Args:
        old: Id of a tree, or None for an empty one.
        new: As ``old``.
        prefix: Put before each path, ``"a/"``.
    """
    if old == new:
        return
    before, after = _tree(reader, old, new), _tree(reader, new, old)
    for name in before.differing(after):
        yield from _pair(reader, before.get(name), after.get(name), prefix + name)


def _pair(reader: Reader, old: Entry | None, new: Entry | None, path: str) -> Iterator[Touched]:
    old_folder = old.oid if old and old.mode == FOLDER else None
    new_folder = new.oid if new and new.mode == FOLDER else None
    old_file = None if old_folder else old
    new_file = None if new_folder else new
    if old_file or new_file:
        yield Touched(path=path, old=old_file, new=new_file)
    if old_folder or new_folder:
        yield from diff_trees(reader, old_folder, new_folder, path + "/")


def _tree(reader: Reader, oid: str | None, other: str | None) -> Tree:
    return reader.tree(oid) if oid else Tree(b"", len(other or "") // 2, {})
