"""A second import: only what is new, whatever became of the first; and what is taken by something else."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

import gitreg
from gitreg.importers.mlflow.values import moment
from tests.importers.conftest import Run, Store, mlflow_env, needs_mlflow
from tests.importers.fill_store import CHURN

pytestmark = [needs_mlflow, pytest.mark.mlflow]

CONFLICT, LEFT_BEHIND = 4, 3


@pytest.fixture
def again(run: Run, store: Store, place: Path) -> Callable[..., dict]:
    """Import churn once; the fixture does it again and gives the report."""
    run("import", "mlflow", store.uri, "--models", CHURN)

    def call(*more: str, code: int = 0) -> dict:
        return run("import", "mlflow", store.uri, "--models", CHURN, "--json", *more, code=code).json

    return call


@pytest.fixture
def client(store: Store) -> MlflowClient:
    return MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)


def test_nothing_new_is_no_commit(again: Callable[..., dict], git: Callable[..., str]) -> None:
    before = git("rev-parse", "HEAD")
    document = again()
    assert (document["commits"], document["commit"], document["seen"]) == (0, None, 7)
    assert document["remarks"] == []
    assert git("rev-parse", "HEAD") == before


def test_only_what_is_new_comes(
    again: Callable[..., dict], client: MlflowClient, git: Callable[..., str], place: Path
) -> None:
    new = client.create_model_version(CHURN, "s3://models/churn/9", await_creation_for=0)
    moved = client.transition_model_version_stage(CHURN, "7", "Production", archive_existing_versions=True)
    client.update_model_version(CHURN, "1", "The very first.")
    client.update_registered_model(CHURN, "Who leaves, and when.")
    client.set_registered_model_alias(CHURN, "champion", "7")
    client.set_model_version_tag(CHURN, "2", "seen", "again")
    client.set_registered_model_tag(CHURN, "team", "growth")
    document = again()
    assert [document[what] for what in ("models", "versions", "stages", "aliases", "changed")] == [
        0,
        1,
        2,
        1,
        4,
    ]
    assert document["commits"] == 8
    registry = gitreg.open(place)
    seven = registry.version(f"{CHURN}/Production")
    assert (seven.version, seven.stages["Production"]) == (7, moment(moved.last_updated_timestamp))
    assert list(registry.version(f"{CHURN}/4").stages) == ["Archived"]
    assert registry.version(f"{CHURN}/1").description == "The very first."
    assert registry.model(CHURN).description == "Who leaves, and when."
    assert registry.model(CHURN).tags["team"] == "growth"
    assert registry.model(CHURN).aliases["champion"] == 7
    assert registry.version(f"{CHURN}/2").tags == {"seen": "again"}
    assert registry.version(f"{CHURN}/9").created == moment(new.creation_timestamp)
    assert again()["commits"] == 0


def test_a_change_back_to_no_stage(again: Callable[..., dict], client: MlflowClient, place: Path) -> None:
    client.transition_model_version_stage(CHURN, "7", "None")
    assert again()["stages"] == 1
    assert not gitreg.open(place).version(f"{CHURN}/7").stages


def test_what_was_changed_here_since_stays(again: Callable[..., dict], run: Run, place: Path) -> None:
    run("transition", f"{CHURN}/7", "Production")
    run("update", f"{CHURN}/1", "--description", "Ours.")
    run("delete", f"{CHURN}/2", "--yes")
    document = again()
    assert document["commits"] == 0
    kept = {(tuple(r["versions"]), r.get("what", "")): r["reason"] for r in document["remarks"]}
    assert kept == {
        ((7,), "stage"): "it was changed here since",
        ((1,), "description"): "it was changed here since",
        ((2,), ""): "it was deleted here",
    }
    assert list(gitreg.open(place).version(f"{CHURN}/7").stages) == ["Production"]


def test_deletions_in_mlflow_are_told_not_carried(
    again: Callable[..., dict], client: MlflowClient, place: Path
) -> None:
    client.delete_model_version(CHURN, "4")
    document = again()
    assert document["commits"] == 0
    told = {(tuple(r["versions"]), r.get("what", "")) for r in document["remarks"]}
    assert told == {((4,), ""), ((4,), "alias champion")}
    assert gitreg.open(place).version(f"{CHURN}@champion").version == 4


def test_a_number_that_is_taken_leaves_the_model_out_and_no_other(
    run: Run, store: Store, place: Path
) -> None:
    run("register", CHURN, "s3://ours/1")
    run("register", CHURN, "s3://ours/2")
    document = run("import", "mlflow", store.uri, "--json", code=CONFLICT).json
    conflicts = [r for r in document["remarks"] if r["kind"] == "conflict"]
    assert [(r["model"], r["versions"]) for r in conflicts] == [(CHURN, [1, 2])]
    registry = gitreg.open(place)
    assert [v.version for v in registry.versions(CHURN)] == [2, 1]
    assert registry.model(CHURN).description == ""
    assert registry.versions("Fraud")
    assert run("import", "mlflow", store.uri, "--json", code=CONFLICT).json["commits"] == 0


def test_a_model_that_was_deleted_here_is_a_conflict(again: Callable[..., dict], run: Run) -> None:
    run("delete", CHURN, "--yes")
    document = again(code=CONFLICT)
    assert [(r["kind"], r["reason"]) for r in document["remarks"]] == [("conflict", "it was deleted here")]
    assert document["commits"] == 0


def test_stages_that_ask_for_more_are_not_entered(run: Run, store: Store, place: Path) -> None:
    settings = place / "gitreg.yaml"
    text = (
        settings.read_text()
        .replace("- Staging\n", "- name: Staging\n    exclusive: true\n")
        .replace("- Production\n", "- name: Production\n    requires: [lineage]\n")
    )
    settings.write_text(text)
    subprocess.run(["git", "commit", "-qam", "rules"], cwd=place, check=True)
    document = run("import", "mlflow", store.uri, "--models", CHURN, "--json").json
    reasons = {tuple(r["versions"]): r["reason"] for r in document["remarks"] if r.get("what") == "stage"}
    assert reasons == {(4,): f"Production has rules: gitreg promote {CHURN}/VERSION Production proposes it"}
    assert not gitreg.open(place).version(f"{CHURN}/4").stages
    assert "no findings" in run("verify", "--all").err


def test_a_stage_that_one_version_holds_goes_to_the_last_that_entered_it(
    run: Run, store: Store, place: Path
) -> None:
    MlflowClient(store.uri, store.uri).transition_model_version_stage(CHURN, "1", "Staging")
    settings = place / "gitreg.yaml"
    settings.write_text(settings.read_text().replace("- Staging\n", "- name: Staging\n    exclusive: true\n"))
    subprocess.run(["git", "commit", "-qam", "rules"], cwd=place, check=True)
    options = ("import", "mlflow", store.uri, "--models", CHURN, "--json")
    document = run(*options).json
    assert [r["versions"] for r in document["remarks"] if r.get("what") == "stage"] == [[7]]
    assert [v.version for v in gitreg.open(place).at().holders("Staging")] == [1]
    assert run(*options).json["commits"] == 0
    assert [v.version for v in gitreg.open(place).at().holders("Staging")] == [1]


def test_killed_in_the_middle_it_goes_on(
    run: Run, store: Store, place: Path, git: Callable[..., str]
) -> None:
    many = 5_000
    with store.database() as database:
        database.execute("INSERT INTO registered_models (name, creation_time) VALUES ('many', 1700000000000)")
        database.executemany(
            "INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage,"
            " source, status) VALUES ('many', ?, ?, ?, ?, ?, 'READY')",
            (
                (
                    n,
                    1700000000000 + n,
                    1700000000000 + 2 * n,
                    "None" if n % 100 else "Archived",
                    f"s3://m/{n}",
                )
                for n in range(1, many + 1)
            ),
        )
    command = [sys.executable, "-m", "gitreg", "import", "mlflow", store.uri, "--models", "many"]
    before = git("rev-parse", "HEAD")
    importing = subprocess.Popen(command, cwd=place, env=mlflow_env())
    while importing.poll() is None and git("rev-parse", "HEAD") == before:
        pass
    importing.send_signal(signal.SIGKILL)
    assert importing.wait() == -signal.SIGKILL
    come = int(git("rev-list", "--count", "HEAD"))
    assert 1_000 < come < many
    document = run("import", "mlflow", store.uri, "--models", "many", "--json").json
    assert document["remarks"] == []
    assert document["commits"] + come == 1 + 1 + many + many // 100
    versions = gitreg.open(place).versions("many")
    assert len(versions) == many
    assert sum("Archived" in v.stages for v in versions) == many // 100
    assert len(git("tag", "--list", "many/v*").split()) == many
    assert "no findings" in run("check").err
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("options", [(), ("--squash",)])
def test_a_version_that_does_not_fit_stays_behind_alone(
    run: Run, store: Store, place: Path, options: tuple[str, ...]
) -> None:
    with store.database() as database:
        database.execute(
            "UPDATE model_versions SET description = ? WHERE name = 'churn' AND version = 4",
            ("x" * 1_100_000,),
        )
    command = ("import", "mlflow", store.uri, "--models", CHURN, "--json", *options)
    document = run(*command, code=LEFT_BEHIND).json
    skipped = [r for r in document["remarks"] if r["kind"] == "skipped"]
    assert [(r["model"], r["versions"]) for r in skipped] == [(CHURN, [4])]
    assert document["versions"] == 6
    assert [v.version for v in gitreg.open(place).versions(CHURN)] == [8, 7, 6, 5, 2, 1]
    assert "no findings" in run("verify", "--all").err
