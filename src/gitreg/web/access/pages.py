"""The pages of signing in and of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gitreg.web import refusals
from gitreg.web.links import Links
from gitreg.web.rendering import render

if TYPE_CHECKING:
    from starlette.types import Scope


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """A template in the frame of every page; no browser keeps it.

    Args:
        template: Its file.
        status: HTTP status.
        values: What it shows.
    """
    text = render(template, links=Links(), **values)
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="gitreg"'
    return HTMLResponse(text, status_code=status, headers=headers)


def refusal(scope: Scope, status: int, message: str) -> str:
    """The text of a page that refuses a request.

    Args:
        scope: The request (ASGI).
        status: HTTP status.
        message: Why.
    """
    return bytes(refusals.page(Request(scope), status, message).body).decode()
