"""One model written through MLflow's client, number by number."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gitreg.importers.mlflow.report import Report
from gitreg.importers.mlflow.times import TableTimes
from gitreg.importers.mlflow.values import NO_STAGE, PROMPT_TAG, SourceModel, SourceVersion

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

UNFINISHED = "gitreg.export"
"""Tag of a model that is being written: one that still has it was left half done, and is made anew."""

_NOWHERE = "s3://gitreg/deleted"


class Refused(Exception):
    """MLflow does not take a model; the text says why."""


class Writer:
    """Writes models into an MLflow store.

    Args:
        client: MLflow's client.
        report: Told of what was carried, and of what MLflow did not take.
        times: Sets times and statuses; None where the store has no tables.
    """

    def __init__(self, client: MlflowClient, report: Report, times: TableTimes | None) -> None:
        self._client = client
        self._report = report
        self._times = times

    def write(self, model: SourceModel, versions: Sequence[SourceVersion], last: int, *, again: bool) -> None:
        """Write a model that is not there.

        Args:
            model: The model.
            versions: Its versions that live, lowest number first.
            last: Highest number ever used.
            again: Whether it was left half done, and goes first.

        Raises:
            Refused: MLflow does not take it.
        """
        if again:
            self._client.delete_registered_model(model.name)
        tags = self._taken_tags(model)
        try:
            self._client.create_registered_model(
                model.name, tags={**tags, UNFINISHED: "unfinished"}, description=model.description or None
            )
        except _mlflow_exception() as error:
            raise Refused(_said(error)) from error
        living = {version.number: version for version in versions}
        unresolved: set[int] = set()
        for number in range(1, last + 1):
            version = living.get(number)
            if version is None or not self._version(model.name, version, unresolved):
                living.pop(number, None)
                self._gap(model.name)
        self._stages(model.name, living)
        self._aliases(model, living)
        if self._times is not None:
            self._times.put(model, living.values(), unresolved)
        else:
            self._without_times(model, living)
        self._finish(model, living)

    def _taken_tags(self, model: SourceModel) -> dict[str, str]:
        taken = {}
        for key, value in _visible(model.tags).items():
            if len(value) > 5_000:  # MLflow's limit for models, which its tables have too
                reason = "the value is over 5,000 characters long"
                self._report.remark("lost", model.name, None, f"tags.{key[:60]}", reason)
            else:
                taken[key] = value
        return taken

    def _version(self, name: str, version: SourceVersion, unresolved: set[int]) -> bool:
        """Create one version; False, and a remark, where MLflow does not take it."""
        try:
            self._create(name, version, version.source, version.model_id)
        except _mlflow_exception() as error:
            # Sources such as models:/m-1 are looked up by MLflow, and what they name may not be there.
            resolving = version.source.startswith("models:") or version.model_id
            if not (self._times is not None and resolving):
                self._report.remark("skipped", name, version.number, "", _said(error))
                return False
            try:
                self._create(name, version, _NOWHERE, None)
            except _mlflow_exception() as again:
                self._report.remark("skipped", name, version.number, "", _said(again))
                return False
            unresolved.add(version.number)
        self._report.versions += 1
        return True

    def _create(self, name: str, version: SourceVersion, source: str, model_id: str | None) -> None:
        given: dict[str, Any] = {"model_id": model_id} if model_id else {}
        made = self._client.create_model_version(
            name,
            source,
            run_id=version.run_id,
            run_link=version.run_link,
            description=version.description or None,
            tags=_visible(version.tags),
            await_creation_for=0,
            **given,
        )
        if int(made.version) != version.number:
            raise Refused(
                f"MLflow gave the number {made.version} in place of {version.number}: somebody writes, too"
            )

    def _gap(self, name: str) -> None:
        """A number that is never used: MLflow counts on from what it deleted."""
        try:
            made = self._client.create_model_version(name, _NOWHERE, await_creation_for=0)
            self._client.delete_model_version(name, made.version)
        except _mlflow_exception() as error:
            raise Refused(_said(error)) from error

    def _stages(self, name: str, living: dict[int, SourceVersion]) -> None:
        move = self._client.transition_model_version_stage
        for number, version in living.items():
            if version.stage != NO_STAGE:
                act = partial(move, name, str(number), version.stage, archive_existing_versions=False)
                self._report.stages += self._try(act, name, number, "stage")

    def _aliases(self, model: SourceModel, living: dict[int, SourceVersion]) -> None:
        for alias, number in model.aliases.items():
            if number in living:
                act = partial(self._client.set_registered_model_alias, model.name, alias, str(number))
                self._report.aliases += self._try(act, model.name, number, f"alias {alias}")

    def _try(self, act: Callable[[], Any], name: str, number: int, what: str) -> bool:
        with contextlib.suppress(_mlflow_exception()):
            act()
            return True
        self._report.remark("lost", name, number, what, "MLflow does not take it")
        return False

    def _finish(self, model: SourceModel, living: dict[int, SourceVersion]) -> None:
        """Take the mark away; a prompt becomes one last, since MLflow's client makes none as a model."""
        for number, version in living.items():
            if PROMPT_TAG in version.tags:
                value = version.tags[PROMPT_TAG]
                self._client.set_model_version_tag(model.name, str(number), PROMPT_TAG, value)
        self._client.delete_registered_model_tag(model.name, UNFINISHED)
        if PROMPT_TAG in model.tags:
            self._client.set_registered_model_tag(model.name, PROMPT_TAG, model.tags[PROMPT_TAG])

    def _without_times(self, model: SourceModel, living: dict[int, SourceVersion]) -> None:
        self._report.remark(
            "lost", model.name, None, "times", "MLflow's API takes none: they are those of now"
        )
        for number, version in living.items():
            if version.status != "READY" or version.status_message:
                self._report.remark("lost", model.name, number, "status", "MLflow's API takes none")


def _visible(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key != PROMPT_TAG}


def _mlflow_exception() -> type[Exception]:
    from mlflow.exceptions import MlflowException

    found: type[Exception] = MlflowException
    return found


def _said(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"MLflow does not take it: {lines[0][:200] if lines else type(error).__name__}"
