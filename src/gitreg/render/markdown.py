r"""Text from a registry inside Markdown, where it must not steer what a reviewer sees.

All of it stands in code spans and fenced blocks: no HTML, link, image, heading or mention begins there, on
any hosting service. Entities would not do: services look for mentions in what Markdown has rendered, where
``&#64;`` is ``@`` again, and pass over code alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gitreg.render.text import safe

_LONGEST = 200
_TICKS = re.compile("`+")


def code(text: str, *, most: int = _LONGEST) -> str:
    """``text`` as a code span that is whole in a table cell, too; cut after ``most`` characters."""
    shown = safe(text if len(text) <= most else text[:most] + "…").strip(" ")
    if not shown:
        return "*empty*" if not text else "*blank*"
    # A backslash before a pipe would undo the pipe's own, which tables need.
    shown = re.sub(r"\\+\|", lambda match: match[0][:-1] + "\\x7c", shown).replace("|", "\\|")
    fence = _fence(shown, 1)
    space = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{space}{shown}{space}{fence}"


def fenced(lines: Sequence[str], language: str = "") -> list[str]:
    """``lines`` as a fenced block, whatever they hold."""
    shown = [safe(line) for line in lines]
    fence = _fence("\n".join(shown), 3)
    return [f"{fence}{language}", *shown, fence]


def _fence(text: str, least: int) -> str:
    return "`" * max(least, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))


def table_head(columns: Sequence[str]) -> list[str]:
    """The first two lines of a table; ``columns`` are Markdown."""
    return [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]


def table_row(cells: Iterable[str]) -> str:
    """One line of a table; ``cells`` are Markdown."""
    return f"| {' | '.join(cells)} |"
