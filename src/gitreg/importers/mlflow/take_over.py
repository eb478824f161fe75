"""Import: MLflow's events as commits here, in chunks that stand by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from gitreg.domain import names
from gitreg.domain.model import ModelTombstone
from gitreg.domain.requests import Dated
from gitreg.errors import Conflict, GitregError, InvalidInput, MovedRef, NotAllowed
from gitreg.importers.mlflow.differ import Rules
from gitreg.importers.mlflow.origins import Origins
from gitreg.importers.mlflow.place import Place, place_of
from gitreg.importers.mlflow.plan import Event, Plan
from gitreg.importers.mlflow.report import Kind, Report
from gitreg.importers.mlflow.source import Source, open_source
from gitreg.importers.mlflow.values import SourceModel
from gitreg.registry.clock import utc_now
from gitreg.registry.receipt import Receipt
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.registry.write import Ask, apply_each
from gitreg.render.text import plural

CHUNK = 2_000
"""Events that are published together: a kill loses no more than these."""

SQUASHED = 5_000
"""Events in one commit at most: a larger model gets several, so that memory stays bounded."""

_TRIES = 5

Told = Callable[[int, int, tuple[int, int] | None], None]
"""How far it is: models, versions looked at, and both in all where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to import, and how.

    Attributes:
        uri: MLflow's registry, as MLflow names it.
        tracking_uri: Where its runs are; None: the same.
        models: Patterns such as ``fraud-*``; none: all.
        since: What happened before is left behind.
        squash: One commit a model.
        runs: Whether to ask for params, metrics, data sets and code.
        dry_run: Write nothing.
        by_client: Read through MLflow's client even where there are tables.
    """

    uri: str
    tracking_uri: str | None = None
    models: tuple[str, ...] = ()
    since: datetime | None = None
    squash: bool = False
    runs: bool = True
    dry_run: bool = False
    by_client: bool = False

    def wanted(self, name: str) -> bool:
        """Whether a model is to be imported."""
        return not self.models or any(fnmatchcase(name, pattern) for pattern in self.models)


def import_mlflow(
    registry: Registry,
    wish: Wish,
    *,
    told: Told = lambda models, versions, totals: None,
    clock: Callable[[], datetime] = utc_now,
) -> Report:
    """Bring what an MLflow registry holds and this one lacks.

    Every commit has the time of its event as author date and the present as committer date. What was
    published stands, whatever comes later: the same import goes on where it stopped.

    Raises:
        NotFound: There is no such store.
        EnvironmentFailure: The store can't be read; ours can't be written.
    """
    began = time.monotonic()
    place = place_of(wish.uri, cwd=Path.cwd())
    tracking = place_of(wish.tracking_uri, cwd=Path.cwd()) if wish.tracking_uri else place
    with open_source(
        place, tracking if wish.runs else None, wanted=wish.wanted, by_client=wish.by_client
    ) as source:
        work = _Import(registry, source, wish, place=place, clock=clock)
        work.run(told)
    work.report.seconds = time.monotonic() - began
    return work.report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What becomes one commit."""

    events: tuple[Event, ...]
    ask: Ask


