"""Pages that say no: what is wrong, where, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from gitreg.errors import GitregError
from gitreg.web.access import csrf
from gitreg.web.links import Links
from gitreg.web.pages.look import Look, Page, html
from gitreg.web.rendering import render
from gitreg.web.statuses import status_of

if TYPE_CHECKING:
    from starlette.requests import Request

_DATES = (
    "Write a date as year-month-day, 2026-01-15, or with a time and zone, 2026-01-15T10:30:00+01:00; "
    "or the id of a commit."
)
_TITLES = {
    400: "That can’t be done as asked",
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    409: "That is in conflict with what is there",
    503: "The registry can’t be read now",
}


def of_error(request: Request, error: GitregError, look: Look | None = None) -> Response:
    """The page that tells an error of the registry.

    Args:
        request: What is refused.
        error: Why.
        look: The registry, where it can be read: the page has its navigation then.
    """
    where, hint = error.where or "", error.hint or ""
    if where == "--at":  # said in the words of the command line
        where, hint = "as of", _DATES
    return page(request, status_of(error), error.message, where=where, hint=hint, look=look)


def page(
    request: Request, status: int, message: str, *, where: str = "", hint: str = "", look: Look | None = None
) -> Response:
    """A page that refuses; to who has to sign in first the form for that.

    Args:
        request: What is refused.
        status: HTTP status.
        message: Why.
        where: What in the request it is about.
        hint: What would help.
        look: The registry, where it can be read.
    """
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    again = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    sign_in = f"/sign-in?next={quote(again, safe='')}" if status == 401 else ""
    if status == 401 and request.method == "GET":
        text = render(
            "sign_in.html",
            links=Links(),
            action=sign_in,
            next=again,
            error="",
            name="",
            csrf=csrf.token_for(request.scope),
        )
        return HTMLResponse(text, status_code=status, headers=headers)
    ways = _ways(hint, look) if look else ()
    if look is not None and look.at and status == 404:
        message = f"{message.replace('there is no ', 'there was no ', 1)}, as of {look.at}"
    values = {
        "status": status,
        "title": _TITLES.get(status, "Something went wrong"),
        "message": message,
        "where": where,
        "hint": "" if ways else hint,
        "sign_in": sign_in,
        "ways": ways,
    }
    if look is None:
        text = render("refused.html", links=Links(), **values)
    else:
        made = Page(template="refused_here.html", title=str(values["title"]), values=values, status=status)
        text = html(made, look)
    return HTMLResponse(text, status_code=status, headers=headers)


def _ways(hint: str, look: Look) -> tuple[tuple[str, str], ...]:
    """Where a command that would help leads on these pages, with its address; none where it does nowhere."""
    links = look.links
    if hint.startswith("gitreg log"):
        return (("Activity", links.activity()),)
    if hint == "gitreg proposals":
        return (("Proposals", links.proposals()),)
    name = hint.removeprefix("gitreg list ")
    if name != hint and look.part.model(name) is not None:
        return ((f"All versions of {name}", links.model(name)),)
    return (("All models", links.models()),) if hint == "gitreg list" else ()
