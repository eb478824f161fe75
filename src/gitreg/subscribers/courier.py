"""Delivers: takes what is due, sends it, writes down how it went. Each webhook has a thread of its own."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gitreg.errors import Conflict, GitregError
from gitreg.gitstore.repository import Repository
from gitreg.registry.service import ServiceStore
from gitreg.registry.store import Store
from gitreg.subscribers import proposals, signature
from gitreg.subscribers.backoff import MOST_ATTEMPTS, pause, retry_after
from gitreg.subscribers.destination import parse
from gitreg.subscribers.event import Event, message
from gitreg.subscribers.ledger import Attempt, Ledger
from gitreg.subscribers.posting import Answer, Patience, post
from gitreg.subscribers.queue import Made, Rewritten, due, some
from gitreg.subscribers.turn import turn
from gitreg.subscribers.webhook import Cursor, State, Webhook

Clock = Callable[[], float]
"""Gives seconds since 1970."""

_AT_ONCE = 20  # events of a webhook that are made before they are sent
_THREADS = 8
_GONE = 410
_ENOUGH = 0.05  # seconds: with less left nothing is begun


@dataclass(slots=True)
class Report:
    """What a round of deliveries came to.

    Attributes:
        busy: Another process is delivering, so nothing was done.
        delivered: Name of a webhook → how many events it took.
        failed: Name of a webhook → what went wrong.
    """

    busy: bool = False
    delivered: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


class Courier:
    """Delivers for one registry.

    Args:
        repository: Where the registry is.
        clock: Tells the time; for tests another one.
        jitter: From 0 to 1, by chance.
        patience: That receivers are shown.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        clock: Clock = time.time,
        jitter: Callable[[], float] = random.random,
        patience: Patience | None = None,
    ) -> None:
        self.repository = repository
        self.ledger = Ledger.of(repository)
        self._clock = clock
        self._jitter = jitter
        self._patience = patience or Patience()
        self._stop = threading.Event()

    def stop(self) -> None:
        """Begin no further delivery; from another thread."""
        self._stop.set()

    def deliver(self, *, seconds: float | None = None, only: str | None = None, wait: float = 0.0) -> Report:
        """Send all that is due now, until nothing is or the time is over.

        Args:
            seconds: How long it may take; None: as long as receivers take what they are sent.
            only: Name of a webhook; None: all.
            wait: Seconds to wait for another process that delivers; they count.

        Raises:
            EnvironmentFailure: The disk or the index failed.
        """
        if not self.ledger.usable or not self.ledger.webhooks():
            return Report()
        until = None if seconds is None else time.monotonic() + seconds
        with turn(self.repository.state_dir, wait=wait) as held:
            if not held:
                return Report(busy=True)
            with ServiceStore(self.repository) as store:
                proposals.look(store, self.ledger, datetime.fromtimestamp(self._clock(), UTC))
                return _Round(self, store, only, until).run()

    def next_due(self) -> float | None:
        """When something that failed is tried again, in seconds since 1970; None: nothing is."""
        waiting = [one.due for one in self.ledger.webhooks() if one.state == "active" and one.attempts]
        return min(waiting, default=None)

    def waiting(self, webhook: Webhook) -> int:
        """How many events a webhook is still to be told of, as far as they are known."""
        with ServiceStore(self.repository) as store:
            try:
                return sum(one.make is not None for one in due(store, self.ledger, webhook))
            except Rewritten:
                return 0

    def skip(self, webhook: Webhook, confirm: Callable[[str], None]) -> str:
        """Leave out the next event of a webhook, and go on at once; what it was, ``""`` where there is none.

        Args:
            webhook: Whose.
            confirm: Is told what would be left out, and raises where that is not wanted.

        Raises:
            Conflict: It was delivered meanwhile.
        """
        found = self._next(webhook)
        if found is None or found.event is None:
            return ""
        event = found.event
        words = f"{event.kind.type} of {event.subject or 'the registry'}"
        confirm(words)
        with turn(self.repository.state_dir, wait=2 * self._patience.whole) as held:
            again = self._next(self.ledger.webhook(webhook.name)) if held else None
            if again is None or again.event is None or again.event.id != event.id:
                raise Conflict(f"{words} was delivered meanwhile", hint=f"gitreg webhooks log {webhook.name}")
            self.ledger.resume(webhook)
            self.ledger.advance(webhook, found.cursor)
        return words

    def _next(self, webhook: Webhook) -> Made | None:
        with ServiceStore(self.repository) as store, suppress(Rewritten):
            return next(iter(some(due(store, self.ledger, webhook), 1)), None)
        return None

    def ready(self, webhook: Webhook) -> bool:
        """Whether a webhook may be told something now."""
        return webhook.state == "active" and webhook.due <= self._clock() and not self._stop.is_set()

    def send(self, webhook: Webhook, events: Sequence[Made], until: float | None) -> tuple[int, str]:
        """Send events one after the other; how many were taken, and why no more.

        Args:
            webhook: To whom.
            events: What, and where the webhook then stands.
            until: When to begin no more of them (``time.monotonic``); None: never.
        """
        taken, failures = 0, webhook.attempts
        for event, cursor in events:
            if event is None:
                continue
            left = self._patience.whole if until is None else until - time.monotonic()
            if left < _ENOUGH or self._stop.is_set():
                return taken, ""
            answer = self.attempt(webhook, event, seconds=left)
            if answer.taken:
                self.ledger.advance(webhook, cursor, self._noted(event, answer))
                taken, failures = taken + 1, 0
            elif _cut_short(answer, left, self._patience):
                return taken, ""  # the time was ours: it does not count against the receiver
            else:
                self._failed(webhook, event, answer, tried=failures + 1)
                return taken, answer.fault
        if events and events[-1].event is None:
            self.ledger.advance(webhook, events[-1].cursor)
        return taken, ""

    def attempt(self, webhook: Webhook, event: Event, *, seconds: float | None = None) -> Answer:
        """Send one event once; whatever comes of it is told, nothing is written down.

        Args:
            webhook: To whom.
            event: What.
            seconds: That the receiver has, where that is less than usual.
        """
        now = self._clock()
        try:
            destination = parse(webhook.url, allow_http=webhook.allow_http)
        except GitregError as error:
            return Answer(status=None, fault=error.message, seconds=0.0)
        made = message(event, source=webhook.source, mode=webhook.mode)
        signed = signature.headers(webhook.secrets(now), event=event.id, timestamp=int(now), body=made.body)
        whole = min(self._patience.whole, seconds or self._patience.whole)
        return post(
            destination,
            {**made.headers, **signed},
            made.body,
            allow_private=webhook.allow_private,
            patience=Patience(connect=self._patience.connect, whole=whole),
        )

    def missed(self, webhook: Webhook) -> str:
        """What a webhook is not told when the commit that it has come to is gone from the branch."""
        when = datetime.fromtimestamp(self._clock(), UTC)
        return (
            f"{when:%Y-%m-%d %H:%M} UTC: the history was rewritten; what came after "
            f"{webhook.cursor.commit[:10]} until then was not told"
        )

    def _failed(self, webhook: Webhook, event: Event, answer: Answer, *, tried: int) -> None:
        now = self._clock()
        asked = retry_after(answer.retry_after, now) if answer.status in (429, 503) else None
        wait = pause(tried, jitter=self._jitter(), asked=asked)
        state: State = "active"
        note = f"{event.kind.type} of {event.subject or 'the registry'}: {answer.fault}"
        if answer.status == _GONE:
            state, note = "disabled", "its receiver answered 410: it is gone"
        elif tried >= MOST_ATTEMPTS:
            state, note = "parked", f"given up after {tried} attempts; {note}"
        self.ledger.failed(webhook, self._noted(event, answer), due=now + wait, state=state, note=note)

    def _noted(self, event: Event, answer: Answer) -> Attempt:
        return Attempt(
            event=event.id,
            type=event.kind.type,
            subject=event.subject,
            at=self._clock(),
            status=answer.status,
            fault=answer.fault,
            seconds=answer.seconds,
        )


