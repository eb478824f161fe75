"""Files that survive a power cut: what must be synced, and how each system wants to be asked."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from gitreg.errors import EnvironmentFailure

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
