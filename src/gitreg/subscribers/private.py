"""SQLite files with secrets in them: beside the repository, readable by their owner alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from gitreg.gitstore.durable import sync_path

_PATIENCE = 30.0  # seconds that a writer waits for another


class PrivateFile:
    """One such file; made with its first transaction. Each call opens it anew: nobody shares a connection.

    Args:
        path: Where it lies.
        schema: Its tables, one statement after the other; the last sets ``user_version`` to ``form``.
        form: Number of the form of its tables.
        told: Turns what SQLite and the file system say into an error of ours.
        newer: Makes the error of a file that a newer gitreg wrote.
    """

    def __init__(
        self,
        path: Path,
        *,
        schema: str,
        form: int,
        told: Callable[[Path], AbstractContextManager[None]],
        newer: Callable[[Path], Exception],
    ) -> None:
        self.path = path
        self._schema = schema
        self._form = form
        self._told = told
        self._newer = newer

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction on the disk at its end, which an exception undoes."""
        with self._told(self.path):
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                # SQLite gives its journal the mode of the file.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                sync_path(self.path.parent)
            with closing(sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)) as db:
                db.execute("PRAGMA trusted_schema = OFF")
                db.execute("PRAGMA synchronous = EXTRA")  # the end of the journal is synced, too
                db.execute("PRAGMA foreign_keys = ON")
                db.execute("PRAGMA secure_delete = ON")  # a secret that was removed is overwritten
                db.execute("BEGIN IMMEDIATE")
                try:
                    if not self._holds_any(db):
                        for statement in filter(str.strip, self._schema.split(";")):
                            db.execute(statement)
                    yield db
                    db.execute("COMMIT")
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """One state of the file; None where nothing was kept yet."""
        if not self.path.exists():
            yield None
            return
        with (
            self._told(self.path),
            closing(sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)) as db,
        ):
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA query_only = ON")
            db.execute("BEGIN")
            yield db if self._holds_any(db) else None

    def _holds_any(self, db: sqlite3.Connection) -> bool:
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found > self._form:
            raise self._newer(self.path)
        return found == self._form
