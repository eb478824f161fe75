"""Code that a user of MLflow wrote, over the plugin: only the registry's URI is another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitreg.registry.create import create
from tests.mlflow.conftest import Git, needs_mlflow

pytestmark = [pytest.mark.mlflow, needs_mlflow, pytest.mark.xdist_group("mlflow")]

SCRIPT = Path(__file__).with_name("workflow_script.py")
MODEL = "EmailMarketingCampaign"


def test_unchanged_user_code_has_a_git_registry(place: Path, git: Git, tmp_path: Path) -> None:
    before = git(place, "rev-parse", "HEAD").strip()
    done = subprocess.run(
        [sys.executable, SCRIPT, f"gitreg+file://{place}", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    first, second = seen["runs"]
    assert seen["staged"] == [[2, "Staging"]]
    assert set(seen["answers"]) == {
        f"models:/{MODEL}/Production",
        f"models:/{MODEL}@champion",
        f"models:/{MODEL}/1",
    }
    assert all(answer == [0, 1, 0, 1] for answer in seen["answers"].values())
    assert seen["champion"] == [2, second, "Production", {"trained": "again", "validated": "yes"}]
    assert seen["model"] == ["Who opens our letters", {"team": "growth"}, {"champion": 2}]
    assert seen["latest"] == [["Archived", 1], ["Production", 2]]
    assert seen["versions"] == [[1, "Archived", first], [2, "Production", second]]
    assert seen["models"] == [MODEL]

    shape = "%an <%ae>|%s|%(trailers:key=Gitreg-Event,valueonly,separator=%x2C)"
    shape += "|%(trailers:key=Gitreg-Run,valueonly,separator=%x2C)"
    log = git(place, "log", "--reverse", f"--format={shape}", f"{before}..HEAD").splitlines()
    ada = "Ada Lovelace <ada@example.com>"
    assert log == [
        f"{ada}|{MODEL}: register model|register|",
        f"{ada}|{MODEL}: register version 1|register|{first}",
        f"{ada}|{MODEL}: register version 2|register|{second}",
        f"{ada}|{MODEL}: update description of model|update|",
        f"{ada}|{MODEL}: update description of version 1|update|",
        f"{ada}|{MODEL}: tag model with team|tag|",
        f"{ada}|{MODEL}: tag version 2 with validated|tag|",
        f"{ada}|{MODEL}: transition version 1 to Production|transition|",
        f"{ada}|{MODEL}: transition version 2 to Staging|transition|",
        f"{ada}|{MODEL}: transition version 2 to Production (from Staging)|transition,transition|",
        f"{ada}|{MODEL}: point alias champion at version 2|alias|",
        f"{ada}|{MODEL}: point alias challenger at version 1|alias|",
        f"{ada}|{MODEL}: remove alias challenger|alias|",
    ]
    assert set(git(place, "tag").split()) >= {f"{MODEL}/v1", f"{MODEL}/v2", f"{MODEL}/Production/2"}
    assert git(place, "status", "--porcelain") == ""
    git(place, "fsck", "--strict")
    assert_gitreg_says_all_is_well(place)


def assert_gitreg_says_all_is_well(place: Path) -> None:
    """``gitreg check``, and the whole history by ``gitreg verify --all``."""
    for command in (["check"], ["verify", "--all"]):
        done = subprocess.run(
            [sys.executable, "-m", "gitreg", *command], cwd=place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def client_of() -> Any:
    """Makes MLflow clients for a registry's URI; no tracking server is asked."""
    from mlflow import MlflowClient

    def make(registry: str) -> Any:
        return MlflowClient(tracking_uri="sqlite:///:memory:", registry_uri=registry)

    return make


RULES = """\
stages:
  - name: Staging
  - name: Production
    approvals:
      count: 1
      approvers: [grace@example.com]
  - name: Archived
"""


@pytest.fixture
def guarded(place: Path, git: Git) -> Path:
    """The registry, with a rule for Production and a model that may not enter it yet."""
    settings = place / "gitreg.yaml"
    text = settings.read_text()
    head, _, rest = text.partition("stages:\n")
    _, _, tail = rest.partition("  - Archived\n")
    settings.write_text(head + RULES + tail)
    git(place, "commit", "-aqm", "Guard Production")
    return place


def test_a_guarded_stage_says_how_to_propose(guarded: Path, git: Git, client_of: Any) -> None:
    from mlflow.exceptions import MlflowException

    client = client_of(f"gitreg+file://{guarded}")
    client.create_registered_model("churn")
    client.create_model_version("churn", "s3://bucket/churn")
    client.transition_model_version_stage("churn", "1", "Staging")
    before = git(guarded, "rev-parse", "HEAD")
    with pytest.raises(MlflowException) as error:
        client.transition_model_version_stage("churn", "1", "Production")
    assert error.value.error_code == "PERMISSION_DENIED"
    assert error.value.get_http_status_code() == 403
    assert "Production" in error.value.message
    assert "gitreg promote churn/1 Production" in error.value.message
    assert git(guarded, "rev-parse", "HEAD") == before
    assert client.get_model_version("churn", "1").current_stage == "Staging"
    assert not git(guarded, "branch", "--list", "gitreg/*").strip()


