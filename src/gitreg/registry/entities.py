"""Values in the words of MLflow's client: times in milliseconds, one current stage, ``dict(entity)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from gitreg.domain.model import ModelState, ModelVersion, RegisteredModel
from gitreg.domain.settings import ARCHIVED, NO_STAGE, Settings

T = TypeVar("T")


class PagedList(list[T]):
    """MLflow's list of one page; ``token`` leads to the next, None where there is none."""

    def __init__(self, items: Iterable[T], token: str | None) -> None:
        super().__init__(items)
        self.token = token


class _Entity:
    """What MLflow's entities share: ``dict(entity)`` gives their fields."""

    __slots__ = ()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for item in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            yield item.name, getattr(self, item.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersionDetails(_Entity):
    """MLflow's ``ModelVersion``, with all stages in ``stages`` beside the current one."""

    name: str
    version: int
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    stages: tuple[str, ...]
    description: str
    source: str
    run_id: str | None
    run_link: str | None
    status: str
    status_message: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    model_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModelDetails(_Entity):
    """MLflow's ``RegisteredModel``."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str
    latest_versions: tuple[ModelVersionDetails, ...]
    tags: Mapping[str, str]
    aliases: Mapping[str, int]


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as MLflow counts time."""
    return round(moment.timestamp() * 1000)


def current_stage(version: ModelVersion, settings: Settings, asked: str = "") -> str:
    """The one stage that MLflow shows of those held.

    Args:
        version: The version.
        settings: Gives the order of the stages.
        asked: The stage that the question named; it wins where it is held.
    """
    held = [stage.name for stage in settings.stages if stage.name in version.stages]
    for stage in held:
        if stage.casefold() == asked.casefold():
            return stage
    active = [stage for stage in held if stage != ARCHIVED]
    return (active or held or [NO_STAGE])[-1]


def version_details(
    version: ModelVersion, state: ModelState, settings: Settings, *, asked: str = ""
) -> ModelVersionDetails:
    """A version as MLflow's client shows it."""
    aliases = state.model.aliases if isinstance(state.model, RegisteredModel) else {}
    return ModelVersionDetails(
        name=version.name,
        version=version.version,
        creation_timestamp=milliseconds(version.created),
        last_updated_timestamp=milliseconds(version.updated),
        current_stage=current_stage(version, settings, asked),
        stages=tuple(stage.name for stage in settings.stages if stage.name in version.stages),
        description=version.description,
        source=version.source,
        run_id=version.run_id,
        run_link=version.origin.run_link,
        status=version.status,
        status_message=version.status_message,
        tags=dict(version.tags),
        aliases=tuple(sorted(alias for alias, number in aliases.items() if number == version.version)),
        params=dict(version.params),
        metrics=dict(version.metrics),
        model_id=version.origin.model_id,
    )


def model_details(
    model: RegisteredModel, updated: datetime, latest: list[ModelVersionDetails]
) -> RegisteredModelDetails:
    """A model as MLflow's client shows it.

    Args:
        model: The model.
        updated: The latest of its own update, its versions' creation and their stage changes.
        latest: Its newest version in each stage.
    """
    return RegisteredModelDetails(
        name=model.name,
        creation_timestamp=milliseconds(model.created),
        last_updated_timestamp=milliseconds(updated),
        description=model.description,
        latest_versions=tuple(latest),
        tags=dict(model.tags),
        aliases=dict(model.aliases),
    )
