"""What a kill, a power cut or another program can leave in a repository, and how it is mended."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gitreg.gitstore import journal
from gitreg.gitstore.gcguard import running
from gitreg.gitstore.housekeeping import PACKING_MARK, kept_packs
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.pack import TEMPORARY
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.recovery import recover
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.worktree import STAGING

Kind = Literal[
    "lock", "journal", "packing", "temporary", "empty-object", "empty-ref", "kept-pack", "gc", "staging"
]

_STALE = 60.0  # seconds after which a lock is taken for one that nobody holds
_HALF_WRITTEN = 3600.0  # seconds after which a temporary object is nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """One thing that is wrong.

    Attributes:
        kind: What sort of thing, for programs.
        path: The file.
        message: What it is and what it stops.
        age: Seconds since it was last written.
        mendable: Whether ``mend`` can do something about it; an empty object must be fetched again.
    """

    kind: Kind
    path: Path
    message: str
    age: float
    mendable: bool = True


def examine(repository: Repository) -> list[Ailment]:
    """Everything that is wrong with the repository's files; nothing is changed."""
    found = [*_left_by_writers(repository), *_locks(repository), *_empty_refs(repository)]
    return [*found, *_objects(repository)]


def mend(repository: Repository, reader: Reader, ailments: Sequence[Ailment]) -> list[str]:
    """Mend what can be mended, under the write lock; gives what was done, in words.

    Args:
        ailments: From ``examine``; locks younger than a minute are left alone, as they may be held.

    Raises:
        EnvironmentFailure: A writer is at work, or a file can't be removed.
    """
    with write_lock(repository.state_dir) as lock:
        done = recover(repository, reader, held=(lock,))
        for each in ailments:
            if each.mendable and each.kind not in ("journal", "packing") and os.path.lexists(each.path):
                if each.kind == "lock" and each.age < _STALE:
                    done.append(f"left {each.path}: it is only {each.age:.0f} s old")
                    continue
                each.path.unlink()
                done.append(f"removed {each.path}")
    return done


def _left_by_writers(repository: Repository) -> Iterator[Ailment]:
    path = repository.state_dir / journal.JOURNAL_FILE
    if journal.load(repository.state_dir) is not None:
        yield _ailment("journal", path, "a writer was killed before it came to an end")
    mark = repository.state_dir / PACKING_MARK
    if mark.exists():
        yield _ailment("packing", mark, "git pack-refs was killed before it came to an end")
    for path in kept_packs(repository):
        yield _ailment("kept-pack", path, "a pack is kept for a writer that is gone, and gc passes over it")
    for path in (repository.git_dir / STAGING).glob("*"):
        yield _ailment("staging", path, "a work tree's file was prepared by a writer that is gone")


def _locks(repository: Repository) -> Iterator[Ailment]:
    common = repository.common_dir
    folders = {common, repository.git_dir}
    locks = {path for folder in folders for path in folder.glob("*.lock")}
    locks |= {*(common / "refs").rglob("*.lock"), *(common / "objects" / "info").rglob("*.lock")}
    for path in sorted(locks):
        yield _ailment("lock", path, "a lock that another program holds, or died with")
    mark = common / "gc.pid"
    if mark.exists() and not running(mark):
        yield _ailment("gc", mark, "the mark of a git gc that is gone")


def _empty_refs(repository: Repository) -> Iterator[Ailment]:
    for path in sorted((repository.common_dir / "refs").rglob("*")):
        if path.is_file() and not path.name.endswith(".lock") and not path.stat().st_size:
            # A tag can be made again from the history; where a branch stood, only a person can say.
            derived = "tags" in path.relative_to(repository.common_dir).parts[:2]
            words = "a ref without content, after a power cut: Git can't read it"
            yield _ailment("empty-ref", path, words, mendable=derived)


def _objects(repository: Repository) -> Iterator[Ailment]:
    objects = repository.common_dir / "objects"
    for path in [
        *objects.glob("tmp_obj_*"),
        *objects.glob("??/tmp_obj_*"),
        *objects.glob("pack/tmp_*"),
        *objects.glob(f"pack/{TEMPORARY}*"),
    ]:
        found = _ailment("temporary", path, "an object that was never finished")
        if found.age > _HALF_WRITTEN:
            yield found
    for folder in objects.glob("[0-9a-f][0-9a-f]"):
        for entry in os.scandir(folder):
            if not entry.stat(follow_symlinks=False).st_size:
                words = "an object without content, after a power cut; remove it and fetch it again"
                yield _ailment("empty-object", Path(entry.path), words, mendable=False)


def _ailment(kind: Kind, path: Path, message: str, *, mendable: bool = True) -> Ailment:
    try:
        age = max(0.0, time.time() - path.lstat().st_mtime)
    except FileNotFoundError:  # gone by itself
        age = 0.0
    return Ailment(kind=kind, path=path, message=message, age=age, mendable=mendable)
