"""The order in which people count: ``metric_2`` stands before ``metric_10``."""

from __future__ import annotations

import re

_PARTS = re.compile(r"([0-9]+)")


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """What texts are sorted by, so that the numbers in them are compared as numbers.

    Args:
        text: A key, or any other name.
    """
    # Very long digits are compared as text: as a number they would cost the square of their length.
    return tuple(
        (0, int(part), part) if part.isdecimal() and len(part) < 40 else (1, 0, part)
        for part in _PARTS.split(text)
        if part
    )
