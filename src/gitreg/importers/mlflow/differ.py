"""What differs between a version in MLflow and the same one here, and who of the two is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gitreg.domain import requests
from gitreg.domain.decide.context import check_tags
from gitreg.domain.model import STATUSES, ModelState, ModelVersion
from gitreg.domain.references import version_selector
from gitreg.domain.settings import NO_STAGE, Settings
from gitreg.errors import InvalidInput
from gitreg.importers.mlflow.origins import kept_source
from gitreg.importers.mlflow.report import Kind, Report
from gitreg.importers.mlflow.values import SourceModel, SourceVersion, moment
from gitreg.registry.entities import current_stage

Found = tuple[Literal["stages", "changed"], requests.Undated, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for all models of an import.

    Attributes:
        settings: The registry's.
        report: Told of what is not carried.
        since: Milliseconds; what happened before is left behind.
    """

    settings: Settings
    report: Report
    since: int = 0

    def enterable(self, name: str, version: int, stage: str) -> str | None:
        """The exact name of a stage that a version may enter without asking; None, and a remark, if not."""
        if not self.settings.has_stage(stage):
            self.report.remark("lost", name, version, "stage", f"this registry has no stage {stage[:40]}")
            return None
        found = self.settings.stage(stage)
        if found.guarded:
            reason = f"{found.name} has rules: gitreg promote {name}/VERSION {found.name} proposes it"
            self.report.remark("lost", name, version, "stage", reason)
            return None
        return found.name


class Differ:
    """Compares the versions of one model that both sides may have.

    Args:
        model: The model in MLflow.
        state: The model here.
        rules: What holds for all models.
    """

    def __init__(self, model: SourceModel, state: ModelState, rules: Rules) -> None:
        self.model = model
        self.state = state
        self.rules = rules
        self.conflicts = False
        self._left = set(state.versions)

    def changes(self, theirs: SourceVersion) -> Iterator[Found]:
        """The requests that bring our version to MLflow's state; none where ours was changed later."""
        self._left.discard(theirs.number)
        ours = self.state.versions.get(theirs.number)
        if ours is None:
            reason = f"numbers only grow, and {self.state.last_version} is taken already"
            self._remark("skipped", theirs, "", reason)
        elif not isinstance(ours, ModelVersion):
            self._remark("kept", theirs, "", "it was deleted here")
        elif not same_origin(ours, theirs):
            self.conflicts = True
            reason = "the number is taken by another version; the model was left out"
            self._remark("conflict", theirs, "", reason)
        elif theirs.updated >= self.rules.since:
            yield from self._stage(ours, theirs)
            yield from self._fields(ours, theirs)
            yield from self._tags(ours, theirs)

    def _remark(self, kind: Kind, theirs: SourceVersion, what: str, reason: str) -> None:
        self.rules.report.remark(kind, self.model.name, theirs.number, what, reason)

    def _stage(self, ours: ModelVersion, theirs: SourceVersion) -> Iterator[Found]:
        if theirs.stage.casefold() == current_stage(ours, self.rules.settings).casefold():
            return
        if moment(theirs.updated) < ours.updated:
            self._remark("kept", theirs, "stage", "it was changed here since")
            return
        stage: str | None = NO_STAGE
        if theirs.stage.casefold() != NO_STAGE.casefold():
            stage = self.rules.enterable(self.model.name, theirs.number, theirs.stage)
        if stage is not None:
            selector = version_selector(theirs.number)
            request = requests.Transition(name=self.model.name, selector=selector, stage=stage)
            yield "stages", request, moment(theirs.updated)

    def _fields(self, ours: ModelVersion, theirs: SourceVersion) -> Iterator[Found]:
        status = theirs.status if theirs.status in STATUSES else ours.status
        wanted = (theirs.description, status, theirs.status_message)
        if wanted == (ours.description, ours.status, ours.status_message):
            return
        if moment(theirs.updated) < ours.updated:
            self._remark("kept", theirs, "description", "it was changed here since")
            return
        description, status, message = wanted
        request = requests.UpdateVersion(
            name=self.model.name,
            selector=version_selector(theirs.number),
            description=description,
            status=status,
            status_message=message,
        )
        yield "changed", request, moment(theirs.updated)

    def _tags(self, ours: ModelVersion, theirs: SourceVersion) -> Iterator[Found]:
        put = {}
        for key, value in theirs.tags.items():
            if ours.tags.get(key) == value:
                continue
            try:
                check_tags({key: value})
                put[key] = value
            except InvalidInput as error:
                self._remark("lost", theirs, f"tags.{key[:60]}", error.message)
        if put:
            selector = version_selector(theirs.number)
            yield "changed", requests.Tag(name=self.model.name, selector=selector, put=put), None

    def missing(self) -> None:
        """Tell of the versions here that MLflow does not have."""
        for number in sorted(self._left):
            if self.state.live(number):
                reason = "MLflow does not have it: deleted there, or registered here"
                self.rules.report.remark("kept", self.model.name, number, "", reason)


def same_origin(ours: ModelVersion, theirs: SourceVersion) -> bool:
    """Whether two versions of one number are the same: created at one time, from one source and run."""
    return (
        ours.created == moment(theirs.created)
        and ours.source == kept_source(theirs)
        and (ours.run_id or "") == (theirs.run_id or "")
    )
