"""Reads the index: one slice of it is the registry at one commit of the chain."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from gitreg.domain.model import AnyModel, AnyVersion
from gitreg.errors import EnvironmentFailure
from gitreg.index.schema import OPEN
from gitreg.manifest import decode

_STANDS = re.compile(r"\$(\w+)")


class Stand(NamedTuple):
    """What an index holds: up to ``commit``, number ``seq``; ``cuts`` counts how often some were cut off."""

    seq: int
    cuts: int
    commit: str


class Moved(EnvironmentFailure):
    """The history was rewritten while it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One commit of the chain; ``time`` is the committer's."""

    seq: int
    oid: str
    time: datetime
    author: str
    email: str
    author_time: datetime
    committer: str
    committer_email: str
    parents: tuple[str, ...]
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """That a model had a name from commit ``since`` up to, not including, ``until``."""

    name: str
    since: int
    until: int


class Index:
    """An open index; it may be used by several threads.

    Args:
        db: The connection, in autocommit mode.
        name: What its file is called.
    """

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self.db = db
        self.name = name
        self.turn = threading.RLock()

    def close(self) -> None:
        """Close the connection."""
        with self.turn:
            self.db.close()

    def moment(self) -> tuple[int, int]:
        """What differs whenever the index was changed, by another connection or by this one."""
        ((others,),) = self.db.execute("PRAGMA data_version").fetchall()
        return others, self.db.total_changes

    def meta(self, key: str) -> Any:
        """One note about the index, None where there is none."""
        found = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def stand(self) -> Stand:
        """Up to where it goes."""
        with self.turn:
            return stand_of(self.db)

    def place_of(self, commit: str) -> int | None:
        """The number of a commit in the chain, None when it is not on it."""
        with self.turn:
            found = self.db.execute("SELECT seq FROM chain WHERE oid = ?", (commit,)).fetchone()
        return int(found[0]) if found else None

    def oid_of(self, seq: int) -> str | None:
        """The commit with that number, None when the chain has none."""
        with self.turn:
            found = self.db.execute("SELECT oid FROM chain WHERE seq = ?", (seq,)).fetchone()
        return str(found[0]) if found else None


def damaged(error: sqlite3.Error) -> bool:
    """Whether an error while reading means that the index must be made anew."""
    if "no such table" in str(error):
        return True
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code not in (
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_MISUSE,
    )


def stand_of(db: sqlite3.Connection) -> Stand:
    """Up to where the index behind ``db`` goes.

    Raises:
        sqlite3.DatabaseError: It holds no such note: it is damaged, or no index.
    """
    found = db.execute("SELECT value FROM meta WHERE key = 'stand'").fetchone()
    try:
        seq, cuts, commit = found[0].split()
        return Stand(int(seq), int(cuts), commit)
    except (TypeError, ValueError, AttributeError):
        raise sqlite3.DatabaseError("the index does not say where it stands") from None


