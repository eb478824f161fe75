"""``gitreg export mlflow``, and the way there and back: equal in every field that both hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import gitreg
from tests.importers.conftest import Run, Store, mlflow_env, needs_mlflow
from tests.importers.fill_store import CHURN, PASSWORD, PROMPT, UNICODE
from tests.mlflow.webserver import mlflow_server

pytestmark = [needs_mlflow, pytest.mark.mlflow]

CONFLICT, LEFT_BEHIND = 4, 3
_PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"


def entities(uri: str) -> tuple[dict[str, dict[str, Any]], dict[tuple[str, str], dict[str, Any]]]:
    """Every model and version of a store as MLflow's client gives it, prompts too, field by field."""
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    models, versions = {}, {}
    for kind in ("", _PROMPTS):
        for model in client.search_registered_models(filter_string=kind or None):
            models[model.name] = {key: value for key, value in model if key != "latest_versions"}
            models[model.name]["latest"] = {(v.current_stage, v.version) for v in model.latest_versions}
        for version in client.search_model_versions(filter_string=kind or None):
            plain = "mlflow.prompt.is_prompt" not in version.tags  # a prompt is no model to these two calls
            whole = client.get_model_version(version.name, version.version) if plain else version
            found = versions[version.name, version.version] = dict(whole)
            if plain:
                found["download"] = client.get_model_version_download_uri(version.name, version.version)
    return models, versions


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which MLflow has made its tables, which takes it seconds."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    uri = f"sqlite:///{path}"
    MlflowClient(tracking_uri=uri, registry_uri=uri).search_registered_models()
    return path


@pytest.fixture
def back(empty: Path, tmp_path: Path) -> str:
    """A store without models."""
    return f"sqlite:///{shutil.copy(empty, tmp_path / 'back.db')}"


@pytest.fixture
def imported(run: Run, store: Store) -> None:
    run("import", "mlflow", store.uri, code=LEFT_BEHIND)


@pytest.mark.usefixtures("imported")
def test_there_and_back_every_field_is_equal(run: Run, store: Store, back: str) -> None:
    run("export", "mlflow", back)
    models, versions = entities(store.uri)
    models_back, versions_back = entities(back)

    # What a registry in Git has no place for, or must not keep.
    del models["fraud"], versions["fraud", 1]  # the twin of "Fraud"
    versions[CHURN, 2]["user_id"] = None
    for key in ("source", "download"):
        versions[CHURN, 6][key] = versions[CHURN, 6][key].replace(f"ada:{PASSWORD}@", "")
    # A logged model's artifacts are found in the store that has it, which the new one has not.
    versions[CHURN, 5]["download"] = versions[CHURN, 5]["source"]

    assert models_back == models
    assert versions_back == versions
    fields = set(models[CHURN]) | set(versions[CHURN, 1])
    assert {"creation_timestamp", "last_updated_timestamp", "aliases", "tags", "run_link", "status"} <= fields


@pytest.mark.usefixtures("imported")
def test_numbers_go_on_after_those_that_were_deleted(run: Run, back: str) -> None:
    run("delete", f"{CHURN}/8", "--yes")
    run("export", "mlflow", back)
    client = MlflowClient(back, back)
    assert sorted(v.version for v in client.search_model_versions(f"name = '{CHURN}'")) == [1, 2, 4, 5, 6, 7]
    assert client.create_model_version(CHURN, "s3://new", await_creation_for=0).version == 9


