"""The stores under test, each with a clock that moves on by one second for each time that it is asked."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .collecting import STORES, describe

START = 1_760_000_000_000


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.mlflow)
        item.add_marker(pytest.mark.filterwarnings("ignore:.*stage.*:FutureWarning"))
        describe(item, len(ours))


class Clock:
    """Milliseconds since 1970; each question moves it on."""

    def __init__(self) -> None:
        self.now = START

    def millis(self) -> int:
        self.now += 1000
        return self.now

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.millis() / 1000, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's empty database: to make one takes seconds, to copy it none."""
    import logging

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    place = tmp_path_factory.mktemp("oracle") / "empty.db"
    store = SqlAlchemyStore(f"sqlite:///{place}")
    store.engine.dispose()
    return place


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Which store the test runs on."""
    return str(request.param)


@pytest.fixture
def is_gitreg(kind: str) -> bool:
    return kind == "gitreg"


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, in memory where the system has one there: every write to either store is durable."""
    memory = Path("/dev/shm")
    made = tempfile.mkdtemp(prefix="gitreg-test-", dir=memory if os.access(memory, os.W_OK) else None)
    yield Path(made)
    shutil.rmtree(made, ignore_errors=True)  # a thread of MLflow's may be taking its journal away just now


@pytest.fixture(scope="session")
def tracking(empty_database: Path) -> str:
    """Runs and logged models: in one database for all tests, since to open one takes longer than any test."""
    place = empty_database.with_name("tracking.db")
    shutil.copyfile(empty_database, place)
    from mlflow.tracking import MlflowClient

    # Who opens it first decides where artifacts lie: below the folder that is the current one then.
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.parent)
        MlflowClient(tracking_uri=f"sqlite:///{place}", registry_uri=f"sqlite:///{place}")
    return f"sqlite:///{place}"


@pytest.fixture
def uris(kind: str, folder: Path, empty_database: Path, tracking: str) -> tuple[str, str]:
    """The tracking and the registry URI."""
    if kind == "gitreg":
        return tracking, _gitreg_uri(folder / "registry")
    shutil.copyfile(empty_database, folder / "mlflow.db")
    return tracking, f"sqlite:///{folder / 'mlflow.db'}"


def _gitreg_uri(folder: Path) -> str:
    from gitreg.domain.settings import Settings
    from gitreg.registry.create import create

    create(folder, settings=Settings(), branch=None, env=os.environ, now=datetime.now(UTC))
    return f"gitreg+file://{folder}"


@pytest.fixture
def store(kind: str, uris: tuple[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The store, as ``MlflowClient`` gets it from MLflow's own table of stores."""
    import mlflow
    from mlflow.store.model_registry import sqlalchemy_store
    from mlflow.tracking import MlflowClient

    tracking, registry = uris
    mlflow.set_tracking_uri(tracking)
    mlflow.set_registry_uri(registry)
    monkeypatch.setattr(sqlalchemy_store, "get_current_time_millis", clock.millis)
    if kind == "gitreg":
        from gitreg.mlflow import plugin

        monkeypatch.setattr(plugin, "Facade", partial(plugin.Facade, clock=clock.utc))
    client = MlflowClient(tracking_uri=tracking, registry_uri=registry)
    found = client._get_registry_client().store
    yield found
    if kind == "gitreg":
        found.facade.close()
    else:
        found.engine.dispose()
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


@pytest.fixture
def client(uris: tuple[str, str], store: Any) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uris[0], registry_uri=uris[1])


@pytest.fixture
def model(client: Any) -> str:
    """A registered model without versions: ``fraud``."""
    client.create_registered_model("fraud")
    return "fraud"


@pytest.fixture
def three(client: Any, model: str) -> str:
    """A model with three versions."""
    for number in range(1, 4):
        client.create_model_version(model, f"s3://bucket/{number}", run_id=f"{number:032x}")
    return model


@pytest.fixture
def told(record_property: Any, request: pytest.FixtureRequest) -> Any:
    """Notes gitreg's error for the compatibility page."""

    def note(messages: list[str]) -> None:
        record_property("told", messages[0])

    return note
