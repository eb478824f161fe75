"""MLflow's errors without MLflow: a code, a message, and the HTTP status that its server answers with."""

from __future__ import annotations

from gitreg.errors import (
    AlreadyExists,
    Conflict,
    EnvironmentFailure,
    GitregError,
    InvalidInput,
    NotAllowed,
    NotFound,
    UsageError,
)

STATUSES = {
    "INVALID_PARAMETER_VALUE": 400,
    "BAD_REQUEST": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "PERMISSION_DENIED": 403,
    "RESOURCE_CONFLICT": 409,
    "INVALID_STATE": 500,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}
"""MLflow's error code → HTTP status. Source: its REST API's documentation, and its server's answers."""


class MlflowError(Exception):
    """What MLflow would raise as ``MlflowException``.

    Args:
        message: The sentence, MLflow's own where it has one.
        code: Name of MLflow's error code.
    """

    def __init__(self, message: str, code: str = "INTERNAL_ERROR") -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    @property
    def status(self) -> int:
        """HTTP status of an answer with this error."""
        return STATUSES.get(self.code, 500)


def invalid(message: str) -> MlflowError:
    """A value that MLflow refuses."""
    return MlflowError(message, "INVALID_PARAMETER_VALUE")


def translated(error: GitregError) -> MlflowError:
    """An error of gitreg's as MLflow's: the sentence, what it concerns and what to do, in one message."""
    message = str(error) + (f" ({error.hint})" if error.hint else "")
    return MlflowError(message, _code(error))


def _code(error: GitregError) -> str:
    codes: list[tuple[type[GitregError], str]] = [
        (NotFound, "RESOURCE_DOES_NOT_EXIST"),
        (AlreadyExists, "RESOURCE_ALREADY_EXISTS"),
        (InvalidInput, "INVALID_PARAMETER_VALUE"),
        (UsageError, "INVALID_PARAMETER_VALUE"),
        (NotAllowed, "PERMISSION_DENIED"),
        (Conflict, "RESOURCE_CONFLICT"),
        (EnvironmentFailure, "TEMPORARILY_UNAVAILABLE"),
    ]
    return next((code for kind, code in codes if isinstance(error, kind)), "INTERNAL_ERROR")
