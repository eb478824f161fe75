"""Pages that say no: what is wrong, where, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

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
from gitreg.web.links import Links
from gitreg.web.rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request

_STATUS: tuple[tuple[type[GitregError], int], ...] = (
    (NotFound, 404),
    (AlreadyExists, 409),
    (Conflict, 409),
    (NotAllowed, 403),
    (UsageError, 400),
    (InvalidInput, 400),
    (EnvironmentFailure, 503),
)
_TITLES = {
    400: "That can’t be done as asked",
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    409: "That is in conflict with what is there",
    503: "The registry can’t be read now",
}


def status_of(error: GitregError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def of_error(request: Request, error: GitregError) -> Response:
    """The page that tells an error of the registry."""
    where, hint = error.where or "", error.hint or ""
    if where == "--at":  # said in the words of the command line
        where, hint = "as of", "Leave it out to see what is known now."
    return page(request, status_of(error), error.message, where=where, hint=hint)


def page(request: Request, status: int, message: str, *, where: str = "", hint: str = "") -> Response:
    """A page that refuses.

    Args:
        request: What is refused.
        status: HTTP status.
        message: Why.
        where: What in the request it is about.
        hint: What would help.
    """
    again = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    text = render(
        "refused.html",
        links=Links(),
        status=status,
        title=_TITLES.get(status, "Something went wrong"),
        message=message,
        where=where,
        hint=hint,
        sign_in=f"/sign-in?next={quote(again, safe='')}" if status == 401 else "",
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store", **headers})


def csrf_of(request: Request) -> str:
    """The token that forms of this browser carry; ``""`` where nothing checks any."""
    return str(request.scope.get("state", {}).get("csrf", ""))
