"""One deliverer at a time: an advisory lock that the kernel frees whatever happens to its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.gitstore.durable import disk_failure

DELIVERING = "delivering.lock"
SERVING = "delivering-server.lock"

_LOOK = 0.02  # seconds


@contextmanager
def turn(folder: Path, name: str = DELIVERING, *, wait: float = 0.0) -> Iterator[bool]:
    """Hold a lock; gives whether it is held. Its file is never removed.

    Args:
        folder: The registry's ``state_dir``.
        name: Of the file.
        wait: Seconds to wait for another process, or another thread of this one.

    Raises:
        EnvironmentFailure: The file can't be made.
    """
    try:
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise disk_failure(error, "nothing can be delivered") from None
    try:
        yield _taken(descriptor, time.monotonic() + wait)
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _taken(descriptor: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
        else:
            return True
