"""Answers that are kept: what was asked for last stays longest, and all together they have a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Keys and their answers; may be used by several threads.

    Args:
        most: Bytes of all answers together.
        longest: Bytes of one; what is longer is not kept.
        weigh: How many bytes a key and its answer take, about.
    """

    def __init__(self, *, most: int, longest: int, weigh: Callable[[K, V], int]) -> None:
        self._most = most
        self._longest = longest
        self._weigh = weigh
        self._size = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """What was kept, if it still is."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        """Keep an answer; those that were asked for longest ago go for it."""
        size = self._weigh(key, value)
        if size > self._longest:
            return
        with self._lock:
            before = self._values.pop(key, None)
            if before is not None:
                self._size -= self._weigh(key, before)
            self._values[key] = value
            self._size += size
            while self._size > self._most:
                old, gone = self._values.popitem(last=False)
                self._size -= self._weigh(old, gone)
