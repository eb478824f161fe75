"""Proves the index equal to Git: a second one is built from the commits, and both are compared row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from gitreg.index.reading import Slice

if TYPE_CHECKING:
    from gitreg.registry.indexing import Progress
    from gitreg.registry.store import Store

# Table → what is compared, in an order of its own: row numbers tell only in which order rows were made.
CONTENT = {
    "chain": "SELECT * FROM chain ORDER BY seq",
    "settings": "SELECT * FROM settings ORDER BY since",
    "model": "SELECT name, since, until, state, created, updated, doc FROM model ORDER BY name, since",
    "model_tag": "SELECT m.name, m.since, t.key, t.value FROM model_tag t LEFT JOIN model m USING (row) "
    "ORDER BY 1, 2, 3",
    "alias": "SELECT * FROM alias ORDER BY name, alias, since",
    "version": "SELECT name, number, since, until, state, registered, created, updated, source, run_id, "
    "status, doc FROM version ORDER BY name, number, since",
    "attribute": "SELECT v.name, v.number, v.since, a.kind, a.key, a.value FROM attribute a "
    "LEFT JOIN version v USING (row) ORDER BY 1, 2, 3, 4, 5, 6",
    "holding": "SELECT * FROM holding ORDER BY name, stage, number, since",
    "event": "SELECT * FROM event ORDER BY seq, place",
    "unread": "SELECT * FROM unread ORDER BY seq, path",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a comparison found: how much was compared, and each difference as a sentence."""

    tables: int
    rows: int
    differences: tuple[str, ...]


def prove(store: Store, *, progress: Progress | None = None) -> Proof:
    """Compare the index with one that is built from the commits alone; one that differs is made anew."""
    with store.index.built_aside(progress) as (ours, theirs):
        try:
            rows, found = _compared(ours, theirs)
        except sqlite3.DatabaseError as error:
            rows, found = 0, [f"the file is damaged: {error}"]
    if found:
        store.index.rebuild(progress=progress)
    return Proof(tables=len(CONTENT), rows=rows, differences=tuple(found))


def _compared(ours: Slice, theirs: Slice) -> tuple[int, list[str]]:
    damage = str(ours.index.db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    found = [] if damage == "ok" else [f"the file is damaged: {damage.splitlines()[0]}"]
    rows = 0
    for table, sql in CONTENT.items():
        for our, their in _pairs(ours, theirs, sql):
            rows += 1
            if our != their:
                found.append(f"{table}: {_told(our)} instead of {_told(their)}")
                break
    return rows, found


def _pairs(ours: Slice, theirs: Slice, sql: str) -> Iterator[tuple[Any, Any]]:
    return zip_longest(ours.index.db.execute(sql), theirs.index.db.execute(sql))


def _told(row: tuple[Any, ...] | None) -> str:
    if row is None:
        return "nothing"
    return " ".join(str(value)[:40] for value in row if value is not None)
