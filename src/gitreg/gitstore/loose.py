"""Loose objects written in process, durable, several at a time."""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from gitreg.gitstore.durable import disk_failure, sync_descriptor, sync_path
from gitreg.gitstore.objects import framed, object_id

TEMPORARY = "tmp_obj_"  # git prune sweeps up what is called so
_OPEN_FILES = 200  # at a time; the common limit of a process is 1,024 (macOS: 256)


Likeness = tuple[str, bytes]  # id and bytes of an object of the same kind


class Sink(Protocol):
    """Where a session's new objects go; they can be relied on after ``flush`` only."""

    def write(self, kind: str, data: bytes, *, like: Likeness | None = None) -> str:
        """Take an object in and give its id; ``like`` is an older object that it may be told from."""

    def flush(self) -> None:
        """Make everything that was written durable."""

    def stands(self) -> None:
        """The refs hold the objects now: give up what protected them until then."""

    def drop(self) -> None:
        """The refs will never hold them."""


class LooseSink:
    """Writes each object to a file of its own.

    Args:
        objects: The repository's ``objects`` folder.
        algorithm: ``sha1`` or ``sha256``.
    """

    def __init__(self, objects: Path, algorithm: str) -> None:
        self._objects = str(objects)
        self._algorithm = algorithm
        self._waiting: dict[str, bytes] = {}
        self._written: dict[str, bytes] = {}

    def write(self, kind: str, data: bytes, *, like: Likeness | None = None) -> str:
        """Take an object in and give its id."""
        oid = object_id(kind, data, self._algorithm)
        self._waiting[oid] = framed(kind, data)
        return oid

    def flush(self) -> None:
        """Write the files, then sync them, then name them, then sync the folders of the names.

        The order keeps the number of journal commits of the file system low. An object that is
        there already is replaced all the same: whoever wrote it may not have synced it, and a gc
        may have found it old.

        Raises:
            EnvironmentFailure: The disk is full, read-only or broken; nothing was named.
        """
        waiting, self._waiting = self._waiting, {}
        try:
            for some in _portions(waiting):
                _write_all(self._objects, some)
        except OSError as error:
            raise disk_failure(error, "an object can't be written") from None
        self._written.update(waiting)

    def stands(self) -> None:
        """Write again what a prune beside us took away before the refs stood.

        An object that was packed meanwhile is written, too: a second copy does no harm, and finding
        out would cost a process.
        """
        lost = {
            oid: data for oid, data in self._written.items() if not os.path.exists(_place(self._objects, oid))
        }
        for some in _portions(lost):
            _write_all(self._objects, some)
        self._written.clear()

    def drop(self) -> None:
        """Nothing to do: objects that no ref holds are swept up by gc."""
        self._waiting.clear()
        self._written.clear()


def _place(objects: str, oid: str) -> str:
    return f"{objects}/{oid[:2]}/{oid[2:]}"


def _portions(waiting: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    items = iter(waiting.items())
    while some := dict(islice(items, _OPEN_FILES)):
        yield some


def _write_all(objects: str, waiting: dict[str, bytes]) -> None:
    token = os.urandom(8).hex()
    temporary: dict[str, str] = {}
    descriptors: list[int] = []
    try:
        for number, (oid, data) in enumerate(waiting.items()):
            path = f"{objects}/{TEMPORARY}{token}_{number}"
            descriptors.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
            temporary[oid] = path
            _write(descriptors[-1], zlib.compress(data, 1))
        for descriptor in descriptors:
            sync_descriptor(descriptor)
        folders = _make_folders(objects, waiting)
        for oid in list(temporary):
            os.replace(temporary[oid], _place(objects, oid))
            del temporary[oid]
        for folder in folders:
            sync_path(folder)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        for path in temporary.values():
            os.unlink(path)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _make_folders(objects: str, oids: Collection[str]) -> list[str]:
    folders = sorted({f"{objects}/{oid[:2]}" for oid in oids})
    new = False
    for folder in folders:
        try:
            os.mkdir(folder)
            new = True
        except FileExistsError:
            pass
    return [*folders, objects] if new else folders
