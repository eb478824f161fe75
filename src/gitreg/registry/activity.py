"""What happened, a page at a time: however long the history is, and however much one commit changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from gitreg.domain import names
from gitreg.domain.changes import Change, ranked
from gitreg.errors import NotFound
from gitreg.gitstore.objects import is_oid
from gitreg.index.reading import Link, Slice, link_of
from gitreg.registry.log import Wanted, brief_change_of, condition

MOST_CHANGES = 20
"""Changes of one commit that are told; the others are counted."""
_MOST_NAMED = 50
_AMONG = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One commit and what it changed.

    Attributes:
        link: The commit.
        changes: The weightiest first, as many as are told, and without values that a phrase does not say.
        count: How many there are.
        unread: Files that could not be decoded afterwards.
    """

    link: Link
    changes: tuple[Change, ...]
    count: int
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One page, newest first; ``before`` (full hex id) leads on to the next one, None: there is none."""

    entries: tuple[Entry, ...]
    before: str | None


def activity(
    part: Slice, wanted: Wanted, *, event: str = "", before: str | None = None, size: int = 50
) -> Activity:
    """The commits that changed something wanted.

    Args:
        part: The index at the commit to begin with.
        wanted: What to tell.
        event: Only changes of this name.
        before: Only commits before this one (full hex id).
        size: Commits on the page.

    Raises:
        NotFound: ``before`` is no commit of the history.
    """
    end = part.seq + 1 if before is None else min(place(part, before), part.seq + 1)
    where, params = condition(part, wanted)
    if event:
        where, params = f"{where} AND e.event = ?", (*params, event)
    chosen = _chosen(part, wanted, where, params, end, size + 1, plain=not event)
    entries = _entries(part, chosen[:size], where, params, wanted)
    return Activity(entries=entries, before=entries[-1].link.oid if len(chosen) > size else None)


def place(part: Slice, oid: str) -> int:
    """The number of a commit in the history, given by its id or by a beginning of that.

    Raises:
        NotFound: The history up to this commit has none of that id, or several.
    """
    digits = oid.lower()
    if 4 <= len(digits) <= 64 and not set(digits) - set("0123456789abcdef"):
        rows = part.rows(
            "SELECT seq FROM chain WHERE oid >= ? AND oid < ? AND seq <= ? LIMIT 2",
            digits,
            digits + "g",
            part.seq,
        )
        if len(rows) == 1:
            return int(rows[0][0])
    short = oid[:10] if is_oid(digits) else names.shown(oid[:70])
    raise NotFound(
        f"the history of this branch has no commit {short}", where="commit", hint="gitreg log shows all"
    )


def entry(part: Slice, seq: int) -> Entry:
    """One commit of the history, by its number."""
    (found,) = _entries(part, [seq], "e.seq <= ?", (part.seq,), Wanted())
    return found


def neighbours(part: Slice, seq: int) -> tuple[str | None, str | None]:
    """The commits before and after one of the history, full hex ids; None at its ends."""
    before = part.index.oid_of(seq - 1)
    after = part.index.oid_of(seq + 1) if seq < part.seq else None
    return before, after


def _chosen(
    part: Slice, wanted: Wanted, where: str, params: tuple[object, ...], end: int, most: int, *, plain: bool
) -> list[int]:
    """The numbers of the newest commits before ``end`` that have something wanted."""
    only, bound = _commits(part, wanted, end)
    narrow = not plain or bool(wanted.name or wanted.stage or wanted.alias)
    if narrow:
        sql = (
            "SELECT DISTINCT e.seq FROM event e CROSS JOIN chain c ON c.seq = e.seq "
            f"WHERE {where} AND {only} ORDER BY e.seq DESC LIMIT ?"
        )
    else:
        sql = (
            f"SELECT c.seq FROM chain c WHERE {only} AND EXISTS (SELECT 1 FROM event e WHERE e.seq = c.seq) "
            "ORDER BY c.seq DESC LIMIT ?"
        )
    given = (*params, *bound) if narrow else bound
    found = {int(seq) for (seq,) in part.rows(sql, *given, most)}
    if plain and not (wanted.stage or wanted.alias):
        odd = part.rows(
            f"SELECT DISTINCT c.seq, u.path FROM unread u CROSS JOIN chain c ON c.seq = u.seq WHERE {only} "
            "ORDER BY c.seq DESC",
            *bound,
        )
        found |= {int(seq) for seq, path in odd if _about(wanted, path)}
    return sorted(found, reverse=True)[:most]


def _commits(part: Slice, wanted: Wanted, end: int) -> tuple[str, tuple[object, ...]]:
    """The condition on ``chain c``, and what it is bound to."""
    clauses, params = ["c.seq < ?"], [end]  # type: list[str], list[object]
    if wanted.since is not None:
        clauses.append("c.time >= ?")
        params.append(wanted.since.timestamp())
    if wanted.until is not None:
        clauses.append("c.time <= ?")
        params.append(wanted.until.timestamp())
    if wanted.author is not None:
        said, given = _by(part, wanted.author)
        clauses.append(said)
        params += given
    return " AND ".join(clauses), tuple(params)


def _by(part: Slice, author: str) -> tuple[str, list[object]]:
    """That a commit's author has this in the name or address, whatever its case."""
    word = author.casefold()
    people = part.rows("SELECT DISTINCT author, email FROM chain WHERE seq <= ?", part.seq)
    kept = [each for each in people if word in f"{each[0]} <{each[1]}>".casefold()]
    if not kept:
        return "0", []
    if len(kept) <= _MOST_NAMED:
        named = " OR ".join(["(c.author = ? AND c.email = ?)"] * len(kept))
        return f"({named})", [value for each in kept for value in each]
    sql = (
        "EXISTS (SELECT 1 FROM json_each(?) p WHERE json_extract(p.value, '$[0]') = c.author "
        "AND json_extract(p.value, '$[1]') = c.email)"
    )
    return sql, [json.dumps(kept)]


