"""Metrics over the versions of a model, from the index."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.domain.names import is_utf8, shown
from gitreg.domain.series import Point, Series
from gitreg.domain.settings import ARCHIVED, did_you_mean
from gitreg.errors import InvalidInput
from gitreg.index.schema import LIVE
from gitreg.registry.timeline import model_name, stage_names

if TYPE_CHECKING:
    from gitreg.index.reading import Slice
    from gitreg.registry.store import Store

_MARKED = "Production"
_MOST_NAMED = 20
_MAIN = 3
_TEXTS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_VERSIONS = """
SELECT v.number, v.doc LIKE '%"deprecated"%' AND json_type(v.doc, '$.deprecated') IS NOT NULL
FROM version v WHERE v.name = ? AND $v AND v.state = ? AND v.number >= ? ORDER BY v.number
"""
_NTH = """
SELECT v.number FROM version v WHERE v.name = ? AND $v AND v.state = ? ORDER BY v.number DESC LIMIT 1 OFFSET ?
"""
_VALUES = """
SELECT v.number, a.value FROM version v INDEXED BY version_number CROSS JOIN attribute a ON a.row = v.row
WHERE v.name = ? AND $v AND v.state = ? AND v.number >= ? AND a.kind = 'metric' AND a.key = ?
"""
_METRICS = """
SELECT DISTINCT a.key FROM version v INDEXED BY version_number CROSS JOIN attribute a ON a.row = v.row
WHERE v.name = ? AND $v AND v.state = ? AND a.kind = 'metric' ORDER BY a.key
"""
_NEWEST = """
SELECT a.key FROM attribute a WHERE a.kind = 'metric' AND a.row = (
    SELECT v.row FROM version v WHERE v.name = ? AND $v AND v.state = ?
    AND EXISTS (SELECT 1 FROM attribute b WHERE b.row = v.row AND b.kind = 'metric')
    ORDER BY v.number DESC LIMIT 1
) ORDER BY a.key
"""
_HOLDING = "SELECT h.number, h.stage FROM holding h WHERE h.name = ? AND h.number >= ? AND $h"
# The newest evaluation of a name is the last one: they are append-only.
_EVALUATIONS = """
SELECT v.number, json_extract(e.value, '$.name'), json_extract(e.value, '$.metrics')
FROM version v, json_each(v.doc, '$.evaluations') e
WHERE v.name = ? AND $v AND v.state = ? AND v.doc LIKE '%"evaluations"%' ORDER BY v.number, e.key
"""

Values = Mapping[str, Mapping[int, float]]


def series(
    store: Store,
    part: Slice,
    name: str,
    metrics: Sequence[str],
    *,
    evaluation: str | None = None,
    stage: str | None = None,
    newest: int | None = None,
) -> Series:
    """Metrics over the versions of a model.

    Args:
        store: The registry's.
        part: Where it is read.
        name: The model, with or without ``models:/``.
        metrics: Keys of the metrics; at least one.
        evaluation: Take them from the newest evaluation of this name, not from the registration.
        stage: The stage whose promotions are marked; None: Production, or else the last one in the
            configured order other than Archived.
        newest: How many versions are told of, the highest; None: all.

    Raises:
        UsageError: It names a version.
        NotFound: There never was such a model, or it has another name now.
        InvalidInput: No version has such a metric or evaluation, or there is no such stage.
    """
    name = model_name(store, part, name, "plot")
    stages = stage_names(part)
    marked = _marked(stages) if stage is None else store.view(part.commit).settings.stage(stage).name
    least = _least(part, name, newest)
    values = _evaluated(part, name, evaluation) if evaluation else _registered(part, name, metrics, least)
    for key in metrics:
        if not values.get(key):
            raise _unknown(part, name, key, values if evaluation else None, evaluation)
    promoted, held = _promoted(part, name, marked, least), _held(part, name, stages, least)
    unknown = _there_before(part, name) - promoted
    points = tuple(
        Point(
            version=number,
            values=tuple(values[key].get(number) for key in metrics),
            stages=held.get(number, ()),
            promoted=None if number in unknown else number in promoted,
            deprecated=bool(deprecated),
        )
        for number, deprecated in part.rows(_VERSIONS, name, LIVE, least)
    )
    return Series(
        name=name, metrics=tuple(metrics), evaluation=evaluation, stage=marked, stages=stages, points=points
    )


def main_metrics(store: Store, part: Slice, name: str, evaluation: str | None = None) -> tuple[str, ...]:
    """The first three metrics of the newest version that has any; of an evaluation, of all versions.

    Raises:
        UsageError: ``name`` names a version.
        NotFound: There never was such a model, or it has another name now.
        InvalidInput: There are none.
    """
    name = model_name(store, part, name, "plot")
    if evaluation:
        found = sorted(_evaluated(part, name, evaluation))
    else:
        found = [row[0] for row in part.rows(_NEWEST, name, LIVE)]
    if not found:
        raise InvalidInput(
            f"no version of {shown(name)} has a metric",
            where="metric",
            hint="gitreg register NAME SOURCE --metric KEY=VALUE",
        )
    return tuple(found[:_MAIN])


def _marked(stages: Sequence[str]) -> str:
    if _MARKED in stages:
        return _MARKED
    return next((stage for stage in reversed(stages) if stage != ARCHIVED), "")


def _least(part: Slice, name: str, newest: int | None) -> int:
    """The lowest of so many versions, the newest ones."""
    rows = part.rows(_NTH, name, LIVE, newest - 1) if newest else []
    return int(rows[0][0]) if rows else 0


def _registered(part: Slice, name: str, metrics: Iterable[str], least: int) -> Values:
    return {
        key: {number: _value(value) for number, value in part.rows(_VALUES, name, LIVE, least, key)}
        for key in metrics
        if is_utf8(key)
    }


def _evaluated(part: Slice, name: str, evaluation: str) -> Values:
    found: dict[str, dict[int, float]] = {}
    names: set[str] = set()
    for number, called, data in part.rows(_EVALUATIONS, name, LIVE):
        names.add(called)
        if called == evaluation:
            for key, value in json.loads(data or "{}").items():
                found.setdefault(key, {})[number] = _value(value)
    if evaluation not in names:
        near = did_you_mean(evaluation, sorted(names))
        raise InvalidInput(
            f"no version of {shown(name)} has an evaluation {shown(evaluation)}",
            where="evaluation",
            hint=_names(near, "evaluations", sorted(names)) or "gitreg evaluate NAME/V EVALUATION",
        )
    return found


def _value(value: Any) -> float:
    return _TEXTS[value] if isinstance(value, str) else float(value)


def _unknown(part: Slice, name: str, key: str, values: Values | None, evaluation: str | None) -> InvalidInput:
    names = [row[0] for row in part.rows(_METRICS, name, LIVE)] if values is None else sorted(values)
    of = f"the evaluation {shown(evaluation)} of {shown(name)}" if evaluation else f"version of {shown(name)}"
    return InvalidInput(
        f"no {of} has a metric {shown(key)}" if evaluation is None else f"{of} has no metric {shown(key)}",
        where="metric",
        hint=_names(did_you_mean(key, names), "metrics", names)
        or "gitreg register NAME SOURCE --metric KEY=VALUE",
    )


def _names(near: str, what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    listed = f"{what}: {', '.join(map(shown, names[:_MOST_NAMED]))}{more}"
    return f"{near} {listed}" if near else listed


def _promoted(part: Slice, name: str, stage: str, least: int) -> set[int]:
    """Every version from ``least`` on that ever held ``stage``, also under a former name of its model."""
    return {
        row[0]
        for span in part.names(name)
        for row in part.rows(
            "SELECT DISTINCT number FROM holding "
            "WHERE name = ? AND stage = ? AND number >= ? AND since >= ? AND since < ? AND since <= ?",
            *(span.name, stage, least, span.since, span.until, part.seq),
        )
    }


def _there_before(part: Slice, name: str) -> set[int]:
    """The versions that were there already where a shallow clone's history begins."""
    if not part.shallow:
        return set()
    rows = part.rows("SELECT v.number FROM version v WHERE v.name = ? AND $v AND v.registered = 1", name)
    return {number for (number,) in rows}


def _held(part: Slice, name: str, stages: Sequence[str], least: int) -> dict[int, tuple[str, ...]]:
    """Version from ``least`` on → the stages that it holds, in the configured order."""
    found: dict[int, list[str]] = {}
    for number, stage in part.rows(_HOLDING, name, least):
        found.setdefault(number, []).append(stage)
    order = {stage: place for place, stage in enumerate(stages)}
    return {
        number: tuple(sorted(held, key=lambda stage: (order.get(stage, len(order)), stage)))
        for number, held in found.items()
    }
