"""Export: our models written into an MLflow store through its own client."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from gitreg.domain.model import ModelState, RegisteredModel
from gitreg.errors import NotFound
from gitreg.importers.mlflow.client import client_of
from gitreg.importers.mlflow.counterpart import model_for_mlflow, version_for_mlflow
from gitreg.importers.mlflow.place import Place, check_installed, place_of, quiet, telling
from gitreg.importers.mlflow.report import Report
from gitreg.importers.mlflow.source import open_source
from gitreg.importers.mlflow.tables import connected
from gitreg.importers.mlflow.times import TableTimes
from gitreg.importers.mlflow.values import Listing, SourceModel, SourceVersion
from gitreg.importers.mlflow.writer import UNFINISHED, Refused, Writer
from gitreg.registry.registry import Registry
from gitreg.registry.view import View

MOST_GAPS = 10_000
"""Numbers of a model that may be left out: MLflow gives them one by one, and each takes two calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to export, and where.

    Attributes:
        uri: The MLflow store.
        models: Patterns such as ``fraud-*``; none: all.
        dry_run: Write nothing.
    """

    uri: str
    models: tuple[str, ...] = ()
    dry_run: bool = False

    def wanted(self, name: str) -> bool:
        """Whether a model is to be exported."""
        return not self.models or any(fnmatchcase(name, pattern) for pattern in self.models)


def export_mlflow(
    registry: Registry, wish: Wish, *, told: Callable[[int, int], None] = lambda models, versions: None
) -> Report:
    """Write into an MLflow store the models that it lacks; none that is there is changed.

    Args:
        registry: Ours.
        wish: What to export, and where.
        told: How far it is: models and versions.

    Raises:
        EnvironmentFailure: The store can't be written.
    """
    began = time.monotonic()
    place = place_of(wish.uri, cwd=Path.cwd())
    report = Report(place=str(place))
    check_installed()
    with telling(place), quiet(place), contextlib.ExitStack() as stack:
        work = _Export(registry.at(), wish, place, report)
        work.open(stack)
        for models, state in enumerate(work.wanted(), start=1):
            work.carry(state)
            told(models, report.seen)
    report.seconds = time.monotonic() - began
    return report


class _Export:
    def __init__(self, view: View, wish: Wish, place: Place, report: Report) -> None:
        self._view = view
        self._wish = wish
        self._place = place
        self._report = report
        self._listing: Listing | None = None
        self._there: dict[str, SourceModel] = {}
        self._writer: Writer | None = None

    def open(self, stack: contextlib.ExitStack) -> None:
        """Look at the store, and open it for writing; MLflow makes a database that is not there."""
        if not self._wish.dry_run:
            client = client_of(self._place, self._place)
            client.search_registered_models(max_results=1)
            times = None
            if self._place.database:
                times = TableTimes(stack.enter_context(connected(self._place)), self._place)
            self._writer = Writer(client, self._report, times)
        with contextlib.suppress(NotFound):
            source = stack.enter_context(open_source(self._place, None, wanted=self._wish.wanted))
            self._listing = source.listing
            self._there = {model.name: model for model in self._listing.models()}

    def wanted(self) -> Iterator[ModelState]:
        """Our models that are to be exported."""
        return (state for state in self._view.models() if self._wish.wanted(state.name))

    def carry(self, state: ModelState) -> None:
        """Write one model, unless one of that name is there."""
        assert isinstance(state.model, RegisteredModel)  # models() gives those that are registered
        aside = Report(place=self._report.place)  # what is equal there needs no remark
        model = model_for_mlflow(self._view, state.model, aside)
        numbers = sorted(number for number in state.versions if state.live(number))
        versions = [version_for_mlflow(self._view, found, aside) for n in numbers if (found := state.live(n))]
        self._report.seen += len(versions)
        there = self._there.get(model.name)
        if there is not None and UNFINISHED not in there.tags:
            if not self._same(there, model, versions):
                reason = "MLflow has a model of that name that differs; it was left as it is"
                self._report.remark("conflict", model.name, None, "", reason)
            return
        gaps = state.last_version - len(numbers)
        if gaps > MOST_GAPS:
            reason = f"it leaves {gaps:,} numbers out, and MLflow counts one by one"
            self._report.remark("skipped", model.name, None, "", reason)
            return
        self._report.take(aside)
        self._write(model, versions, state.last_version, again=there is not None)

    def _write(self, model: SourceModel, versions: list[SourceVersion], last: int, *, again: bool) -> None:
        if self._writer is not None:
            try:
                self._writer.write(model, versions, last, again=again)
            except Refused as error:
                self._report.remark("skipped", model.name, None, "", str(error))
                return
        elif self._wish.dry_run:
            self._report.versions += len(versions)
            self._report.stages += sum(version.stage != "None" for version in versions)
            self._report.aliases += len(model.aliases)
        self._report.models += 1

    def _same(self, there: SourceModel, model: SourceModel, versions: list[SourceVersion]) -> bool:
        """Whether MLflow's model is ours, in all that both hold; the times count where they can be set."""
        assert self._listing is not None  # the model was read from it
        if _comparable(there, self._place) != _comparable(model, self._place):
            return False
        theirs = [_comparable_version(each, self._place) for each in self._listing.versions(there)]
        return theirs == [_comparable_version(each, self._place) for each in versions]


def _comparable(model: SourceModel, place: Place) -> SourceModel:
    return model if place.database else replace(model, created=0, updated=0)


def _comparable_version(version: SourceVersion, place: Place) -> SourceVersion:
    same = replace(version, user_id=None, model_id=None)
    if place.database:
        return same
    return replace(same, created=0, updated=0, status="READY", status_message="")
