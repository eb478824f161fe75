"""What MLflow's clients may send that no registry should swallow: refused in MLflow's words, nothing changed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.domain.settings import Settings
from gitreg.mlflow import store_uri
from gitreg.mlflow.errors import MlflowError
from gitreg.mlflow.facade import Facade
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create

LONE = "\ud800"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    create(tmp_path / "r", settings=Settings(), branch=None, env=os.environ, now=utc_now())
    return tmp_path / "r"


@pytest.fixture
def facade(place: Path) -> Iterator[Facade]:
    """A facade over one model with three versions; whatever the test does, no commit is added."""
    made = Facade(place)
    made.create_registered_model("churn")
    for number in range(3):
        made.create_model_version("churn", f"s3://churn/{number}")
    before = git(place, "rev-parse", "HEAD")
    yield made
    made.close()
    assert git(place, "rev-parse", "HEAD") == before
    assert git(place, "status", "--porcelain") == ""


def git(place: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(place), *args], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "place_in_order",
    [[10**30, "churn", 1], [LONE, "churn", 1], [None, "churn", 1], [True, "churn", 1], ["x"], {}],
)
def test_G05_a_forged_place_in_a_page_token_is_passed_over(facade: Facade, place_in_order: object) -> None:
    first = facade.search_model_versions(max_results=1)
    told = json.loads(base64.b64decode(first.token or ""))
    forged = base64.b64encode(json.dumps({**told, "place": place_in_order}).encode()).decode()
    page = facade.search_model_versions(max_results=1, page_token=forged)
    assert [version.version for version in page] == [2]  # as MLflow's own tokens: by the offset


@pytest.mark.parametrize(
    "filter_string",
    ["version_number = " + "9" * 5_000, f"name = '{LONE}'", f"tags.`{LONE}` = 'x'", "name = 'x' OR 1 = 1"],
)
def test_G01_a_filter_that_nothing_can_hold(facade: Facade, filter_string: str) -> None:
    with pytest.raises(MlflowError) as caught:
        facade.search_model_versions(filter_string)
    assert caught.value.code == "INVALID_PARAMETER_VALUE"


def test_A04_a_name_that_is_not_utf8(facade: Facade) -> None:
    for call in (facade.get_registered_model, facade.create_registered_model, facade.delete_registered_model):
        with pytest.raises(MlflowError) as caught:
            call(f"{LONE}x")
        assert caught.value.code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "given",
    [
        {"source": "https://user:secret1@host/x"},
        {"source": "s3://host/x", "run_link": "https://user:secret1@host/"},
        {"source": "s3://host/x", "artifact_uri": "ftp://user:secret1@host/x"},
    ],
)
def test_D04_no_password_is_committed(facade: Facade, place: Path, given: dict[str, str]) -> None:
    with pytest.raises(MlflowError) as caught:
        facade.create_model_version("churn", **given)
    assert caught.value.code == "INVALID_PARAMETER_VALUE"
    assert "secret1" not in caught.value.message
    assert "secret1" not in git(place, "log", "-p", "--all")


@pytest.mark.parametrize("at", ["nope", "2999-01-01", "1999-01-01"])
def test_the_past_that_is_not_there_is_told_without_words_of_the_command_line(place: Path, at: str) -> None:
    facade = Facade(place, at=at)
    with pytest.raises(MlflowError) as caught:
        facade.search_registered_models()
    assert caught.value.message.startswith("at: ")
    facade.close()


def test_a_store_uri_says_where_and_how() -> None:
    assert store_uri.read("gitreg+file:///srv/a%20b") == store_uri.StoreUri(place=Path("/srv/a b"))
    found = store_uri.read("gitreg:///srv/m?at=2026-01-15&propose=yes")
    assert found == store_uri.StoreUri(place=Path("/srv/m"), at="2026-01-15", propose=True)
    assert not store_uri.read("gitreg+file:///srv/m?propose=0").propose


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("gitreg+file:models", "not absolute"),
        ("gitreg+file://./models", "not absolute"),
        ("gitreg+file://host/models", "not absolute"),
        ("gitreg+file:///models#x", "not absolute"),
        ("gitreg+file:///models?att=2026", "'att' is no option"),
        ("gitreg+file:///models?at=", "'at' has no value"),
        ("gitreg+file:///models?propose=2", "neither yes nor no"),
    ],
)
def test_a_store_uri_that_is_none(uri: str, says: str) -> None:
    with pytest.raises(MlflowError, match=says) as caught:
        store_uri.read(uri)
    assert caught.value.code == "INVALID_PARAMETER_VALUE"
