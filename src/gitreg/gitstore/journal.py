"""What a writer is about to do, so that the next one can finish it if it is killed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from gitreg.gitstore.durable import disk_failure, sync_descriptor, sync_path
from gitreg.gitstore.trees import Entry, Touched

JOURNAL_FILE = "journal.json"
_DONE = b"{}\n"
_LONG = 1 << 16  # bytes, left by a bulk write, that are worth giving back


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """One publication.

    Attributes:
        ref: The branch that moves from ``old`` (None: it is new) to ``new``.
        tags: Full ref name → id of the tag object.
        git_dir: Of the work tree that has to follow, ``""`` when none has.
        work_tree: Its root.
        touched: Paths in that work tree.
    """

    ref: str
    old: str | None
    new: str
    tags: Mapping[str, str] = field(default_factory=dict)
    git_dir: str = ""
    work_tree: str = ""
    touched: tuple[Touched, ...] = ()


def save(state_dir: Path, journal: Journal, *, fsync: bool) -> None:
    """Write the journal, before the refs move.

    The file is written in place: a new file for each change would cost the file system an allocation
    and a release, which is a tenth of a registration. Only its first line counts.

    It need not be synced when there is no work tree: a process that is killed leaves its pages to
    the kernel, and after a power cut the refs alone tell what happened. A work tree, though, can
    be told from a person's edits only by what the journal says.
    """
    import json  # a read finds no journal and does without

    touched = [asdict(each) for each in journal.touched]
    raw = {each.name: getattr(journal, each.name) for each in fields(journal)} | {"touched": touched}
    data = json.dumps(raw).encode() + b"\n"
    try:
        descriptor = os.open(state_dir / JOURNAL_FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            new = not os.fstat(descriptor).st_size
            _write(descriptor, data)
            if fsync:
                sync_descriptor(descriptor)
            if fsync and new:
                sync_path(state_dir)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise disk_failure(error, "the journal can't be written") from None


def load(state_dir: Path) -> Journal | None:
    """The journal that a killed writer left, None when there is none or its pages never reached the disk."""
    try:
        with open(state_dir / JOURNAL_FILE, "rb") as file:
            line = file.readline()
    except FileNotFoundError:
        return None
    if line == _DONE:
        return None
    import json

    try:
        raw = json.loads(line)
        raw["touched"] = tuple(
            Touched(path=each["path"], old=_entry(each["old"]), new=_entry(each["new"]))
            for each in raw["touched"]
        )
        return Journal(**raw)
    except (ValueError, TypeError, KeyError):
        return None


def clear(state_dir: Path) -> None:
    """All is done: the journal says so."""
    try:
        descriptor = os.open(state_dir / JOURNAL_FILE, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        _write(descriptor, _DONE)
        if os.fstat(descriptor).st_size > _LONG:
            os.ftruncate(descriptor, len(_DONE))
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(data)


def _entry(raw: list[str] | None) -> Entry | None:
    return Entry(*raw) if raw is not None else None
