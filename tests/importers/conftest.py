"""Real MLflow stores, made once, and registries to bring them into. MLflow reports its use to nobody."""

from __future__ import annotations

import os

# Read when MLflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

import importlib.util
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitreg.domain.settings import Settings
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from tests.importers import fill_store

needs_mlflow = pytest.mark.skipif(not importlib.util.find_spec("mlflow"), reason="needs MLflow")


def mlflow_env(**more: str) -> dict[str, str]:
    """The environment for a process that runs MLflow."""
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    return {**os.environ, **quiet, **more}


@dataclass(frozen=True)
class Store:
    """An MLflow store on this machine, and the ids that MLflow gave."""

    uri: str
    ids: dict[str, str]

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(self.uri.removeprefix("sqlite:///"))

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The tables, for what MLflow's API does not do."""
        connection = sqlite3.connect(self.file)
        with connection:
            yield connection
        connection.close()


def filled(uri: str) -> Store:
    """A store at ``uri``, filled by MLflow in a process of its own."""
    done = subprocess.run(
        [sys.executable, fill_store.__file__, uri],
        env=mlflow_env(MLFLOW_TRACKING_URI=uri),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Store(uri=uri, ids=json.loads(done.stdout))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An SQLite store; nobody changes it."""
    folder = tmp_path_factory.mktemp("mlflow")
    made = filled(f"sqlite:///{folder}/mlflow.db")
    with made.database() as database:
        database.execute("UPDATE model_versions SET user_id = 'grace' WHERE name = 'churn' AND version = 2")
        database.execute(
            "UPDATE model_versions SET status = 'FAILED_REGISTRATION', status_message = 'disk full'"
            " WHERE name = 'churn' AND version = 8"
        )
    return made


@pytest.fixture
def store(original: Store, tmp_path: Path) -> Store:
    """A copy of it for one test."""
    shutil.copy(original.file, tmp_path / "mlflow.db")
    return Store(uri=f"sqlite:///{tmp_path}/mlflow.db", ids=original.ids)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A new registry, in a repository with a work tree."""
    path = tmp_path / "models"
    create(path, settings=Settings(name="models"), branch=None, env=os.environ, now=utc_now())
    return path


@dataclass(frozen=True)
class Result:
    """What a command printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document that it printed."""
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def run(place: Path) -> Run:
    """Run ``gitreg`` on the registry, in a process of its own."""

    def call(*args: str, code: int | None = 0) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "gitreg", *args],
            cwd=place,
            env=mlflow_env(),
            capture_output=True,
            text=True,
            check=False,
        )
        result = Result(code=done.returncode, out=done.stdout, err=done.stderr)
        assert code is None or result.code == code, result
        return result

    return call


@pytest.fixture
def git(place: Path) -> Callable[..., str]:
    """Runs the real Git on the registry."""

    def call(*args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=place, capture_output=True, text=True, errors="replace", check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call
