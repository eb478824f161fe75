"""The metrics of some versions beside each other, as an SVG picture: a dot for each version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from gitreg.domain.settings import Direction
from gitreg.render.scale import Scale, number_ticks, stage_colours
from gitreg.render.svg import Markup, document, element, group, shortened, text, text_width
from gitreg.render.text import number

_WIDTH = 960
_MARGIN = 24
_GAP = 32  # between two panels
_COLUMNS = 2
_HEAD = 34  # of a panel
_ROW = 24
_FOOT = 34
_MOST_LABEL = 130

STYLE = """.gitreg-picture .best { font-weight: 600; }
.gitreg-picture .ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.gitreg-picture .way { stroke: var(--edge); stroke-width: 2; }
"""
"""What these pictures need beside the style of ``plot_svg``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One metric of some versions.

    Attributes:
        metric: What it is called.
        values: Of each version; None where it has none.
        best: Places of the versions with the best value.
        better: Which direction is the better one; None where nobody says.
        stages: The stage by which each version is coloured; ``""`` for none.
        order: All stages of the registry, which give the colours.
    """

    metric: str
    values: tuple[float | None, ...]
    best: frozenset[int] = frozenset()
    better: Direction | None = None
    stages: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


def compare_svg(names: Sequence[str], measured: Sequence[Measured]) -> str:
    """A whole picture: a panel for each metric, a row for each version; ``""`` where nothing can be drawn.

    Args:
        names: What the versions are called.
        measured: The metrics; one that has no two finite values is left out.
    """
    drawn = [each for each in measured if len(_finite(each)) > 1]
    if not drawn:
        return ""
    from gitreg.render import plot_svg  # its classes for dots and labels

    panel = _HEAD + _ROW * len(names) + _FOOT
    lines = -(-len(drawn) // _COLUMNS)
    columns = min(_COLUMNS, len(drawn))
    wide = (_WIDTH - 2 * _MARGIN - _GAP * (columns - 1)) / columns
    panels = [
        group(
            *_panel(
                each,
                names,
                left=_MARGIN + place % _COLUMNS * (wide + _GAP),
                top=12 + place // _COLUMNS * panel,
                wide=wide,
            )
        )
        for place, each in enumerate(drawn)
    ]
    return document(
        *panels,
        width=_WIDTH,
        height=12 + lines * panel,
        title=f"Metrics of {', '.join(names)}",
        description="; ".join(_told(each, names) for each in drawn),
        style=plot_svg.STYLE + STYLE,
    )


def _finite(measured: Measured) -> list[float]:
    return [value for value in measured.values if value is not None and isfinite(value)]


def _told(measured: Measured, names: Sequence[str]) -> str:
    said = [
        f"{name} {number(value)}"
        for name, value in zip(names, measured.values, strict=True)
        if value is not None and isfinite(value)
    ]
    return f"{measured.metric}: {', '.join(said)}"


def _panel(measured: Measured, names: Sequence[str], *, left: float, top: float, wide: float) -> list[Markup]:
    values = _finite(measured)
    label = min(_MOST_LABEL, max(text_width(name) for name in names) + 4)
    said = max(text_width(number(value)) for value in values) + 8
    along = Scale(low=min(values), high=max(values), begin=left + label + 14, end=left + wide - said - 14)
    bottom = top + _HEAD + _ROW * len(names)
    way = f" ({measured.better} is better)" if measured.better else ""
    heading = shortened(f"{measured.metric}{way}", wide, 13)
    found = [text(left, top + 18, heading, class_="panel", title=measured.metric)]
    found += _axis(along, top + _HEAD - 6, bottom)
    colours = stage_colours(measured.order)
    for place, name in enumerate(names):
        y = top + _HEAD + _ROW * place + _ROW / 2
        best = place in measured.best
        found.append(text(left, y + 4, shortened(name, label), class_="best" if best else "soft", title=name))
        value = measured.values[place]
        if value is None or not isfinite(value):
            found.append(text(left + wide, y + 4, "–", class_="soft end"))
            continue
        stage = measured.stages[place] if measured.stages else ""
        kind = f"s{colours.get(stage, 3)}" if stage else "plain"
        x = along(value)
        first = measured.values[0]
        if place and first is not None and isfinite(first):
            found.append(element("line", class_="way", x1=along(first), x2=x, y1=y, y2=y))
        tip = f"{name}: {measured.metric} {number(value)}" + (f", {stage}" if stage else "")
        found.append(element("circle", class_=f"dot {kind}", cx=x, cy=y, r=5, title=tip))
        if best:
            found.append(element("circle", class_="ring", cx=x, cy=y, r=8))
        found.append(text(left + wide, y + 4, number(value), class_="end best" if best else "end"))
    return found


def _axis(along: Scale, top: float, bottom: float) -> list[Markup]:
    """A line down from each round number, which stands below."""
    found = []
    last = -1e9
    for tick in number_ticks(along.low, along.high, 4):
        x = round(along(tick.at)) + 0.5
        found.append(element("line", class_="grid", x1=x, x2=x, y1=top, y2=bottom))
        if x - last > text_width(tick.label, 11) + 10:
            found.append(text(x, bottom + 14, tick.label, class_="soft small mid"))
            last = x
    return found
