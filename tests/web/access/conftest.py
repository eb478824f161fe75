"""Tokens and grants for the tests of who may do what."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gitreg.gitstore.objects import Person
from gitreg.registry.clock import utc_now
from gitreg.web.access import tokens
from gitreg.web.access.entries import Grant, Token
from gitreg.web.access.store import AccessStore
from gitreg.web.identity import Role
from tests.web.conftest import Asking

API = "/api/2.0/mlflow/"
CREATE = f"{API}registered-models/create"
ELSEWHERE: Mapping[str, Any] = {"loopback": False, "host": "0.0.0.0"}
ANN = Person(name="Ann Lee", email="ann@example.com")

Make = Callable[..., Asking]


class Keys:
    """Makes and takes away tokens and grants of one registry."""

    def __init__(self, place: Path) -> None:
        self.store = AccessStore(place)

    def token(
        self, role: Role = Role.WRITER, *, expires: datetime | None = None, **models: Role
    ) -> tuple[str, str]:
        """The text and the id of a new token of Ann's."""
        text = tokens.new()
        made = Token(
            digest=tokens.digest(text),
            person=ANN,
            role=role,
            created=utc_now(),
            models=models,
            expires=expires,
        )
        self.store.change(lambda access: replace(access, tokens={**access.tokens, made.id: made}))
        return text, made.id

    def bearer(self, role: Role = Role.WRITER, **more: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, **more)[0]}"}

    def revoke(self, ident: str) -> None:
        self.store.change(
            lambda access: replace(
                access, tokens={key: token for key, token in access.tokens.items() if key != ident}
            )
        )

    def grant(self, user: str, role: Role | None = None, **models: Role) -> None:
        made = Grant(user=user, role=role, models=models)
        self.store.change(lambda access: replace(access, grants={**access.grants, user: made}))


@pytest.fixture
def keys(place: Path) -> Keys:
    return Keys(place)


@pytest.fixture
def gitreg(place: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line over the registry."""

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gitreg", "--registry", str(place), *args]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


def message(said: httpx.Response) -> str:
    return str(json.loads(said.text)["message"])
