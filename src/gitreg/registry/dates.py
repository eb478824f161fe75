"""Dates as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput, NotFound

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)
_NEARLY = re.compile(r"\d{1,4}([./-])\d{1,2}(\1\d{1,4})?.*|\d{8}|\d{4}", re.ASCII)
_FORM = "year-month-day: 2026-01-15, or with a time and zone: 2026-01-15T10:30:00+01:00"


def is_date(text: str) -> bool:
    """Whether ``text`` has the form of a date, and so is no revision."""
    return bool(_DATE.fullmatch(text.strip()))


def not_a_point(text: str) -> InvalidInput:
    """The error for a point in time that is neither a revision nor a date, told by what it looks like."""
    if _NEARLY.fullmatch(text.strip()):  # 01/02/2026 is January to some and February to others
        return InvalidInput(f"{shown(text)} could be read in several ways", where="--at", hint=_FORM)
    return NotFound(f"there is no commit {shown(text)}", where="--at", hint="a date, commit, branch or tag")


def parse_moment(text: str) -> datetime:
    """``2026-01-15``, ``2026-01-15T10:30`` or RFC 3339; UTC unless a zone is given; a day means its end.

    Raises:
        InvalidInput: It is no such date.
    """
    given = text.strip()
    try:
        if not is_date(given):
            raise ValueError(given)
        if len(given) == 10:
            return datetime.combine(datetime.fromisoformat(given), time(23, 59, 59, 999000), UTC)
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidInput(f"{shown(text)} is no date", where="--at", hint=_FORM) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
