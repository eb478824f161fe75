"""``gitreg event`` on real tags: what they stand for, and which of them say something that never was."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitreg.registry import model_tags
from gitreg.registry.event import Events
from gitreg.registry.open import open_registry
from tests.cli_read.conftest import Git, Run

ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


def test_a_registration(filled: Path, run: Run, git: Git) -> None:
    found = run("event", "churn/v1").json
    when = found.pop("time")
    assert when.endswith("Z")
    assert found == {
        "tag": "churn/v1",
        "event": "register",
        "model": "churn",
        "version": 1,
        "stage": None,
        "number": None,
        "from": [],
        "commit": git("rev-parse", "churn/v1^{commit}"),
        "author": ADA,
        "committer": ADA,
        "source": "s3://bucket/churn/1",
        "digest": "sha256:" + "0" * 64,
        "run_id": "r1",
    }


def test_a_stage(filled: Path, run: Run, git: Git) -> None:
    first = run("event", "refs/tags/churn/Production/1").json
    assert (first["event"], first["version"], first["stage"], first["number"]) == (
        "transition",
        2,
        "Production",
        1,
    )
    assert first["previous"] is None
    run("transition", "churn/1", "Staging")
    run("transition", "churn/1", "Production", "--archive-existing")
    second = run("event", "churn/Production/2").json
    assert (second["version"], second["number"], second["from"]) == (1, 2, ["Staging"])
    assert second["source"] == "s3://bucket/churn/1"
    assert second["previous"] == {
        "version": 2,
        "source": "s3://bucket/churn/2",
        "digest": None,
        "run_id": None,
    }
    assert second["commit"] == git("rev-parse", "HEAD")
    # What came later changes nothing about it.
    run("delete", "churn/1", "--yes")
    assert run("event", "churn/Production/2").json == second
    assert run("event", "churn/Archived/1").json["version"] == 2


def test_who_wrote_and_who_merged(filled: Path, run: Run, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    git("switch", "-q", "-c", "mine")
    run("transition", "churn/3", "Production", "--archive-existing")
    git("switch", "-q", "main")
    for key, value in (("NAME", "Grace Hopper"), ("EMAIL", "grace@example.com")):
        monkeypatch.setenv(f"GIT_COMMITTER_{key}", value)
    run("tag", "churn", "seen=yes")
    git("cherry-pick", "mine")
    run("reconcile")
    found = run("event", "churn/Production/2").json
    assert found["author"] == ADA
    assert found["committer"] == {"name": "Grace Hopper", "email": "grace@example.com"}


def test_only_tags_with_the_prefix(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", tmp_path / "reg", "--tag-prefix", "models/")
    monkeypatch.chdir(tmp_path / "reg")
    run("register", "a b", "s3://m/1")
    assert run("event", "models/a%20b/v1").json["model"] == "a b"
    assert "models/NAME/v12 or models/NAME/STAGE/3" in run("event", "a%20b/v1", code=3).err


@pytest.mark.parametrize(
    "ref", ["v1.0", "churn", "churn/v0", "churn/Production/01", "../v1", "refs/heads/main"]
)
def test_no_name_of_a_tag_of_the_registry(filled: Path, run: Run, ref: str) -> None:
    told = run("event", ref, code=3)
    assert "is no name of a tag of this registry" in told.err and told.out == ""


def test_one_that_is_not_there(filled: Path, run: Run) -> None:
    told = run("event", "churn/Production/7", code=3).err
    assert "there is no tag churn/Production/7" in told and "gitreg reconcile" in told


class TestTagsThatTheHistoryDoesNotMake:
    def test_moved(self, filled: Path, run: Run, git: Git) -> None:
        git("tag", "-f", "-a", "-m", "churn version 2 in Production", "churn/Production/1", "churn/v3")
        told = run("event", "churn/Production/1", code=6).err
        assert "GR303" in told and "git tag -d churn/Production/1; gitreg reconcile" in told

    def test_invented(self, filled: Path, run: Run, git: Git) -> None:
        git("tag", "-a", "-m", "x", "churn/Production/9")
        told = run("event", "churn/Production/9", code=6)
        assert "GR305" in told.err and told.out == ""

    def test_lightweight(self, filled: Path, run: Run, git: Git) -> None:
        commit = git("rev-parse", "churn/v1^{commit}")
        git("tag", "-d", "churn/v1")
        git("tag", "churn/v1", commit)
        assert "GR306" in run("event", "churn/v1", code=6).err

    def test_of_a_branch_that_is_not_merged(self, filled: Path, run: Run, git: Git) -> None:
        git("switch", "-q", "-c", "mine")
        run("transition", "churn/3", "Production", "--archive-existing")
        git("tag", "-a", "-m", "churn version 3 in Production", "churn/Production/2")
        assert "GR305" in run("event", "churn/Production/2", code=6).err


def test_a_shallow_clone(filled: Path, tmp_path: Path, run: Run) -> None:
    made = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{filled}", str(made)], check=True)
    assert "GR309" in run("event", "churn/v3", "--registry", made, code=7).err


def test_the_history_of_other_models_is_not_read(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the whole history was read")

    monkeypatch.setattr(model_tags, "commits_between", never)
    with open_registry(filled) as registry:
        seen = []
        feed = model_tags.Feed.changes
        monkeypatch.setattr(
            model_tags.Feed, "changes", lambda self, commit: (seen.append(commit.oid), feed(self, commit))[1]
        )
        assert Events(registry.store).of("fraud/v1")["source"] == "runs:/0123/model"
        assert len(seen) == 1  # of all the commits the one that touches the model
