"""Answers as bytes on the wire, and refusals in the form that whoever asks can read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitreg.mlflow import rest
from gitreg.mlflow.rest import Answer

if TYPE_CHECKING:
    from starlette.types import Scope, Send

Header = tuple[bytes, bytes]

_JSON = (b"content-type", b"application/json")
_CHALLENGE = (b"www-authenticate", b'Bearer realm="gitreg"')
_CLOSE = (b"connection", b"close")
_FOR_PROGRAMS = ("/api/", "/ajax-api/", "/metrics")
_PROBLEMS = "/api/v1/"
# MLflow's error code → the API's own.
_PROBLEM_CODES = {
    "UNAUTHENTICATED": "unauthenticated",
    "PERMISSION_DENIED": "permission-denied",
    "INVALID_PARAMETER_VALUE": "invalid-request",
    "DEADLINE_EXCEEDED": "too-slow",
    "TEMPORARILY_UNAVAILABLE": "environment",
    "INTERNAL_ERROR": "bug",
}


async def respond(
    send: Send, answer: Answer, *, close: bool = False, empty: bool = False, more: Iterable[Header] = ()
) -> None:
    """Send an answer.

    Args:
        send: Where to (ASGI).
        answer: Status and document.
        close: Whether the connection ends with it, because the request was not read to its end.
        empty: Whether the document stays away, as for HEAD.
        more: Headers beside those of every answer.
    """
    headers = [_JSON, *more]
    if answer.allowed:
        headers.append((b"allow", ", ".join(answer.allowed).encode()))
    if close:
        headers.append(_CLOSE)
    await _send(send, answer.status, headers, json.dumps(answer.document).encode(), empty=empty)


async def refuse(
    scope: Scope, send: Send, status: int, code: str, message: str, *, more: Iterable[Header] = ()
) -> None:
    """Send a refusal: a page to a browser, a problem (RFC 9457) from the API, MLflow's form to all others.

    Args:
        scope: The request (ASGI).
        send: Where to (ASGI).
        status: HTTP status; with 401 goes the challenge that it must have.
        code: MLflow's error code.
        message: What is wrong, in one or two sentences.
        more: Headers beside those of every answer.
    """
    headers = [*more]
    if status == 401:
        headers.append(_CHALLENGE)
    if any(key in (b"content-length", b"transfer-encoding") for key, _ in scope["headers"]):
        headers.append(_CLOSE)  # its body may not have been read
    empty = scope["method"] == "HEAD"
    if wants_page(scope):
        from gitreg.web.access import pages

        content = pages.refusal(scope, status, message).encode()
        kind = (b"content-type", b"text/html; charset=utf-8")
        await _send(send, status, [kind, *headers], content, empty=empty)
        return
    if scope["path"].startswith(_PROBLEMS):
        from gitreg.web.api_v1 import problem

        found = problem.problem(status, _PROBLEM_CODES[code], message)
        kind = (b"content-type", problem.CONTENT_TYPE.encode())
        await _send(send, status, [kind, *headers], json.dumps(found.document).encode(), empty=empty)
        return
    await respond(send, rest.error(status, code, message), empty=empty, more=headers)


def wants_page(scope: Scope) -> bool:
    """Whether whoever asks is a browser that shows what it gets."""
    accepted = b",".join(value for key, value in scope["headers"] if key == b"accept")
    return b"text/html" in accepted and not scope["path"].startswith(_FOR_PROGRAMS)


async def _send(send: Send, status: int, headers: list[Header], content: bytes, *, empty: bool) -> None:
    length = (b"content-length", b"%d" % len(content))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if empty else content})
