"""A timeline as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.domain.timeline import Bar, Timeline, packed
from gitreg.render.scale import Scale, lasting, stage_colours, time_ticks
from gitreg.render.svg import COLOURS, Markup, document, element, group, shortened, text, text_width
from gitreg.render.text import moment, plural
from gitreg.render.timeline import Window

_WIDTH = 960
_MARGIN = 24
_HEAD = 66
_ROW = 24
_BAR = 18
_GAP = 12
_FOOT = 40
_LONGEST_STAGE = 150.0
_MOST_ROWS = 6
_ARROW = 7
_TAIL = 26  # what is held still goes on for so much beyond the end of the time
_LEAST = 2.5  # pixels: shorter bars are drawn as ticks

STYLE = (
    "".join(f".gitreg-picture .s{place} {{ fill: var(--c{place}); }}\n" for place in range(COLOURS))
    + """.gitreg-picture .before { fill-opacity: 0.55; }
.gitreg-picture .rest { fill-opacity: 0.35; }
.gitreg-picture .v { font-size: 11px; font-weight: 600; text-anchor: middle; pointer-events: none; }
.gitreg-picture .lane { font-weight: 600; }
.gitreg-picture .small { font-size: 11px; }
"""
)


def timeline_svg(timeline: Timeline, shown: Window) -> str:
    """A whole picture: a lane for each stage, a bar for each time that a version held it.

    Bars with a point at their right are held still; pale ones began before a shallow clone's history.
    """
    return _Picture(timeline, shown).document()


class _Picture:
    """The measures of one picture."""

    def __init__(self, timeline: Timeline, shown: Window) -> None:
        self.timeline = timeline
        self.window = shown
        self.times = timeline.effect
        named = max((text_width(lane.stage, 13) for lane in timeline.lanes), default=0.0)
        self.left = _MARGIN + min(named, _LONGEST_STAGE) + 16
        outside = max((text_width(f"v{bar.version}", 11) for _, bar in timeline.bars()), default=0.0)
        self.right = _WIDTH - _MARGIN - outside - 4
        self.scale: Scale = shown.scale(self.left, self.right - _TAIL)
        self.colours = stage_colours([lane.stage for lane in timeline.lanes])

    def document(self) -> str:
        lanes: list[Markup] = []
        y: float = _HEAD
        for lane in self.timeline.lanes:
            rows, rest = packed(lane.bars, _MOST_ROWS)
            lanes.append(self._lane(lane.stage, rows, rest, y))
            y += (len(rows) + bool(rest)) * _ROW + _GAP
        bottom = y - _GAP / 2
        return document(
            text(_MARGIN, 32, shortened(self.timeline.name, _WIDTH - 2 * _MARGIN, 16), class_="head"),
            text(_MARGIN, 51, self._subtitle(), class_="soft"),
            self._axis(_HEAD - 6, bottom),
            *lanes,
            width=_WIDTH,
            height=bottom + _FOOT,
            title=f"{self.timeline.name}: who held each stage when",
            description=self._description(),
            style=STYLE,
        )

    def _subtitle(self) -> str:
        days = list(dict.fromkeys(f"{when:%Y-%m-%d}" for when in (self.window.begin, self.window.end)))
        span = f"{' to '.join(days)}, UTC"
        return f"Who held each stage · {span} · commit {self.timeline.commit[:10]}"

    def _description(self) -> str:
        parts = []
        for lane in self.timeline.lanes:
            held = [f"version {bar.version}" for bar in lane.bars if bar.last is None]
            now = f", held by {', '.join(held[-5:])}" if held else ", held by none"
            parts.append(f"{lane.stage}: {plural(len(lane.bars), 'bar')}{now}")
        return "; ".join(parts) or "No version ever held a stage"

    def _axis(self, top: float, bottom: float) -> Markup:
        drawn = []
        for tick in time_ticks(self.window.begin, self.window.end, 7):
            x = round(self.scale(tick.at)) + 0.5
            drawn.append(element("line", class_="grid", x1=x, x2=x, y1=top, y2=bottom))
            anchor = "end" if x + text_width(tick.label, 11) / 2 > _WIDTH - 4 else "middle"
            drawn.append(text(x, bottom + 18, tick.label, class_="soft small", text_anchor=anchor))
        base = round(bottom) + 0.5
        drawn.append(element("line", class_="rule", x1=self.left, x2=self.right, y1=base, y2=base))
        return group(*drawn)

    def _lane(self, stage: str, rows: Sequence[Sequence[Bar]], rest: Sequence[Bar], y: float) -> Markup:
        name = shortened(stage, _LONGEST_STAGE, 13)
        drawn = [text(_MARGIN, y + 15, name, class_="lane", title=stage if name != stage else "")]
        for row in rows:
            drawn += [mark for bar in row for mark in self._bar(stage, bar, y)]
            y += _ROW
        if rest:
            drawn += self._rest(stage, rest, y)
        return group(*drawn)

    def _bar(self, stage: str, bar: Bar, y: float) -> list[Markup]:
        begin = self.scale(self.times[bar.first].timestamp())
        end = self.right if bar.last is None else self.scale(self.times[bar.last].timestamp())
        length = end - begin
        kind = f"s{self.colours[stage]}{' before' if bar.began_before else ''}"
        tip = _tip(stage, bar, self.window)
        label = f"v{bar.version}"
        if length < _LEAST:
            x = begin
            drawn = [element("rect", class_=kind, x=x, y=y, width=2, height=_BAR, title=tip)]
        elif bar.last is None and length > 2 * _ARROW:
            drawn = [element("path", class_=kind, d=_arrow(begin, end, y), title=tip)]
        else:
            gap = 1.0 if length > 4 else 0.5
            drawn = [
                element(
                    "rect",
                    class_=kind,
                    x=begin,
                    y=y,
                    width=length - gap,
                    height=_BAR,
                    rx=min(3.0, length / 4),
                    title=tip,
                )
            ]
        said = f"‹ {label}" if bar.began_before else label
        if text_width(said, 11) + 8 + (_ARROW if bar.last is None else 0) <= length:
            middle = begin + (length - (_ARROW if bar.last is None else 1)) / 2
            drawn.append(text(middle, y + 13, said, class_="v" if bar.began_before else "v on"))
        elif bar.last is None:
            drawn.append(text(self.right + 4, y + 13, label, class_="lane small"))
        return drawn

    def _rest(self, stage: str, rest: Sequence[Bar], y: float) -> list[Markup]:
        begin = min(self.scale(self.times[bar.first].timestamp()) for bar in rest)
        ends = [
            self.right if bar.last is None else self.scale(self.times[bar.last].timestamp()) for bar in rest
        ]
        told = f"{len(rest):,} more"
        low, high = rest[0].version, rest[-1].version
        return [
            element(
                "rect",
                class_=f"s{self.colours[stage]} rest",
                x=begin,
                y=y,
                width=max(max(ends) - begin, 2),
                height=_BAR,
                rx=3,
                title=f"{stage}: {told}, from version {low} to {high}",
            ),
            text((begin + max(ends)) / 2, y + 13, told, class_="v"),
        ]


def _arrow(begin: float, end: float, y: float) -> str:
    """A bar with round corners at its left and a point at its right."""
    tip = end - _ARROW
    points = f"M{begin + 3:.2f} {y:.2f}H{tip:.2f}L{end:.2f} {y + _BAR / 2:.2f}L{tip:.2f} {y + _BAR:.2f}"
    return f"{points}H{begin + 3:.2f}q-3 0 -3 -3V{y + 3:.2f}q0 -3 3 -3Z"


def _tip(stage: str, bar: Bar, shown: Window) -> str:
    begin = f"{'before ' if bar.began_before else ''}{moment(bar.since)}"
    known = bar.commit_since and not bar.began_before
    giver = f", by {bar.given_by} in {(bar.commit_since or '')[:10]}" if known else ""
    if bar.until is None:
        return f"{stage}: version {bar.version} since {begin}{giver}"
    long = lasting((bar.until - bar.since).total_seconds())
    lasted = f" ({long})" if long and not bar.began_before else ""
    taken = f"; ended by {bar.ended_by} in {(bar.commit_until or '')[:10]}"
    return f"{stage}: version {bar.version} from {begin} to {moment(bar.until)}{lasted}{giver}{taken}"
