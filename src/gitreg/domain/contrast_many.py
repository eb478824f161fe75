"""Any number of model versions beside each other: each of them set against the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import get_args

from gitreg.domain.contrast import Kind, Row, contrast
from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import Direction

_ORDER: tuple[str, ...] = get_args(Kind)
_MEASURES = ("metrics", "evaluations")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyRow:
    """One thing in all versions.

    Attributes:
        key: What it is: a metric, a parameter, a file.
        rows: Of each version, in their order, what ``contrast`` says of it against the first; of the first
            itself that it is the same.
        best: The places of the versions with the best value; empty where no direction is the better one,
            or where all have the same.
    """

    key: str
    rows: tuple[Row, ...]
    best: frozenset[int] = frozenset()

    @property
    def same(self) -> bool:
        """Whether it is the same in all versions."""
        return all(row.same for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManySection:
    """Rows of one kind; ``kind`` and ``of`` as of ``contrast.Section``."""

    kind: Kind
    of: str
    rows: tuple[ManyRow, ...]


def contrast_many(
    versions: Sequence[ModelVersion],
    aliases: Sequence[Sequence[str]],
    better: Mapping[str, Direction] | None = None,
) -> tuple[ManySection, ...]:
    """Set versions beside each other, in a reviewer's order; equal rows are among them.

    Args:
        versions: Two or more.
        aliases: Those that point to each, in the order of the versions.
        better: Metrics whose good direction is known.
    """
    found: dict[tuple[Kind, str], dict[str, dict[int, Row]]] = {}
    for place, version in enumerate(versions[1:], start=1):
        for section in contrast(versions[0], version, aliases=(aliases[0], aliases[place])).sections:
            rows = found.setdefault((section.kind, section.of), {})
            for row in section.rows:
                rows.setdefault(row.key, {})[place] = row
    return tuple(
        _section(kind, of, found[kind, of], len(versions), better or {})
        for kind, of in sorted(found, key=lambda each: _ORDER.index(each[0]))
    )


def differing(sections: Sequence[ManySection]) -> tuple[ManySection, ...]:
    """The sections that differ, with the differing rows alone."""
    kept = (
        ManySection(kind=each.kind, of=each.of, rows=tuple(row for row in each.rows if not row.same))
        for each in sections
    )
    return tuple(each for each in kept if each.rows)


def _section(
    kind: Kind, of: str, found: Mapping[str, Mapping[int, Row]], count: int, better: Mapping[str, Direction]
) -> ManySection:
    keys = list(found) if kind == "signature" else sorted(found)  # a signature's own order says something
    rows = []
    for key in keys:
        known = found[key]
        before = next(iter(known.values())).before
        first = Row(key=key, before=before, after=before, same=True)
        lacking = Row(key=key, before=before, after=None, same=before is None)
        all_rows = (first, *(known.get(place, lacking) for place in range(1, count)))
        direction = better.get(key) if kind in _MEASURES else None
        rows.append(ManyRow(key=key, rows=all_rows, best=_best(all_rows, direction)))
    return ManySection(kind=kind, of=of, rows=tuple(rows))


def _best(rows: Sequence[Row], direction: Direction | None) -> frozenset[int]:
    values = {
        place: float(row.after)
        for place, row in enumerate(rows)
        if isinstance(row.after, int | float) and not isinstance(row.after, bool) and isfinite(row.after)
    }
    if direction is None or len(values) < 2:
        return frozenset()
    best = (max if direction == "higher" else min)(values.values())
    places = frozenset(place for place, value in values.items() if value == best)
    return places if len(places) < len(values) else frozenset()
