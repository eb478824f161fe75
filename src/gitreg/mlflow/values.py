"""From what the index holds to values in MLflow's words, without a detour over the domain's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gitreg.domain.settings import ARCHIVED, NO_STAGE, Settings
from gitreg.registry.entities import ModelVersionDetails

STAGES_TAG = "gitreg.stages"
"""A tag that a version with several stages shows, all of them in the configured order; it is never stored."""


def milliseconds(text: str) -> int:
    """A time of a manifest (RFC 3339) in milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def stage_shown(held: Iterable[str], settings: Settings, asked: str = "") -> str:
    """The one stage that MLflow shows; see ``registry.entities.current_stage``."""
    names = set(held)
    if not names:
        return NO_STAGE
    ordered = [stage.name for stage in settings.stages if stage.name in names]
    if asked in ordered:
        return asked
    active = [stage for stage in ordered if stage != ARCHIVED]
    return (active or ordered or [NO_STAGE])[-1]


def version_details(
    name: str,
    version: int,
    data: Mapping[str, Any],
    settings: Settings,
    *,
    aliases: Iterable[str] = (),
    asked: str = "",
) -> ModelVersionDetails:
    """A version in MLflow's words.

    Args:
        name: Its model.
        version: Its number.
        data: Its manifest's data, as the index holds it.
        settings: Give the order of the stages.
        aliases: What points to it, where MLflow tells that.
        asked: The stage that the question named.
    """
    held = data.get("stages")
    tags = data.get("tags") or {}
    stages = tuple(stage.name for stage in settings.stages if stage.name in held) if held else ()
    if len(stages) > 1:
        tags = {**tags, STAGES_TAG: ", ".join(stages)}
    created = milliseconds(data["created"])
    updated = data.get("updated")
    return ModelVersionDetails(
        name=name,
        version=version,
        creation_timestamp=created,
        last_updated_timestamp=milliseconds(updated) if updated and updated != data["created"] else created,
        current_stage=stage_shown(held, settings, asked) if held else NO_STAGE,
        stages=stages,
        description=data.get("description", ""),
        source=data.get("source", ""),
        run_id=data.get("run_id"),
        run_link=data.get("run_link"),
        status=data.get("status", "READY"),
        status_message=data.get("status_message", ""),
        tags=tags,
        aliases=tuple(aliases),
        params=data.get("params") or {},
        metrics=data.get("metrics") or {},
        model_id=data.get("model_id"),
    )
