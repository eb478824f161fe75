"""A timeline in a terminal: a lane for each stage, the versions that held it as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gitreg.domain.timeline import Bar, Timeline, packed
from gitreg.render.canvas import FAINT, Canvas, Look, coloured
from gitreg.render.scale import Scale, stage_colours, time_ticks
from gitreg.render.text import safe

_MOST_ROWS = 4  # of one lane; more at a time are told as a number
_LONGEST_STAGE = 16
_TICK_ROOM = 9  # columns that the shortest labels take with some room


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that a picture shows; ``now``: its end is the present."""

    begin: datetime
    end: datetime
    now: bool = False

    def scale(self, begin: float, end: float) -> Scale:
        """Maps seconds since 1970 to a picture's own measure."""
        return Scale(low=self.begin.timestamp(), high=self.end.timestamp(), begin=begin, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """Characters that bars and axes are made of."""

    begin: str
    fill: str
    fading: str
    before: str
    tick: str
    rest: str
    still: str
    axis: str
    mark: str


_BLOCKS = _Signs(
    begin="▐", fill="█", fading="░▒▓", before="‹", tick="│", rest="░", still="", axis="─", mark="┬"
)
_ASCII = _Signs(
    begin="[", fill="=", fading="...", before="<", tick="|", rest=".", still=">", axis="-", mark="+"
)


def window(
    timeline: Timeline, *, since: datetime | None, until: datetime | None, end: datetime, now: bool = False
) -> Window:
    """The time that a picture of ``timeline`` shows.

    Args:
        timeline: What is drawn.
        since: Where it begins; None: at the first bar.
        until: Where it ends; None: at ``end``.
        end: Up to where its bars are known to be held.
        now: Whether ``end`` is the present.
    """
    first = min((timeline.effect[bar.first] for _, bar in timeline.bars()), default=timeline.time)
    begin = (since or first).astimezone(UTC)
    last = (until or max(end, timeline.time)).astimezone(UTC)
    if last <= begin:  # one moment: give it some room
        last = begin + timedelta(hours=1)
    return Window(begin=begin, end=last, now=now and until is None)


def timeline_lines(timeline: Timeline, shown: Window, look: Look) -> list[str]:
    """The lanes and their axis, at most ``look.width`` columns wide.

    Bars that are shorter than a column are ticks; of many versions that hold one stage at a time the
    newest are drawn, and the others told as a number.
    """
    longest = max((len(lane.stage) for lane in timeline.lanes), default=0)
    gutter = min(longest, _LONGEST_STAGE, look.width // 4) + 2
    aside = max((len(_label(bar)) + 1 for _, bar in timeline.bars() if bar.last is None), default=0)
    width = max(look.width - gutter - aside, 1)
    picture = _Picture(timeline, shown, look, gutter=gutter, width=width)
    lines = []
    for lane in timeline.lanes:
        lines += picture.lane(lane.stage, lane.bars)
    return lines + picture.axis()


class _Picture:
    """What all lanes of one picture share."""

    def __init__(self, timeline: Timeline, shown: Window, look: Look, *, gutter: int, width: int) -> None:
        self.gutter = gutter
        self.width = width
        self.look = look
        self.window = shown
        self.times = timeline.effect
        self.signs = _BLOCKS if look.unicode else _ASCII
        self.scale = shown.scale(0, width)
        self.colours = stage_colours([lane.stage for lane in timeline.lanes])

    def lane(self, stage: str, bars: tuple[Bar, ...]) -> list[str]:
        rows, rest = packed(bars, _MOST_ROWS)
        canvas = Canvas(self.look.width, len(rows) + bool(rest))
        colour = self.colours[stage]
        canvas.put(0, 0, self._named(safe(stage)))
        for at, row in enumerate(rows):
            for bar in sorted(row, key=self._is_tick):
                self._bar(canvas, at, bar, colour)
            if row[-1].last is None and not self._fits(row[-1]):
                canvas.put(self.gutter + self.width + 1, at, _label(row[-1]), coloured(colour))
        if rest:
            self._rest(canvas, len(rows), rest, colour)
        return canvas.lines(colours=self.look.colours)

    def _named(self, stage: str) -> str:
        if len(stage) <= self.gutter - 2:
            return stage
        return stage[: self.gutter - 3] + ("…" if self.look.unicode else "~")

    def _columns(self, bar: Bar) -> tuple[int, int]:
        begin = int(self.scale(self.times[bar.first].timestamp()))
        end = self.width if bar.last is None else int(self.scale(self.times[bar.last].timestamp()))
        return begin, end

    def _is_tick(self, bar: Bar) -> bool:
        begin, end = self._columns(bar)
        return end <= begin

    def _fits(self, bar: Bar) -> bool:
        begin, end = self._columns(bar)
        return len(_label(bar)) + (4 if bar.began_before else 1) <= end - begin

    def _bar(self, canvas: Canvas, row: int, bar: Bar, colour: int) -> None:
        begin, end = self._columns(bar)
        signs, style = self.signs, coloured(colour)
        if end <= begin:
            at = self.gutter + min(begin, self.width - 1)
            if canvas.at(at, row) in (" ", signs.begin, signs.fill):  # no label is written over
                canvas.put(at, row, signs.tick, style)
            return
        length = end - begin
        body = signs.begin + signs.fill * (length - 1)
        if bar.began_before:
            body = (signs.before + signs.fading + signs.fill * length)[:length]
        if bar.last is None and signs.still:
            body = body[:-1] + signs.still
        canvas.put(self.gutter + begin, row, body, style)
        if self._fits(bar):
            skipped = 4 if bar.began_before else 1
            label = _label(bar)
            label = f" {label} " if len(label) + 2 <= length - skipped else label
            at = begin + skipped + (length - skipped - len(label)) // 2
            canvas.put(self.gutter + at, row, label, coloured(colour, reverse=True))

    def _rest(self, canvas: Canvas, row: int, rest: Sequence[Bar], colour: int) -> None:
        for bar in rest:
            begin, end = self._columns(bar)
            canvas.put(self.gutter + begin, row, self.signs.rest * max(end - begin, 1), coloured(colour))
        label = f" {len(rest):,} more "
        if len(label) <= self.width:
            canvas.put(self.gutter + (self.width - len(label)) // 2, row, label)

    def axis(self) -> list[str]:
        canvas = Canvas(self.look.width, 2)
        canvas.put(self.gutter, 0, self.signs.axis * self.width, FAINT)
        room = self.width
        if self.window.now and self.width >= 40:
            room -= len(" now")
            canvas.put(self.gutter + self.width - len("now"), 1, "now")
        for column, label in self._ticks(room):
            canvas.put(self.gutter + column, 0, self.signs.mark, FAINT)
            canvas.put(self.gutter + column, 1, label)
        return canvas.lines(colours=self.look.colours)

    def _ticks(self, room: int) -> list[tuple[int, str]]:
        """As many as have room for their labels, which begin below them."""
        for most in range(self.width // _TICK_ROOM + 1, 0, -1):
            ticks = time_ticks(self.window.begin, self.window.end, most)
            found = [(min(int(self.scale(tick.at)), self.width - 1), tick.label) for tick in ticks]
            if all(at + len(label) < after for (at, label), (after, _) in pairwise(found)):
                return [(at, label) for at, label in found if at + len(label) <= room]
        return []


def _label(bar: Bar) -> str:
    return f"v{bar.version}"
