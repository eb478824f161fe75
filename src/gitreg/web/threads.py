"""Work that waits for the disk or for Git goes on in threads, never in the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

MOST = 4
"""Threads for one kind of request: each has a registry open for itself, and Python runs one at a time."""

T = TypeVar("T")


class Threads:
    """Runs work in a few threads; what comes meanwhile waits its turn.

    Args:
        most: How many at a time.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._limiter: CapacityLimiter | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` gives."""
        if self._limiter is None:  # it belongs to the event loop
            self._limiter = CapacityLimiter(self._most)
        return await run_sync(work, limiter=self._limiter)
