"""What happened to a registry, a model, a version, a stage or an alias, and who did it: from the index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from gitreg.domain import names
from gitreg.domain.changes import Change, ranked
from gitreg.errors import InvalidInput
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.objects import Person
from gitreg.index import values
from gitreg.index.reading import Link, Slice, link_of

_AT_ONCE = 500  # commits


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One commit of the registry and what it changed.

    ``unread`` names the files that could not be decoded afterwards: what happened to them can't be told.
    """

    commit: HistoryCommit
    changes: tuple[Change, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are wanted; what is not given is not asked for.

    Attributes:
        name: Of this model, under its former names too.
        version: With ``name``: of this version.
        stage: That gave this stage to a version or took it from one; its exact name.
        alias: That moved or removed this alias.
        author: Part of the author's name or e-mail address, whatever its case.
        since: Earliest committer time.
        until: Latest committer time.
    """

    name: str | None = None
    version: int | None = None
    stage: str | None = None
    alias: str | None = None
    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Wanted()


def log(
    part: Slice, wanted: Wanted = EVERYTHING, *, limit: int | None = None, before: str | None = None
) -> Iterator[LogEntry]:
    """The commits that changed something wanted, newest first along the first parents, each with that.

    Args:
        part: The index at the commit to begin with.
        wanted: What to tell.
        limit: Commits given at most.
        before: Only commits before this one (full hex id) of the chain.

    Raises:
        InvalidInput: The limit is less than one.
    """
    if limit is not None and limit < 1:
        raise InvalidInput(f"the limit is {limit}", where="limit", hint="1 or more, or None for all")
    where, params, chosen = _chosen(part, wanted, limit, before)
    for start in range(0, len(chosen), _AT_ONCE):
        yield from _entries(part, chosen[start : start + _AT_ONCE], where, params, _about(wanted))


class Line(NamedTuple):
    """One change of one commit, in the few words of a table; ``path`` for one that could not be read."""

    oid: str
    time: int
    author: str
    change: Change | None
    path: str = ""


def lines(part: Slice, wanted: Wanted = EVERYTHING, *, limit: int | None = None) -> Iterator[Line]:
    """As ``log``, a line for each change and nothing that a table does not show: for thousands of them."""
    where, params, chosen = _chosen(part, wanted, limit)
    about = _about(wanted)
    for start in range(0, len(chosen), _AT_ONCE):
        asked = json.dumps(chosen[start : start + _AT_ONCE])
        rows = part.rows(
            "SELECT c.oid, c.time, c.author, e.* FROM event e JOIN chain c ON c.seq = e.seq "
            f"WHERE {where} AND e.seq IN (SELECT value FROM json_each(?)) ORDER BY e.seq DESC, e.place",
            *params,
            asked,
        )
        odd = part.rows(
            "SELECT c.oid, c.time, c.author, u.seq, u.path FROM unread u JOIN chain c ON c.seq = u.seq "
            "WHERE u.seq IN (SELECT value FROM json_each(?)) ORDER BY u.path",
            asked,
        )
        unread: dict[int, list[Line]] = {}
        for oid, time, author, seq, path in odd:
            if about(path):
                unread.setdefault(seq, []).append(Line(oid, time, author, None, path))
        told: dict[int, list[Line]] = {}
        for oid, time, author, *row in rows:
            told.setdefault(row[0], []).append(Line(oid, time, author, brief_change_of(row)))
        for seq in chosen[start : start + _AT_ONCE]:
            found = told.get(seq, [])
            yield from found if len(found) < 2 else _ranked(found)
            yield from unread.get(seq, ())


def _ranked(found: list[Line]) -> list[Line]:
    places = {id(line.change): line for line in found}
    return [places[id(change)] for change in ranked([line.change for line in found if line.change])]


def _chosen(
    part: Slice, wanted: Wanted, limit: int | None, before: str | None = None
) -> tuple[str, tuple[object, ...], list[int]]:
    """The condition on ``event e``, what it is bound to, and the commits with such events, newest first."""
    where, params = condition(part, wanted)
    found = part.rows(f"SELECT DISTINCT e.seq FROM event e WHERE {where}", *params)
    seqs = {int(seq) for (seq,) in found}
    if not (wanted.stage or wanted.alias):
        seqs |= set(_unread(part, wanted))
    if before is not None:
        end = part.index.place_of(before) or 0
        seqs = {seq for seq in seqs if seq < end}
    return where, params, _within(part, sorted(seqs, reverse=True), wanted)[:limit]


def condition(part: Slice, wanted: Wanted) -> tuple[str, tuple[object, ...]]:
    """The condition on ``event e`` and what it is bound to."""
    clauses, params = ["e.seq <= ?"], [part.seq]  # type: list[str], list[object]
    if wanted.name is not None:
        spans = part.names(wanted.name)
        # A rename ends the span of the former name and is told under it.
        clauses.append(f"({' OR '.join(['(e.name = ? AND e.seq >= ? AND e.seq <= ?)'] * len(spans))})")
        params += [value for span in spans for value in (span.name, span.since, span.until)]
    if wanted.version is not None:
        clauses.append(
            "(e.number = ? OR e.number IS NULL AND e.event IN ('rename', 'delete', 'restore', 'vanish'))"
        )
        params.append(wanted.version)
    if wanted.stage is not None:
        clauses.append(
            "(e.stage = ? OR EXISTS (SELECT 1 FROM json_each(e.origin) o WHERE o.value = ?)"
            " AND e.event = 'transition')"
        )
        params += [wanted.stage, wanted.stage]
    if wanted.alias is not None:
        clauses.append("e.event = 'alias' AND e.field = ?")
        params.append(f"aliases.{wanted.alias}")
    return " AND ".join(clauses), tuple(params)


def _unread(part: Slice, wanted: Wanted) -> Iterator[int]:
    about = _about(wanted)
    for seq, path in part.rows("SELECT seq, path FROM unread WHERE seq <= ?", part.seq):
        if about(path):
            yield seq


def _about(wanted: Wanted) -> Callable[[str], bool]:
    """Whether a path belongs to the model or version that is wanted."""
    if wanted.name is None:
        return lambda path: True
    part = f"/{names.folder(wanted.name)}/"
    end = f"/{wanted.version}.yaml" if wanted.version else ""
    return lambda path: part in path and path.endswith(end)


def _within(part: Slice, seqs: list[int], wanted: Wanted) -> list[int]:
    """Those of ``seqs`` whose time and author are wanted."""
    if wanted.since is None and wanted.until is None and wanted.author is None:
        return seqs
    clauses, params = ["seq <= ?"], [part.seq]  # type: list[str], list[object]
    if wanted.since is not None:
        clauses.append("time >= ?")
        params.append(wanted.since.timestamp())
    if wanted.until is not None:
        clauses.append("time <= ?")
        params.append(wanted.until.timestamp())
    if wanted.author is not None:
        word = wanted.author.casefold()
        people = [
            [name, email]
            for name, email in part.rows("SELECT DISTINCT author, email FROM chain")
            if word in f"{name} <{email}>".casefold()
        ]
        clauses.append(
            "EXISTS (SELECT 1 FROM json_each(?) p WHERE json_extract(p.value, '$[0]') = author "
            "AND json_extract(p.value, '$[1]') = email)"
        )
        params.append(json.dumps(people))
    kept = {seq for (seq,) in part.rows(f"SELECT seq FROM chain WHERE {' AND '.join(clauses)}", *params)}
    return [seq for seq in seqs if seq in kept]


def _entries(
    part: Slice,
    seqs: Sequence[int],
    where: str,
    params: tuple[object, ...],
    about: Callable[[str], bool],
) -> Iterator[LogEntry]:
    asked = json.dumps(seqs)
    among = "IN (SELECT value FROM json_each(?))"
    links = {row[0]: link_of(row) for row in part.rows(f"SELECT * FROM chain WHERE seq {among}", asked)}
    changes: dict[int, list[Change]] = {}
    for row in part.rows(
        f"SELECT e.* FROM event e WHERE {where} AND e.seq {among} ORDER BY e.seq, e.place", *params, asked
    ):
        changes.setdefault(row[0], []).append(change_of(row))
    unread: dict[int, list[str]] = {}
    for seq, path in part.rows(f"SELECT seq, path FROM unread WHERE seq {among} ORDER BY path", asked):
        if about(path):
            unread.setdefault(seq, []).append(path)
    for seq in seqs:
        yield LogEntry(
            commit=commit_of(links[seq]),
            changes=tuple(changes.get(seq, ())),
            unread=tuple(unread.get(seq, ())),
        )


def change_of(row: Sequence[Any]) -> Change:
    """A row of the table ``event``, its columns in the table's order."""
    _, _, event, name, number, stage, origin, field, before, after = row
    return Change(
        event=event,
        model=name,
        version=number,
        stage=stage,
        origin=tuple(json.loads(origin)) if origin else (),
        field=field,
        before=values.loads(before),
        after=values.loads(after),
    )


_PLAIN = frozenset({"register", "transition", "assign", "unassign", "update", "restore", "delete"})


def brief_change_of(row: Sequence[Any]) -> Change:
    """As ``change_of``, without the values that a phrase does not say."""
    before = row[8] if row[2] == "policy" else None
    return change_of((*row[:8], before, None if row[2] in _PLAIN else row[9]))


def commit_of(link: Link) -> HistoryCommit:
    """A commit of the chain as Git's log tells it; which files it touched is not kept."""
    return HistoryCommit(
        oid=link.oid,
        parents=link.parents,
        author=Person(name=link.author, email=link.email),
        author_time=link.author_time,
        committer=Person(name=link.committer, email=link.committer_email),
        commit_time=link.time,
        subject=link.subject,
        body=link.body,
        changes=(),
    )
