"""The API as a part of the application: bodies are read with bounds, each request is answered in a thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gitreg.web.api_v1 import problem
from gitreg.web.api_v1.answering import Api, Asked, Reply, dumped
from gitreg.web.api_v1.operation import PREFIX
from gitreg.web.body import Gone, TooLong, TooSlow, read_body
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitreg.web.settings import Settings

ROUTE = "gitreg.route"
"""Where a request's scope says which template its path is of."""

_VARY = (b"vary", b"authorization, cookie")


class Endpoint:
    """All paths below the prefix.

    Args:
        api: Answers.
        settings: Bounds for bodies.
    """

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings
        self._threads = Threads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        most, patience = self._settings.most_bytes, self._settings.patience
        try:
            body = await read_body(scope, receive, most=most, patience=patience)
        except Gone:
            return
        except TooLong:
            await _refuse(scope, send, 413, "too-long", f"the body is longer than {most} bytes")
            return
        except TooSlow:
            await _refuse(scope, send, 408, "too-slow", f"the body did not come within {patience:g} seconds")
            return
        asked = _asked(scope, body)
        reply = await self._threads.run(partial(self._api.answer, asked))
        scope[ROUTE] = reply.route
        await _send(send, reply, empty=asked.method == "HEAD")


def _asked(scope: Scope, body: bytes) -> Asked:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1")
    at = path.find(PREFIX)  # behind the path of a proxy, where there is one
    return Asked(
        method=scope["method"],
        path=path[at + len(PREFIX) :],
        query=tuple(
            parse_qsl(
                scope["query_string"].decode("utf-8", "surrogateescape"),
                keep_blank_values=True,
                errors="surrogateescape",
            )
        ),
        headers={key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]},
        body=body,
    )


async def _refuse(scope: Scope, send: Send, status: int, code: str, detail: str) -> None:
    found = problem.problem(status, code, detail)
    headers = (("content-type", problem.CONTENT_TYPE), ("connection", "close"))
    reply = Reply(status=status, headers=headers, content=dumped(found.document))
    await _send(send, reply, empty=scope["method"] == "HEAD")


async def _send(send: Send, reply: Reply, *, empty: bool) -> None:
    headers = [(key.encode(), value.encode("utf-8")) for key, value in reply.headers]
    if reply.status != 304:
        headers.append((b"content-length", b"%d" % len(reply.content)))
    await send({"type": "http.response.start", "status": reply.status, "headers": [*headers, _VARY]})
    await send({"type": "http.response.body", "body": b"" if empty else reply.content})
