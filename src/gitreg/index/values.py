"""The two sides of a change as text in the index, and back, exactly.

In JSON a mapping always has one key that says what it is: ``{"tuple": […]}``, ``{"time": "…"}``,
``{"map": {…}}``, ``{"Evaluation": {…}}``. All else stands for itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from gitreg.domain import model, settings

_CLASSES: dict[str, type] = {
    one.__name__: one
    for one in (
        settings.Approvals,
        settings.NoWorse,
        settings.PolicySettings,
        settings.ProposalSettings,
        settings.Stage,
        settings.TagSettings,
        model.Artifact,
        model.Code,
        model.Dataset,
        model.Evaluation,
        model.Mark,
        model.ModelTombstone,
        model.RegisteredModel,
        model.VersionTombstone,
    )
}


def dumps(value: Any) -> str | None:
    """``value`` as text; None for None."""
    return None if value is None else json.dumps(_out(value), ensure_ascii=False)


def loads(text: str | None) -> Any:
    """What ``dumps`` was given."""
    return None if text is None else _in(json.loads(text))


def _out(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, tuple):
        return {"tuple": [_out(one) for one in value]}
    if isinstance(value, list):
        return [_out(one) for one in value]
    if isinstance(value, Mapping):
        return {"map": {key: _out(one) for key, one in value.items()}}
    if is_dataclass(value) and type(value).__name__ in _CLASSES:
        return {type(value).__name__: {item.name: _out(getattr(value, item.name)) for item in fields(value)}}
    raise TypeError(f"the index can't hold a {type(value).__name__}")


def _in(data: Any) -> Any:
    if isinstance(data, list):
        return [_in(one) for one in data]
    if not isinstance(data, dict):
        return data
    ((kind, inner),) = data.items()
    if kind == "time":
        return datetime.fromisoformat(inner)
    if kind == "tuple":
        return tuple(_in(one) for one in inner)
    if kind == "map":
        return {key: _in(one) for key, one in inner.items()}
    return _CLASSES[kind](**{key: _in(one) for key, one in inner.items()})
