"""Answers that were made before: what a commit holds never changes."""

from __future__ import annotations

from gitreg.web.kept import Kept

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Commit, path and query."""
Answer = tuple[tuple[tuple[str, str], ...], bytes]
"""Headers and content."""

_MOST_BYTES = 16 * 1024 * 1024
_LONGEST = 1024 * 1024


class Cache(Kept[Key, Answer]):
    """Keeps the answers that were asked for last, up to a number of bytes."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        super().__init__(most=most, longest=_LONGEST, weigh=_size)


def _size(key: Key, value: Answer) -> int:
    query = sum(len(name) + len(text) for name, text in key[2])
    return len(value[1]) + len(key[1]) + query + 500
