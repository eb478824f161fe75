"""Event loops of tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio

T = TypeVar("T")


def run(once: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine to its end, in a thread of its own: a browser that other tests drive keeps a loop in theirs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, once).result()
