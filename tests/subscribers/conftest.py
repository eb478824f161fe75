"""A registry, a receiver, and a courier whose clock stands still unless it is told to go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitreg.domain.settings import Settings
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from gitreg.registry.service import ServiceStore
from gitreg.subscribers import setting_up
from gitreg.subscribers.courier import Courier
from gitreg.subscribers.posting import Patience
from gitreg.subscribers.webhook import Webhook
from tests.githooks.conftest import alice, first, originals, server  # noqa: F401 (fixtures)
from tests.subscribers.receiving import Receiver, receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def place(tmp_path: Path, own_home: Path) -> Path:
    path = tmp_path / "models"
    create(path, settings=Settings(name="models"), branch=None, env=os.environ, now=utc_now())
    return path


@pytest.fixture
def registry(place: Path) -> Iterator[Registry]:
    with open_registry(place) as found:
        found.register("churn", "s3://models/churn/1", metrics={"auc": 0.9})
        yield found


@pytest.fixture(name="receiver")
def a_receiver() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


Add = Callable[..., Webhook]


@pytest.fixture
def add(place: Path, registry: Registry, receiver: Receiver) -> Add:
    """Set up a webhook to the receiver; it is told of what comes after."""

    def added(name: str = "deploy", **wish: Any) -> Webhook:
        wish = {"url": receiver.url, "secret": SECRET, "allow_private": True, "allow_http": True, **wish}
        with ServiceStore(Repository.discover(place)) as store:
            return setting_up.add(store, setting_up.Wish(name=name, **wish), utc_now()).webhook

    return added


@pytest.fixture
def courier(place: Path, clock: Clock) -> Courier:
    return Courier(
        Repository.discover(place), clock=clock, jitter=lambda: 0.5, patience=Patience(connect=2.0, whole=2.0)
    )
