"""A registry with some versions, and people at browsers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitreg.gitstore.objects import Person
from gitreg.registry.open import open_registry
from gitreg.web.app import create as application
from gitreg.web.settings import Settings
from tests.web.actions.visiting import Visitor

ADA = Person(name="Ada Lovelace", email="ada@example.com")

Visit = Callable[..., Visitor]
Log = Callable[..., str]


@pytest.fixture
def seeded(place: Path) -> Path:
    """Ada has registered churn/1 and churn/2; the first is in Production."""
    with open_registry(place, author=ADA) as registry:
        registry.create_model("churn", description="Who leaves", owners=["ml"], tags={"team": "growth"})
        for number in (1, 2):
            registry.register("churn", f"s3://models/churn/{number}", metrics={"auc": 0.9 + number / 100})
        registry.transition("churn/1", "Production")
    return place


@pytest.fixture
def visit(place: Path) -> Visit:
    """Makes browsers of people whom a proxy names; all look at one server."""
    made: dict[str, Any] = {}

    def browser(user: str = "", **settings: Any) -> Visitor:
        if "app" not in made or settings:
            told = {"user_header": "X-Forwarded-User", "email_header": "X-Forwarded-Email"} | settings
            made["app"] = application(Settings(place=place, **told))
        return Visitor(made["app"], user, email=f"{user.lower()}@example.com" if user else "")

    return browser


@pytest.fixture
def ann(seeded: Path, visit: Visit) -> Visitor:
    return visit("Ann")


@pytest.fixture
def newest(place: Path) -> Log:
    """The newest commit, as Git tells it."""

    def told(form: str = "%an <%ae>|%cn|%s", ref: str = "main") -> str:
        command = ["git", "log", "-1", f"--format={form}", ref]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True, env=os.environ)
        return done.stdout.strip()

    return told
