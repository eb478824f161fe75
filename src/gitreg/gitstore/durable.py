"""Files that survive a power cut: what must be synced, and how each system wants to be asked."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from gitreg.errors import EnvironmentFailure

_AT_ONCE = 8

if sys.platform == "darwin":
    import fcntl

    def sync_descriptor(descriptor: int) -> None:
        """Force a file's content to the disk (macOS: fsync alone leaves it in the drive's cache)."""
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)

else:

    def sync_descriptor(descriptor: int) -> None:
        """Force a file's content and metadata to the disk."""
        os.fsync(descriptor)


def sync_path(path: str | Path) -> None:
    """Force a file's content, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync_descriptor(descriptor)
    finally:
        os.close(descriptor)


def sync_all(files: Sequence[int | str | Path]) -> None:
    """Force open files (by descriptor), or files and folders (by path), to the disk: all at the same time.

    One after the other each waits for a turn of the disk of its own; together they share it.
    """
    if len(files) == 1:
        _sync(files[0])
        return
    faults: list[OSError] = []

    def sync_some(start: int) -> None:
        try:
            for each in files[start::_AT_ONCE]:
                _sync(each)
        except OSError as error:
            faults.append(error)

    others = [Thread(target=sync_some, args=(start,)) for start in range(1, min(len(files), _AT_ONCE))]
    for each in others:
        each.start()
    sync_some(0)
    for each in others:
        each.join()
    if faults:
        raise faults[0]


def _sync(file: int | str | Path) -> None:
    if isinstance(file, int):
        sync_descriptor(file)
    else:
        sync_path(file)


def disk_failure(error: OSError, doing: str) -> EnvironmentFailure:
    """What an ``OSError`` on the repository's files means to the user (exit 7)."""
    hints = {
        errno.ENOSPC: "free some space and try again; nothing was changed",
        errno.EDQUOT: "your disk quota is used up; nothing was changed",
        errno.EROFS: "the file system is mounted read-only",
        errno.EACCES: "check the owner and mode of the file and its folder",
        errno.EPERM: "check the owner and mode of the file and its folder",
    }
    where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    reason = error.strerror or str(error)
    return EnvironmentFailure(f"{doing}: {reason}", where=where, hint=hints.get(error.errno or 0, ""))
