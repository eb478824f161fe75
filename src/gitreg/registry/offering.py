"""What a registry has that somebody may want to choose: for the fields and suggestions of pages."""

from __future__ import annotations

import json

from gitreg.domain.model import ModelVersion
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE
from gitreg.manifest import decode

_NEWEST = "ORDER BY v.updated DESC, v.name, v.number DESC LIMIT ?"


def model_names(part: Slice, *, most: int) -> list[str]:
    """The first registered models by name."""
    rows = part.rows(
        f"SELECT m.name FROM model m WHERE m.state = {LIVE} AND $m ORDER BY m.name LIMIT ?", most
    )
    return [name for (name,) in rows]


def numbers(part: Slice, model: str, *, most: int) -> list[int]:
    """The highest versions of a model, highest first."""
    rows = part.rows(
        f"SELECT v.number FROM version v WHERE v.name = ? AND v.state = {LIVE} AND $v "
        "ORDER BY v.number DESC LIMIT ?",
        model,
        most,
    )
    return [number for (number,) in rows]


def held(part: Slice, model: str, *, most: int) -> list[tuple[int, str]]:
    """Versions of a model and the stages that they hold, highest first."""
    rows = part.rows(
        "SELECT h.number, h.stage FROM holding h WHERE h.name = ? AND $h ORDER BY h.number DESC LIMIT ?",
        model,
        most,
    )
    return [(number, stage) for number, stage in rows]


def holders(part: Slice, stage: str) -> int:
    """How many versions hold a stage (its exact name)."""
    ((count,),) = part.rows("SELECT count(*) FROM holding h WHERE h.stage = ? AND $h", stage)
    return int(count)


def last_changed(part: Slice, *, most: int) -> list[str]:
    """The versions that changed last, such as ``churn/12``."""
    rows = part.rows(f"SELECT v.name, v.number FROM version v WHERE v.state = {LIVE} AND $v {_NEWEST}", most)
    return [f"{name}/{number}" for name, number in rows]


def newest(part: Slice) -> ModelVersion | None:
    """The version that changed last; None where there is none."""
    rows = part.rows(f"SELECT v.name, v.doc FROM version v WHERE v.state = {LIVE} AND $v {_NEWEST}", 1)
    found = decode.version(json.loads(rows[0][1]), rows[0][0]) if rows else None
    return found if isinstance(found, ModelVersion) else None


def metric_keys(part: Slice, *, most: int) -> list[str]:
    """The first metrics by name that any version ever had, by leaps from each to the next in the index."""
    rows = part.rows(
        "WITH RECURSIVE known(key) AS (SELECT (SELECT min(key) FROM attribute WHERE kind = 'metric') "
        "UNION ALL SELECT (SELECT min(key) FROM attribute WHERE kind = 'metric' AND key > known.key) "
        "FROM known WHERE known.key IS NOT NULL LIMIT ?) SELECT key FROM known WHERE key IS NOT NULL",
        most,
    )
    return [key for (key,) in rows]
