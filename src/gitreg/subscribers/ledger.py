"""What must outlive a crash: the webhooks with their secrets, how far each has come, what is announced.

One SQLite file in the folder ``gitreg`` of the Git folder, which no commit, clone or push takes along. Its
owner alone may read it (mode 0600). A delivery counts from the transaction on that moves the webhook's
cursor: a process that is killed before repeats it, under the same id.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitreg.domain.names import shown
from gitreg.domain.settings import did_you_mean
from gitreg.errors import AlreadyExists, EnvironmentFailure, NotFound
from gitreg.gitstore.repository import Repository
from gitreg.subscribers.private import PrivateFile
from gitreg.subscribers.webhook import Cursor, Interest, State, Webhook

_KEPT = 100  # attempts of each webhook that are remembered
_FORMAT = 1
_SCHEMA = f"""
CREATE TABLE webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL,
    secret TEXT NOT NULL, former_secret TEXT NOT NULL, former_until REAL NOT NULL,
    events TEXT NOT NULL, models TEXT NOT NULL, stages TEXT NOT NULL,
    mode TEXT NOT NULL, source TEXT NOT NULL, allow_private INTEGER NOT NULL, allow_http INTEGER NOT NULL,
    created TEXT NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL, missed TEXT NOT NULL,
    commit_id TEXT NOT NULL, place INTEGER NOT NULL, announced INTEGER NOT NULL,
    attempts INTEGER NOT NULL, due REAL NOT NULL
);
CREATE TABLE attempt (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook INTEGER NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    event TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, at REAL NOT NULL,
    status INTEGER, fault TEXT NOT NULL, seconds REAL NOT NULL
);
CREATE INDEX attempt_webhook ON attempt (webhook, number);
CREATE TABLE proposal (
    ref TEXT PRIMARY KEY, head TEXT NOT NULL, state TEXT NOT NULL, round INTEGER NOT NULL,
    changes TEXT NOT NULL, approvals TEXT NOT NULL, target TEXT NOT NULL, branch TEXT NOT NULL, number INTEGER
) WITHOUT ROWID;
CREATE TABLE announcement (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
    time TEXT NOT NULL, after TEXT NOT NULL, data TEXT NOT NULL, changes TEXT NOT NULL
);
PRAGMA user_version = {_FORMAT};
"""
_COLUMNS = (
    "name, url, secret, former_secret, former_until, events, models, stages, mode, source, allow_private, "
    "allow_http, created, state, note, missed, commit_id, place, announced, attempts, due"
)
_CURSOR = "commit_id = ?, place = ?, announced = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One delivery that was tried.

    Attributes:
        event: Id of the event.
        type: Its type.
        subject: Its subject.
        at: Seconds since 1970.
        status: What the receiver answered; None where it did not.
        fault: Why it does not count; ``""`` where it does.
        seconds: How long it took.
    """

    event: str
    type: str
    subject: str
    at: float
    status: int | None
    fault: str
    seconds: float


