"""The newest commits that changed a model or a version, each with the first of its changes: from the index.

``log`` tells everything, and looks at every event of a model to do so; a page wants ten lines at once, of
models with thousands of versions, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitreg.domain.changes import ranked
from gitreg.index.reading import Link, Slice, Span, link_of
from gitreg.registry.log import LogEntry, change_of, commit_of

MOST_CHANGES = 20
"""Changes of one commit that are read: an import may register thousands of versions in one."""

_WHOLE = ("rename", "delete", "restore", "vanish")
"""What happens to a model and thereby to each of its versions."""

# Each change of a manifest began a row of ``version``: that leads to the events of one version (?2) among
# those of the ten thousand that its model (?1) may have.
_PLACES = """
SELECT since AS seq FROM version WHERE name = ?1 AND number = ?2
UNION SELECT until FROM version WHERE name = ?1 AND number = ?2
UNION SELECT since FROM alias WHERE name = ?1 AND number = ?2
UNION SELECT until FROM alias WHERE name = ?1 AND number = ?2
UNION SELECT e.seq FROM event e INDEXED BY event_approve
    WHERE e.event = 'approve' AND e.name = ?1 AND e.number = ?2
UNION SELECT e.seq FROM event e INDEXED BY event_renamed WHERE e.event = 'rename' AND e.name = ?1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """One commit, and what it changed of the model or version that was asked about.

    Attributes:
        link: The commit.
        entry: The same as the log tells it, with the weightiest of its changes first; ``MOST_CHANGES`` at
            most.
        count: How many changes there are in all.
    """

    link: Link
    entry: LogEntry
    count: int


def of_model(part: Slice, spans: Sequence[Span], *, most: int) -> list[Recent]:
    """The newest commits that changed a model, newest first.

    Args:
        part: The index at the commit to begin with.
        spans: The names that the model has had (``Slice.names``).
        most: Commits at most.
    """
    found: list[Recent] = []
    for span in spans:
        rows = part.rows(
            "SELECT DISTINCT e.seq FROM event e WHERE e.name = ? AND e.seq >= ? AND e.seq <= ? "
            "ORDER BY e.seq DESC LIMIT ?",
            *(span.name, span.since, min(span.until, part.seq), most - len(found)),
        )
        found += _read(part, span.name, [seq for (seq,) in rows], "1")
        if len(found) >= most:
            break
    return found


def of_version(part: Slice, spans: Sequence[Span], number: int, *, most: int) -> list[Recent]:
    """The newest commits that changed a version, moved an alias to it or approved it, newest first.

    Args:
        part: The index at the commit to begin with.
        spans: The names that its model has had (``Slice.names``).
        number: The version's.
        most: Commits at most.
    """
    found: list[Recent] = []
    for span in spans:
        rows = part.rows(
            f"SELECT seq FROM ({_PLACES}) WHERE seq >= ?3 AND seq <= ?4 ORDER BY seq DESC LIMIT ?5",
            *(span.name, number, span.since, min(span.until, part.seq), most - len(found)),
        )
        about = (
            f"(e.number = {number:d} OR e.number IS NULL AND (e.event IN {_WHOLE} "
            f"OR e.event = 'alias' AND '{number:d}' IN (e.before, e.after)))"
        )
        found += _read(part, span.name, [seq for (seq,) in rows], about)
        if len(found) >= most:
            break
    return found


def _read(part: Slice, name: str, seqs: Sequence[int], about: str) -> list[Recent]:
    """The commits ``seqs`` with the events of ``name`` for which the condition ``about`` holds."""
    if not seqs:
        return []
    asked = json.dumps(seqs)
    chosen = f"e.name = ? AND e.seq IN (SELECT value FROM json_each(?)) AND {about}"
    counts = dict(
        part.rows(
            f"SELECT e.seq, count(*) FROM event e INDEXED BY event_name WHERE {chosen} GROUP BY e.seq",
            name,
            asked,
        )
    )
    links = {
        row[0]: link_of(row)
        for row in part.rows("SELECT * FROM chain WHERE seq IN (SELECT value FROM json_each(?))", asked)
    }
    small = [seq for seq in seqs if 0 < counts.get(seq, 0) <= MOST_CHANGES]
    events: dict[int, list[tuple[object, ...]]] = {}
    for row in part.rows(
        f"SELECT e.* FROM event e INDEXED BY event_name WHERE {chosen} ORDER BY e.seq, e.place",
        name,
        json.dumps(small),
    ):
        events.setdefault(row[0], []).append(row)
    for seq in seqs:
        if counts.get(seq, 0) > MOST_CHANGES:
            first = f"e.name = ? AND e.seq = ? AND {about} ORDER BY e.place LIMIT {MOST_CHANGES}"
            events[seq] = part.rows(f"SELECT e.* FROM event e INDEXED BY event_name WHERE {first}", name, seq)
    return [_recent(links[seq], events[seq], counts[seq]) for seq in seqs if seq in events]


def _recent(link: Link, events: Iterable[Sequence[object]], count: int) -> Recent:
    changes = tuple(ranked([change_of(row) for row in events]))
    return Recent(link=link, entry=LogEntry(commit=commit_of(link), changes=changes), count=count)
