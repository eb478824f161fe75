"""The metrics of a version beside those of another one: how they changed, and whether that is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitreg.domain.contrast import measured
from gitreg.domain.model import Evaluation, ModelVersion
from gitreg.domain.natural import natural
from gitreg.domain.settings import Settings
from gitreg.render.contrast_words import percent
from gitreg.render.text import number

MOST = 100
"""Metrics that are shown of one table."""

Directions = Mapping[tuple[str | None, str], str]
"""Evaluation (None: the registration) and metric → which values are better: ``higher`` or ``lower``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric.

    Attributes:
        key: Its name.
        value: Its value as people read it.
        other: The other version's; ``""`` where it has none.
        change: By how much it changed, with its sign; ``""`` where that can't be told.
        percent: The same as a part of the other's value.
        verdict: ``better`` or ``worse``, where a rule of the registry tells which direction is better.
    """

    key: str
    value: str
    other: str = ""
    change: str = ""
    percent: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The metrics at registration, or those of one evaluation (``of``); ``more`` are left out."""

    rows: tuple[Measure, ...]
    more: int
    of: Evaluation | None = None
    compared: bool = False


def directions(settings: Settings) -> Directions:
    """Which values are better, as far as the rules of the stages tell; those of later stages count."""
    rules = [rule for stage in settings.stages for rule in stage.no_worse]
    # A metric is the same thing wherever it is measured, unless a rule says otherwise of an evaluation.
    found: dict[tuple[str | None, str], str] = {(None, rule.metric): rule.direction for rule in rules}
    return found | {(rule.evaluation, rule.metric): rule.direction for rule in rules}


def results(version: ModelVersion, other: ModelVersion | None, better: Directions) -> list[Results]:
    """The tables of a version: its metrics, then its evaluations, the newest first.

    Args:
        version: Whose.
        other: What it is measured against; None: nothing.
        better: Which values are better.
    """
    theirs = {each.name: each.metrics for each in other.evaluations} if other else {}
    made = []
    if version.metrics:
        made.append(_table(version.metrics, other.metrics if other else {}, better))
    for each in reversed(version.evaluations):
        made.append(_table(each.metrics, theirs.get(each.name, {}), better, of=each))
    return made


def _table(
    mine: Mapping[str, float], theirs: Mapping[str, float], better: Directions, of: Evaluation | None = None
) -> Results:
    keys: Sequence[str] = sorted(mine, key=natural)
    rows = tuple(_measure(key, mine[key], theirs.get(key), better, of) for key in keys[:MOST])
    return Results(rows=rows, more=len(keys) - len(rows), of=of, compared=any(row.other for row in rows))


def _measure(
    key: str, value: float, other: float | None, better: Directions, of: Evaluation | None
) -> Measure:
    if other is None:
        return Measure(key=key, value=number(value))
    row = measured(key, other, value)
    change, verdict = row.change, ""
    if change:
        direction = better.get((of.name if of else None, key)) or better.get((None, key))
        if direction:
            verdict = "better" if (change > 0) == (direction == "higher") else "worse"
    return Measure(
        key=key,
        value=number(value),
        other=number(other),
        change="" if change is None else _signed(change) if change else "0",
        percent="" if not change or row.percent is None else f"{_sign(change)}{percent(abs(row.percent))} %",
        verdict=verdict,
    )


def _signed(change: float) -> str:
    return f"{_sign(change)}{number(abs(change))}"


def _sign(change: float) -> str:
    return "+" if change > 0 else "−"
