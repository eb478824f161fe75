"""Errors of the registry as HTTP statuses, the same for pages and for the API."""

from __future__ import annotations

from gitreg.errors import (
    Conflict,
    EnvironmentFailure,
    GitregError,
    InvalidInput,
    NotAllowed,
    NotFound,
    UsageError,
)

_STATUS: tuple[tuple[type[GitregError], int], ...] = (
    (NotFound, 404),
    (InvalidInput, 400),
    (UsageError, 400),
    (Conflict, 409),
    (NotAllowed, 403),
    (EnvironmentFailure, 503),
)


def status_of(error: GitregError) -> int:
    """The HTTP status of an error; 500 for what the client can do nothing about."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
