"""How much of a long text or list a page shows."""

from __future__ import annotations

import re

from gitreg.render.text import plural

_DIGEST = re.compile(r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b")

LONGEST = 240
"""Characters of one value: a tag may hold a million."""


def cut(text: str, most: int = LONGEST) -> str:
    """``text``, or its beginning with how long it is."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text):,} characters)"


def brief(text: str) -> str:
    """``text`` with what stands behind the first twelve digits of each digest left out, and cut."""
    return cut(_DIGEST.sub(r"\1…", text))


def more(count: int, thing: str) -> str:
    """``and 3 more rows``, where that many are left out; else ``""``."""
    return f"and {plural(count, f'more {thing}')}" if count > 0 else ""
