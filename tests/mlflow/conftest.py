"""What the tests beside real MLflow share. It reports its use to nobody."""

from __future__ import annotations

import os

# Read when MLflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.clock import utc_now
from gitreg.registry.create import create

Git = Callable[..., str]

needs_mlflow = pytest.mark.skipif(
    not (importlib.util.find_spec("mlflow") and importlib.util.find_spec("sklearn")),
    reason="needs MLflow and scikit-learn",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A new registry, in a repository with a work tree."""
    from gitreg.domain.settings import Settings

    path = tmp_path / "models"
    create(path, settings=Settings(name="models"), branch=None, env=os.environ, now=utc_now())
    return path


@pytest.fixture
def git() -> Git:
    """Runs the real Git: ``git(folder, "log", …)``."""

    def run(folder: Path, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
