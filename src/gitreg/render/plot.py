"""Metrics over the versions of a model, drawn in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isfinite

from gitreg.domain.series import Point, Series
from gitreg.domain.settings import ARCHIVED
from gitreg.render.canvas import FAINT, Canvas, Look, coloured
from gitreg.render.scale import Scale, Tick, number_ticks, stage_colours, whole_ticks
from gitreg.render.text import number, safe, width

Place = tuple[float, float]

_HEIGHT = 12  # rows of a panel; fewer where there are several
_LEAST_HEIGHT = 7
_MOST_NAMED = 3  # holders of one stage
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character, by row and column


def runs(points: Sequence[Point], metric: int) -> Iterator[list[tuple[int, float]]]:
    """The stretches of a curve, as version and value: one ends where a value is missing, NaN or infinite."""
    run: list[tuple[int, float]] = []
    for point in points:
        value = point.values[metric]
        if value is not None and isfinite(value):
            run.append((point.version, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def bounds(points: Sequence[Point], metric: int) -> tuple[float, float] | None:
    """The least and the greatest value that can be drawn, with some room around; None where there is none."""
    values = [value for run in runs(points, metric) for _, value in run]
    if not values:
        return None
    low, high = min(values), max(values)
    room = (high - low) * 0.05 if high > low else abs(low) * 0.05 or 1.0
    return (low - room, high + room) if isfinite(high - low + 2 * room) else (low, high)


def thinned(places: Sequence[Place], step: float) -> list[Place]:
    """A curve with at most four places in each column: its first, lowest, highest and last.

    Args:
        places: x and y, by x.
        step: Width of a column.
    """
    found: list[Place] = []
    column: list[Place] = []
    for place in places:
        if column and int(place[0] / step) != int(column[0][0] / step):
            found += _extremes(column)
            column = []
        column.append(place)
    return found + _extremes(column)


def _extremes(column: list[Place]) -> list[Place]:
    if len(column) <= 4:
        return column
    kept = {0, len(column) - 1}
    heights = [y for _, y in column]
    kept |= {heights.index(min(heights)), heights.index(max(heights))}
    return [column[at] for at in sorted(kept)]


def plot_lines(series: Series, look: Look) -> list[str]:
    """A panel for each metric, marks where versions were promoted, and who holds which stage."""
    lines: list[str] = []
    height = _HEIGHT if len(series.metrics) == 1 else max(_LEAST_HEIGHT, _HEIGHT - 2 * len(series.metrics))
    for metric, key in enumerate(series.metrics):
        lines += [*([""] if lines else []), safe(heading(series, key))]
        lines += _panel(series, metric, height, look)
    return lines + _legend(series, look)


def heading(series: Series, metric: str) -> str:
    """What stands over a panel: ``churn: auc``."""
    return f"{series.name}: {metric}" + (f" (evaluation {series.evaluation})" if series.evaluation else "")


def _panel(series: Series, metric: int, height: int, look: Look) -> list[str]:
    limits = bounds(series.points, metric)
    if limits is None:
        return ["  no version has a value that can be drawn"]
    ticks = number_ticks(*limits, max(height // 2, 2))
    panel = _Panel(
        series, metric, limits, look, height=height, gutter=max(len(tick.label) for tick in ticks) + 2
    )
    panel.values(ticks)
    panel.curve()
    panel.marks()
    panel.versions()
    panel.promotions()
    return panel.canvas.lines(colours=look.colours)


class _Panel:
    """One metric on a canvas: a cell holds two by four dots in braille, one in ASCII."""

    def __init__(
        self,
        series: Series,
        metric: int,
        limits: tuple[float, float],
        look: Look,
        *,
        height: int,
        gutter: int,
    ) -> None:
        self.series = series
        self.metric = metric
        self.look = look
        self.height = height
        self.gutter = gutter
        self.across = max(look.width - gutter, 10)
        self.canvas = Canvas(gutter + self.across, height + 3)
        self.wide, self.tall = (2, 4) if look.unicode else (1, 1)
        self.first, self.last = series.points[0].version, series.points[-1].version
        self.along = Scale(low=self.first, high=self.last, begin=0, end=self.across * self.wide - 1)
        self.up = Scale(low=limits[0], high=limits[1], begin=height * self.tall - 1, end=0)
        self.colours = stage_colours(series.stages)

    def column(self, version: float) -> int:
        return self.gutter + round(self.along(version)) // self.wide

    def row(self, value: float) -> int:
        return round(self.up(value)) // self.tall

    def values(self, ticks: Sequence[Tick]) -> None:
        for row in range(self.height):
            self.canvas.put(self.gutter - 1, row, "│" if self.look.unicode else "|", FAINT)
        for tick in ticks:
            row = self.row(tick.at)
            self.canvas.put(self.gutter - 2 - len(tick.label), row, tick.label)
            self.canvas.put(self.gutter - 1, row, "┤" if self.look.unicode else "+", FAINT)

    def curve(self) -> None:
        cells: dict[tuple[int, int], int] = {}
        for run in runs(self.series.points, self.metric):
            places = [(self.along(version), self.up(value)) for version, value in run]
            for column, row in _line(thinned(places, 1.0)):
                cell = (column // self.wide, row // self.tall)
                cells[cell] = cells.get(cell, 0) | _DOTS[row % self.tall][column % self.wide]
        for (column, row), dots in cells.items():
            self.canvas.put(self.gutter + column, row, chr(0x2800 + dots) if self.look.unicode else ".")

    def marks(self) -> None:
        """The versions themselves: all where there is room, else those that hold a stage."""
        roomy = len(self.series.points) * 3 <= self.across
        full, hollow = ("●", "○") if self.look.unicode else ("*", "o")
        for point in self.series.points:
            value = point.values[self.metric]
            if value is None or not isfinite(value):
                continue
            held = [stage for stage in point.stages if stage != ARCHIVED]
            if roomy or held:
                style = coloured(self.colours.get(held[0], 3)) if held else ""
                sign = hollow if point.deprecated else full
                self.canvas.put(self.column(point.version), self.row(value), sign, style)

    def versions(self) -> None:
        """The axis and its numbers."""
        line = "└" + "─" * self.across if self.look.unicode else "+" + "-" * self.across
        self.canvas.put(self.gutter - 1, self.height, line, FAINT)
        for tick in whole_ticks(self.first, self.last, max(self.across // (len(str(self.last)) + 4), 1)):
            at, length = self.column(tick.at), len(tick.label)
            self.canvas.put(at, self.height, "┬" if self.look.unicode else "+", FAINT)
            begin = min(max(at - (length - 1) // 2, 0), self.canvas.width - length)
            if self.canvas.free(begin - 1, self.height + 1, length + 1):
                self.canvas.put(begin, self.height + 1, tick.label)

    def promotions(self) -> None:
        style = coloured(self.colours.get(self.series.stage, 3))
        for point in self.series.points:
            if point.promoted:
                sign = "▲" if self.look.unicode else "^"
                self.canvas.put(self.column(point.version), self.height + 2, sign, style)


def _line(places: Sequence[Place]) -> Iterator[tuple[int, int]]:
    """The dots of a curve, some of them twice."""
    if places:
        yield round(places[0][0]), round(places[0][1])
    for (x0, y0), (x1, y1) in pairwise(places):
        steps = max(abs(round(x1) - round(x0)), abs(round(y1) - round(y0)), 1)
        for step in range(1, steps + 1):
            yield round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)


def _legend(series: Series, look: Look) -> list[str]:
    signs = []
    if any(point.promoted for point in series.points):
        signs.append(f"{'▲' if look.unicode else '^'} entered {series.stage}")
    if any(point.deprecated for point in series.points):
        signs.append(f"{'○' if look.unicode else 'o'} deprecated")
    told = ["  ".join(signs)] if signs else []
    holders = [f"{stage} {_named(held)}" for stage, held in holding(series).items()]
    if holders:
        told.append(f"stages: {', '.join(holders)}")
    whole = "   ".join(told)
    return [safe(row) for row in (told if width(whole) > look.width else [whole] if told else [])]


def holding(series: Series) -> dict[str, list[int]]:
    """Stage → the versions that hold it, highest number first; Archived is left out."""
    found: dict[str, list[int]] = {}
    for stage in series.stages:
        held = [point.version for point in reversed(series.points) if stage in point.stages]
        if held and stage != ARCHIVED:
            found[stage] = held
    return found


def _named(held: Sequence[int]) -> str:
    more = f" and {len(held) - _MOST_NAMED:,} more" if len(held) > _MOST_NAMED else ""
    return " ".join(f"v{version}" for version in held[:_MOST_NAMED]) + more


def value_text(value: float | None) -> str:
    """A value as people read it; ``""`` where there is none."""
    return "" if value is None else number(value) if isfinite(value) else str(value)
