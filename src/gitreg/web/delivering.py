"""Tells webhooks while the server runs: one thread, in one of its processes, looks whether anything moved."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from gitreg.errors import GitregError
from gitreg.gitstore.repository import Repository
from gitreg.registry.service import ServiceStore
from gitreg.registry.store import Store
from gitreg.subscribers.courier import Courier
from gitreg.subscribers.ledger import Ledger
from gitreg.subscribers.proposals import refs_of
from gitreg.subscribers.turn import SERVING, turn
from gitreg.web.settings import Settings

_LOG = logging.getLogger("gitreg.web")
_LOOK = 0.5  # seconds between looks at the branch
_SHARE = 50  # times as long as a look at the proposals took goes by before the next
_STAND_BY = 2.0  # seconds between looks whether another process still leads
_AFTER_A_FAULT = 30.0
_LEAVE = 2.0  # seconds that what is being sent has when the server ends


class _Moment(NamedTuple):
    """What differs whenever there may be something to send."""

    head: str
    proposals: dict[str, str]
    ledger: int


class _Lookout:
    """Looks at what may have moved; at many proposals less often, so that looking takes no time to speak of.

    Args:
        store: The registry.
        ledger: Whose file tells of new webhooks.
    """

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._proposals: dict[str, str] = {}
        self._next = 0.0

    def moment(self) -> _Moment:
        """What there is now."""
        changed = 0
        with suppress(FileNotFoundError):
            changed = self._ledger.path.stat().st_mtime_ns
        begun = time.monotonic()
        if begun >= self._next:
            self._proposals = refs_of(self._store)
            ended = time.monotonic()
            self._next = ended + _SHARE * (ended - begun)
        return _Moment(head=self._store.head(), proposals=self._proposals, ledger=changed)


class Delivering:
    """Delivers to webhooks from ``start`` to ``stop``.

    Of several processes that serve one registry the one that holds a lock does it; when it ends, another
    takes its place.

    Args:
        settings: The registry; one that shows a day of the past delivers nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._courier: Courier | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        if self._settings.at is None:
            self._thread = threading.Thread(target=self._run, name="gitreg-webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End: begin no delivery, and wait a moment for those that are on their way."""
        self._stop.set()
        if self._courier is not None:
            self._courier.stop()
        if self._thread is not None:
            self._thread.join(_LEAVE)

    def _run(self) -> None:
        while not self._stop.is_set():
            wait = _STAND_BY
            try:
                repository = Repository.discover(self._settings.place)
                self._courier = Courier(repository)
                if self._courier.ledger.usable:
                    with turn(repository.state_dir, SERVING) as leads:
                        if leads:
                            self._lead(self._courier, repository)
            except (GitregError, OSError) as error:
                _LOG.warning("webhooks were not told: %s", error)
                wait = _AFTER_A_FAULT
            except Exception:  # noqa: BLE001 (a bug ends this round, not the deliveries)
                _LOG.exception("delivering to webhooks met a bug")
                wait = _AFTER_A_FAULT
            self._stop.wait(wait)

    def _lead(self, courier: Courier, repository: Repository) -> None:
        """Look again and again whether there is something to send, and send it."""
        done: _Moment | None = None
        with ServiceStore(repository) as store:
            lookout = _Lookout(store, courier.ledger)
            while not self._stop.is_set():
                now = lookout.moment()
                due = courier.next_due()
                if now != done or (due is not None and due <= time.time()):
                    report = courier.deliver()
                    done = done if report.busy else now
                    for name, fault in report.failed.items():
                        _LOG.warning("the webhook %s was not told: %s", name, fault)
                self._stop.wait(_LOOK)
