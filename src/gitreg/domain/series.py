"""A metric over the versions of a model, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One version.

    Attributes:
        version: Its number.
        values: One for each metric of the series: None where the version has none, else a number, NaN and
            the infinities included.
        stages: Those that it holds.
        promoted: Whether it ever entered the stage that the series marks; None where it was there already
            when a shallow clone's history begins, and did not hold the stage since.
        deprecated: Whether it is marked as not to be used any more.
    """

    version: int
    values: tuple[float | None, ...]
    stages: tuple[str, ...] = ()
    promoted: bool | None = False
    deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One or more metrics over the versions of a model.

    Attributes:
        name: The model's.
        metrics: Keys of the metrics, in the order asked for.
        evaluation: Name of the evaluation that they are taken from; None: the metrics at registration.
        stage: The stage whose promotions are marked.
        stages: The registry's stages, in their configured order.
        points: The versions that are not deleted, lowest number first.
    """

    name: str
    metrics: tuple[str, ...]
    evaluation: str | None = None
    stage: str
    stages: tuple[str, ...]
    points: tuple[Point, ...]
