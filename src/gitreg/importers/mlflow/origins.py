"""Where versions came from: what MLflow's rows say, with what their runs and logged models tell."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from gitreg.artifacts.uris import check_source, without_secrets
from gitreg.domain.model import Origin
from gitreg.errors import InvalidInput
from gitreg.importers.mlflow.report import Report
from gitreg.importers.mlflow.values import LoggedFacts, RunFacts, SourceVersion, Tracking

_LOGGED_MODEL = re.compile(r"models:/(m-[A-Za-z0-9_-]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_KEY = 250
_MOST_KEYS = 10_000
_T = TypeVar("_T")


class Origins:
    """Describes versions, asking for their runs in batches.

    Args:
        tracking: Knows the runs; None: nothing is asked for.
        report: Told of what is missing or can't be kept.
    """

    def __init__(self, tracking: Tracking | None, report: Report) -> None:
        self._tracking = tracking
        self._report = report
        # Neighbours often come from one run: what the batch before found is kept.
        self._runs: dict[str, RunFacts] = {}
        self._logged: dict[str, LoggedFacts] = {}
        self._fitting: set[str] = set()

    def of(self, name: str, versions: Sequence[SourceVersion]) -> list[Origin | None]:
        """The origin of each version; None where it can't be registered, which is in the report."""
        if self._tracking is not None:
            runs = dict.fromkeys(version.run_id for version in versions if version.run_id)
            asked = [run for run in runs if run not in self._runs]
            self._runs = {run: self._runs[run] for run in runs if run in self._runs}
            self._runs |= self._tracking.runs(asked) if asked else {}
            models = [model_id for version in versions if (model_id := logged_model_of(version))]
            self._logged = self._tracking.logged_models(list(dict.fromkeys(models))) if models else {}
        return [self._origin(name, version) for version in versions]

    def _origin(self, name: str, version: SourceVersion) -> Origin | None:
        source = kept_source(version)
        if source != version.source:
            self._report.remark("lost", name, version.number, "source", "the password in it was taken out")
        run = self._runs.get(version.run_id or "")
        logged = self._logged.get(logged_model_of(version) or "")
        if self._tracking is not None and version.run_id and run is None:
            self._report.remark("lost", name, version.number, "params and metrics", "its run is gone")
        elif self._tracking is not None and logged_model_of(version) and logged is None:
            self._report.remark(
                "lost", name, version.number, "params and metrics", "its logged model is gone"
            )
        params = {**(logged.params if logged else {}), **(run.params if run else {})}
        metrics = _metrics(run, logged)
        origin = Origin(
            source=source,
            run_id=version.run_id,
            run_link=without_secrets(version.run_link) if version.run_link else None,
            experiment=run.experiment if run else None,
            model_id=version.model_id,
            code=run.code if run else None,
            datasets=run.datasets if run else (),
            params=self._fit(name, version, "params", params),
            metrics=self._fit(name, version, "metrics", metrics),
        )
        try:
            for warning in check_source(source):
                self._report.remark("kept", name, version.number, "source", warning)
            return origin
        except InvalidInput as error:
            self._report.remark("skipped", name, version.number, "", error.message)
            return None

    def _fit(self, name: str, version: SourceVersion, what: str, found: Mapping[str, _T]) -> Mapping[str, _T]:
        if found.keys() <= self._fitting:  # the names are the same in most versions
            return found
        kept = {}
        for key, value in found.items():
            if not key.strip() or len(key) > _LONGEST_KEY or _CONTROL.search(key):
                self._report.remark("lost", name, version.number, f"{what}.{key}", "the name can't be kept")
            else:
                kept[key] = value
        if len(self._fitting) < _MOST_KEYS:
            self._fitting |= kept.keys()
        return kept


def logged_model_of(version: SourceVersion) -> str | None:
    """The id of MLflow 3's logged model that a version is."""
    named = _LOGGED_MODEL.match(version.source)
    return version.model_id or (named[1] if named else None)


def kept_source(version: SourceVersion) -> str:
    """The source as a registry may keep it: without a password."""
    return without_secrets(version.source) if "@" in version.source else version.source


def _metrics(run: RunFacts | None, logged: LoggedFacts | None) -> dict[str, float]:
    of_run = dict(run.metrics) if run else {}
    of_model = dict(logged.metrics) if logged else {}
    # MLflow's tables give a logged model's NaN back as 0.0, the run's as NaN.
    of_model.update({key: math.nan for key in of_model if math.isnan(of_run.get(key, 0.0))})
    # A run may have logged many models: the results of the one that was registered count.
    return {**of_run, **of_model}
