"""What a webhook is to be told next: the commits after its cursor, and between them the announcements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gitreg.registry.store import Store
from gitreg.subscribers.announcement import Announcement, announcements
from gitreg.subscribers.event import Event
from gitreg.subscribers.history import Step, steps
from gitreg.subscribers.kinds import kind_of
from gitreg.subscribers.ledger import Ledger
from gitreg.subscribers.webhook import WHOLE, Cursor, Webhook


class Due(NamedTuple):
    """What makes an event, and where the webhook stands when it has it; None: that was not asked for."""

    make: Callable[[], Event] | None
    cursor: Cursor


class Made(NamedTuple):
    """An event, and where the webhook stands when it has it; None: what is before was not asked for."""

    event: Event | None
    cursor: Cursor


def some(coming: Iterator[Due], count: int) -> list[Made]:
    """The next events, ``count`` at most, and of what was not asked for only where it ends."""
    found: list[Made] = []
    for one in coming:
        if found and found[-1].event is None:
            found.pop()
        found.append(Made(one.make() if one.make else None, one.cursor))
        count -= one.make is not None
        if not count:
            break
    return found


class Rewritten(Exception):
    """The commit of a cursor is not on the branch any more; ``head`` is what the branch has now."""

    def __init__(self, head: str) -> None:
        super().__init__(head)
        self.head = head


def due(store: Store, ledger: Ledger, webhook: Webhook) -> Iterator[Due]:
    """Everything that a webhook waits for, in order; the last one brings its cursor up to date.

    Args:
        store: The registry, on its own branch.
        ledger: The announcements.
        webhook: For whom.

    Raises:
        Rewritten: The history that it was told is gone.
    """
    part = store.index.slice()
    cursor = webhook.cursor
    after = part.index.place_of(cursor.commit) if cursor.commit else 0
    if after is None or after > part.seq:
        raise Rewritten(part.commit)
    said = announcements(ledger, after=cursor.announced)
    waiting = [(part.index.place_of(each.after) or 0, each) for each in said]
    done = cursor
    for step in steps(store, part, after=after, place=cursor.place):
        while waiting and waiting[0][0] < step.seq:
            done = Cursor(commit=done.commit, place=done.place, announced=waiting[0][1].number)
            yield _announced(webhook, waiting.pop(0)[1], done)
        done = Cursor(commit=step.commit, place=step.place, announced=done.announced)
        yield _told(webhook, step, done)
    done = Cursor(commit=part.commit, place=WHOLE, announced=done.announced)
    for _, each in waiting:
        done = Cursor(commit=done.commit, place=done.place, announced=each.number)
        yield _announced(webhook, each, done)
    yield Due(None, done)


def _told(webhook: Webhook, step: Step, cursor: Cursor) -> Due:
    wanted = webhook.interest.wants(kind_of(step.change), (step.change,))
    return Due(step.make if wanted else None, cursor)


def _announced(webhook: Webhook, one: Announcement, cursor: Cursor) -> Due:
    wanted = webhook.interest.wants(one.event.kind, one.changes)
    return Due((lambda: one.event) if wanted else None, cursor)
