"""Events of proposals, written down until every webhook has come past them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from gitreg.domain.changes import Change
from gitreg.subscribers.event import Data, Event
from gitreg.subscribers.history import change_data
from gitreg.subscribers.kinds import BY_TYPE
from gitreg.subscribers.ledger import Ledger


class Proposed(NamedTuple):
    """One change that a proposal would make: what webhooks are chosen by, and what they are told of it."""

    change: Change
    told: Data


class Announcement(NamedTuple):
    """An event that goes after the commit ``after`` of the registry's branch."""

    number: int
    after: str
    event: Event
    changes: tuple[Change, ...]


def proposed(change: Change) -> Proposed:
    """A change without what is not needed to choose by it."""
    kept = Change(
        event=change.event,
        model=change.model,
        version=change.version,
        stage=change.stage,
        origin=change.origin,
        after=change.after if change.event == "rename" else None,
    )
    return Proposed(kept, change_data(change))


def dump(changes: Iterable[Proposed]) -> str:
    """Changes as text."""
    return json.dumps([{"change": _plain(one.change), "told": one.told} for one in changes])


def load(text: str) -> tuple[Proposed, ...]:
    """What ``dump`` wrote."""
    return tuple(Proposed(_change(one["change"]), one["told"]) for one in json.loads(text))


def announce(db: sqlite3.Connection, event: Event, *, after: str, changes: Iterable[Change]) -> None:
    """Write an event down, in an open transaction."""
    db.execute(
        "INSERT INTO announcement (id, type, subject, time, after, data, changes) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            event.id,
            event.kind.type,
            event.subject,
            event.time.isoformat(),
            after,
            json.dumps(event.data),
            json.dumps([_plain(change) for change in changes]),
        ),
    )


def sweep(db: sqlite3.Connection) -> None:
    """Forget what every webhook has come past, in an open transaction."""
    db.execute("DELETE FROM announcement WHERE number <= (SELECT min(announced) FROM webhook)")


def announcements(ledger: Ledger, *, after: int) -> list[Announcement]:
    """Those with a number over ``after``, in order."""
    with ledger.reading() as db:
        rows = (
            db.execute(
                "SELECT number, after, id, type, subject, time, data, changes FROM announcement "
                "WHERE number > ? ORDER BY number",
                (after,),
            ).fetchall()
            if db
            else []
        )
    return [_announcement(*row) for row in rows]


def last_number(ledger: Ledger) -> int:
    """The number of the newest one ever, 0 where there was none."""
    with ledger.reading() as db:
        rows = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'announcement'") if db else ()
        return next((int(seq) for (seq,) in rows), 0)


def _announcement(
    number: int, after: str, id_: str, type_: str, subject: str, time: str, data: str, changes: str
) -> Announcement:
    event = Event(
        id=id_,
        kind=BY_TYPE[type_],
        subject=subject,
        time=datetime.fromisoformat(time),
        data=json.loads(data),
    )
    return Announcement(number, after, event, tuple(map(_change, json.loads(changes))))


def _plain(change: Change) -> Data:
    return {
        "event": change.event,
        "model": change.model,
        "version": change.version,
        "stage": change.stage,
        "origin": list(change.origin),
        "after": change.after if change.event == "rename" else None,
    }


def _change(data: dict[str, Any]) -> Change:
    return Change(**{**data, "origin": tuple(data["origin"])})
