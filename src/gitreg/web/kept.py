"""Answers that are kept: what was asked last stays longest, and all together they have a bound."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock


class Kept:
    """Key → bytes; may be used by several threads.

    Args:
        most: Bytes of all values together.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._size = 0
        self._values: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """What was kept, if it still is."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: str, value: bytes) -> None:
        """Keep something; what was asked for longest ago goes for it."""
        if len(value) > self._most // 8:
            return
        with self._lock:
            self._size += len(value) - len(self._values.pop(key, b""))
            self._values[key] = value
            while self._size > self._most:
                _, gone = self._values.popitem(last=False)
                self._size -= len(gone)
