"""The write lock: one writer for each repository, whatever happens to its processes."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.errors import EnvironmentFailure
from gitreg.gitstore.durable import disk_failure

LOCK_FILE = "write.lock"
DEFAULT_WAIT = 30.0  # seconds

_open: set[int] = set()  # descriptors of locks that are held here
_holders: dict[str, int] = {}  # path → thread, to tell "twice in one thread" from "two threads"


@contextmanager
def write_lock(state_dir: Path, *, wait: float = DEFAULT_WAIT) -> Iterator[int]:
    """Hold the repository's write lock; gives the descriptor, which children that write must inherit.

    The file is never removed: two processes would hold locks on two files of the same name. The
    kernel frees the lock when the last process that holds the descriptor is gone, so a writer that
    is killed leaves it only after the git child that still writes for it.

    Args:
        state_dir: Folder of the lock; made when it is not there.
        wait: Seconds to wait for another writer.

    Raises:
        EnvironmentFailure: Another process holds it for longer, or the folder can't be written.
        RuntimeError: This thread holds it already, which is a mistake in the program.
    """
    path = state_dir / LOCK_FILE
    if _holders.get(str(path)) == threading.get_ident():
        raise RuntimeError("the write lock is not re-entrant")
    try:
        state_dir.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise disk_failure(error, "the registry can't be written") from None
    try:
        _acquire(descriptor, path, wait)
        _sign(descriptor)
        _holders[str(path)] = threading.get_ident()
        _open.add(descriptor)
        try:
            yield descriptor
        finally:
            _open.discard(descriptor)
            _holders.pop(str(path), None)
    finally:
        with suppress(OSError):  # a forked child has let go of it already
            os.close(descriptor)


def _let_go() -> None:
    """In a forked child, which writes nothing for its parent: else the lock lasted as long as the child."""
    for descriptor in _open:
        with suppress(OSError):
            os.close(descriptor)
    _open.clear()
    _holders.clear()


os.register_at_fork(after_in_child=_let_go)


def _acquire(descriptor: int, path: Path, wait: float) -> None:
    deadline = time.monotonic() + wait
    pause = 0.001
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise disk_failure(error, "the write lock can't be taken") from None
        if time.monotonic() >= deadline:
            raise EnvironmentFailure(
                f"another writer has held the registry for over {wait:g} s ({_holder(descriptor)})",
                where=str(path),
                hint="wait for it, or see what it does: gitreg doctor",
            )
        # Jitter, so that many writers do not look at the same moments.
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        pause = min(pause * 1.5, 0.02)


def _sign(descriptor: int) -> None:
    # Always of one length, and so never truncated: that would cost an allocation each time.
    text = f"{os.getpid()} {socket.gethostname()} {int(time.time())}"
    with suppress(OSError):  # a full disk must not be told of here: the name only helps who waits
        os.pwrite(descriptor, f"{text:<127.127}\n".encode(), 0)


def _holder(descriptor: int) -> str:
    words = os.pread(descriptor, 300, 0).decode("utf-8", "replace").split()
    if len(words) != 3 or not words[2].isdigit():
        return "holder unknown"
    return f"process {words[0]} on {words[1]}, since {max(0, int(time.time()) - int(words[2]))} s"
