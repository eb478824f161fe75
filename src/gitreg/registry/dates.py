"""Dates as people type them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.clock import utc_now

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)
_EITHER = re.compile(r"\d{1,2}([./-])\d{1,2}(\1\d{2,4})?", re.ASCII)
_NEARLY = re.compile(r"\d{4}[./-]\d{1,2}([./-]\d{1,2})?.*|\d{8}|\d{4}", re.ASCII)
_FORM = "year-month-day: 2026-01-15, or with a time and zone: 2026-01-15T10:30:00+01:00"


def is_date(text: str) -> bool:
    """Whether ``text`` has the form of a date, and so is no revision."""
    return bool(_DATE.fullmatch(text.strip()))


def not_a_point(text: str) -> InvalidInput:
    """The error for a point in time that is neither a revision nor a date, told by what it looks like."""
    if _EITHER.fullmatch(text.strip()):  # 01/02/2026 is January to some and February to others
        return InvalidInput(f"{shown(text)} could be read in several ways", where="--at", hint=_FORM)
    if _NEARLY.fullmatch(text.strip()):
        return InvalidInput(f"{shown(text)} is not written as dates are here", where="--at", hint=_FORM)
    return NotFound(f"there is no commit {shown(text)}", where="--at", hint="a date, commit, branch or tag")


def refuse_future(moment: datetime, newest: Callable[[], datetime], *, said: str, where: str) -> None:
    """Refuse a moment of which nothing can be known yet.

    A day alone means its end, which may be hours ahead; and where a clock went wrong, commits lie ahead.

    Args:
        moment: What is asked for.
        newest: When the newest commit was made; only asked where it matters.
        said: As the user wrote it.
        where: The option.

    Raises:
        InvalidInput: It lies in the future.
    """
    if moment <= utc_now() + timedelta(days=1) or moment <= newest():
        return
    raise InvalidInput(
        f"{shown(said)} lies in the future: nothing is known of it yet",
        where=where,
        hint=f"without {where} you see what is known",
    )


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