class _Import:
    def __init__(
        self, registry: Registry, source: Source, wish: Wish, *, place: Place, clock: Callable[[], datetime]
    ) -> None:
        self.report = Report(place=str(place))
        self.looked = 0
        self._registry = registry
        self._source = source
        self._wish = wish
        self._clock = clock
        self._view: View = registry.at()
        since = int(wish.since.timestamp() * 1000) if wish.since else 0
        self._rules = Rules(settings=self._view.settings, report=self.report, since=since)
        self._names: dict[str, str] = {}  # those that were met, by what twins share
        self._like = replace(registry.asked(()), committed=clock, footer=f"Imported-From: MLflow {place}")

    def run(self, told: Told) -> None:
        """Carry everything, in chunks."""
        totals = self._source.listing.totals()
        chunk: list[_Step] = []
        size = 0
        for step in self._steps():
            chunk.append(step)
            size += len(step.events)
            if size >= CHUNK:
                self._publish(chunk)
                chunk, size = [], 0
            told(self.looked, self.report.seen, totals)
        self._publish(chunk)
        told(self.looked, self.report.seen, totals)

    def _steps(self) -> Iterator[_Step]:
        origins = Origins(self._source.tracking, self.report)
        for model in self._source.listing.models():
            self.looked += 1
            if not self._takes(model):
                continue
            plan = Plan(model, self._view.state(model.name), self._rules, origins)
            events = plan.events(self._source.listing.versions(model))
            if not self._wish.squash:
                yield from (self._single(event) for event in events)
                continue
            while several := tuple(islice(events, SQUASHED)):
                yield self._squashed(model.name, several)

    def _takes(self, model: SourceModel) -> bool:
        """Whether a model can be carried under its name; if not, the report says why."""
        try:
            names.check_model_name(model.name)
        except InvalidInput as error:
            self.report.remark("skipped", model.name, None, "", error.message)
            return False
        twin = self._names.setdefault(names.twin_key(model.name), model.name)
        if twin == model.name:
            twin = self._view.states.twin(model.name) or model.name
        if twin != model.name:
            reason = f"the name differs from {names.shown(twin)} in case or Unicode form alone"
            self.report.remark("skipped", model.name, None, "", reason)
            return False
        here = self._view.state(model.name).model
        if isinstance(here, ModelTombstone):
            went = f"renamed to {here.renamed_to}" if here.renamed_to else "deleted"
            self.report.remark("conflict", model.name, None, "", f"it was {went} here")
            return False
        return True

    def _single(self, event: Event) -> _Step:
        at = event.at or self._clock()
        return _Step(events=(event,), ask=replace(self._like, requests=(event.request,), clock=lambda: at))

    def _squashed(self, name: str, events: tuple[Event, ...]) -> _Step:
        now = self._clock()
        at = max((event.at for event in events if event.at), default=now)
        versions = sum(event.what == "versions" for event in events)
        what = plural(versions, "version") if versions else plural(len(events), "change")
        ask = replace(
            self._like,
            requests=tuple(Dated(request=event.request, at=event.at or now) for event in events),
            clock=lambda: at,
            title=f"{name}: import {what} from MLflow",
        )
        return _Step(events=events, ask=ask)

    def _publish(self, steps: Sequence[_Step]) -> None:
        """Make the commits of some steps; one that can't be made is told to the report and left out."""
        tries = 0
        while steps:
            if self._wish.dry_run:
                self._count(steps)
                return
            made = _Made()
            try:
                apply_each(self._registry.store, (step.ask for step in steps), made.add)
                self._count(steps, made)
                return
            except MovedRef:
                tries += 1
                if tries >= _TRIES:
                    raise
            except (InvalidInput, Conflict, NotAllowed) as error:
                at = made.told
                if at >= len(steps):
                    raise  # it is about all of them: the work tree, a tag
                self._publish(steps[:at])
                steps = self._without(steps[at], steps[at + 1 :], error)

    def _without(self, failed: _Step, rest: Sequence[_Step], error: GitregError) -> Sequence[_Step]:
        """The steps that can still be made when one can't."""
        if len(failed.events) > 1:
            return [*(self._single(event) for event in failed.events), *rest]
        event = failed.events[0]
        kind: Kind = "conflict" if isinstance(error, Conflict) else "skipped"
        what = {"models": "", "versions": ""}.get(event.what, event.what)
        self.report.remark(kind, event.name, event.version, what, error.message)
        if event.what == "models":
            return [step for step in rest if step.events[0].name != event.name]
        if event.what == "versions":
            gone = (event.name, event.version)
            return [step for step in rest if (step.events[0].name, step.events[0].version) != gone]
        return rest

    def _count(self, steps: Sequence[_Step], made: _Made | None = None) -> None:
        for step in steps:
            for event in step.events:
                setattr(self.report, event.what, getattr(self.report, event.what) + 1)
        if made:
            self.report.commits += made.commits
            self.report.commit = made.last or self.report.commit
            self.report.branch = made.branch
            self.report.warnings |= made.warnings


class _Made:
    """What ``apply_each`` told of some commits: the receipts themselves would fill the memory."""

    def __init__(self) -> None:
        self.told = 0
        self.commits = 0
        self.last: str | None = None
        self.branch = ""
        self.warnings: dict[str, None] = {}

    def add(self, receipt: Receipt) -> None:
        """Take in one."""
        self.told += 1
        self.commits += receipt.commit is not None
        self.last = receipt.commit or self.last
        self.branch = receipt.branch
        self.warnings |= dict.fromkeys(receipt.warnings)
