"""Text that is safe to show, and the forms in which times, numbers and sizes are said."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

# Control, format, surrogate, line and paragraph separators, private use, unassigned: what a terminal
# obeys or a reader can't see. Bidirectional overrides are format characters (Cf).
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"})
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNITS = ("kB", "MB", "GB", "TB", "PB")
_AGES = ((60.0, "minute"), (3600.0, "hour"), (86_400.0, "day"))


def safe(text: str) -> str:
    r"""``text`` on one line, with everything that a terminal obeys or hides written as an escape.

    ESC becomes ``\x1b``, a right-to-left override ``\u202e``; printable text is untouched.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def safe_block(text: str) -> str:
    """As ``safe``, but newlines and tabs stay: for descriptions and messages."""
    return "".join(char if char in "\n\t" else _visible(char) for char in text.replace("\r\n", "\n"))


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that ``text`` takes on a terminal (Unicode's East Asian width; marks take none)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def moment(when: datetime) -> str:
    """``2026-11-23 10:00 UTC``."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(when: datetime, now: datetime) -> str:
    """How long ago, in words: ``3 days ago``; ``""`` when it lies ahead or over 60 days back."""
    seconds = (now - when).total_seconds()
    if seconds < 0 or seconds > 60 * 86_400:
        return ""
    if seconds < 60:
        return "just now"
    length, unit = next(step for step in reversed(_AGES) if seconds >= step[0])
    count = int(seconds // length)
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def number(value: float) -> str:
    """A metric as people read it: six significant digits, whole numbers whole."""
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.6g}"


def size(count: int) -> str:
    """Bytes as people read them: ``12.3 kB`` (powers of 1,000)."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= 1000
        if value < 999.95 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}"


def plural(count: int, thing: str) -> str:
    """``1 file``, ``2 files``, ``1,000 files``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
