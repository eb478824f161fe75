"""A registry for the server, and the application without a server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gitreg.domain.settings import Settings as RegistrySettings
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.web.app import create as application
from gitreg.web.settings import Settings
from tests.web import looping
from tests.web.serving import Served, served

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

Git = Callable[..., str]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "models"
    create(path, settings=RegistrySettings(name="models"), branch=None, env=os.environ, now=utc_now())
    return path


@pytest.fixture
def server(place: Path) -> Iterator[Served]:
    with served(place) as found:
        yield found


@pytest.fixture
def git(place: Path) -> Git:
    def run(*args: str) -> str:
        return subprocess.run(
            ["git", *args], cwd=place, capture_output=True, text=True, check=True
        ).stdout.strip()

    return run


class Asking:
    """Requests to the application itself, from any peer."""

    def __init__(self, place: Path, **settings: Any) -> None:
        self.app = application(Settings(place=place, **settings))

    async def _ask(self, peer: str, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(peer, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            return await client.request(method, path, **more)

    def __call__(self, method: str, path: str, *, peer: str = "127.0.0.1", **more: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            return await self._ask(peer, method, path, **more)

        return looping.run(once)

    def create(self, name: str = "churn", **more: Any) -> httpx.Response:
        return self("POST", "/api/2.0/mlflow/registered-models/create", json={"name": name}, **more)


@pytest.fixture
def asking(place: Path) -> Callable[..., Asking]:
    return lambda **settings: Asking(place, **settings)
