"""Texts with a value on each line, as forms have them: ``key = value``, numbers, names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from math import isinf

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput

_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE
)


def texts(text: str) -> tuple[str, ...]:
    """The lines that are not blank, each once."""
    found = (line.strip() for line in text.split("\n"))
    return tuple(dict.fromkeys(line for line in found if line))


def names(text: str, known: Collection[str] = ()) -> tuple[str, ...]:
    """The names on the lines, or between the commas, that are not blank, each once.

    Args:
        text: What was typed.
        known: Names that are left whole: they may hold a comma.
    """
    found = (line if line in known else line.replace(",", "\n") for line in texts(text))
    return texts("\n".join(found))


def pairs(text: str, field: str) -> Mapping[str, str]:
    """``a = 1`` and ``b=x=y`` on lines of their own → ``{"a": "1", "b": "x=y"}``.

    Args:
        text: What was typed.
        field: Where, for messages.

    Raises:
        InvalidInput: A line has no ``=``, or a key comes twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise InvalidInput(
                f'line {number}, {shown(line.strip())}, holds no "="',
                where=field,
                hint="one key=value on each line",
            )
        if key in found:
            raise InvalidInput(f"line {number}: {shown(key)} is there already", where=field)
        found[key] = value
    return found


def numbers(text: str, field: str) -> Mapping[str, float]:
    """The same with numbers for values; ``nan`` and ``inf`` are some, as in MLflow.

    Raises:
        InvalidInput: As ``pairs``; or a value is no number, or larger than a double can hold.
    """
    return {key: _number(value, key, field) for key, value in pairs(text, field).items()}


def _number(text: str, key: str, field: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(f"{key}: {shown(text)} is no number", where=field, hint=f"such as {key}=0.93")
    value = float(text)
    if isinf(value) and "i" not in text.lower():
        raise InvalidInput(f"{key}: {shown(text)} is too large for a number", where=field)
    return value
