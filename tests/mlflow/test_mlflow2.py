"""The conformance checks with the last MLflow 2, in an environment of its own (``scripts/mlflow2-venv`` makes it)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-mlflow2" / "bin" / "python"

pytestmark = [
    pytest.mark.mlflow,
    pytest.mark.skipif(
        not (ROOT / ".venv-mlflow2" / ".installed").exists(),
        reason="needs MLflow 2: run scripts/mlflow2-venv",
    ),
]


def test_the_conformance_checks_pass_with_mlflow_2() -> None:
    env = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/mlflow/conformance"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
    said = subprocess.run(
        [PYTHON, "-c", "import mlflow; print(mlflow.__version__)"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("2.")
