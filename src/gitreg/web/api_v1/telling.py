"""What one listener is sent: what it missed, out of the index, then what happens, each change once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio

from gitreg.web.api_v1 import happened
from gitreg.web.api_v1.happened import AT_ONCE, Happening, Order, Point

if TYPE_CHECKING:
    from gitreg.web.api_v1.hub import Hub, Listener
    from gitreg.web.registries import Registries

_BEAT = 15.0  # seconds without news after which a comment is sent, so that proxies keep the connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events a client wants; nothing said means all."""

    models: frozenset[str]
    events: frozenset[str]
    since: str

    def takes(self, one: Happening) -> bool:
        """Whether it wants this one."""
        return (not self.models or one.model in self.models) and (not self.events or one.event in self.events)


class Telling:
    """Turns what a listener is given into the bytes that it is sent.

    Args:
        registries: Lends the registry.
        hub: Which gives.
        listener: Whom.
        wanted: What it wants of that.
    """

    def __init__(self, registries: Registries, hub: Hub, listener: Listener, wanted: Wanted) -> None:
        self._registries = registries
        self._hub = hub
        self._listener = listener
        self._wanted = wanted
        self._heard: Order = (0, 0)  # up to where it has heard everything

    async def frames(self, begin: Point | None, now: Point) -> AsyncIterator[bytes]:
        """All that it is sent, until the server ends.

        Args:
            begin: Behind this it wants to hear; None: behind ``now``.
            now: The point at which it joined.
        """
        yield b"retry: 2000\n: gitreg\n\n"
        heard = await self._hub.aside(partial(self._order, begin or now))
        if heard is None:
            yield await self._anew(now)
        else:
            self._heard = heard
            if begin is not None:
                async for frames in self._past(now):
                    yield frames
        listener = self._listener
        while True:
            if not (listener.waiting or listener.rewritten or listener.missed or listener.ended):
                yield await self._beat()
            if listener.rewritten is not None:
                anew, listener.rewritten = listener.rewritten, None
                yield await self._anew(anew)
            yield self._live()
            if listener.missed:
                listener.missed = False
                async for frames in self._past(self._hub.point):
                    yield frames
            if listener.ended and not listener.waiting:
                return

    async def _beat(self) -> bytes:
        """Wait for news, but not too long."""
        self._listener.news.clear()
        with anyio.move_on_after(_BEAT):
            await self._listener.news.wait()
            return b""
        return b":\n\n"

    async def _anew(self, point: Point) -> bytes:
        """The history is another one now, and what follows is of that."""
        heard = await self._hub.aside(partial(self._order, point))
        self._heard = heard or self._heard
        data = json.dumps({"event": "rewritten", "commit": point.commit})
        return f"id: {point.commit}\nevent: rewritten\ndata: {data}\n\n".encode()

    def _live(self) -> bytes:
        # Another process may have told this client more than this one has seen yet.
        new = [one for one in self._listener.waiting if one.order is None or one.order > self._heard]
        self._listener.waiting.clear()
        return self._framed(new)

    async def _past(self, until: Point) -> AsyncIterator[bytes]:
        """What happened behind what it has heard."""
        while True:
            found = await self._hub.aside(partial(self._read, self._heard, until))
            yield self._framed(found)
            if len(found) < AT_ONCE:
                return

    def _framed(self, found: Sequence[Happening]) -> bytes:
        self._heard = next((one.order for one in reversed(found) if one.order), self._heard)
        return b"".join(_frames(filter(self._wanted.takes, found)))

    # In threads

    def _order(self, point: Point) -> Order | None:
        with self._registries.reading() as registry:
            store = registry.store
            return happened.order_of(store, point) if happened.on_chain(store, point) else None

    def _read(self, order: Order, until: Point) -> Sequence[Happening]:
        with self._registries.reading() as registry:
            return happened.after(registry.store, order, until)


def _frames(found: Iterable[Happening]) -> Iterable[bytes]:
    for one in found:
        data = json.dumps(one.document, separators=(",", ":"))  # ASCII: no line of it can end early
        lines = [*([f"id: {one.id}"] if one.id else []), f"event: {one.event}", f"data: {data}", "", ""]
        yield "\n".join(lines).encode()
