"""Errors as answers: problem details (RFC 9457), with the next thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from gitreg.artifacts.uris import without_secrets
from gitreg.errors import (
    Conflict,
    GitregError,
    InvalidFilter,
    InvalidInput,
    InvalidManifests,
)
from gitreg.web import statuses
from gitreg.web.api_v1.operation import Document

CONTENT_TYPE = "application/problem+json"


class BadRequest(InvalidInput):
    """A parameter or the body is not as it is described; ``errors`` says where and how."""

    kind = "invalid-request"

    def __init__(
        self, message: str, *, errors: Sequence[Document] = (), where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.errors = tuple(errors)


class WrongType(BadRequest):
    """The body is of another media type than JSON."""

    kind = "wrong-type"


class WrongMethod(BadRequest):
    """The path has other methods."""

    kind = "no-such-method"


class HeadMoved(Conflict):
    """The registry is not at the commit that ``If-Match`` asks for."""

    kind = "precondition"


_STATUSES: tuple[tuple[type[GitregError], int], ...] = (
    (InvalidManifests, 500),
    (WrongMethod, 405),
    (WrongType, 415),
    (HeadMoved, 412),
)
"""What an API has besides, or tells apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A request that was not carried out.

    Attributes:
        status: HTTP status.
        document: Problem details.
        headers: What else the answer says.
    """

    status: int
    document: Document
    headers: tuple[tuple[str, str], ...] = ()


def problem(
    status: int, code: str, detail: str, *, where: str = "", hint: str = "", **more: object
) -> Problem:
    """Problem details.

    Args:
        status: HTTP status.
        code: What kind of problem: ``not-found``.
        detail: What went wrong, one sentence.
        where: The parameter, field or file that it concerns.
        hint: What to do next.
        more: What else there is to say.
    """
    document: Document = {
        "type": f"urn:gitreg:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if where:
        document["where"] = where
    if hint:
        document["hint"] = hint
    return Problem(status=status, document=document | more)


def of_error(error: GitregError) -> Problem:
    """An error of gitreg's as an answer."""
    more: Document = {}
    if isinstance(error, InvalidFilter):
        more = {"column": error.at + 1, "length": error.length}
    if isinstance(error, BadRequest) and error.errors:
        more = {"errors": list(error.errors)}
    if isinstance(error, InvalidManifests):
        from gitreg.render.findings import document

        more = {"findings": [document(finding) for finding in error.findings]}
    found = problem(
        status_of(error),
        error.kind,
        without_secrets(error.message),
        where=without_secrets(_where(error.where)),
        hint=without_secrets(error.hint),
        **more,
    )
    if isinstance(error, WrongMethod):
        return replace(found, headers=(("allow", "GET"),))
    return found


def _where(where: str) -> str:
    """A place in a request: what the command line calls ``--at`` is a parameter here."""
    return f"query.{where.removeprefix('--')}" if where.startswith("--") else where


def status_of(error: GitregError) -> int:
    """HTTP status of an error."""
    own = next((status for kind, status in _STATUSES if isinstance(error, kind)), None)
    return own or statuses.status_of(error)


def bug() -> Problem:
    """What is told of something that gitreg did not foresee: the log has the rest."""
    return problem(500, "bug", "gitreg met a bug; the server's log has the details.")
