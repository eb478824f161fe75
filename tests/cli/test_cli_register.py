"""``register``: what is typed, what is looked up, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.conftest import git


def test_everything_that_can_be_said_of_a_version(churn, run):
    made = run(
        "register", "churn", "s3://models/churn/3", "--metric", "auc=0.95", "--metric", "n=nan", "--param", "lr=a=b",
        "--tag", "team=growth", "--alias", "champion", "--alias", "new", "--dataset", "train=s3://d/t@abc123",
        "--parent", "churn@champion", "--run-id", "r1", "--code", "https://example.org/x@0123abc", "-d", "third",
        "--version", "3", "--status", "pending_registration", "-m", "why not", "--json",
    ).json  # fmt: skip
    version = made["version"]
    assert version.pop("created") == version.pop("updated")
    assert version == {
        "name": "churn", "version": 3, "source": "s3://models/churn/3", "run_id": "r1",
        "code": {"repository": "https://example.org/x", "commit": "0123abc"},
        "datasets": [{"name": "train", "uri": "s3://d/t", "digest": "abc123"}],
        "parents": ["models:/churn/1"],
        "params": {"lr": "a=b"}, "metrics": {"auc": 0.95, "n": "NaN"}, "stages": {}, "tags": {"team": "growth"},
        "status": "PENDING_REGISTRATION", "description": "third", "aliases": ["champion", "new"],
    }  # fmt: skip
    assert made["tags"] == ["churn/v3"] and made["commit"] == git(churn, "rev-parse", "HEAD")
    assert made["branch"] == git(churn, "branch", "--show-current")
    assert "why not" in git(churn, "log", "-1", "--format=%B")
    assert [change["event"] for change in made["changes"]] == ["alias", "alias", "register"]


def test_the_answer_names_commit_and_tag(registry, run):
    out = run("register", "churn", "s3://x").out
    commit = git(registry, "rev-parse", "--short=10", "HEAD")
    assert out == f"Registered churn/1 (commit {commit}, tag churn/v1)\nCreated the model churn\n"


def test_a_local_folder_is_hashed(registry, run, tmp_path):
    model = tmp_path / "a model"
    model.mkdir()
    (model / "weights.bin").write_bytes(b"1234")
    version = run("register", "m", "../a model", "--json").json["version"]
    assert version["source"] == model.as_uri()
    assert version["artifact"]["size"] == 4
    digest = hashlib.sha256(b"1234").hexdigest()
    assert version["artifact"]["files"] == {"weights.bin": f"sha256:{digest}"}
    assert "artifact" not in run("register", "m", "../a model", "--no-look-up", "--json").json["version"]


def test_a_run_that_cannot_be_looked_up_is_registered_as_given_with_a_warning(registry, run):
    before = sorted(path.name for path in registry.iterdir())
    result = run("register", "m", "runs:/0123456789abcdef/model")
    assert result.err.startswith("warning: ") and "MLFLOW_TRACKING_URI" in result.err
    assert run("resolve", "m/1").out == "runs:/0123456789abcdef/model\n"
    assert sorted({path.name for path in registry.iterdir()} - {"models"}) == sorted(set(before) - {"models"})


def test_warnings_stand_in_the_json_document(registry, run):
    result = run("register", "m", "runs:/0123456789abcdef/model", "--json")
    assert len(result.json["warnings"]) == 1 and result.err == ""


def test_another_branch_than_the_registrys_gets_no_tags(registry, run):
    git(registry, "switch", "-q", "-c", "topic")
    result = run("register", "m", "s3://x")
    assert "warning: committed to topic" in result.err and git(registry, "tag") == ""


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["m"], 2, "SOURCE is missing"),
        ([], 2, "NAME and SOURCE are missing"),
        (
            ["m", "s3://x", "--metric", "auc"],
            2,
            '"auc" holds no "="\n  --> --metric\nhelp: --metric KEY=VALUE',
        ),
        (["m", "s3://x", "--metric", "auc=high"], 2, '"high" is no number\n  --> --metric auc'),
        (["m", "s3://x", "--metric", "auc=1e400"], 2, '"1e400" is too large for a number'),
        (["m", "s3://x", "--metric", "auc=1_000"], 2, "is no number"),
        (["m", "s3://x", "--param", "a=1", "--param", "a=2"], 2, '"a" is given twice'),
        (["m", "s3://x", "--dataset", "=s3://x"], 2, "names no data set"),
        (["m", "s3://x", "--code", "repo@main"], 2, '"main" is no commit id'),
        (["m", "s3://x", "--status", "DONE"], 2, "'DONE' is not one of"),
        (["m", "s3://x", "--one-commit"], 2, "--one-commit belongs to --batch"),
        (["m", "s3://x", "--version", "0"], 3, '"0" is no version number'),
        (["m", "s3://x", "--version", "2"], 4, "2 is not the next version of m"),
        (["m", "s3://x", "--alias", "v3"], 3, '"v3" is reserved'),
        (["m", "s3://x", "--parent", "nosuch/1"], 3, 'there is no registered model "nosuch"'),
        (["a/b", "s3://x"], 3, '"a/b" is no model name'),
        (["", "s3://x"], 3, '"" is no model name: it is blank'),
        (["m", " "], 3, "the source is blank"),
        (["m", "https://user:pw@example.org/x"], 3, "carried a password"),
        (["m", "s3://x", "-m", "a\x1bb"], 3, "the message holds a control character"),
    ],
)
def test_what_is_refused_changes_nothing(registry, run, head, args, code, said):
    before = head()
    result = run("register", *args, code=code)
    assert said in result.err and result.out == ""
    assert "pw" not in result.err
    assert head() == before and git(registry, "status", "--porcelain") == ""


def test_a_dry_run_writes_nothing_and_shows_both_files(registry, run, head):
    before = head()
    result = run("register", "m", "s3://x", "--dry-run")
    assert result.out.startswith(
        "would do: m: register version 1\nwould do: m: register model\n--- /dev/null\n"
    )
    assert "+++ b/models/m/model.yaml" in result.out and "+source: s3://x" in result.out
    assert result.err == "dry run: nothing was written\n"
    assert head() == before and git(registry, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "Größe",
        "@",
        "a@{1}",
        "100%",
        "~^?*[\\",
        "a..b",
        "a.lock",
        ".hidden",
        "a.",
        "CON",
        ".git",
        "-x",
        "HEAD",
        "--help",
    ],
)
def test_odd_names_work_through_every_write(registry, run, name):
    run("register", "--", name, "s3://x")
    for args in (
        ["transition", "--", f"{name}/1", "Staging"],
        ["alias", "--", f"{name}/1", "champion"],
        ["tag", "--", name, "k=v"],
        ["update", "-d", "text", "--", f"{name}/1"],
        ["evaluate", "--metric", "a=1", "--", f"{name}@champion", "test"],
        ["deprecate", "--", f"models:/{name}/Staging"],
        ["delete", "--yes", "--", f"{name}/latest"],
        ["restore", "--", f"{name}/1"],
        ["rename", "--", name, "plain"],
        ["rename", "--", "plain", name],
    ):
        assert run(*args).out
    assert run("resolve", "--", f"{name}/1").out == "s3://x\n"
    assert git(registry, "status", "--porcelain") == ""


def test_a_registration_in_a_sub_folder_of_a_repository(tmp_path, run, monkeypatch):
    git(tmp_path, "init", "-q", "work")
    run("init", str(tmp_path / "work" / "registry"))
    monkeypatch.chdir(tmp_path / "work" / "registry" / "schemas")
    run("register", "m", "s3://x")
    assert Path(tmp_path / "work" / "registry" / "models" / "m" / "versions" / "1.yaml").exists()
