"""What commands print: a table on a terminal, TSV when piped, one JSON document with ``--json``.

Nothing that comes out of a registry reaches the terminal with control, bidirectional or invisible
characters in it: ``render.text.safe`` writes them as escapes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from gitreg.render.text import safe, safe_block, width

Cell = str | int | float | None
_AT_ONCE = 500  # lines that are written together
_SHORT = 20  # characters of a cell that stays in one piece on a terminal

# What JSON lets through raw, but a terminal must not get: DEL, C1, format and bidi characters,
# separators, lone surrogates. Inside a JSON document they can only stand in strings.
_RAW = (
    "[\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]"
)


def on_terminal() -> bool:
    """Whether stdout is a terminal: then people read it, else programs."""
    return sys.stdout.isatty()


def line(text: str = "") -> None:
    """Print one line; anything in it that can't be seen is escaped, newlines too."""
    sys.stdout.write(safe(text) + "\n")


def block(text: str) -> None:
    """Print a text of several lines, such as a description; only its newlines and tabs stay as they are."""
    sys.stdout.write(safe_block(text) + "\n")


def document(value: Any) -> None:
    """Print one JSON document (``--json``); keys are the manifests' own field names."""
    sys.stdout.write(json_text(value, indent=2) + "\n")


def json_text(value: Any, *, indent: int | None) -> str:
    """``value`` as JSON that is readable on a terminal and can't steer it."""
    import json  # most commands print none

    text = json.dumps(value, ensure_ascii=not _unicode(), indent=indent, allow_nan=False)
    return re.sub(_RAW, lambda match: json.dumps(match[0])[1:-1], text)


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, text: str | None = None, spare: int = 0
) -> None:
    """Print rows: aligned on a terminal, else TSV with a header line.

    Args:
        columns: Names, lower case, as in the manifests.
        rows: One cell a column; None is an empty cell. In TSV a tab or newline is escaped.
        text: More lines of TSV behind them, safe already.
        spare: How many of the last columns a narrow terminal may do without.
    """
    if on_terminal():
        _aligned(columns, rows, spare)
        return
    lines = ["\t".join(columns)]
    for row in rows:
        lines.append("\t".join(map(_cell, row)))
        if len(lines) >= _AT_ONCE:
            sys.stdout.write("\n".join(lines) + "\n")
            lines.clear()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    if text:
        sys.stdout.write(text)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    text = value if type(value) is str else str(value)
    return text if text.isascii() and text.isprintable() else safe(text)


def _aligned(columns: Sequence[str], rows: Iterable[Sequence[Cell]], spare: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    cells = [[_cell(value) for value in row] for row in rows]
    titles = [name if "." in name else name.replace("_", " ") for name in columns]
    longest = [max(width(row[at]) for row in [titles, *cells]) for at in range(len(titles))]
    least = [min(each, _SHORT) + 2 for each in longest]
    while spare and sum(least) - 2 > console.width:
        spare -= 1
        least.pop()
    fits = sum(least) - 2 <= console.width
    bold = "" if os.environ.get("NO_COLOR") else "bold"  # rich takes out the colours alone
    made = Table(box=None, pad_edge=False, header_style=bold)
    for title, each, _ in zip(titles, longest, least, strict=False):
        # Only what is long is broken: a stage or a number in two pieces can't be read.
        made.add_column(title, overflow="fold", no_wrap=fits and each <= _SHORT)
    for row in cells:
        made.add_row(*map(Text, row[: len(least)]))  # Text: no markup is read from the registry
    console.print(made)


def note(text: str) -> None:
    """Say something on stderr that is no part of the answer."""
    sys.stderr.write(safe(text) + "\n")


def warning(text: str) -> None:
    """Warn on stderr."""
    note(f"warning: {text}")


def hint(text: str) -> None:
    """Tell a person what to type next; programs are not told."""
    if on_terminal():
        line(text)
