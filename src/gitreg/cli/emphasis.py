"""Headings that stand out on a terminal, and nowhere else."""

from __future__ import annotations

import os

from gitreg.cli.output import on_terminal
from gitreg.render.text import safe


def heading(text: str) -> str:
    """``text`` in bold where a person reads it; NO_COLOR and a dumb terminal turn that off."""
    plain = safe(text)
    if not on_terminal() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return plain
    return f"\x1b[1m{plain}\x1b[0m"
