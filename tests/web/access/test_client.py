"""MLflow's own client with a token: what it sends, and what its user is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.web.identity import Role
from tests.mlflow.conftest import needs_mlflow
from tests.web.access.conftest import Keys
from tests.web.conftest import Git
from tests.web.serving import served

pytestmark = [pytest.mark.mlflow, needs_mlflow]

SCRIPT = """
import json, os, sys
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
told = []
def as_somebody(name, **env):
    for key in ("TOKEN", "USERNAME", "PASSWORD"):
        os.environ.pop(f"MLFLOW_TRACKING_{key}", None)
    os.environ |= {f"MLFLOW_TRACKING_{key}": value for key, value in env.items()}
    client = MlflowClient(registry_uri=sys.argv[1], tracking_uri="sqlite:///:memory:")
    try:
        told.append(client.create_registered_model(name).name)
    except MlflowException as error:
        told.append([error.error_code, len(client.search_registered_models()) if "yours is reader" in str(error) else -1])
as_somebody("nobody")
as_somebody("churn", TOKEN=sys.argv[2])
as_somebody("fraud", TOKEN=sys.argv[3])
as_somebody("basic", USERNAME="x", PASSWORD=sys.argv[2])
as_somebody("wrong", TOKEN="grt_wrong")
print(json.dumps(told))
"""


def test_a_client_with_a_token(place: Path, keys: Keys, git: Git, tmp_path: Path) -> None:
    writer, reader = keys.token()[0], keys.token(Role.READER)[0]
    with served(place, "--host", "0.0.0.0", "--sign-in") as server:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, server.url, writer, reader],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"},
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [
        ["UNAUTHENTICATED", -1],
        "churn",
        ["PERMISSION_DENIED", 1],
        "basic",
        ["UNAUTHENTICATED", -1],
    ]
    assert git("log", "-2", "--format=%an: %s").splitlines() == [
        "Ann Lee: basic: register model",
        "Ann Lee: churn: register model",
    ]
