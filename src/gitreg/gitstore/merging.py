"""What a merge of two trees gives, file by file, without a work tree (Git itself can do so from 2.38 on).

Files that one side alone changed are taken as they are; those that both changed are merged as text by
``git merge-file``, as ``git merge`` does it. Renames are not looked for: the registry's paths mean something.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.process import run
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FOLDER, Entry, Touched

_MOST_CONFLICTS = 127  # git-merge-file(1): the number of conflicts, 127 where there are more


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What must be laid over our tree, and the paths on which the two sides disagree."""

    changes: Mapping[str, bytes | Entry | None]
    conflicts: tuple[str, ...] = ()


def merge_trees(
    reader: Reader, repository: Repository, *, base: str | None, ours: str, theirs: str
) -> Merged:
    """Merge two trees that grew from a third one.

    Args:
        reader: Reads all three.
        repository: Where Git is run.
        base: Id of the tree that both grew from; None: they share none.
        ours: Id of the tree that the changes are laid over.
        theirs: Id of the tree whose changes are wanted.
    """
    changes: dict[str, bytes | Entry | None] = {}
    conflicts = []
    for touched in diff_trees(reader, base, theirs):
        here = reader.entry(ours, touched.path)
        if here == touched.new:
            continue
        if here == touched.old and not _behind_a_file(reader, ours, touched.path):
            changes[touched.path] = touched.new
            continue
        text = _text(reader, repository, touched, here)
        if text is None:
            conflicts.append(touched.path)
        else:
            changes[touched.path] = text
    return Merged(changes=changes, conflicts=tuple(conflicts))


def _behind_a_file(reader: Reader, tree: str, path: str) -> bool:
    """Whether one of the folders that a path lies in is a file in ``tree``."""
    above = path.split("/")[:-1]
    found = (reader.entry(tree, "/".join(above[:depth])) for depth in range(1, len(above) + 1))
    return any(entry is not None and entry.mode != FOLDER for entry in found)


def _text(reader: Reader, repository: Repository, touched: Touched, here: Entry | None) -> bytes | None:
    """Both sides' changes of one file in one text; None where they can't be joined."""
    old, new = touched.old, touched.new
    if here is None or old is None or new is None or not here.mode == old.mode == new.mode == "100644":
        return None
    with tempfile.TemporaryDirectory(prefix="gitreg-merge-") as place:
        names = [str(Path(place, name)) for name in ("ours", "base", "theirs")]
        for name, entry in zip(names, (here, old, new), strict=True):
            Path(name).write_bytes(reader.blob(entry.oid))
        answer = run(
            ["merge-file", "--stdout", "--quiet", *names],
            at=repository.root,
            accept=(0, 255, *range(1, _MOST_CONFLICTS + 1)),  # 255: a binary file
        )
    return answer.stdout if answer.code == 0 else None
