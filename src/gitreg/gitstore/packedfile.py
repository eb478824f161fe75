"""``packed-refs`` as one sorted text that is searched where it lies: 100,000 tags take 17 looks.

Lines are ``OID SP NAME``, or ``^OID`` for what the tag above points to. Git has written them sorted since
2.15 and says so in the first line.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from typing import NamedTuple

from gitreg.errors import EnvironmentFailure

_MOST_OPEN = 8
_STEP = 512  # bytes: four tags


class PackedFile:
    """The refs that one ``packed-refs`` holds.

    Args:
        text: All of it.

    Raises:
        EnvironmentFailure: It is not sorted.
    """

    def __init__(self, text: bytes | mmap.mmap) -> None:
        self.text = text
        header = text[: text.find(b"\n") + 1] if len(text) else b""
        if len(text) and b" sorted" not in header:
            raise EnvironmentFailure(
                "packed-refs is not sorted", where="packed-refs", hint="git pack-refs --all"
            )
        if len(text) and text[-1:] != b"\n":
            raise EnvironmentFailure(
                "packed-refs is damaged: its last line has no end",
                where="packed-refs",
                hint="git fsck; restore it from a clone",
            )
        self.header = header
        self.begin = len(header)
        # All ids of a repository are equally long.
        self._skip = text.find(b" ", self.begin) + 1 - self.begin

    def find(self, name: bytes) -> str | None:
        """The object id that the file holds for ``name``, None where it has none."""
        at = self.place(name)
        if at == len(self.text):
            return None
        oid, found, _ = self._line(at)
        return oid.decode("ascii", "replace") if found == name else None

    def beginning(self, start: bytes) -> Iterator[tuple[bytes, str]]:
        """All names that begin with ``start``, in order, with their object ids."""
        at = self.place(start)
        while at < len(self.text):
            oid, name, at = self._line(at)
            if not name.startswith(start):
                return
            yield name, oid.decode("ascii", "replace")

    def place(self, name: bytes, low: int = 0) -> int:
        """Where the line of ``name`` begins, or of the first one behind it; the text's end when none is.

        Args:
            name: Full ref name.
            low: A place that is known not to lie behind it: of a name before it. What is near is found soon.
        """
        if low:
            low, high = self._reach(name, low)
        else:
            low, high = self.begin, len(self.text)
        text, skip = self.text, self._skip
        while low < high:
            start = self._start((low + high) // 2, low)
            end = self._end(start)
            if text[start + skip : end] < name:
                low = self._following(end)
            else:
                high = start
        return low

    def _reach(self, name: bytes, low: int) -> tuple[int, int]:
        """Two places that have the one of ``name`` between them, from ``low`` on in ever longer steps."""
        step = _STEP
        while low + step < len(self.text):
            start = self._start(low + step, low)
            end = self._end(start)
            if self.text[start + self._skip : end] >= name:
                return low, start
            low, step = self._following(end), step * 2
        return low, len(self.text)

    def _start(self, at: int, low: int) -> int:
        """Where the line of the ref begins that ``at`` lies in; ``low`` is where another one does."""
        start = max(self.text.rfind(b"\n", low, at) + 1, low)
        while start > low and self.text[start : start + 1] == b"^":
            start = max(self.text.rfind(b"\n", low, start - 1) + 1, low)
        return start

    def name_at(self, at: int) -> bytes:
        """The name whose line begins at a place that ``place`` gave; empty at the end."""
        return self._line(at)[1] if at < len(self.text) else b""

    def _line(self, start: int) -> tuple[bytes, bytes, int]:
        end = self._end(start)
        at = start + self._skip
        return self.text[start : at - 1], self.text[at:end], self._following(end)

    def _following(self, end: int) -> int:
        """Where the line of the next ref begins."""
        end += 1
        while self.text[end : end + 1] == b"^":
            end = self._end(end) + 1
        return min(end, len(self.text))

    def _end(self, start: int) -> int:
        end = self.text.find(b"\n", start)
        return len(self.text) if end < 0 else end


class _Mark(NamedTuple):
    """By what Git, too, tells that packed-refs was not replaced (refs/packed-backend.c)."""

    size: int
    file: int
    changed: int


_open: dict[str, tuple[_Mark, PackedFile]] = {}


def packed_file(path: str) -> PackedFile:
    """The file as it is now, kept open until another one takes its place; empty when there is none."""
    try:
        known = _open.get(path)
        if known and known[0] == _mark(os.stat(path)):
            return known[1]
        with open(path, "rb") as file:
            mark = _mark(os.fstat(file.fileno()))
            text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if mark.size else b""
    except FileNotFoundError:
        _open.pop(path, None)
        return _NONE
    found = PackedFile(text)
    if len(_open) >= _MOST_OPEN:
        _open.clear()
    _open[path] = (mark, found)
    return found


def _mark(stat: os.stat_result) -> _Mark:
    return _Mark(stat.st_size, stat.st_ino, stat.st_mtime_ns)


_NONE = PackedFile(b"")
