"""Runs and logged models in MLflow's tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.artifacts.runs import code_of, dataset_uri, unclamped
from gitreg.domain.model import Dataset
from gitreg.importers.mlflow.tables import Tables, Unlike
from gitreg.importers.mlflow.values import CODE_TAGS, LoggedFacts, RunFacts

if TYPE_CHECKING:
    from sqlalchemy import Connection

_COLUMNS = {
    "experiments": ("experiment_id", "name"),
    "runs": ("run_uuid", "experiment_id"),
    "params": ("run_uuid", "key", "value"),
    "latest_metrics": ("run_uuid", "key", "value", "is_nan"),
    "tags": ("run_uuid", "key", "value"),
}
_DATASETS = {
    "inputs": ("source_type", "source_id", "destination_type", "destination_id"),
    "datasets": ("dataset_uuid", "name", "digest", "dataset_source"),
}
_LOGGED = {
    "logged_models": ("model_id", "source_run_id"),
    "logged_model_params": ("model_id", "param_key", "param_value"),
    "logged_model_metrics": ("model_id", "metric_name", "metric_value", "metric_timestamp_ms", "metric_step"),
}
_AT_ONCE = 500  # ids in one query: below the least limit that a database has


class TableRuns:
    """The tracking half of MLflow's tables.

    Args:
        connection: Open.

    Raises:
        Unlike: The tables are not those that this class knows.
    """

    def __init__(self, connection: Connection) -> None:
        self._tables = Tables(connection, _COLUMNS)
        self._datasets = _known(connection, _DATASETS)
        if self._datasets and not self._datasets.rows(self._datasets.select("inputs", "source_id").limit(1)):
            self._datasets = None  # many stores have none: no need to ask for each run
        self._logged = _known(connection, _LOGGED)
        self._experiments: dict[Any, str] = {}

    def runs(self, ids: Sequence[str]) -> dict[str, RunFacts]:
        """Those of some runs that are there, in the trash or not."""
        found: dict[str, RunFacts] = {}
        for start in range(0, len(ids), _AT_ONCE):
            found |= self._some_runs(ids[start : start + _AT_ONCE])
        return found

    def _some_runs(self, ids: Sequence[str]) -> dict[str, RunFacts]:
        experiments = dict(map(tuple, self._of("runs", ids, "run_uuid", "experiment_id")))
        params: dict[str, dict[str, str]] = {run: {} for run in experiments}
        metrics: dict[str, dict[str, float]] = {run: {} for run in experiments}
        tags: dict[str, dict[str, str]] = {run: {} for run in experiments}
        datasets = self._datasets_of(ids) if self._datasets else {}
        for run, key, value in self._of("params", ids, "run_uuid", "key", "value"):
            params[run][key] = value
        for run, key, value, is_nan in self._of("latest_metrics", ids, "run_uuid", "key", "value", "is_nan"):
            metrics[run][key] = math.nan if is_nan else unclamped(value)
        for run, key, value in self._of("tags", ids, "run_uuid", "key", "value"):
            if key in CODE_TAGS:
                tags[run][key] = value
        return {
            run: RunFacts(
                run_id=run,
                experiment=self._experiment(number),
                params=params[run],
                metrics=metrics[run],
                code=code_of(tags[run]),
                datasets=tuple(datasets.get(run, ())),
            )
            for run, number in experiments.items()
        }

    def _of(self, table: str, ids: Sequence[str], key: str, *columns: str) -> Sequence[Any]:
        query = self._tables.select(table, key, *columns)
        return self._tables.rows(query.where(self._tables[table].c[key].in_(ids)))

    def _experiment(self, number: Any) -> str | None:
        if number not in self._experiments:
            named = self._tables.rows(self._tables.select("experiments", "experiment_id", "name"))
            self._experiments = {each: name for each, name in named}  # noqa: C416 - rows are no tuples to mypy
        return self._experiments.get(number)

    def _datasets_of(self, ids: Sequence[str]) -> dict[str, list[Dataset]]:
        assert self._datasets is not None  # asked by the caller
        links, sets = self._datasets["inputs"].c, self._datasets["datasets"].c
        query = self._datasets.select("inputs", "destination_id").join(
            self._datasets["datasets"], links.source_id == sets.dataset_uuid
        )
        query = query.add_columns(sets.name, sets.digest, sets.dataset_source).where(
            links.destination_id.in_(ids), links.destination_type == "RUN", links.source_type == "DATASET"
        )
        found: dict[str, dict[Dataset, None]] = {}
        for run, name, digest, source in self._datasets.rows(query.order_by(sets.name, sets.digest)):
            made = Dataset(name=name, uri=dataset_uri(source), digest=digest or None)
            found.setdefault(run, {})[made] = None
        return {run: list(each) for run, each in found.items()}

    def logged_models(self, ids: Sequence[str]) -> dict[str, LoggedFacts]:
        """Those of some logged models that are there."""
        found: dict[str, LoggedFacts] = {}
        if self._logged is not None:
            for start in range(0, len(ids), _AT_ONCE):
                found |= self._some_logged(self._logged, ids[start : start + _AT_ONCE])
        return found

    def _some_logged(self, tables: Tables, ids: Sequence[str]) -> dict[str, LoggedFacts]:
        def of(table: str, *columns: str) -> Sequence[Any]:
            query = tables.select(table, "model_id", *columns)
            return tables.rows(query.where(tables[table].c.model_id.in_(ids)))

        params: dict[str, dict[str, str]] = {}
        metrics: dict[str, dict[str, float]] = {}
        for model, key, value in of("logged_model_params", "param_key", "param_value"):
            params.setdefault(model, {})[key] = value
        rows = of("logged_model_metrics", "metric_name", "metric_value", "metric_step", "metric_timestamp_ms")
        for model, key, value, _, _ in sorted(rows, key=lambda row: (row[3], row[4])):
            metrics.setdefault(model, {})[key] = unclamped(value)
        return {
            model: LoggedFacts(
                model_id=model,
                run_id=run or None,
                params=params.get(model, {}),
                metrics=metrics.get(model, {}),
            )
            for model, run in of("logged_models", "source_run_id")
        }


def _known(connection: Connection, columns: Mapping[str, tuple[str, ...]]) -> Tables | None:
    """Tables that not every MLflow has."""
    try:
        return Tables(connection, columns)
    except Unlike:
        return None
