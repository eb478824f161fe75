"""What ``token`` and ``access`` share: roles, patterns and times as they are typed and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import chosen_place
from gitreg.domain.names import shown
from gitreg.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from gitreg.web.access.store import AccessStore
    from gitreg.web.identity import Role

ROLES = ("reader", "writer", "approver", "admin")
_LASTS = re.compile(r"(?P<count>[1-9]\d{0,3})(?P<unit>[hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def current_access() -> AccessStore:
    """Tokens and grants of the registry that the command is about.

    Raises:
        UsageError: A URL was given.
        NotARegistry: There is no registry there.
    """
    from gitreg.web.access.store import AccessStore

    store = AccessStore(chosen_place(click.get_current_context()))
    _ = store.path  # here, so that nothing else is complained of first
    return store


def patterns(texts: Sequence[str]) -> dict[str, Role]:
    """``("churn*=approver",)`` → pattern of names → role.

    Raises:
        UsageError: One has no ``=``, or a pattern comes twice.
        InvalidInput: A role or a pattern is none.
    """
    from gitreg.web.access.entries import check_pattern, role_of

    found: dict[str, Role] = {}
    for text in texts:
        pattern, equals, word = text.rpartition("=")  # a name can hold "="
        if not equals:
            raise UsageError(f'{shown(text)} holds no "="', where="--model", hint="--model 'churn*=approver'")
        if pattern in found:
            raise UsageError(f"{shown(pattern)} is given twice", where="--model", hint="keep one of the two")
        found[check_pattern(pattern, "--model")] = role_of(word, "--model")
    return found


def until(text: str, now: datetime) -> datetime:
    """``90d``, ``12h``, ``2w`` or a date, whose end is meant.

    Args:
        text: As it was typed.
        now: What a length of time is counted from.

    Raises:
        InvalidInput: It is none of these, or lies in the past.
    """
    from gitreg.registry.dates import parse_moment

    lasts = _LASTS.fullmatch(text.strip())
    if lasts:
        return now + int(lasts["count"]) * _UNITS[lasts["unit"]]
    try:
        moment = parse_moment(text)
    except InvalidInput:
        raise InvalidInput(
            f"{shown(text)} is no time to come", where="--expires", hint="90d, 12h, 2w or 2027-01-31"
        ) from None
    if moment <= now:
        raise InvalidInput(f"{shown(text)} is over already", where="--expires", hint="90d, 12h, 2w or a date")
    return moment


def words(models: Mapping[str, Role]) -> str:
    """Patterns and roles in one cell: ``churn*=approver fraud=writer``."""
    return " ".join(f"{pattern}={role.word}" for pattern, role in models.items())


def documents(models: Mapping[str, Role]) -> dict[str, str]:
    """The same for JSON."""
    return {pattern: role.word for pattern, role in models.items()}
