"""A service works on the registry's own branch, whatever is checked out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitreg.domain.settings import Settings
from gitreg.errors import NotARegistry
from gitreg.mlflow.errors import MlflowError
from gitreg.mlflow.facade import Facade
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry


def git(place: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(place), *args], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A registry with one version, and another branch checked out that was looked at."""
    create(tmp_path / "r", settings=Settings(), branch=None, env=os.environ, now=utc_now())
    with open_registry(tmp_path / "r") as registry:
        registry.register("churn", "s3://churn/1")
        git(tmp_path / "r", "switch", "-q", "-c", "feature")
        list(registry.log())
    return tmp_path / "r"


def test_it_writes_to_its_own_branch_and_leaves_the_work_tree(place: Path) -> None:
    before = git(place, "rev-parse", "feature")
    facade = Facade(place)
    assert facade.create_model_version("churn", "s3://churn/2").version == 2
    assert facade.get_model_version("churn", 2).source == "s3://churn/2"
    facade.close()
    assert git(place, "log", "-1", "--format=%s", "main") == "churn: register version 2"
    assert git(place, "rev-parse", "feature") == before
    assert git(place, "status", "--porcelain") == ""
    assert git(place, "tag", "--list", "churn/v2") == "churn/v2"


def test_nothing_seems_rewritten_afterwards(place: Path) -> None:
    facade = Facade(place)
    facade.create_model_version("churn", "s3://churn/2")
    facade.get_model_version("churn", 2)
    facade.close()
    with open_registry(place) as registry:
        assert [entry.commit.subject for entry in registry.log("churn")] == ["churn: register version 1"]
        assert registry.store.index.lost == 0
    again = Facade(place)
    assert again.get_model_version("churn", 2).version == 2
    with again.registry() as inner:
        assert inner.store.index.lost == 0
    again.close()


def test_a_folder_that_is_not_there_is_not_the_registry_above_it(place: Path) -> None:
    with pytest.raises(MlflowError, match="no such folder") as caught:
        Facade(place / "typo").get_registered_model("churn")
    assert isinstance(caught.value.__cause__, NotARegistry)
