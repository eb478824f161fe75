"""Who held each stage of a model when, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """That a version held a stage, from the commit that gave it to the commit that took it.

    Attributes:
        version: Its number.
        since: Committer time of the commit that gave the stage, as ``--at DATE`` goes by; where it
            ``began_before``, that of the first commit that is known: it is held since then at least.
        until: The same of the commit that took it; None while it is held. With clock skew it may lie
            before ``since``: what came first is told by ``first`` and ``last`` alone.
        first: Place of the giving commit in the history: 1 for its first commit, 2 …
        last: Place of the taking commit, None while the stage is held.
        commit_since: Full hex id of the commit that gave it; None where it ``began_before``.
        commit_until: Full hex id of the commit that took it.
        given_by: Author of the commit that gave it; None where it ``began_before``.
        ended_by: Author of the commit that took it.
        began_before: The stage was held already where a shallow clone's history begins.
    """

    version: int
    since: datetime
    until: datetime | None = None
    first: int
    last: int | None = None
    commit_since: str | None
    commit_until: str | None = None
    given_by: str | None
    ended_by: str | None = None
    began_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One stage, and what held it, in the order of history."""

    stage: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The stages of a model over its history.

    Attributes:
        name: The model's name at ``commit``; what happened under former names is told, too.
        commit: Full hex id of the commit up to which history is told.
        time: Its committer time.
        lanes: One for each stage that was ever held, in the configured order.
        effect: Place of each commit that a bar tells of → when it took effect (``in_effect``): what
            ``--at DATE`` finds, and so what pictures show.
    """

    name: str
    commit: str
    time: datetime
    lanes: tuple[Lane, ...]
    effect: Mapping[int, datetime]

    def bars(self) -> Iterator[tuple[str, Bar]]:
        """Stage and bar, the newest first."""
        every = [(lane.stage, bar) for lane in self.lanes for bar in lane.bars]
        return iter(sorted(every, key=lambda each: (-each[1].first, -each[1].version)))

    def within(self, begin: datetime | None, end: datetime | None) -> Timeline:
        """Only the bars that touch the time from ``begin`` to ``end``; lanes that are left empty go."""
        lanes = (
            Lane(stage=lane.stage, bars=tuple(bar for bar in lane.bars if self._touches(bar, begin, end)))
            for lane in self.lanes
        )
        return replace(self, lanes=tuple(lane for lane in lanes if lane.bars))

    def _touches(self, bar: Bar, begin: datetime | None, end: datetime | None) -> bool:
        if end is not None and self.effect[bar.first] > end:
            return False
        return begin is None or bar.last is None or self.effect[bar.last] >= begin


def in_effect(earliest: Mapping[int, datetime]) -> dict[int, datetime]:
    """When commits took effect: times that never run backwards.

    The state at a date is that of the newest commit, by history, that is not later. So a commit is in
    effect from its own time on, or from that of a later commit with an earlier clock.

    Args:
        earliest: Place of a commit in the history → the earliest time that it or a commit before the next
            of these places tells.
    """
    found: dict[int, datetime] = {}
    soonest: datetime | None = None
    for place in sorted(earliest, reverse=True):
        soonest = earliest[place] if soonest is None else min(soonest, earliest[place])
        found[place] = soonest
    return found


def packed(bars: tuple[Bar, ...], most: int) -> tuple[list[list[Bar]], list[Bar]]:
    """Lay bars of one stage into rows in which none is held beside another.

    Args:
        bars: In the order of history.
        most: How many rows there may be.

    Returns:
        The rows, the one with the newest bar first, and the bars that found no room: the oldest ones.
    """
    rows: list[list[Bar]] = []
    rest: list[Bar] = []
    for bar in sorted(bars, key=lambda bar: (bar.first, bar.version), reverse=True):
        row = next((row for row in rows if bar.last is not None and bar.last <= row[-1].first), None)
        if row is not None:
            row.append(bar)
        elif len(rows) < most:
            rows.append([bar])
        else:
            rest.append(bar)
    return [row[::-1] for row in rows], rest[::-1]
