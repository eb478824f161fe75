"""What MLflow's grammar can say is answered as MLflow's own SQLite store answers it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.gitstore.repository import Repository
from gitreg.registry.client import Client
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

MODELS = ("churn", "Churn-2", "100% sure", "a_b", "naïve")
VERSIONS: list[tuple[str, str, str | None, dict[str, str]]] = [
    ("churn", "s3://b/1", "r1", {"team": "growth", "my key": "x y"}),
    ("churn", "s3://b/2", None, {"team": "Growth"}),
    ("Churn-2", "s3://B/1", "r2", {}),
    ("a_b", "dbfs:/m", "r1", {"team": "100%", "a.b": "c"}),
    ("churn", "s3://b/1", "R1", {"team": "it's"}),
    ("naïve", "s3://b/ü", None, {"team": "groWTH", "empty": ""}),
    ("a_b", "s3://b/10", "r10", {"my key": "X Y"}),
    ("churn", "s3://b/4", "", {"mlflow.prompt.is_prompt": "false"}),
]

FILTERS = [
    "",
    "name = 'churn'",
    'name = "churn"',
    "name != 'churn'",
    "name LIKE 'c%'",
    "name ILIKE 'c%'",
    "name LIKE '%_b'",
    "name LIKE 'a_b'",
    "name LIKE '100% sure'",
    "name ILIKE '%NAÏVE'",
    "name LIKE '%'",
    "name LIKE ''",
    "name IN ('churn', 'a_b')",
    "name IN ('churn',)",
    "name NOT IN ('churn', 'a_b')",
    "name IN ('churn') and tags.team = 'growth'",
    "tags.team = 'growth'",
    "tag.team = 'growth'",
    "tags.team != 'growth'",
    "tags.team LIKE 'G%'",
    "tags.team ILIKE 'g%'",
    "tags.team ILIKE '%TH'",
    "tags.`my key` = 'x y'",
    "tags.\"my key\" ILIKE 'x%'",
    "tags.`a.b` = 'c'",
    "tags.a.b = 'c'",
    "tags.empty = ''",
    "tags.empty LIKE '%'",
    "tags.missing = 'x'",
    "tags.missing != 'x'",
    "tags.team LIKE '%' AND tags.team != 'growth'",
    "name = 'churn' AND tags.team = 'Growth'",
    "name = 'churn' and name = 'a_b'",
]
VERSION_FILTERS = [
    *FILTERS,
    "run_id = 'r1'",
    "run_id != 'r1'",
    "run_id LIKE 'r1%'",
    "run_id ILIKE 'R1%'",
    "run_id IN ('r1', 'r2')",
    "run_id NOT IN ('r1', 'r2')",
    "run_id = ''",
    "source_path = 's3://b/1'",
    "source_path LIKE 's3://b/1%'",
    "source_path ILIKE '%B/1'",
    "source_path != 's3://b/1'",
    "version_number = 1",
    "version_number = '2'",
    "version_number != 1",
    "version_number > 1 AND version_number <= 3",
    "version_number >= 2 AND name = 'churn'",
    "version_number < -1",
    "attribute.name = 'churn' AND attribute.version_number > 1",
]
BAD = [
    "name",
    "name = ",
    "name = churn",
    "name = 'churn",
    "nmae = 'churn'",
    "(name = 'churn'",
    "name > 'churn'",
    "name = 'churn'; DROP TABLE x",
    "version_number LIKE '1'",
    "version_number = 1.5",
    "version_number = 'x'",
    "name IN ()",
    "tags.team > 'x'",
    "tags.team = 5",
    "run.name = 'x'",
]
VERSION_ORDERS: list[list[str] | None] = [
    None,
    [],
    ["name"],
    ["name DESC"],
    ["version_number ASC", "name desc"],
    ["creation_timestamp DESC"],
    ["last_updated_timestamp"],
    ["last_updated_timestamp DESC", "version_number ASC"],
    ["name ASC", "version_number ASC", "creation_timestamp DESC"],
]
MODEL_ORDERS: list[list[str] | None] = [
    None,
    ["name DESC"],
    ["timestamp DESC"],
    ["timestamp asc", "name DESC"],
    ["last_updated_timestamp"],
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Any]]:
    """Our client and MLflow's store, told the same things at the same times."""
    with pytest.MonkeyPatch.context() as patch:
        yield from _both(tmp_path_factory.mktemp("both"), patch)


