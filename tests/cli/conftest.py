"""The command line on real repositories."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitreg.cli import app
from tests.servers.shared import Original, Shared


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def home(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that the suite gives every test, and no tracking store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return own_home


@pytest.fixture(scope="session")
def shared_once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A registry that Alice and Bob share, made once a worker."""
    return Original.of(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def both(shared_once: Original) -> Shared:
    """The same for one test."""
    return shared_once.again()


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process: the same function that the console script calls."""

    def call(*args: str, stdin: str | bytes = "", code: int | None = 0) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        capsys.readouterr()
        got = app.run(list(args))
        said = capsys.readouterr()
        result = Result(code=got, out=said.out, err=said.err)
        assert code is None or got == code, result
        return result

    return call


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.CompletedProcess[bytes]]]:
    """Run a command in a process of its own."""

    def call(*args: str | bytes, env: dict[str, str] | None = None, **more: Any) -> Any:
        more = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 60, **more}
        command = [sys.executable, "-m", "gitreg", *args]
        return subprocess.run(command, env={**os.environ, **(env or {})}, check=False, **more)

    yield call


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Registries that are made once and copied for each test."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def registry(tmp_path: Path, shelf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty registry, which is also the current folder."""
    model = shelf / "empty"
    if not model.exists():
        run("init", "--name", "registry", str(model))
    folder = tmp_path / "registry"
    shutil.copytree(model, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def churn(registry: Path, shelf: Path, run: Run) -> Path:
    """A registry with the model churn and its versions 1 and 2, the first in Production."""
    model = shelf / "churn"
    if not model.exists():
        made = ["--registry", str(shutil.copytree(registry, shelf / "making"))]
        run("register", "churn", "s3://models/churn/1", "--metric", "auc=0.9", "--alias", "champion", *made)
        run("register", "churn", "s3://models/churn/2", "--metric", "auc=0.92", *made)
        run("transition", "churn/1", "Production", *made)
        (shelf / "making").rename(model)
    shutil.copytree(model, registry, dirs_exist_ok=True)
    return registry


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def head(registry: Path) -> Callable[[], str]:
    """The id of the registry's newest commit."""
    return lambda: git(registry, "rev-parse", "HEAD")