class Slice:
    """The registry at one commit of the chain, and all that came before it.

    Args:
        index: Where it is read.
        commit: Full hex id.
        stand: How the index stood when ``commit`` was found in it.
        seq: Number of the commit.
        renew: Brings the index up to date, or makes the damaged one that it is given anew; what it
            gives is used from then on.
    """

    def __init__(
        self, index: Index, *, commit: str, stand: Stand, seq: int, renew: Callable[[Index | None], Index]
    ) -> None:
        self.index = index
        self.commit = commit
        self.seq = seq
        self._cuts = stand.cuts
        self._renew = renew
        self._as_it_was: tuple[Index, int, int] | None = None

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """The rows of one SELECT, all from one moment.

        Args:
            sql: In it ``$v`` stands for: the row with the alias v stands at this commit.
            params: What its question marks are bound to.

        Raises:
            Moved: The commit is not on the chain any more.
        """
        broken = None
        try:
            return self._rows(sql, params)
        except Moved:  # most often a linked work tree has another branch checked out
            pass
        except sqlite3.DatabaseError as error:
            if not damaged(error):
                raise
            broken = self.index
        self.index = self._renew(broken)
        self._find()
        return self._rows(sql, params)

    def _rows(self, sql: str, params: tuple[object, ...]) -> list[tuple[Any, ...]]:
        index = self.index
        db = index.db
        with index.turn:
            if self._as_it_was is not None:  # one SELECT is of one moment: ask afterwards which that was
                text = _STANDS.sub(_ends, sql) if "$" in sql else sql
                found = db.execute(text, params).fetchall()
                if self._as_it_was == (index, *index.moment()):
                    return found
                self._as_it_was = None
            db.execute("BEGIN")
            try:
                stand = stand_of(db)
                if stand.cuts != self._cuts:
                    self._find()
                if "$" in sql:
                    sql = _STANDS.sub(_ends if stand.seq == self.seq else self._spans, sql)
                found = db.execute(sql, params).fetchall()
                self._as_it_was = (index, *index.moment()) if stand.seq == self.seq else None
                return found
            finally:
                db.execute("COMMIT")

    def _find(self) -> None:
        stand, seq = self.index.stand(), self.index.place_of(self.commit)
        if seq is None:
            raise Moved(
                "the history was rewritten while it was read", where=self.commit[:10], hint="try again"
            )
        self.seq, self._cuts = seq, stand.cuts

    def _spans(self, match: re.Match[str]) -> str:
        return f"({match[1]}.since <= {self.seq} AND {match[1]}.until > {self.seq})"

    @property
    def shallow(self) -> bool:
        """Whether the history before the first commit of the chain is missing (a shallow clone)."""
        return bool(self.index.meta("boundary"))

    def at_time(self, moment: datetime) -> int | None:
        """The newest commit that is not later than ``moment``; None when the chain begins later.

        Committer times count, and the order is that of the history: clocks may have gone wrong.
        """
        found = self.rows(
            "SELECT seq FROM chain INDEXED BY chain_order WHERE time <= ? AND seq <= ? "
            "ORDER BY seq DESC LIMIT 1",
            int(moment.timestamp()),
            self.seq,
        )
        return int(found[0][0]) if found else None

    def link(self, seq: int) -> Link:
        """The commit ``seq`` of the chain."""
        (row,) = self.rows(f"{_LINK} WHERE seq = ?", seq)
        return link_of(row)

    def names(self, name: str) -> list[Span]:
        """The names that the model called ``name`` has had up to this commit, newest first.

        A name that was given up and taken again belongs to another model, whose past is left out.
        """
        found: list[Span] = []
        until = OPEN
        while True:
            came = self._renamed("after = ?", json.dumps(name, ensure_ascii=False), until)
            went = self._renamed("name = ?", name, until)
            if went and went > came and self._taken_again(name, went):
                found.append(Span(name=name, since=went + 1, until=until))
                return found
            found.append(Span(name=name, since=came, until=until))
            if not came:
                return found
            former = json.dumps(name, ensure_ascii=False)
            rows = self.rows(
                "SELECT name FROM event WHERE event = 'rename' AND seq = ? AND after = ?", came, former
            )
            until, name = came, str(rows[0][0])

    def _renamed(self, which: str, value: str, until: int) -> int:
        rows = self.rows(
            f"SELECT max(seq) FROM event WHERE event = 'rename' AND {which} AND seq < ? AND seq <= ?",
            value,
            until,
            self.seq,
        )
        return int(rows[0][0] or 0)

    def _taken_again(self, name: str, since: int) -> bool:
        return bool(
            self.rows(
                "SELECT 1 FROM event WHERE name = ? AND seq >= ? AND seq <= ? AND number IS NULL "
                "AND event = 'register' LIMIT 1",
                name,
                since,
                self.seq,
            )
        )

    def model(self, name: str) -> AnyModel | None:
        """What ``model.yaml`` of a model holds; None where it is not there or can't be read."""
        rows = self.rows("SELECT m.doc FROM model m WHERE m.name = ? AND $m", name)
        return decode.model(json.loads(rows[0][0])) if rows and rows[0][0] else None

    def version(self, name: str, number: int) -> AnyVersion | None:
        """What the manifest of a version holds; None where it is not there or can't be read."""
        rows = self.rows("SELECT v.doc FROM version v WHERE v.name = ? AND v.number = ? AND $v", name, number)
        return decode.version(json.loads(rows[0][0]), name) if rows and rows[0][0] else None


_LINK = "SELECT * FROM chain"


def link_of(row: tuple[Any, ...]) -> Link:
    """A row of the table ``chain``, its columns in the table's order."""
    from gitreg.gitstore.objects import moment  # most reads ask for no commit

    seq, oid, time, zone, parents, author, email, made, made_zone, committer, committer_email, *said = row
    return Link(
        seq=seq,
        oid=oid,
        time=moment(time, _zone(zone)),
        parents=tuple(parents.split()),
        author=author,
        email=email,
        author_time=moment(made, _zone(made_zone)),
        committer=committer,
        committer_email=committer_email,
        subject=said[0],
        body=said[1],
    )


def _zone(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _ends(match: re.Match[str]) -> str:
    return f"{match[1]}.until = {OPEN}"