def test_with_propose_the_proposal_stands(guarded: Path, git: Git, client_of: Any, caplog: Any) -> None:
    client = client_of(f"gitreg+file://{guarded}?propose=1")
    client.create_registered_model("churn")
    client.create_model_version("churn", "s3://bucket/churn")
    client.transition_model_version_stage("churn", "1", "Staging")  # asks for nothing: done at once
    before = git(guarded, "rev-parse", "HEAD")
    told = client.transition_model_version_stage("churn", "1", "Production")
    assert told.current_stage == "Staging"
    assert git(guarded, "rev-parse", "HEAD") == before
    assert "churn/1 is not in Production yet" in caplog.text
    branch = "gitreg/promote/churn/1/Production"
    assert git(guarded, "branch", "--list", "--format=%(refname:short)", "gitreg/*").split() == [branch]
    shape = "%an|%s|%(trailers:key=Gitreg-Event,valueonly)"
    subject = git(guarded, "log", "-1", f"--format={shape}", branch).strip()
    assert subject == "Ada Lovelace|churn: transition version 1 to Production (from Staging)|transition"
    # Asked again, the same proposal stands.
    client.transition_model_version_stage("churn", "1", "Production")
    assert git(guarded, "rev-list", "--count", f"main..{branch}").strip() == "1"


def test_a_past_date_is_searched_and_never_written(tmp_path: Path, git: Git, client_of: Any) -> None:
    """``?at=``: what was there at the end of that day, and what was not."""
    from mlflow.exceptions import MlflowException

    from gitreg.domain.settings import Settings
    from gitreg.mlflow.facade import Facade

    place = tmp_path / "old"
    first = datetime(2026, 1, 10, 12, tzinfo=UTC)
    create(place, settings=Settings(name="old"), branch=None, env=os.environ, now=first)
    for days, source in ((1, "s3://bucket/one"), (20, "s3://bucket/two")):
        then = first + timedelta(days=days)
        facade = Facade(place, clock=lambda then=then: then)
        if days == 1:
            facade.create_registered_model("churn", [("team", "growth")])
        facade.create_model_version("churn", source)
        stage = "Staging" if days == 1 else "Production"
        facade.transition_model_version_stage("churn", 1, stage, False)
        facade.close()

    now, then, never = (
        client_of(f"gitreg+file://{place}{at}") for at in ("", "?at=2026-01-15", "?at=2026-01-10")
    )
    assert [version.version for version in now.search_model_versions("name = 'churn'")] == [2, 1]
    assert [version.version for version in then.search_model_versions("name = 'churn'")] == [1]
    assert now.get_model_version("churn", "1").current_stage == "Production"
    assert then.get_model_version("churn", "1").current_stage == "Staging"
    assert [version.version for version in then.get_latest_versions("churn", ["Staging"])] == [1]
    assert then.get_latest_versions("churn", ["Production"]) == []
    assert [model.name for model in then.search_registered_models("tags.team = 'growth'")] == ["churn"]
    assert list(never.search_registered_models()) == []
    with pytest.raises(MlflowException) as missing:
        then.get_model_version("churn", "2")
    assert missing.value.error_code == "RESOURCE_DOES_NOT_EXIST"

    before = git(place, "for-each-ref")
    writes = [
        lambda: then.create_registered_model("other"),
        lambda: then.create_model_version("churn", "s3://bucket/three"),
        lambda: then.transition_model_version_stage("churn", "1", "Archived"),
        lambda: then.set_registered_model_alias("churn", "champion", "1"),
        lambda: then.set_model_version_tag("churn", "1", "a", "b"),
        lambda: then.update_registered_model("churn", "new"),
        lambda: then.rename_registered_model("churn", "other"),
        lambda: then.delete_model_version("churn", "1"),
        lambda: then.delete_registered_model("churn"),
    ]
    for write in writes:
        with pytest.raises(MlflowException) as refused:
            write()
        assert "2026-01-15" in refused.value.message
        assert refused.value.error_code != "INTERNAL_ERROR"
    assert git(place, "for-each-ref") == before


def test_a_uri_that_names_no_registry_is_told(tmp_path: Path, client_of: Any) -> None:
    from mlflow.exceptions import MlflowException

    for uri in ("gitreg+file:///", f"gitreg+file://{tmp_path}/nowhere", f"gitreg+file://{tmp_path}?when=now"):
        with pytest.raises(MlflowException) as error:
            client_of(uri).search_registered_models()
        assert uri.partition("?")[0].removeprefix("gitreg+file://") in error.value.message


def test_both_schemes_and_escaped_paths_open(tmp_path: Path, client_of: Any) -> None:
    from gitreg.domain.settings import Settings

    place = tmp_path / "my models ä"
    create(place, settings=Settings(name="m"), branch=None, env=os.environ, now=datetime.now(UTC))
    client_of(place.as_uri().replace("file://", "gitreg://")).create_registered_model("churn")
    found = client_of(place.as_uri().replace("file://", "gitreg+file://")).search_registered_models()
    assert [model.name for model in found] == ["churn"]
