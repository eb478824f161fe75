"""Commands on real registries, run by the same function that the console script calls."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitreg.cli import app
from gitreg.domain.model import Artifact, Code, Dataset, Origin
from gitreg.domain.requests import Register
from gitreg.domain.settings import Settings, Stage
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The TSV that was printed, as dictionaries."""
        head, *lines = self.out.splitlines()
        return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


Run = Callable[..., Result]
Git = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*args: object, code: int = 0) -> Result:
        capsys.readouterr()
        got = app.run([str(arg) for arg in args])
        said = capsys.readouterr()
        result = Result(code=got, out=said.out, err=said.err)
        assert got == code, result
        return result

    return call


@pytest.fixture
def git() -> Git:
    """Plain Git, as a person types it."""

    def call(*args: object, at: Path | None = None, code: int = 0) -> str:
        argv = ["git", *map(str, args)]
        done = subprocess.run(argv, cwd=at, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    return call


@pytest.fixture
def terminal() -> Callable[..., str]:
    """What a command prints when stdout is a terminal."""

    def call(*args: object) -> str:
        ours, theirs = pty.openpty()
        argv = [sys.executable, "-m", "gitreg", *map(str, args)]
        env = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
        child = subprocess.Popen(argv, stdout=theirs, stderr=subprocess.PIPE, env=env)
        os.close(theirs)
        said = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not block:
                break
            said += block
        os.close(ours)
        assert child.stderr is not None
        errors = child.stderr.read()
        child.stderr.close()
        assert child.wait() == 0, errors
        return said.decode().replace("\r\n", "\n")

    return call


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry without models, which is the current folder; its Production is exclusive."""
    folder = tmp_path / "registry"
    stages = (Stage(name="Staging"), Stage(name="Production", exclusive=True), Stage(name="Archived"))
    create(folder, settings=Settings(stages=stages), branch=None, env=os.environ, now=utc_now())
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def registry(empty: Path) -> Iterator[Registry]:
    with open_registry(empty) as opened:
        yield opened


@pytest.fixture
def filled(registry: Registry, empty: Path) -> Path:
    """Two models; churn has three versions, one of them in Production, and an alias."""
    first = Origin(
        source="s3://bucket/churn/1",
        run_id="r1",
        metrics={"auc": 0.91, "f1": 0.8},
        params={"depth": "3"},
        datasets=(Dataset(name="telco", uri="s3://data/telco"),),
        code=Code(repository="git@example.com:churn", commit="1a2b3c"),
        artifact=Artifact(digest="sha256:" + "0" * 64, size=12_345, flavors={"sklearn": "1.5.2"}),
    )
    registry.apply(
        Register(
            name="churn", origin=first, description="First\ntry \x1b[31mred\u202e", tags={"team": "growth"}
        )
    )
    registry.register(
        "churn", "s3://bucket/churn/2", metrics={"auc": 0.95}, parents=["churn/1"], aliases=["champion"]
    )
    registry.register("churn", "s3://bucket/churn/3", metrics={"auc": 0.97})
    registry.transition("churn/2", "Production", message="Better than 1\n\nGitreg-Event: delete")
    registry.register("fraud", "runs:/0123/model", code=None)
    return empty
