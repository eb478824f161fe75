"""The API of one registry, asked in process, and a registry that has a history."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.web.conftest import Asking

PREFIX = "/api/v1"


class Api:
    """Asks the API; what is asked is one application's, so that caches live on."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking

    def __call__(self, method: str, path: str, document: Any = None, **more: Any) -> httpx.Response:
        if document is not None:
            more["json"] = document
        return self.asking(method, PREFIX + path, **more)

    def get(self, path: str, **query: Any) -> Any:
        """The document of a read that works."""
        found = self("GET", path, params=query)
        assert found.status_code == 200, found.text
        return found.json()

    def write(self, method: str, path: str, document: Any = None, **more: Any) -> Any:
        """The document of a write that makes a commit."""
        found = self(method, path, document, **more)
        assert found.status_code in (200, 201), found.text
        told = found.json()
        assert len(told["commit"]) == 40
        assert found.headers["etag"].startswith(f'"{told["commit"]}.')
        return told

    def refused(self, status: int, method: str, path: str, document: Any = None, **more: Any) -> Any:
        """The problem that a request is."""
        found = self(method, path, document, **more)
        assert found.status_code == status, found.text
        assert found.headers["content-type"] == "application/problem+json"
        told = found.json()
        assert told["status"] == status
        assert told["title"] and told["detail"] and told["type"].startswith("urn:gitreg:problem:")
        assert "Traceback" not in found.text
        return told


def model_path(name: str) -> str:
    return f"/models/{quote(name, safe='')}"


@pytest.fixture
def api(asking: Callable[..., Asking]) -> Api:
    return Api(asking())


@pytest.fixture
def full(api: Api) -> Api:
    """churn with three versions, of which the second came back to Production, and fraud without any."""
    for number in (1, 2, 3):
        api.write(
            "POST",
            "/models/churn/versions",
            {
                "source": f"s3://models/churn/{number}",
                "run_id": f"run{number}",
                "metrics": {"auc": 0.8 + number / 100, "loss": "Infinity"},
                "params": {"depth": str(number)},
                "datasets": [{"name": "visits", "digest": "abc"}],
                "code": {"repository": "https://example.com/churn.git", "commit": "a" * 40},
                "parents": [f"churn/{number - 1}"] if number > 1 else [],
                "tags": {"team": "growth"},
                "message": "monthly",
            },
        )
    api.write("PUT", "/models/churn/aliases/champion", {"to": 2})
    for number in (2, 3):
        api.write(
            "POST",
            f"/models/churn/versions/{number}/transition",
            {"stage": "Production", "archive_existing": True},
        )
    api.write("POST", "/models/churn/rollback", {"stage": "Production"})
    api.write("POST", "/models", {"name": "fraud", "owners": ["ada@example.com"], "description": "Cards"})
    return api


@pytest.fixture
def command(place: Path) -> Callable[..., Any]:
    """What a command prints with ``--json``."""

    def run(*args: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "gitreg", "--registry", str(place), *args, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    return run
