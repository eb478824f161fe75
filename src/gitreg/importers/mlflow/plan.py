"""What an import has to do for one model: the events that MLflow still knows and the registry lacks."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Literal

from gitreg.domain import requests
from gitreg.domain.decide.context import check_tags
from gitreg.domain.model import READY, STATUSES, ModelState, Origin, RegisteredModel
from gitreg.domain.names import MAX_VERSION, check_alias
from gitreg.domain.references import version_selector
from gitreg.domain.settings import NO_STAGE
from gitreg.errors import InvalidInput
from gitreg.importers.mlflow.differ import Differ, Rules
from gitreg.importers.mlflow.origins import Origins
from gitreg.importers.mlflow.values import LATEST, SourceModel, SourceVersion, moment

_BATCH = 1_000  # versions whose runs are asked for together

What = Literal["models", "versions", "stages", "aliases", "changed"]
"""What an event counts as in the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened in MLflow.

    Attributes:
        at: When; None where MLflow keeps no time of it.
        version: Which version it is about; None: the model.
    """

    what: What
    name: str
    version: int | None
    at: datetime | None
    request: requests.Undated


class Plan:
    """The events of one model, in the order of their times.

    Args:
        model: The model in MLflow.
        state: The model here, as the import found it.
        rules: What applies to all models.
        origins: Describes new versions.
    """

    def __init__(self, model: SourceModel, state: ModelState, rules: Rules, origins: Origins) -> None:
        self.model = model
        self.state = state
        self.rules = rules
        self._report = rules.report
        self._origins = origins
        self._there: set[int] = set()  # the versions that an alias may point to
        self._holder: dict[str, int] = {}  # exclusive stage → the version that has it by now

    def events(self, versions: Iterable[SourceVersion]) -> Iterator[Event]:
        """What is to be done, lazily; what can't be is told to the report.

        Args:
            versions: The model's versions in MLflow, lowest number first. Of a model that the registry
                holds already those that it may know are compared before anything is done.
        """
        versions = iter(versions)
        differ = Differ(self.model, self.state, self.rules)
        changes: list[Event] = []
        first: SourceVersion | None = None
        for version in versions:
            self._report.seen += 1
            if version.number > self.state.last_version:
                first = version
                break
            if self.state.live(version.number):
                self._there.add(version.number)
            changes += self._changes(differ, version)
        if differ.conflicts:
            return
        differ.missing()
        yield from self._model_events()
        yield from sorted(changes, key=lambda one: (one.at is None, one.at or moment(0)))
        if first is not None:
            yield from self._new(chain([first], versions))
        yield from self._aliases()

    def _changes(self, differ: Differ, version: SourceVersion) -> Iterator[Event]:
        for what, request, at in differ.changes(version):
            yield self._event(what, version.number, at, request)

    def _event(
        self, what: What, version: int | None, at: datetime | None, request: requests.Undated
    ) -> Event:
        return Event(what=what, name=self.model.name, version=version, at=at, request=request)

    def _model_events(self) -> Iterator[Event]:
        model, here = self.model, self.state.model
        tags = self.tags(model.tags, None)
        if not isinstance(here, RegisteredModel):
            updated = moment(model.updated) if model.updated != model.created else None
            request = requests.CreateModel(
                name=model.name, description=model.description, tags=tags, updated=updated
            )
            yield self._event("models", None, moment(model.created), request)
            return
        if model.description != here.description:
            at = moment(model.updated)
            if at >= here.updated:
                update = requests.UpdateModel(name=model.name, description=model.description)
                yield self._event("changed", None, at, update)
            else:
                self._report.remark("kept", model.name, None, "description", "it was changed here since")
        put = {key: value for key, value in tags.items() if here.tags.get(key) != value}
        if put:
            yield self._event("changed", None, None, requests.Tag(name=model.name, put=put))

    def tags(self, tags: Mapping[str, str], version: int | None) -> dict[str, str]:
        """Those of some tags that a manifest can hold."""
        with contextlib.suppress(InvalidInput):
            return dict(check_tags(tags))
        kept = {}
        for key, value in tags.items():
            try:
                check_tags({key: value})
                kept[key] = value
            except InvalidInput as error:
                self._report.remark("lost", self.model.name, version, f"tags.{key[:60]}", error.message)
        return kept

    def _new(self, versions: Iterator[SourceVersion]) -> Iterator[Event]:
        """Registrations by number, and between them the stage changes that came before the next one."""
        pending: list[tuple[datetime, int, str]] = []
        counted = self._counted(versions)
        while batch := list(islice(counted, _BATCH)):
            for version, origin in zip(batch, self._origins.of(self.model.name, batch), strict=True):
                if origin is None:
                    continue
                created = moment(version.created)
                while pending and pending[0][0] <= created:
                    yield self._moved(*heapq.heappop(pending))
                stage = self._stage(version)
                yield self._registered(version, origin, moved=stage is not None)
                if stage is not None:
                    heapq.heappush(
                        pending, (moment(max(version.updated, version.created)), version.number, stage)
                    )
        while pending:
            yield self._moved(*heapq.heappop(pending))

    def _counted(self, versions: Iterator[SourceVersion]) -> Iterator[SourceVersion]:
        for at, version in enumerate(versions):
            self._report.seen += 1 if at else 0  # the first was counted when it was looked at
            if version.number > MAX_VERSION:
                self._report.remark("skipped", self.model.name, version.number, "", "the number is too long")
            elif max(version.created, version.updated) > LATEST:
                self._report.remark("skipped", self.model.name, version.number, "", "its time is no date")
            elif version.created < self.rules.since:
                self._report.remark("kept", self.model.name, version.number, "", "older than --since")
            else:
                yield version

    def _registered(self, version: SourceVersion, origin: Origin, *, moved: bool) -> Event:
        if version.user_id:
            self._report.remark("lost", self.model.name, version.number, "user_id", "it has no place here")
        known = version.status in STATUSES
        if not known:
            reason = f'"{version.status[:40]}" is no status here'
            self._report.remark("lost", self.model.name, version.number, "status", reason)
        later = version.updated > version.created and not moved
        self._there.add(version.number)
        request = requests.Register(
            name=self.model.name,
            origin=origin,
            version=version.number,
            description=version.description,
            tags=self.tags(version.tags, version.number) if version.tags else {},
            status=version.status if known else READY,
            status_message=version.status_message,
            gaps=True,
            updated=moment(version.updated) if later else None,
        )
        return self._event("versions", version.number, moment(version.created), request)

    def _stage(self, version: SourceVersion) -> str | None:
        if version.stage.casefold() == NO_STAGE.casefold() or version.updated < self.rules.since:
            return None
        return self.rules.enterable(self.model.name, version.number, version.stage)

    def _moved(self, at: datetime, number: int, stage: str) -> Event:
        if self.rules.settings.stage(stage).exclusive:
            before = self._holder.get(stage)
            if before is not None:
                reason = f"{stage} is held by one version at a time here, {self.model.name}/{number} took it"
                self._report.remark("lost", self.model.name, before, "stage", reason)
            self._holder[stage] = number
        request = requests.Transition(name=self.model.name, selector=version_selector(number), stage=stage)
        return self._event("stages", number, at, request)

    def _aliases(self) -> Iterator[Event]:
        here = self.state.model.aliases if isinstance(self.state.model, RegisteredModel) else {}
        for alias, number in sorted(self.model.aliases.items()):
            if here.get(alias) == number:
                continue
            if number not in self._there:
                reason = f"version {number} is not here"
                self._report.remark("lost", self.model.name, None, f"alias {alias}", reason)
                continue
            try:
                check_alias(alias)
            except InvalidInput as error:
                self._report.remark("lost", self.model.name, None, f"alias {alias[:60]}", error.message)
                continue
            request = requests.SetAlias(name=self.model.name, alias=alias, selector=version_selector(number))
            yield self._event("aliases", number, None, request)
        for alias in sorted(set(here) - set(self.model.aliases)):
            self._report.remark(
                "kept", self.model.name, here[alias], f"alias {alias}", "MLflow does not have it"
            )
