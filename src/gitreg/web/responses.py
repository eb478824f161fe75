"""Answers as bytes on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitreg.mlflow.rest import Answer

if TYPE_CHECKING:
    from starlette.types import Send

_JSON = (b"content-type", b"application/json")


async def respond(send: Send, answer: Answer, *, close: bool = False, empty: bool = False) -> None:
    """Send an answer.

    Args:
        send: Where to (ASGI).
        answer: Status and document.
        close: Whether the connection ends with it, because the request was not read to its end.
        empty: Whether the document stays away, as for HEAD.
    """
    content = json.dumps(answer.document).encode()
    headers = [_JSON, (b"content-length", b"%d" % len(content))]
    if answer.allowed:
        headers.append((b"allow", ", ".join(answer.allowed).encode()))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if empty else content})
