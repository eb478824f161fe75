"""Large SQLite stores of MLflow in seconds: MLflow makes the tables, their rows are put in directly."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from fixtures import BEGAN, PARAMS, PRODUCTION, TAGS, metrics, model_name, source

ARCHIVED = 40  # the version of each model that held Production before
EXPERIMENT = 1

_MINUTE = 60_000
_BEGAN = int(BEGAN.timestamp() * 1000)
_MAKE_TABLES = """
import sys
from mlflow import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])
client.create_experiment("training", artifact_location="s3://runs")
client.search_registered_models(max_results=1)
"""


def make(path: Path, *, models: int, versions: int, runs: bool = True) -> str:
    """A store with ``models`` × ``versions`` versions, made once for the same arguments.

    Every model has version 40 in Archived, 50 in Production (alias ``champion``) and the newest in
    Staging (alias ``challenger``), as far as it has so many versions, and two tags a version.

    Args:
        path: Folder for the databases.
        models: How many registered models.
        versions: How many versions each of them has.
        runs: Whether each version comes from a run with four params and four metrics.

    Returns:
        The store's URI, for tracking and registry alike.
    """
    path.mkdir(parents=True, exist_ok=True)
    place = path / f"mlflow-{models}x{versions}{'-runs' if runs else ''}.db"
    if not place.exists():
        aside = place.with_suffix(".making")
        shutil.copy(_empty(path), aside)
        _fill(aside, _Plan(models=models, versions=versions, runs=runs))
        aside.rename(place)
    return f"sqlite:///{place.absolute()}"


def _empty(path: Path) -> Path:
    place = path / "mlflow-empty.db"
    if not place.exists():
        aside = place.with_suffix(".making")
        aside.unlink(missing_ok=True)
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        command = [sys.executable, "-c", _MAKE_TABLES, f"sqlite:///{aside.absolute()}"]
        subprocess.run(command, check=True, env=env, cwd=path, capture_output=True)
        aside.rename(place)
    return place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    models: int
    versions: int
    runs: bool

    def each(self) -> Iterator[tuple[str, int]]:
        return ((model_name(m), v) for m in range(self.models) for v in range(1, self.versions + 1))

    def stage(self, version: int) -> str:
        if version == PRODUCTION:
            return "Production"
        if version == self.versions:
            return "Staging"
        return "Archived" if version == ARCHIVED else "None"


def run_id(name: str, version: int) -> str:
    """The run that made a version: 32 hex digits, as MLflow's are."""
    return md5(f"{name}/{version}".encode(), usedforsecurity=False).hexdigest()


def created(version: int) -> int:
    """When a version was registered, in milliseconds."""
    return _BEGAN + version * _MINUTE


def _fill(place: Path, plan: _Plan) -> None:
    with sqlite3.connect(place) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA journal_mode=MEMORY")
        names = [model_name(n) for n in range(plan.models)]
        last = created(plan.versions)
        database.executemany(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description)"
            " VALUES (?, ?, ?, ?)",
            ((name, _BEGAN, last, f"Scores of {name}.") for name in names),
        )
        database.executemany(
            "INSERT INTO registered_model_tags (name, key, value) VALUES (?, 'team', 'risk')",
            ((name,) for name in names),
        )
        aliases = {"champion": min(PRODUCTION, plan.versions), "challenger": plan.versions}
        database.executemany(
            "INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, ?, ?)",
            ((name, alias, version) for name in names for alias, version in aliases.items()),
        )
        _put_versions(database, plan)
        if plan.runs:
            _put_runs(database, plan)
    database.close()


def _put_versions(database: sqlite3.Connection, plan: _Plan) -> None:
    def row(name: str, version: int) -> tuple[object, ...]:
        uri, stage = source(name, version), plan.stage(version)
        moved = created(version) + (_MINUTE // 2 if stage != "None" else 0)
        run = run_id(name, version) if plan.runs else None
        return (name, version, created(version), moved, f"Version {version}.", stage, uri, uri, run, "READY")

    database.executemany(
        "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description,"
        " current_stage, source, storage_location, run_id, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row(name, version) for name, version in plan.each()),
    )
    database.executemany(
        "INSERT INTO model_version_tags (name, version, key, value) VALUES (?, ?, ?, ?)",
        ((name, version, key, value) for name, version in plan.each() for key, value in TAGS.items()),
    )


def _put_runs(database: sqlite3.Connection, plan: _Plan) -> None:
    database.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
        " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
        " VALUES (?, ?, 'LOCAL', 'train.py', '', 'bench', 'FINISHED', ?, ?, '', 'active', ?, ?)",
        (
            (
                run_id(name, version),
                f"{name}-{version}",
                created(version) - _MINUTE,
                created(version) - 1,
                f"s3://runs/{run_id(name, version)}/artifacts",
                EXPERIMENT,
            )
            for name, version in plan.each()
        ),
    )
    database.executemany(
        "INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)",
        (
            (run_id(name, version), key, value)
            for name, version in plan.each()
            for key, value in PARAMS.items()
        ),
    )
    for table in ("metrics", "latest_metrics"):
        database.executemany(
            f"INSERT INTO {table} (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, 0, 0)",
            (
                (run_id(name, version), key, value, created(version) - 1)
                for name, version in plan.each()
                for key, value in metrics(version).items()
            ),
        )
