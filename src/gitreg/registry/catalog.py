"""The registered models as a page of a list: of each what tells most at a glance, from the index alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitreg.domain.model import RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE
from gitreg.manifest import decode
from gitreg.registry.indexed import moment_of

ORDERS = ("name", "updated")
_RECENT = 24
"""Numbers of versions, counted down from the newest, of which the main metric is told."""
_LONGEST = 500
"""Characters that may be looked for: each word is one more pass over the models."""
# Left to itself SQLite may walk all versions that stand: a thousand times as many.
_BY_NUMBER = "INDEXED BY version_number"
_UPDATED = f"""max(m.updated,
    coalesce((SELECT v.created FROM version v WHERE v.name = m.name AND $v AND v.state = {LIVE}
        ORDER BY v.number DESC LIMIT 1), 0),
    coalesce((SELECT max(h.at) FROM holding h WHERE h.name = m.name AND $h), 0))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model of the list.

    Attributes:
        model: The model.
        count: Versions that are not deleted.
        latest: The highest of them; None where there is none.
        stages: Stage → the versions that hold it, highest first; stages in the configured order.
        updated: When it changed last, its versions and their promotions included.
        author: Who made the last commit that changed it; ``""`` where that is not known.
        metric: Its main metric: the first that a rule of the registry asks for, else the newest version's
            first; None where it has none.
        values: That metric of its newest versions, lowest number first: number of the version and value.
    """

    model: RegisteredModel
    count: int
    latest: int | None
    stages: Mapping[str, tuple[int, ...]]
    updated: datetime
    author: str
    metric: str | None
    values: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One page of the list.

    Attributes:
        rows: Its models.
        total: How many models there are on all pages.
        page: Its number, from 1.
        pages: How many pages there are, at least 1.
    """

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which models, in what order.

    Attributes:
        text: Part of the name, the description, an owner or a tag, whatever its case.
        stage: Only those with a version that holds this stage (exact name).
        owner: Only those of this owner.
        order: ``name``, or ``updated`` for the last changed first.
    """

    text: str = ""
    stage: str = ""
    owner: str = ""
    order: str = "name"


def catalog(part: Slice, settings: Settings, wanted: Wanted, *, page: int = 1, size: int = 50) -> Catalog:
    """A page of the registered models.

    Args:
        part: The index at the commit.
        settings: The registry's at that commit.
        wanted: Which of them.
        page: From 1; one behind the last is the last.
        size: Models on a page.

    Raises:
        InvalidInput: There is no such order, or too much is looked for.
    """
    if wanted.order not in ORDERS:
        raise InvalidInput(
            f"models can't be ordered by {wanted.order!r}", where="order", hint="name, updated"
        )
    if len(wanted.text) > _LONGEST:
        raise InvalidInput(f"more than {_LONGEST} characters are looked for", where="q", hint="a few words")
    where, params = _condition(wanted)
    ((total,),) = part.rows(f"SELECT count(*) FROM model m WHERE m.state = {LIVE} AND $m{where}", *params)
    pages = max(1, -(-total // size))
    page = min(page, pages)
    order = "m.name COLLATE NOCASE, m.name" if wanted.order == "name" else f"{_UPDATED} DESC, m.name"
    found = part.rows(
        f"SELECT m.name, m.doc, {_UPDATED} FROM model m WHERE m.row IN (SELECT m.row FROM model m "
        f"WHERE m.state = {LIVE} AND $m{where} ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
        *params,
        size,
        (page - 1) * size,
    )
    rows = _rows(part, settings, found)
    return Catalog(rows=rows, total=total, page=page, pages=pages)


def _condition(wanted: Wanted) -> tuple[str, tuple[object, ...]]:
    clauses: list[str] = []
    params: list[object] = []
    for word in wanted.text.split():
        like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        clauses.append(
            "(m.name LIKE ? ESCAPE '\\' OR json_extract(m.doc, '$.description') LIKE ? ESCAPE '\\' "
            "OR EXISTS (SELECT 1 FROM json_each(m.doc, '$.owners') o WHERE o.value LIKE ? ESCAPE '\\') "
            "OR EXISTS (SELECT 1 FROM model_tag t WHERE t.row = m.row "
            "AND t.key || '=' || t.value LIKE ? ESCAPE '\\'))"
        )
        params += [like] * 4
    if wanted.stage:
        clauses.append("EXISTS (SELECT 1 FROM holding h WHERE h.name = m.name AND h.stage = ? AND $h)")
        params.append(wanted.stage)
    if wanted.owner:
        clauses.append("EXISTS (SELECT 1 FROM json_each(m.doc, '$.owners') o WHERE o.value = ?)")
        params.append(wanted.owner)
    return "".join(f" AND {clause}" for clause in clauses), tuple(params)


def _rows(part: Slice, settings: Settings, found: Sequence[tuple[str, str, int]]) -> tuple[Row, ...]:
    names = json.dumps([name for name, _, _ in found])
    counts = {
        name: (count, latest)
        for name, count, latest in part.rows(
            "SELECT v.name, count(*), max(v.number) FROM json_each(?) j "
            f"CROSS JOIN version v {_BY_NUMBER} ON v.name = j.value "
            f"WHERE v.state = {LIVE} AND $v GROUP BY v.name",
            names,
        )
    }
    stages, authors = _stages(part, settings, names), _authors(part, names)
    latest = {name: number for name, (_, number) in counts.items()}
    metrics = _metrics(part, settings, latest)
    values = _values(part, metrics, latest)
    made = []
    for name, doc, updated in found:
        model = decode.model(json.loads(doc))
        assert isinstance(model, RegisteredModel)  # the rows are those of living ones
        count, latest = counts.get(name, (0, None))
        made.append(
            Row(
                model=model,
                count=count,
                latest=latest,
                stages=stages.get(name, {}),
                updated=moment_of(updated),
                author=authors.get(name, ""),
                metric=metrics.get(name),
                values=tuple(values.get(name, ())),
            )
        )
    return tuple(made)


def main_metrics_of(settings: Settings) -> tuple[str, ...]:
    """The metrics that the rules of the registry ask for, those of the last stage first."""
    asked = [metric.metric for stage in reversed(settings.stages) for metric in stage.no_worse]
    return tuple(dict.fromkeys(asked))


def _stages(part: Slice, settings: Settings, names: str) -> dict[str, dict[str, tuple[int, ...]]]:
    order = {stage.name: place for place, stage in enumerate(settings.stages)}
    held: dict[str, dict[str, list[int]]] = {}
    for name, stage, number in part.rows(
        "SELECT h.name, h.stage, h.number FROM json_each(?) j CROSS JOIN holding h ON h.name = j.value "
        "WHERE $h ORDER BY h.number DESC",
        names,
    ):
        held.setdefault(name, {}).setdefault(stage, []).append(number)
    return {
        name: {
            stage: tuple(by_stage[stage])
            for stage in sorted(by_stage, key=lambda one: (order.get(one, len(order)), one))
        }
        for name, by_stage in held.items()
    }


def _authors(part: Slice, names: str) -> dict[str, str]:
    """Who made the last commit that changed each model."""
    return dict(
        part.rows(
            "SELECT j.value, c.author FROM json_each(?) j JOIN chain c ON c.seq = "
            "(SELECT max(e.seq) FROM event e WHERE e.name = j.value AND e.seq <= ?)",
            names,
            part.seq,
        )
    )


def _metrics(part: Slice, settings: Settings, latest: Mapping[str, int]) -> dict[str, str]:
    """The main metric of each model whose newest version has any."""
    found: dict[str, list[str]] = {}
    for name, key in part.rows(
        f"SELECT v.name, a.key FROM json_each(?) j CROSS JOIN version v {_BY_NUMBER} ON v.name = j.key "
        "AND v.number = j.value JOIN attribute a ON a.row = v.row AND a.kind = 'metric' "
        "WHERE $v ORDER BY a.key",
        json.dumps(latest),
    ):
        found.setdefault(name, []).append(key)
    preferred = main_metrics_of(settings)
    return {name: next((key for key in preferred if key in keys), keys[0]) for name, keys in found.items()}


def _values(
    part: Slice, metrics: Mapping[str, str], latest: Mapping[str, int]
) -> dict[str, list[tuple[int, float]]]:
    """What the newest versions of each model have of its main metric, lowest number first."""
    rows = part.rows(
        "SELECT v.name, v.number, (SELECT a.value FROM attribute a WHERE a.row = v.row "
        "AND a.kind = 'metric' AND a.key = json_extract(j.value, '$[0]')) "
        f"FROM json_each(?) j CROSS JOIN version v {_BY_NUMBER} ON v.name = j.key "
        f"AND v.number > json_extract(j.value, '$[1]') - {_RECENT} WHERE v.state = {LIVE} AND $v "
        "ORDER BY v.number",
        json.dumps({name: (key, latest[name]) for name, key in metrics.items()}),
    )
    found: dict[str, list[tuple[int, float]]] = {}
    for name, number, value in rows:
        if isinstance(value, float | int) and math.isfinite(value):
            found.setdefault(name, []).append((number, value))
    return found
