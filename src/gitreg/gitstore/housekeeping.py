"""Keeps loose files and packs few, under the write lock."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.gitstore.durable import sync_path
from gitreg.gitstore.gcguard import gc_held_off
from gitreg.gitstore.pack import KEEP_MARK, TEMPORARY
from gitreg.gitstore.process import DURABLE, run
from gitreg.gitstore.repository import Repository

PACKING_MARK = "packing-refs"
_LOOSE_IN_ONE_FOLDER = 30  # of 256: 7,700 objects, about 1,100 commits
_PACKS = 250  # one for each write: 400 of them slow a registration by a third, a repack takes a second


def keep_house(repository: Repository, held: Sequence[int]) -> None:
    """Pack refs and objects when many have gathered; a look at two folders otherwise.

    Reachable or not, every loose object goes into the pack: deleting is left to gc.
    """
    objects = repository.common_dir / "objects"
    if _count(objects / "17", "") <= _LOOSE_IN_ONE_FOLDER and _count(objects / "pack", ".pack") <= _PACKS:
        return
    with gc_held_off(repository.common_dir) as alone:
        if not alone:
            return  # a gc of somebody else does the same work at this moment
        drop_keeps(repository)
        pack_refs(repository, held)
        args = ["repack", "--geometric=2", "-d", "--quiet"]
        run(args, at=repository.root, held=held, settings=DURABLE, timeout=3600.0)
        sync_path(objects / "pack")


def pack_refs(repository: Repository, held: Sequence[int]) -> None:
    """Move all refs into one synced file."""
    with packing(repository.state_dir):
        run(["pack-refs", "--all"], at=repository.root, held=held, settings=DURABLE, timeout=600.0)
        sync_path(repository.common_dir)


@contextmanager
def packing(state_dir: Path) -> Iterator[None]:
    """Keep a mark while packed-refs is written, so that the next writer clears up after a kill."""
    mark = state_dir / PACKING_MARK
    mark.touch()
    try:
        yield
    finally:
        mark.unlink()


def drop_keeps(repository: Repository) -> None:
    """Remove what writers of ours that were killed left beside the packs; the write lock must be held."""
    for path in kept_packs(repository):
        if not path.with_suffix(".idx").exists():
            path.with_suffix(".pack").unlink(missing_ok=True)  # not finished: no object in it can be found
        path.unlink(missing_ok=True)
    for path in (repository.common_dir / "objects" / "pack").glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def kept_packs(repository: Repository) -> list[Path]:
    """The ``.keep`` files that writers of ours made."""
    found = []
    for path in (repository.common_dir / "objects" / "pack").glob("*.keep"):
        with suppress(OSError):
            if path.read_text(errors="replace").startswith(KEEP_MARK):
                found.append(path)
    return found


def _count(folder: Path, suffix: str) -> int:
    try:
        return sum(name.endswith(suffix) for name in os.listdir(folder))
    except FileNotFoundError:
        return 0