def _about(wanted: Wanted, path: str) -> bool:
    if wanted.name is None:
        return True
    end = f"/{wanted.version}.yaml" if wanted.version else ""
    return f"/{names.folder(wanted.name)}/" in path and path.endswith(end)


def _entries(
    part: Slice, seqs: Sequence[int], where: str, params: tuple[object, ...], wanted: Wanted
) -> tuple[Entry, ...]:
    asked = json.dumps(list(seqs))
    links = {row[0]: link_of(row) for row in part.rows(f"SELECT * FROM chain WHERE seq {_AMONG}", asked)}
    counts = dict(
        part.rows(
            f"SELECT e.seq, count(*) FROM event e WHERE {where} AND e.seq {_AMONG} GROUP BY e.seq",
            *params,
            asked,
        )
    )
    changes = _changes(part, counts, where, params)
    unread: dict[int, list[str]] = {}
    for seq, path in part.rows(f"SELECT seq, path FROM unread WHERE seq {_AMONG} ORDER BY path", asked):
        if _about(wanted, path):
            unread.setdefault(seq, []).append(path)
    return tuple(
        Entry(
            link=links[seq],
            changes=tuple(changes.get(seq, ())),
            count=counts.get(seq, 0),
            unread=tuple(unread.get(seq, ())),
        )
        for seq in seqs
    )


def _changes(
    part: Slice, counts: dict[int, int], where: str, params: tuple[object, ...]
) -> dict[int, list[Change]]:
    """The changes of commits; of one that has many, the first few in the order in which they are kept."""
    few = json.dumps([seq for seq, count in counts.items() if count <= MOST_CHANGES])
    rows = part.rows(
        f"SELECT e.* FROM event e WHERE {where} AND e.seq {_AMONG} ORDER BY e.seq, e.place", *params, few
    )
    for seq in (seq for seq, count in counts.items() if count > MOST_CHANGES):
        rows += part.rows(
            f"SELECT e.* FROM event e WHERE {where} AND e.seq = ? ORDER BY e.place LIMIT ?",
            *params,
            seq,
            MOST_CHANGES,
        )
    found: dict[int, list[Change]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(brief_change_of(row))
    return {seq: ranked(each) for seq, each in found.items()}
