"""Watches the registry for all who listen: one look at the head twice a second, however many they are."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from gitreg.errors import GitregError
from gitreg.web.api_v1 import happened
from gitreg.web.api_v1.happened import AT_ONCE, Happening, Point
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from gitreg.registry.store import Store
    from gitreg.web.registries import Registries

_T = TypeVar("_T")
_LOG = logging.getLogger("gitreg.web")
_EVERY = 0.5  # seconds between looks at the head
_PROPOSALS_EVERY = 4  # looks
MOST_WAITING = 2_000
"""Events that wait for a listener; where there are more it reads them from the index itself."""
MOST_LISTENERS = 1_000


class Listener:
    """One client: what waits for it to be sent. Used in the event loop alone."""

    def __init__(self) -> None:
        self.waiting: deque[Happening] = deque()
        self.news = asyncio.Event()
        self.ended = False
        self.rewritten: Point | None = None
        self.missed = False

    def give(self, happenings: Sequence[Happening]) -> None:
        """Add events; of those for which there is no room it only learns that there were some."""
        if self.missed or len(self.waiting) + len(happenings) > MOST_WAITING:
            self.waiting.clear()
            self.missed = True
        else:
            self.waiting.extend(happenings)
        self.news.set()

    def begin_anew(self, point: Point) -> None:
        """The history is another one: what waits is of none, what comes is behind this point."""
        self.waiting.clear()
        self.missed, self.rewritten = False, point
        self.news.set()

    def end(self) -> None:
        """Let it end after what waits."""
        self.ended = True
        self.news.set()


class Hub:
    """Tells listeners what happens, from the moment on at which they joined.

    Args:
        registries: Lends the registry.
        at: The date or revision that the whole server shows: then nothing happens. None: the newest.
    """

    def __init__(self, registries: Registries, *, at: str | None = None) -> None:
        self._registries = registries
        self._at = at
        self._listeners: set[Listener] = set()
        self._point = Point(commit="")
        self._starting: asyncio.Lock | None = None
        self._threads = Threads(2)
        self._stop = threading.Event()

    @property
    def listening(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @property
    def point(self) -> Point:
        """Up to where all who listen have been told."""
        return self._point

    async def join(self, listener: Listener, ending: Callable[[], bool]) -> Point:
        """Tell a listener everything that happens after the point that this gives.

        Args:
            listener: Who joins.
            ending: Whether the server is about to end.
        """
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if not self._listeners:
                self._point = Point(commit=await self.aside(self._newest))
                self._stop = threading.Event()
                arguments = (asyncio.get_running_loop(), self._stop, self._point.commit, ending)
                threading.Thread(target=self._watch, args=arguments, daemon=True).start()
            self._listeners.add(listener)
            return self._point

    def leave(self, listener: Listener) -> None:
        """Tell it no more; nobody watches for nobody."""
        self._listeners.discard(listener)
        if not self._listeners:
            self._stop.set()

    async def aside(self, work: Callable[[], _T]) -> _T:
        """Do something slow in a thread; few at a time, and none of those that answer requests."""
        return await self._threads.run(work)

    def _newest(self) -> str:
        with self._registries.reading() as registry:
            if self._at is not None:
                return registry.store.commit_for(self._at)
            return registry.store.index.slice().commit

    # In a thread of its own

    def _watch(
        self,
        loop: asyncio.AbstractEventLoop,
        stop: threading.Event,
        commit: str,
        ending: Callable[[], bool],
    ) -> None:
        looks = 0
        known: dict[str, str] | None = None
        while not stop.wait(_EVERY):
            if ending():
                _call(loop, self._end, stop)
                return
            if self._at is not None:
                continue
            try:
                with self._registries.reading() as registry:
                    if registry.store.head() != commit:
                        commit = self._moved(registry.store, loop, stop, commit)
                    if looks % _PROPOSALS_EVERY == 0:
                        now = happened.proposals(registry.store)
                        if known is not None and (found := happened.proposed(known, now)):
                            _call(loop, self._fan_out, stop, None, found)
                        known = now
                looks += 1
            except (GitregError, OSError) as error:
                _LOG.warning("the registry could not be watched: %s", error)

    def _moved(
        self, store: Store, loop: asyncio.AbstractEventLoop, stop: threading.Event, commit: str
    ) -> str:
        """Tell what happened since ``commit``, and give the new head."""
        head = Point(commit=store.index.slice().commit)
        if not happened.on_chain(store, Point(commit=commit)):
            _call(loop, self._anew, stop, head)
            return head.commit
        order = happened.order_of(store, Point(commit=commit))
        while True:
            found = happened.after(store, order, head)
            last = len(found) < AT_ONCE
            _call(loop, self._fan_out, stop, head if last else happened.point_of_id(found[-1].id), found)
            if last:
                return head.commit
            order = found[-1].order or order

    # In the event loop

    def _fan_out(self, stop: threading.Event, point: Point | None, found: Sequence[Happening]) -> None:
        if stop is not self._stop:  # of those who have left
            return
        self._point = point or self._point
        for listener in tuple(self._listeners):
            listener.give(found)

    def _anew(self, stop: threading.Event, point: Point) -> None:
        if stop is self._stop:
            self._point = point
            for listener in tuple(self._listeners):
                listener.begin_anew(point)

    def _end(self, stop: threading.Event) -> None:
        if stop is self._stop:
            for listener in tuple(self._listeners):
                listener.end()


def _call(loop: asyncio.AbstractEventLoop, work: Callable[..., None], *args: object) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(work, *args)
