"""Answers that were made before: what a commit holds never changes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Commit, path and query."""
Kept = tuple[tuple[tuple[str, str], ...], bytes]
"""Headers and content."""

_MOST_BYTES = 16 * 1024 * 1024
_LONGEST = 1024 * 1024


class Cache:
    """Keeps the answers that were asked for last, up to a number of bytes."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Key) -> Kept | None:
        """What is kept under a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Key, value: Kept) -> None:
        """Keep an answer; those that were not asked for longest make room."""
        size = _size(key, value)
        if size > _LONGEST:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            if before is not None:
                self._size -= _size(key, before)
            self._kept[key] = value
            self._size += size
            while self._size > self._most:
                old, content = self._kept.popitem(last=False)
                self._size -= _size(old, content)


def _size(key: Key, value: Kept) -> int:
    query = sum(len(name) + len(text) for name, text in key[2])
    return len(value[1]) + len(key[1]) + query + 500
