"""What an MLflow store holds, as plain values: whoever read it, client or tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from gitreg.domain.model import Code, Dataset

NO_STAGE = "None"
PROMPT_TAG = "mlflow.prompt.is_prompt"
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999: no date is later."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int | None) -> datetime:
    """A time of MLflow's, UTC; one that is missing is the beginning of 1970."""
    return _EPOCH + timedelta(milliseconds=min(max(milliseconds or 0, 0), LATEST))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceModel:
    """A registered model, or a prompt, in MLflow. Times are milliseconds since 1970."""

    name: str
    created: int
    updated: int
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)

    @property
    def prompt(self) -> bool:
        """Whether it is a prompt, which MLflow keeps as a tagged model."""
        return self.tags.get(PROMPT_TAG, "").lower() == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceVersion:
    """One version in MLflow, with what its own row or file says."""

    number: int
    created: int
    updated: int
    source: str = ""
    run_id: str | None = None
    run_link: str | None = None
    model_id: str | None = None
    user_id: str | None = None
    stage: str = NO_STAGE
    status: str = "READY"
    status_message: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run tells about the version that it made."""

    run_id: str
    experiment: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    code: Code | None = None
    datasets: tuple[Dataset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFacts:
    """What MLflow 3's logged model tells about the version that was registered from it."""

    model_id: str
    run_id: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


class Listing(Protocol):
    """The registry's half of an MLflow store, open for reading."""

    def totals(self) -> tuple[int, int] | None:
        """How many models and versions are wanted; None where only reading all would tell."""
        ...

    def models(self) -> Iterator[SourceModel]:
        """The registered models and prompts that are wanted."""
        ...

    def versions(self, model: SourceModel) -> Iterator[SourceVersion]:
        """The versions of a model that are not deleted, lowest number first."""
        ...


class Tracking(Protocol):
    """The half that knows runs."""

    def runs(self, ids: Sequence[str]) -> dict[str, RunFacts]:
        """Those of some runs that are there, in the trash or not."""
        ...

    def logged_models(self, ids: Sequence[str]) -> dict[str, LoggedFacts]:
        """Those of some logged models that are there."""
        ...


CODE_TAGS = (
    "mlflow.source.git.repoURL",
    "mlflow.source.git.commit",
    "mlflow.source.git.dirty",
    "mlflow.source.name",
)
"""Those of a run's tags that tell of its code."""
