"""Keeps a ``git gc`` of somebody else away while loose objects wait for their ref."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitreg.gitstore.durable import disk_failure

_PATIENCE = 0.5  # seconds
_GENEROUS = 12 * 3600  # seconds after which git gc itself takes no notice of the file


@contextmanager
def gc_held_off(common_dir: Path) -> Iterator[bool]:
    """Hold git's own ``gc.pid``, so that ``git gc`` says "already running" and does nothing.

    ``git gc --prune=now`` deletes loose objects that no ref holds yet; it would take ours between
    their writing and the move of the branch, and ``update-ref`` checks only the tip. The file is
    made as git gc makes it (builtin/gc.c, lock_repo_for_gc).

    Gives False when a gc of somebody else runs already: then write a kept pack instead.
    """
    mark = common_dir / "gc.pid"
    if running(mark) or not _take(mark):
        yield False
        return
    try:
        yield True
    finally:
        mark.unlink(missing_ok=True)


def running(mark: Path) -> bool:
    """Whether the process that made a ``gc.pid`` may still be at work."""
    try:
        age = time.time() - mark.stat().st_mtime
        words = mark.read_text(errors="replace").split()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise disk_failure(error, "gc.pid can't be read") from None
    if age > _GENEROUS or len(words) != 2 or not words[0].isdigit():
        return False
    # A file with our own number was left by a process that had it before us (in a container: often).
    return words[1] != socket.gethostname() or (int(words[0]) != os.getpid() and alive(int(words[0])))


def alive(pid: int) -> bool:
    """Whether a process of that number exists on this machine."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _remove_stale(lock: str) -> None:
    """Remove a ``gc.pid.lock`` whose maker is dead; Git and we hold it for microseconds."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            words = Path(lock).read_text(errors="replace").split()
        except OSError:
            return
        if len(words) == 2 and not (words[1] == socket.gethostname() and not alive(int(words[0]))):
            return
        if len(words) == 2:
            break
        time.sleep(0.02)  # empty: its maker is about to write, or was killed before it could
    Path(lock).unlink(missing_ok=True)


def _take(mark: Path) -> bool:
    lock = f"{mark}.lock"
    _remove_stale(lock)
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False  # a gc is starting at this moment
    except OSError as error:
        raise disk_failure(error, "the registry can't be written") from None
    try:
        if running(mark):  # it started between the look and the lock
            os.unlink(lock)
            return False
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
        os.rename(lock, mark)
    except OSError as error:
        os.unlink(lock)
        raise disk_failure(error, "the registry can't be written") from None
    finally:
        os.close(descriptor)
    return True
