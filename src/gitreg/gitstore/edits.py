"""Changes by path, turned into new trees from the bottom up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitreg.errors import Conflict
from gitreg.gitstore.trees import FOLDER, Entry, Tree

_RESERVED = frozenset({"", ".", "..", ".git"})


@dataclass(slots=True)
class Edit:
    """What happens at one name.

    ``settled`` means that ``entry`` (None: nothing) stands there first; then the edits ``inside`` are
    made in that folder.
    """

    settled: bool = False
    entry: Entry | None = None
    inside: dict[str, Edit] = field(default_factory=dict)


def plan(changes: Mapping[str, Entry | None]) -> Edit:
    """Changes by path as a tree of edits.

    Raises:
        Conflict: A path can't stand in a tree.
    """
    root = Edit()
    for path, entry in changes.items():
        here = root
        for name in path.split("/"):
            if name.lower() in _RESERVED or "\0" in name:
                raise Conflict("this path can't be in a repository", where=repr(path))
            here = here.inside.setdefault(name, Edit())
        here.settled, here.entry = True, entry
    return root


def apply(
    edit: Edit,
    base: str | None,
    *,
    read: Callable[[str], Tree],
    write: Callable[[Tree, str | None], str],
    id_bytes: int,
) -> str | None:
    """The id of the tree that edits make of ``base``, None when nothing is left in it.

    Args:
        base: Id of a tree, None for an empty one.
        read: Gives a tree.
        write: Takes a new tree and the id of the one that it grew from, and gives its id.
        id_bytes: Size of a binary object id.
    """
    before = read(base) if base else Tree(b"", id_bytes, {})
    changed: dict[str, Entry | None] = {}
    for name, inner in edit.inside.items():
        entry = inner.entry if inner.settled else before.get(name)
        if inner.inside:
            folder = entry.oid if entry and entry.mode == FOLDER else None
            made = apply(inner, folder, read=read, write=write, id_bytes=id_bytes)
            entry = Entry(FOLDER, made) if made else None
        changed[name] = entry
    after = before.spliced(changed)
    if not after:
        return None
    return base if base and after.raw == before.raw else write(after, base)