def _both(tmp_path: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[Client, Any]]:
    from mlflow.store.model_registry import sqlalchemy_store

    for who in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{who}_NAME", "Ada")
        patch.setenv(f"GIT_{who}_EMAIL", "ada@example.com")
    ticks = itertools.count(1_768_000_000_000, 1000)
    now = [0]
    patch.setattr(sqlalchemy_store, "get_current_time_millis", lambda: now[0])
    theirs = sqlalchemy_store.SqlAlchemyStore(f"sqlite:///{tmp_path}/mlflow.db")
    folder = tmp_path / "registry"
    create(folder, settings=Settings(), branch=None, env=os.environ, now=datetime(2026, 1, 1, tzinfo=UTC))
    store = Store(Repository.discover(folder))
    registry = Registry(store, clock=lambda: datetime.fromtimestamp(now[0] / 1000, UTC))
    ours = Client(registry)

    for name in MODELS:
        now[0] = next(ticks)
        tags = {"team": "growth"} if name == "churn" else {"my key": "x y"} if name == "a_b" else {}
        ours.create_registered_model(name, tags)
        theirs.create_registered_model(name, _tags("RegisteredModelTag", tags))
    for name, source, run_id, tags in VERSIONS:
        now[0] = next(ticks)
        ours.create_model_version(name, source, run_id, tags)
        theirs.create_model_version(name, source, run_id, _tags("ModelVersionTag", tags))
    now[0] = next(ticks)
    ours.delete_model_version("churn", 2)
    theirs.delete_model_version("churn", "2")
    now[0] = next(ticks)
    ours.update_model_version("churn", 1, description="Newer")
    theirs.update_model_version("churn", "1", "Newer")
    now[0] = next(ticks)
    ours.transition_model_version_stage("a_b", 1, "Production")
    theirs.transition_model_version_stage("a_b", "1", "Production", False)
    yield ours, theirs
    registry.close()


def _tags(kind: str, tags: dict[str, str]) -> list[Any]:
    import mlflow.entities.model_registry as entities

    return [getattr(entities, kind)(key, value) for key, value in tags.items()]


def test_the_answers_are_mlflows(both: tuple[Client, Any]) -> None:
    ours, theirs = both
    for text in VERSION_FILTERS:
        for order in VERSION_ORDERS:
            found = [(v.name, v.version) for v in ours.search_model_versions(text, order_by=order)]
            expected = theirs.search_model_versions(text, max_results=100, order_by=order)
            assert found == [(v.name, int(v.version)) for v in expected], (text, order)
    for text in FILTERS:
        for order in MODEL_ORDERS:
            found_models = [m.name for m in ours.search_registered_models(text, order_by=order)]
            expected = theirs.search_registered_models(text, max_results=100, order_by=order)
            assert found_models == [m.name for m in expected], (text, order)

    page = ours.search_model_versions("name LIKE 'c%'", max_results=1, order_by=["name"])
    rest = ours.search_model_versions(
        "name LIKE 'c%'", max_results=9, order_by=["name"], page_token=page.token
    )
    whole = theirs.search_model_versions("name LIKE 'c%'", max_results=9, order_by=["name"])
    assert [v.version for v in page + rest] == [int(v.version) for v in whole]
    assert (len(page), rest.token) == (1, None)


def test_what_mlflow_refuses_is_refused(both: tuple[Client, Any]) -> None:
    from mlflow.exceptions import MlflowException

    ours, theirs = both
    for text in BAD:
        with pytest.raises(MlflowException):
            theirs.search_model_versions(text, max_results=100)
        with pytest.raises(InvalidInput):
            ours.search_model_versions(text)
    for order in (["nmae"], ["name DOWN"], ["name", "name DESC"], ["tags.team"]):
        with pytest.raises(MlflowException):
            theirs.search_model_versions("", max_results=100, order_by=order)
    for order in (["nmae"], ["name DOWN"], ["name", "name DESC"]):
        with pytest.raises(InvalidInput):
            ours.search_model_versions("", order_by=order)
    for size in (0, -1, 200_001):
        with pytest.raises(MlflowException):
            theirs.search_model_versions("", max_results=size)
        with pytest.raises(InvalidInput):
            ours.search_model_versions("", max_results=size)