@pytest.mark.usefixtures("imported")
class TestAgain:
    def test_what_is_equal_is_passed_over(self, run: Run, back: str) -> None:
        first = run("export", "mlflow", back, "--json").json
        assert (first["models"], first["versions"], first["stages"], first["aliases"]) == (6, 12, 3, 3)
        before = entities(back)
        second = run("export", "mlflow", back, "--json").json
        assert (second["models"], second["versions"], second["seen"], second["remarks"]) == (0, 0, 12, [])
        assert entities(back) == before

    def test_what_differs_is_a_conflict_and_stays(self, run: Run, back: str) -> None:
        client = MlflowClient(back, back)
        client.create_registered_model(CHURN, description="Another one.")
        document = run("export", "mlflow", back, "--json", code=CONFLICT).json
        conflicts = [r["model"] for r in document["remarks"] if r["kind"] == "conflict"]
        assert (conflicts, document["models"]) == ([CHURN], 5)
        assert client.get_registered_model(CHURN).description == "Another one."
        assert not client.search_model_versions(f"name = '{CHURN}'")

    def test_back_into_the_store_that_it_came_from(self, run: Run, store: Store) -> None:
        before = entities(store.uri)
        document = run("export", "mlflow", store.uri, "--json", code=CONFLICT).json
        # The password is the one thing in which churn differs.
        assert [r["model"] for r in document["remarks"]] == [CHURN]
        assert entities(store.uri) == before

    def test_half_done_it_is_made_anew(self, run: Run, back: str) -> None:
        command = [sys.executable, "-m", "gitreg", "export", "mlflow", back, "--models", CHURN]
        client = MlflowClient(back, back)
        client.create_registered_model(CHURN, tags={"gitreg.export": "unfinished"})
        client.create_model_version(CHURN, "s3://half", await_creation_for=0)
        run(*command[3:])
        models, versions = entities(back)
        assert models[CHURN]["tags"] == {"team": "risk", "Größe": "L"}
        assert versions[CHURN, 1]["source"].startswith("runs:/")

    def test_a_dry_run_makes_nothing(self, run: Run, tmp_path: Path) -> None:
        document = run("export", "mlflow", f"sqlite:///{tmp_path}/back.db", "--dry-run", "--json").json
        assert (document["models"], document["versions"], document["stages"]) == (6, 12, 3)
        assert not (tmp_path / "back.db").exists()

    def test_some_models(self, run: Run, back: str) -> None:
        run("export", "mlflow", back, "--models", "K*", "--models", PROMPT)
        assert set(entities(back)[0]) == {UNICODE, PROMPT}


def test_what_mlflow_has_no_place_for_is_told(run: Run, place: Path, back: str) -> None:
    registry = gitreg.open(place)
    registry.register("m", "s3://m/1", metrics={"auc": 0.9}, params={"depth": 3}, parents=["s3://base"])
    registry.evaluate("m/1", "holdout", {"auc": 0.8})
    registry.update("m", owners=["ada"])
    registry.assign("m/1", "Staging")
    registry.assign("m/1", "Production")
    run("config", "stages", "[Staging, Production, Archived, Canary]", code=None)
    document = run("export", "mlflow", back, "--json").json
    told = {remark["what"] for remark in document["remarks"]}
    assert told == {"owners", "metrics", "params", "parents", "evaluations", "stage Staging"}
    version = MlflowClient(back).get_model_version("m", "1")
    assert version.current_stage == "Production"


def test_a_folder_takes_all_but_the_times(run: Run, place: Path, tmp_path: Path) -> None:
    registry = gitreg.open(place)
    registry.register("m", "s3://m/1", description="one")
    registry.register("m", "s3://m/2")
    registry.alias("m/2", "champion")
    target = tmp_path / "files"
    target.mkdir()
    document = run("export", "mlflow", str(target), "--json").json
    assert [(r["model"], r["what"]) for r in document["remarks"]] == [("m", "times")]
    assert run("export", "mlflow", str(target), "--json").json["remarks"] == []
    script = (
        "import mlflow, sys; c = mlflow.MlflowClient(registry_uri=sys.argv[1]);"
        "v = c.get_model_version_by_alias('m', 'champion'); print(v.version, v.source)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, target.as_uri()],
        env=mlflow_env(MLFLOW_TRACKING_URI=target.as_uri()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["2", "s3://m/2"]


def test_tables_that_are_not_as_expected_are_not_written(run: Run, place: Path, back: str) -> None:
    gitreg.open(place).register("m", "s3://m/1")
    there = Store(uri=back, ids={})
    with there.database() as database:
        database.execute("ALTER TABLE model_versions RENAME COLUMN status_message TO message")
    result = run("export", "mlflow", back, code=7)
    assert "the tables are not as expected: model_versions has no status_message" in result.err
    with there.database() as database:
        assert database.execute("SELECT count(*) FROM registered_models").fetchone() == (0,)


def test_a_server_gets_all_models_with_their_gaps(run: Run, place: Path, tmp_path: Path) -> None:
    with gitreg.open(place) as registry:
        for name in ("aaa", "bbb", "ccc"):
            for number in (1, 2, 3):
                registry.register(name, f"s3://models/{name}/{number}")
        registry.delete("bbb/2")
    folder = tmp_path / "server"
    folder.mkdir()
    with mlflow_server(folder, f"sqlite:///{folder}/mlflow.db", workers=1) as address:
        run("export", "mlflow", address)
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        numbers = {
            name: sorted(int(version.version) for version in client.search_model_versions(f"name = '{name}'"))
            for name in ("aaa", "bbb", "ccc")
        }
        tags = client.get_registered_model("bbb").tags
    assert numbers == {"aaa": [1, 2, 3], "bbb": [1, 3], "ccc": [1, 2, 3]}
    assert "gitreg.export" not in tags
