"""Where webhooks are kept: an SQLite file beside the repository, which no commit, clone or push takes along.

Its owner alone may read it (mode 0600), since it holds the secrets that deliveries are signed with. They
are in clear text unless ``MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY`` is set, as for MLflow's own store: then
they are encrypted with that key.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.mlflow.errors import MlflowError
from gitreg.subscribers.private import PrivateFile

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"

_FORMAT = 1
_SCHEMA = f"""
CREATE TABLE webhook (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, url TEXT NOT NULL,
    description TEXT, status TEXT NOT NULL, secret TEXT, sealed INTEGER NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL
);
CREATE TABLE webhook_event (
    id TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE, entity TEXT NOT NULL, action TEXT NOT NULL,
    PRIMARY KEY (id, entity, action)
) WITHOUT ROWID;
PRAGMA user_version = {_FORMAT};
"""
_ONE = """
SELECT id, name, url, description, status, secret, sealed, created, updated FROM webhook WHERE id = ?
"""
_PAGE = """
SELECT id, name, url, description, status, secret, sealed, created, updated FROM webhook
WHERE ?1 IS NULL OR id IN (SELECT id FROM webhook_event WHERE entity = ?1 AND action = ?2)
ORDER BY created DESC, place DESC LIMIT ?3 OFFSET ?4
"""
_ADD = """
INSERT INTO webhook (id, name, url, description, status, secret, sealed, created, updated)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SET = """
UPDATE webhook SET updated = :updated, name = ifnull(:name, name), url = ifnull(:url, url),
    description = ifnull(:description, description), status = ifnull(:status, status),
    secret = ifnull(:secret, secret), sealed = ifnull(:sealed, sealed)
WHERE id = :id
"""

Event = tuple[str, str]
"""Entity and action, such as ``("registered_model", "created")``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """A webhook. Times are milliseconds; ``repr`` leaves the secret out."""

    id: str
    name: str
    url: str
    description: str | None
    status: str
    secret: str | None
    created: int
    updated: int
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        return f"WebhookRow({self.id!r}, {self.name!r})"


class WebhookStore(PrivateFile):
    """The file; made with the first webhook.

    Args:
        path: Where it lies.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, schema=_SCHEMA, form=_FORMAT, told=_told, newer=_newer)

    def add(self, row: WebhookRow) -> WebhookRow:
        """Keep a new webhook; returned as it is kept, with its events in order."""
        with self.writing() as db:
            secret, sealed = _sealed(row.secret)
            values = (row.id, row.name, row.url, row.description, row.status, secret, sealed)
            db.execute(_ADD, (*values, row.created, row.updated))
            _add_events(db, row.id, row.events)
            return _one(db, row.id)

    def get(self, webhook_id: str) -> WebhookRow:
        """The webhook with that id.

        Raises:
            MlflowError: There is none.
        """
        with self.reading() as db:
            if db is None:
                raise missing(webhook_id)
            return _one(db, webhook_id)

    def require(self, webhook_id: str) -> None:
        """Raise MlflowError unless there is such a webhook, whether or not its secret can be read."""
        with self.reading() as db:
            known = db and db.execute("SELECT 1 FROM webhook WHERE id = ?", (webhook_id,)).fetchone()
        if not known:
            raise missing(webhook_id)

    def page(self, *, offset: int, limit: int, event: Event | None = None) -> list[WebhookRow]:
        """Webhooks from the ``offset``-th on, the newest first; with ``event`` those that wait for it."""
        with self.reading() as db:
            if db is None:
                return []
            asked = (*(event or (None, None)), limit, offset)
            rows = db.execute(_PAGE, asked).fetchall()
            return [_decoded(db, row) for row in rows]

    def change(
        self, webhook_id: str, fields: Mapping[str, str | None], events: Sequence[Event] | None = None
    ) -> WebhookRow:
        """Set ``name``, ``url``, ``description``, ``status``, ``secret`` and all events; None leaves one.

        Raises:
            MlflowError: There is no such webhook.
        """
        changes: dict[str, str | int | None] = {"id": webhook_id, "updated": now(), "sealed": None, **fields}
        if fields["secret"] is not None:
            changes["secret"], changes["sealed"] = _sealed(fields["secret"])
        with self.writing() as db:
            if not db.execute(_SET, changes).rowcount:
                raise missing(webhook_id)
            if events is not None:
                db.execute("DELETE FROM webhook_event WHERE id = ?", (webhook_id,))
                _add_events(db, webhook_id, events)
            return _one(db, webhook_id)

    def remove(self, webhook_id: str) -> None:
        """Forget a webhook and its secret.

        Raises:
            MlflowError: There is no such webhook.
        """
        with self.writing() as db:
            if not db.execute("DELETE FROM webhook WHERE id = ?", (webhook_id,)).rowcount:
                raise missing(webhook_id)


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def missing(webhook_id: object) -> MlflowError:
    """What MLflow says of a webhook that is not there."""
    return MlflowError(f"Webhook with ID {webhook_id} not found.", "RESOURCE_DOES_NOT_EXIST")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what the file system and SQLite say into an error of MLflow's."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise MlflowError(
            f"The file of the webhooks, {path}, can't be used: {error}.", "TEMPORARILY_UNAVAILABLE"
        ) from error


def _newer(path: Path) -> MlflowError:
    return MlflowError(f"A newer gitreg wrote the file of the webhooks, {path}.")


def _add_events(db: sqlite3.Connection, webhook_id: str, events: Sequence[Event]) -> None:
    twice = next((event for event in events if events.count(event) > 1), None)
    if twice:
        raise MlflowError(f"The event {'.'.join(twice)} is given twice.", "BAD_REQUEST")
    db.executemany("INSERT INTO webhook_event VALUES (?, ?, ?)", [(webhook_id, *event) for event in events])


def _one(db: sqlite3.Connection, webhook_id: str) -> WebhookRow:
    row = db.execute(_ONE, (webhook_id,)).fetchone()
    if row is None:
        raise missing(webhook_id)
    return _decoded(db, row)


def _decoded(db: sqlite3.Connection, row: Sequence[str]) -> WebhookRow:
    events = db.execute(
        "SELECT entity, action FROM webhook_event WHERE id = ? ORDER BY entity, action", (row[0],)
    )
    return WebhookRow(
        id=row[0],
        name=row[1],
        url=row[2],
        description=row[3],
        status=row[4],
        secret=_opened(row[5], row[1]) if row[6] else row[5],
        created=int(row[7]),
        updated=int(row[8]),
        events=tuple((entity, action) for entity, action in events),
    )


def _sealed(secret: str | None) -> tuple[str | None, int]:
    """A secret as it is kept, and whether it is encrypted."""
    cipher = _cipher()
    if secret is None or cipher is None:
        return secret, 0
    return cipher.encrypt(secret.encode()).decode(), 1


def _opened(secret: str, name: str) -> str:
    from cryptography.fernet import InvalidToken

    cipher = _cipher()
    try:
        if cipher:
            return cipher.decrypt(secret.encode()).decode()
    except InvalidToken:
        pass
    raise MlflowError(
        f"The secret of webhook {name!r} is encrypted with another {KEY_VARIABLE}. "
        "Set that key, give the webhook a new secret, or delete it."
    )


def _cipher() -> Fernet | None:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        return None
    from cryptography.fernet import Fernet

    try:
        return Fernet(key)
    except ValueError as error:
        raise MlflowError(f"{KEY_VARIABLE} is no key of Fernet: {error}") from error