def _cut_short(answer: Answer, left: float, usual: Patience) -> bool:
    """Whether a receiver did not have the time that it has otherwise."""
    return answer.status is None and left < usual.whole and answer.seconds >= left - _ENOUGH


class _Round:
    """Sends until nothing is due. What is due is looked up here; threads only send and write down."""

    def __init__(self, courier: Courier, store: Store, only: str | None, until: float | None) -> None:
        self.courier = courier
        self.store = store
        self.only = only
        self.until = until
        self.report = Report()
        self.at_work: set[int] = set()
        self.finished: set[int] = set()  # those that can't be told more in this round
        self.ended: queue.SimpleQueue[tuple[Webhook, int, str]] = queue.SimpleQueue()

    def run(self) -> Report:
        """Until every webhook has what it waits for, or has failed, or the time is over."""
        try:
            while True:
                if not self._over:
                    self._begin()
                if not self.at_work:
                    return self.report
                self._collect()
        finally:
            while self.at_work:  # they send under the lock that is held here
                self._collect()

    def _collect(self) -> None:
        """Wait until one of the threads ends."""
        webhook, taken, fault = self.ended.get()
        self.at_work.discard(webhook.id)
        if fault or not taken:
            self.finished.add(webhook.id)
        if taken:
            self.report.delivered[webhook.name] = self.report.delivered.get(webhook.name, 0) + taken
        if fault:
            self.report.failed[webhook.name] = fault

    @property
    def _over(self) -> bool:
        return self.until is not None and time.monotonic() > self.until - _ENOUGH

    def _begin(self) -> None:
        for webhook in self.courier.ledger.webhooks():
            wanted = self.only is None or webhook.name == self.only
            busy = webhook.id in self.at_work | self.finished
            if len(self.at_work) >= _THREADS or not wanted or busy:
                continue
            if self.courier.ready(webhook):
                batch = self._batch(webhook)
                if batch:
                    self.at_work.add(webhook.id)
                    threading.Thread(
                        target=self._work, args=(webhook, batch), name=f"gitreg-{webhook.name}", daemon=True
                    ).start()

    def _batch(self, webhook: Webhook) -> list[Made]:
        """The next events of a webhook; nothing where it has all, up to the newest commit."""
        ledger = self.courier.ledger
        try:
            coming = some(due(self.store, ledger, webhook), _AT_ONCE)
        except Rewritten as gone:
            cursor = Cursor(commit=gone.head, announced=webhook.cursor.announced)
            ledger.skip_to(webhook, cursor, missed=self.courier.missed(webhook))
            return self._batch(replace(webhook, cursor=cursor))
        if any(event is not None for event, _ in coming):
            return coming
        if coming and coming[-1].cursor != webhook.cursor:
            ledger.advance(webhook, coming[-1].cursor)
        return []

    def _work(self, webhook: Webhook, batch: list[Made]) -> None:
        taken, fault = 0, "it met a bug"
        try:
            taken, fault = self.courier.send(webhook, batch, self.until)
        except GitregError as error:
            fault = error.message
        finally:
            self.ended.put((webhook, taken, fault))
