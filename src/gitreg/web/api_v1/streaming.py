"""``/api/v1/events``: what happens, as server-sent events (the HTML standard, 9.2)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, get_args
from urllib.parse import parse_qsl

import anyio

from gitreg.domain.changes import Event
from gitreg.errors import GitregError
from gitreg.web import identity
from gitreg.web.access.lasting import lasts
from gitreg.web.api_v1 import happened, problem
from gitreg.web.api_v1.answering import denied, dumped
from gitreg.web.api_v1.asgi import ROUTE
from gitreg.web.api_v1.happened import Point
from gitreg.web.api_v1.hub import MOST_LISTENERS, Hub, Listener
from gitreg.web.api_v1.operation import PREFIX, Operation, Parameter
from gitreg.web.api_v1.parameters import SOME_TEXT, TEXT, TEXTS
from gitreg.web.api_v1.problem import Problem
from gitreg.web.api_v1.request import read
from gitreg.web.api_v1.telling import Telling, Wanted

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitreg.web.registries import Registries

_LOG = logging.getLogger("gitreg.web")
PATH = f"{PREFIX}/events"
EVENTS = (*get_args(Event), "propose")
"""What can happen: the changes that a commit makes, and a proposal that came or was changed."""
PARAMETERS = (
    Parameter(name="model", schema=TEXTS, description="Only of this model; may be repeated."),
    Parameter(
        name="event",
        schema={"type": "array", "items": {**TEXT, "enum": list(EVENTS)}},
        description="Only events of this name; may be repeated.",
    ),
    Parameter(
        name="since",
        schema=SOME_TEXT,
        description="Begin behind this: an event's id, or a date, commit, branch or tag. Without it: now.",
    ),
)
_OPERATION = Operation(
    id="streamEvents",
    method="GET",
    path="/events",
    group="Events",
    summary="",
    answer={},
    parameters=PARAMETERS,
)
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class EventStream:
    """The endpoint.

    Args:
        registries: Lends the registry.
        at: The date or revision that the whole server shows.
        patience: Seconds that a client may take to take what it is sent.
    """

    def __init__(self, registries: Registries, *, at: str | None = None, patience: float = 20.0) -> None:
        self._registries = registries
        self._patience = patience
        self._answering = 0  # that listen or are about to
        self.hub = Hub(registries, at=at)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        scope[ROUTE] = PATH
        if self._answering >= MOST_LISTENERS:
            full = problem.problem(503, "busy", "too many listen already", hint="try again later")
            await _refuse(send, full)
            return
        self._answering += 1  # before anything is waited for
        try:
            await self._answer(scope, receive, send)
        finally:
            self._answering -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        listener = Listener()
        try:
            wanted, last = self._asked(scope)
            begin = await self.hub.aside(partial(self._begin, wanted.since, last))
            state = getattr(scope.get("app"), "state", None)
            now = await self.hub.join(listener, lambda: bool(getattr(state, "ending", False)))
        except identity.Denied as error:
            await _refuse(send, denied(error))
        except GitregError as error:
            await _refuse(send, problem.of_error(error))
        else:
            try:
                telling = Telling(self._registries, self.hub, listener, wanted)
                await self._stream(partial(lasts, scope), receive, send, telling.frames(begin, now))
            finally:
                self.hub.leave(listener)

    def _asked(self, scope: Scope) -> tuple[Wanted, str]:
        identity.require(identity.Role.READER)
        if scope["method"] != "GET":
            raise problem.WrongMethod(f"this path has no {scope['method']}", hint="it has GET")
        query = parse_qsl(
            scope["query_string"].decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
        )
        values = read(_OPERATION, {}, query, b"")
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        wanted = Wanted(
            models=frozenset(values.get("model", ())),
            events=frozenset(values.get("event", ())),
            since=values.get("since", ""),
        )
        return wanted, headers.get(b"last-event-id", b"").decode("latin-1")

    def _begin(self, since: str, last: str) -> Point | None:
        """Where to begin; None: now. A browser that comes back says it by the id that it had last."""
        with self._registries.reading() as registry:
            if last:
                return happened.point_of_id(last)
            return happened.point_of(registry.store, since) if since else None

    async def _stream(
        self, may: Callable[[], bool], receive: Receive, send: Send, frames: AsyncIterator[bytes]
    ) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_leave_with, receive, group.cancel_scope.cancel)
            try:
                await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
                async for frame in frames:
                    if not frame:
                        continue
                    if not may():  # their token was revoked, or their session ended
                        break
                    with anyio.fail_after(self._patience):
                        await send({"type": "http.response.body", "body": frame, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            except TimeoutError:
                pass  # it takes nothing any more, and comes back with the last id that it had
            except (GitregError, OSError) as error:
                _LOG.warning("a stream of events ended: %s", error)
            finally:
                group.cancel_scope.cancel()


async def _leave_with(receive: Receive, leave: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    leave()


async def _refuse(send: Send, found: Problem) -> None:
    content = dumped(found.document)
    headers = [
        (b"content-type", problem.CONTENT_TYPE.encode()),
        (b"content-length", b"%d" % len(content)),
        *((key.encode(), value.encode()) for key, value in found.headers),
    ]
    await send({"type": "http.response.start", "status": found.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
