"""A grid of characters to draw on, for pictures in a terminal."""

from __future__ import annotations

from dataclasses import dataclass

_SGR = (32, 94, 90, 35, 33, 95, 36, 93)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a terminal can show.

    Attributes:
        width: Columns.
        unicode: Whether its encoding has block and line characters.
        colours: Whether to use them.
    """

    width: int
    unicode: bool = True
    colours: bool = False


class Canvas:
    """Rows of cells; each holds one character of one column, and a style.

    Args:
        width: Columns.
        height: Rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self._chars = [[" "] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]

    def put(self, column: int, row: int, said: str, style: str = "") -> None:
        """Write from a cell to the right, a column for each character; what lies outside is left out."""
        for at, char in enumerate(said, column):
            if 0 <= at < self.width:
                self._chars[row][at] = char
                self._styles[row][at] = style

    def at(self, column: int, row: int) -> str:
        """The character in a cell."""
        return self._chars[row][column]

    def free(self, column: int, row: int, count: int) -> bool:
        """Whether ``count`` cells from one on are on the canvas and empty."""
        return (
            column >= 0
            and column + count <= self.width
            and not "".join(self._chars[row][column : column + count]).strip(" ")
        )

    def lines(self, *, colours: bool) -> list[str]:
        """The rows as text, without spaces at their ends; with ``colours`` in their styles."""
        return [
            _line(chars, styles if colours else [""] * self.width)
            for chars, styles in zip(self._chars, self._styles, strict=True)
        ]


def _line(chars: list[str], styles: list[str]) -> str:
    end = len("".join(chars).rstrip())
    out = []
    now = ""
    for char, style in zip(chars[:end], styles, strict=False):
        if style != now:
            out.append(f"\x1b[{'0;' * bool(now and style)}{style or 0}m")
            now = style
        out.append(char)
    return "".join(out) + ("\x1b[0m" if now else "")


def coloured(colour: int, *, reverse: bool = False) -> str:
    """The style of one of a picture's colours (``scale.stage_colours``), or of text that stands on it."""
    return f"{_SGR[colour]};7" if reverse else str(_SGR[colour])


FAINT = "90"
"""The style of axes."""
