"""A line on stderr that tells how far long work is; silent unless a person watches."""

from __future__ import annotations

import sys
import time

from gitreg.render.text import safe, size

_EVERY = 0.1  # seconds
_WIDTH = 30  # of a bar


class Progress:
    """Rewrites one line of stderr, and takes it away at the end (a context manager)."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._shown_at = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown_at:
            self._shown_at = 0.0
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def show(self, text: str) -> None:
        """Show ``text``, at most ten times a second."""
        now = time.monotonic()
        if self._watched and now - self._shown_at >= _EVERY:
            self._shown_at = now
            sys.stderr.write(f"\r{safe(text)}\x1b[K")
            sys.stderr.flush()

    def bar(self, what: str, done: int, total: int) -> None:
        """Show how much of ``what`` is done, as a bar."""
        full = _WIDTH * done // max(total, 1)
        self.show(f"{what} [{'#' * full}{'.' * (_WIDTH - full)}] {done:,} of {total:,}")

    def hashed(self, done: int, total: int) -> None:
        """Show how much of an artifact is hashed (bytes)."""
        self.show(f"hashing {size(done)} of {size(total)}")
