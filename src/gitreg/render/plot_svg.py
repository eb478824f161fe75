"""Metrics over the versions of a model, as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from gitreg.domain.series import Point, Series
from gitreg.domain.settings import ARCHIVED
from gitreg.render.plot import bounds, heading, holding, runs, thinned, value_text
from gitreg.render.scale import Scale, number_ticks, stage_colours, whole_ticks
from gitreg.render.svg import COLOURS, Markup, document, element, group, number, shortened, text, text_width
from gitreg.render.text import plural

_WIDTH = 960
_MARGIN = 24
_HEAD = 60
_PANEL = 260  # a panel with its heading and the numbers below
_STRIP = 22  # over the curve, for the names of stages
_TALL = 170
_FOOT = 22
_MOST_DOTS = 150
_MOST_LABELS = 3  # holders of one stage that are named over the curve

STYLE = (
    "".join(
        f".gitreg-picture .s{place} {{ fill: var(--c{place}); }}\n"
        f".gitreg-picture .g{place} {{ stroke: var(--c{place}); }}\n"
        for place in range(COLOURS)
    )
    + """.gitreg-picture .curve { fill: none; stroke: var(--soft); stroke-width: 1.5; }
.gitreg-picture .dot { stroke: var(--paper); stroke-width: 1; }
.gitreg-picture .plain { fill: var(--soft); }
.gitreg-picture .hollow { fill: var(--paper); stroke: var(--soft); stroke-width: 1.5; }
.gitreg-picture .guide { stroke-dasharray: 2 3; }
.gitreg-picture .panel { font-weight: 600; }
.gitreg-picture .tag { font-size: 11px; font-weight: 600; text-anchor: middle; }
.gitreg-picture .small { font-size: 11px; }
.gitreg-picture .mid { text-anchor: middle; }
.gitreg-picture .end { text-anchor: end; }
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One metric: its scales, and where its box lies."""

    series: Series
    metric: int
    top: float
    along: Scale
    up: Scale

    @property
    def bottom(self) -> float:
        return self.top + _STRIP + _TALL


def plot_svg(series: Series) -> str:
    """A whole picture: a panel for each metric, with the stages that versions hold and their promotions."""
    panels = [
        markup
        for metric in range(len(series.metrics))
        for markup in _panel(series, metric, _HEAD + metric * _PANEL)
    ]
    several = plural(len(series.points), "version")
    return document(
        text(_MARGIN, 32, shortened(series.name, _WIDTH - 2 * _MARGIN, 16), class_="head"),
        text(_MARGIN, 51, shortened(f"{several} · {_legend(series)}", _WIDTH - 2 * _MARGIN), class_="soft"),
        *panels,
        width=_WIDTH,
        height=_HEAD + len(series.metrics) * _PANEL + _FOOT / 2,
        title=f"{series.name}: {', '.join(series.metrics)} over the versions",
        description=_description(series),
        style=STYLE,
    )


def _legend(series: Series) -> str:
    signs = [f"▲ entered {series.stage}"] if any(point.promoted for point in series.points) else []
    if any(point.deprecated for point in series.points):
        signs.append("○ deprecated")
    return " · ".join([*signs, "by version number"])


def _description(series: Series) -> str:
    held = [
        f"{stage} is held by version {', '.join(map(str, numbers[:5]))}"
        for stage, numbers in holding(series).items()
    ]
    ends = []
    for metric, key in enumerate(series.metrics):
        values = [value for run in runs(series.points, metric) for _, value in run]
        if values:
            ends.append(f"{key} from {value_text(min(values))} to {value_text(max(values))}")
    return "; ".join([*ends, *held]) or "No values"


def _panel(series: Series, metric: int, top: float) -> list[Markup]:
    head = text(_MARGIN, top + 16, _shown_heading(series, metric), class_="panel")
    limits = bounds(series.points, metric)
    if limits is None:
        return [head, text(_MARGIN, top + 50, "No version has a value that can be drawn.", class_="soft")]
    ticks = number_ticks(*limits, 6)
    left = _MARGIN + max(text_width(tick.label, 11) for tick in ticks) + 14
    box = top + 24
    panel = _Panel(
        series=series,
        metric=metric,
        top=box,
        along=Scale(
            low=series.points[0].version,
            high=series.points[-1].version,
            begin=left + 8,
            end=_WIDTH - _MARGIN - 8,
        ),
        up=Scale(low=limits[0], high=limits[1], begin=box + _STRIP + _TALL, end=box + _STRIP),
    )
    grid = []
    for tick in ticks:
        y = round(panel.up(tick.at)) + 0.5
        grid.append(element("line", class_="grid", x1=left, x2=_WIDTH - _MARGIN, y1=y, y2=y))
        grid.append(text(left - 8, y + 4, tick.label, class_="soft small end"))
    return [head, group(*grid), _versions(panel, left), _labels(panel), _curve(panel), _dots(panel)]


def _shown_heading(series: Series, metric: int) -> str:
    whole = heading(series, series.metrics[metric]).removeprefix(f"{series.name}: ")
    return shortened(whole, _WIDTH - 2 * _MARGIN, 13)


def _versions(panel: _Panel, left: float) -> Markup:
    base = round(panel.bottom) + 0.5
    drawn = [element("line", class_="rule", x1=left, x2=_WIDTH - _MARGIN, y1=base, y2=base)]
    points = panel.series.points
    most = max(2, int((_WIDTH - left) / (text_width(str(points[-1].version), 11) + 34)))
    for tick in whole_ticks(points[0].version, points[-1].version, min(most, 16)):
        x = panel.along(tick.at)
        drawn.append(element("line", class_="rule", x1=x, x2=x, y1=base, y2=base + 4))
        drawn.append(text(x, base + 30, f"v{tick.label}", class_="soft small mid"))
    colour = stage_colours(panel.series.stages).get(panel.series.stage, 3)
    for point in points:
        if point.promoted:
            x = panel.along(point.version)
            shape = f"M{number(x)} {number(base + 6)}l4.5 8h-9Z"
            tip = f"version {point.version} entered {panel.series.stage}"
            drawn.append(element("path", class_=f"s{colour}", d=shape, title=tip))
    return group(*drawn)


def _curve(panel: _Panel) -> Markup:
    parts = []
    for run in runs(panel.series.points, panel.metric):
        places = thinned([(panel.along(version), panel.up(value)) for version, value in run], 1.0)
        parts.append("M" + "L".join(f"{number(x)} {number(y)}" for x, y in places))
    return element("path", class_="curve", d="".join(parts))


def _dots(panel: _Panel) -> Markup:
    """The versions: all where there is room; else those that hold a stage or have no neighbour."""
    points, colours = panel.series.points, stage_colours(panel.series.stages)
    alone = {run[0][0] for run in runs(points, panel.metric) if len(run) == 1}
    drawn = []
    for point in points:
        value = point.values[panel.metric]
        if value is None or not isfinite(value):
            continue
        held = [stage for stage in point.stages if stage != ARCHIVED]
        if len(points) > _MOST_DOTS and not held and point.version not in alone:
            continue
        kind = f"s{colours.get(held[0], 3)}" if held else "hollow" if point.deprecated else "plain"
        size = 5.0 if held else 3.5 if len(points) <= _MOST_DOTS else 1.5
        x, y = panel.along(point.version), panel.up(value)
        tip = _tip(point, panel.series.metrics[panel.metric], value)
        shape = f"dot {kind}" if kind != "hollow" else kind
        dot = element(
            "circle", class_=shape, cx=x, cy=y, r=size, title="" if held and point.deprecated else tip
        )
        if held and point.deprecated:  # hollow, too, in the stage's colour
            dot = element("g", dot, element("circle", class_="on", cx=x, cy=y, r=size - 2), title=tip)
        drawn.append(dot)
    return group(*drawn)


def _tip(point: Point, metric: str, value: float) -> str:
    said = f"version {point.version}: {metric} {value_text(value)}"
    if point.stages:
        said += f", {', '.join(point.stages)}"
    return said + (", deprecated" if point.deprecated else "")


def _labels(panel: _Panel) -> Markup:
    """The names of the stages over the versions that hold them, with lines down to the points."""
    colours = stage_colours(panel.series.stages)
    wanted, said = _named(panel.series)
    places = _beside([panel.along(version) for version, _ in wanted], said)
    values = {point.version: point.values[panel.metric] for point in panel.series.points}
    drawn = []
    for (version, stages), label, place in zip(wanted, said, places, strict=True):
        colour, x, value = colours.get(stages[0], 3), panel.along(version), values[version]
        end = panel.up(value) if value is not None and isfinite(value) else panel.bottom
        shape = f"M{number(place)} {number(panel.top + 6)}L{number(x)} {number(panel.top + 16)}V{number(end)}"
        drawn.append(element("path", class_=f"grid guide g{colour}", d=shape))
        drawn.append(text(place, panel.top + 2, label, class_=f"tag s{colour}"))
    return group(*drawn)


def _named(series: Series) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """The versions that are named over the curve with the stages that they hold, and how.

    Of each stage the newest few holders; fewer where the names would not find room beside each other.
    """
    held = holding(series)
    for most in range(_MOST_LABELS, 0, -1):
        by_version: dict[int, list[str]] = {}
        for stage, numbers in held.items():
            for version in numbers[:most]:
                by_version.setdefault(version, []).append(stage)
        wanted = sorted(by_version.items())
        said = [shortened(f"{', '.join(stages)} v{version}", 220, 11) for version, stages in wanted]
        if sum(map(_room, said)) <= _WIDTH - _MARGIN - 8:
            break
    while sum(map(_room, said)) > _WIDTH - _MARGIN - 8:  # more stages than there is room for
        del wanted[0], said[0]
    return wanted, said


def _room(label: str) -> float:
    return 1.25 * text_width(label, 11) + 10  # they are bold, and some systems' letters are wide


def _beside(wanted: Sequence[float], labels: Sequence[str]) -> list[float]:
    """Middles of labels that don't overlap, as near to ``wanted`` (from left to right) as it goes."""
    edges = [(text_width(label, 11) + 12) / 2 for label in labels]
    rooms = [_room(label) / 2 for label in labels]
    places: list[float] = []
    for at, middle in enumerate(wanted):
        least = places[-1] + rooms[at - 1] + rooms[at] if places else _MARGIN + edges[at]
        places.append(max(middle, least))
    for at in reversed(range(len(places))):
        last = at == len(places) - 1
        most = _WIDTH - 8 - edges[at] if last else places[at + 1] - rooms[at + 1] - rooms[at]
        places[at] = min(places[at], most)
    return places