class Ledger(PrivateFile):
    """The file; made with the first webhook.

    Args:
        path: Where it lies.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, schema=_SCHEMA, form=_FORMAT, told=_told, newer=_newer)

    @classmethod
    def of(cls, repository: Repository) -> Ledger:
        """The ledger of a registry; those in sub-folders of one repository each have their own."""
        own = repository.prefix.strip("/").replace("%", "%25").replace("/", "%2F")
        return cls(repository.state_dir / (f"subscribers.{own}.db" if own else "subscribers.db"))

    @property
    def usable(self) -> bool:
        """Whether there may be a webhook, and this user may read and write the file."""
        return os.access(self.path, os.R_OK | os.W_OK)

    def add(self, webhook: Webhook) -> Webhook:
        """Keep a new webhook; ``id`` is given to it.

        Raises:
            AlreadyExists: Another one is called so.
        """
        marks = ", ".join("?" * (_COLUMNS.count(",") + 1))
        with self.writing() as db:
            try:
                row = db.execute(f"INSERT INTO webhook ({_COLUMNS}) VALUES ({marks})", _values(webhook))
            except sqlite3.IntegrityError:
                raise AlreadyExists(
                    f"there is a webhook {webhook.name} already",
                    where="--name",
                    hint=f"another --name, or: gitreg webhooks remove {webhook.name}",
                ) from None
            return _webhook(db.execute("SELECT * FROM webhook WHERE rowid = ?", (row.lastrowid,)).fetchone())

    def webhooks(self) -> list[Webhook]:
        """All of them, in the order in which they were set up."""
        with self.reading() as db:
            rows = db.execute("SELECT * FROM webhook ORDER BY id").fetchall() if db else []
        return [_webhook(row) for row in rows]

    def webhook(self, name: str) -> Webhook:
        """The one called so.

        Raises:
            NotFound: There is none.
        """
        every = self.webhooks()
        for one in every:
            if one.name == name:
                return one
        near = did_you_mean(name, [one.name for one in every])
        raise NotFound(f"there is no webhook {shown(name)}", hint=near or "gitreg webhooks list")

    def remove(self, webhook: Webhook) -> None:
        """Forget a webhook, its secret and what was delivered."""
        with self.writing() as db:
            db.execute("DELETE FROM webhook WHERE id = ?", (webhook.id,))

    def renew_secret(self, webhook: Webhook, secret: str, *, former_until: float) -> None:
        """Sign with another secret; with the former one, too, until ``former_until`` (seconds since 1970)."""
        with self.writing() as db:
            db.execute(
                "UPDATE webhook SET former_secret = secret, former_until = ?, secret = ? WHERE id = ?",
                (former_until, secret, webhook.id),
            )

    def advance(self, webhook: Webhook, cursor: Cursor, attempt: Attempt | None = None) -> None:
        """Move on: what is before ``cursor`` is done, by ``attempt`` if there was one."""
        with self.writing() as db:
            done = f"UPDATE webhook SET {_CURSOR}, attempts = 0, due = 0 WHERE id = ?"
            db.execute(done, (cursor.commit, cursor.place, cursor.announced, webhook.id))
            if attempt is not None:
                _remember(db, webhook, attempt)
                db.execute("UPDATE webhook SET note = '' WHERE id = ? AND state = 'active'", (webhook.id,))

    def failed(self, webhook: Webhook, attempt: Attempt, *, due: float, state: State, note: str) -> None:
        """Note that a delivery failed, and when it is tried again, if at all."""
        with self.writing() as db:
            db.execute(
                "UPDATE webhook SET attempts = attempts + 1, due = ?, state = ?, note = ? WHERE id = ?",
                (due, state, note, webhook.id),
            )
            _remember(db, webhook, attempt)

    def skip_to(self, webhook: Webhook, cursor: Cursor, *, missed: str) -> None:
        """Go on from another place; ``missed`` says what the receiver was not told."""
        with self.writing() as db:
            db.execute(
                f"UPDATE webhook SET {_CURSOR}, attempts = 0, due = 0, missed = ? WHERE id = ?",
                (cursor.commit, cursor.place, cursor.announced, missed, webhook.id),
            )

    def resume(self, webhook: Webhook) -> None:
        """Try at once, and as often as if it had never failed; what it missed is known now."""
        with self.writing() as db:
            db.execute(
                "UPDATE webhook SET state = 'active', note = '', missed = '', attempts = 0, due = 0 "
                "WHERE id = ?",
                (webhook.id,),
            )

    def attempts(self, webhook: Webhook, limit: int) -> list[Attempt]:
        """The last deliveries that were tried, newest first."""
        with self.reading() as db:
            rows = (
                db.execute(
                    "SELECT event, type, subject, at, status, fault, seconds FROM attempt "
                    "WHERE webhook = ? ORDER BY number DESC LIMIT ?",
                    (webhook.id, limit),
                ).fetchall()
                if db
                else []
            )
        names = ("event", "type", "subject", "at", "status", "fault", "seconds")
        return [Attempt(**dict(zip(names, row, strict=True))) for row in rows]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise EnvironmentFailure(
            f"the file of the webhooks can't be used: {error}",
            where=str(path),
            hint="check its owner and mode, and whether the disk is full",
        ) from error


def _newer(path: Path) -> EnvironmentFailure:
    return EnvironmentFailure("a newer gitreg wrote the file of the webhooks", where=str(path))


def _values(webhook: Webhook) -> tuple[Any, ...]:
    interest, cursor = webhook.interest, webhook.cursor
    return (
        webhook.name,
        webhook.url,
        webhook.secret,
        webhook.former_secret,
        webhook.former_until,
        *(json.dumps(part) for part in (interest.events, interest.models, interest.stages)),
        webhook.mode,
        webhook.source,
        int(webhook.allow_private),
        int(webhook.allow_http),
        webhook.created.astimezone(UTC).isoformat(),
        webhook.state,
        webhook.note,
        webhook.missed,
        cursor.commit,
        cursor.place,
        cursor.announced,
        webhook.attempts,
        webhook.due,
    )


def _webhook(row: Sequence[Any]) -> Webhook:
    told = dict(zip(("id", *_COLUMNS.split(", ")), row, strict=True))
    events, models, stages = (tuple(json.loads(told.pop(key))) for key in ("events", "models", "stages"))
    cursor = Cursor(commit=told.pop("commit_id"), place=told.pop("place"), announced=told.pop("announced"))
    told |= {key: bool(told[key]) for key in ("allow_private", "allow_http")}
    told["created"] = datetime.fromisoformat(told["created"])
    return Webhook(**told, interest=Interest(events=events, models=models, stages=stages), cursor=cursor)


def _remember(db: sqlite3.Connection, webhook: Webhook, attempt: Attempt) -> None:
    if not db.execute("SELECT 1 FROM webhook WHERE id = ?", (webhook.id,)).fetchone():
        return  # it was removed meanwhile
    values = (attempt.event, attempt.type, attempt.subject, attempt.at, attempt.status, attempt.fault)
    db.execute(
        "INSERT INTO attempt (webhook, event, type, subject, at, status, fault, seconds) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (webhook.id, *values, attempt.seconds),
    )
    db.execute(
        "DELETE FROM attempt WHERE webhook = ? AND number NOT IN "
        "(SELECT number FROM attempt WHERE webhook = ? ORDER BY number DESC LIMIT ?)",
        (webhook.id, webhook.id, _KEPT),
    )
