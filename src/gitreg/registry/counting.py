"""How many versions each model has: counted once, then followed from commit to commit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE

_MOST_TOUCHED = 200  # models; where more were changed all are counted anew


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    commit: str
    seq: int
    versions: Mapping[str, int]


class Counts:
    """Keeps the numbers of the commit that was asked for last; threads may share it."""

    def __init__(self) -> None:
        self._known: _Counted | None = None

    def of(self, part: Slice) -> Mapping[str, int]:
        """Name of each model that has versions → how many are not deleted, at the commit of a slice."""
        known = self._known
        if known is not None and known.commit == part.commit:
            return known.versions
        touched = None if known is None else _touched(part, known)
        if known is None or touched is None:
            versions: Mapping[str, int] = _all(part)
        else:
            versions = {name: count for name, count in known.versions.items() if name not in touched}
            versions |= _some(part, touched)
        if known is None or part.seq >= known.seq:  # who asks for the past shall not cost the others
            self._known = _Counted(commit=part.commit, seq=part.seq, versions=versions)
        return versions


def _touched(part: Slice, known: _Counted) -> set[str] | None:
    """The models that changed since; None where that is not known, or where it is many."""
    if part.seq < known.seq or part.index.oid_of(known.seq) != known.commit:
        return None
    between = (known.seq, part.seq)
    if part.rows("SELECT 1 FROM unread WHERE seq > ? AND seq <= ? LIMIT 1", *between):
        return None
    rows = part.rows(
        "SELECT DISTINCT name FROM event WHERE seq > ? AND seq <= ? "
        "UNION SELECT json_extract(after, '$') FROM event WHERE event = 'rename' AND seq > ? AND seq <= ? "
        "LIMIT ?",
        *(*between, *between, _MOST_TOUCHED + 1),
    )
    return {name for (name,) in rows} if len(rows) <= _MOST_TOUCHED else None


def _all(part: Slice) -> dict[str, int]:
    # The plus keeps SQLite from the order of another index: one that holds all of this is scanned alone.
    rows = part.rows(f"SELECT v.name, count(*) FROM version v WHERE v.state = {LIVE} AND $v GROUP BY +v.name")
    return dict(rows)


def _some(part: Slice, names: Iterable[str]) -> dict[str, int]:
    return dict(
        part.rows(
            "SELECT v.name, count(*) FROM json_each(?) j CROSS JOIN version v ON v.name = j.value "
            f"WHERE v.state = {LIVE} AND $v GROUP BY v.name",
            json.dumps(sorted(names)),
        )
    )
