"""``gitreg log`` names who proposed, approved and merged, whichever way a proposal came to the branch."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.domain.settings import Settings
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry

PEOPLE = {name: f"{name.lower()}@example.com" for name in ("Bob", "Alice", "Carol")}


@contextmanager
def person(name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", name)
            patch.setenv(f"GIT_{role}_EMAIL", PEOPLE[name])
        yield


class Place:
    """A registry with one version, and a branch on which its promotion is proposed and approved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        create(folder, settings=Settings(), branch=None, env=os.environ, now=utc_now())
        with open_registry(folder) as registry:
            registry.register("churn", "s3://bucket/1")
        self.propose("proposal", 1)

    def git(self, *args: str) -> None:
        subprocess.run(["git", *args], cwd=self.folder, check=True, capture_output=True)

    def propose(self, branch: str, number: int) -> None:
        self.git("switch", "-q", "-c", branch)
        with person("Bob"), open_registry(self.folder) as registry:
            registry.transition("churn/1", "Production")
        with person("Alice"):
            self.approve(number)
        self.git("switch", "-q", "main")

    def approve(self, number: int) -> None:
        path = self.folder / f"approvals/churn/1/Production/{number}/alice%40example.com.sig"
        path.parent.mkdir(parents=True)
        statement = json.dumps({"predicate": {"proposed_by": ["bob@example.com"]}})
        path.write_text(f"{statement}\n-----BEGIN SSH SIGNATURE-----\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "churn: approve version 1 for Production")

    def merge(self, how: str, branch: str = "proposal") -> None:
        # Main goes on meanwhile, so that nothing is a fast-forward.
        with open_registry(self.folder) as registry:
            registry.register("fraud", "s3://bucket/2")
        with person("Carol"):
            match how:
                case "merge":
                    self.git("merge", "-q", "--no-ff", "--no-edit", branch)
                case "squash":
                    self.git("merge", "-q", "--squash", branch)
                    self.git("commit", "-q", "-m", "Promote churn")
                case "rebase":
                    self.git("switch", "-q", branch)
                    self.git("rebase", "-q", "main")
                    self.git("switch", "-q", "main")
                    self.git("merge", "-q", "--ff-only", branch)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path / "registry")
    monkeypatch.chdir(found.folder)
    return found


def told(capsys: pytest.CaptureFixture[str], *args: str) -> list[dict[str, object]]:
    """The changes that ``gitreg log --json`` tells, newest first."""
    assert app.run(["log", "--json", *args]) == 0
    return [change for entry in json.loads(capsys.readouterr().out) for change in entry["changes"]]


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_who_had_a_hand(place: Place, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    place.merge(how)
    (move,) = [change for change in told(capsys) if change["event"] == "transition"]
    assert move["proposed_by"] == ["bob@example.com"]
    assert move["approved_by"] == ["alice@example.com"]
    assert move["merged_by"] == "carol@example.com"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_in_a_folder_of_a_larger_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    subprocess.run(
        ["git", "init", "-q", "-b", "main", f"--object-format={algorithm}", str(tmp_path)], check=True
    )
    place = Place(tmp_path / "ml models")
    monkeypatch.chdir(place.folder)
    place.merge("merge")
    (move,) = [change for change in told(capsys) if change["event"] == "transition"]
    assert (move["proposed_by"], move["approved_by"]) == (["bob@example.com"], ["alice@example.com"])


def test_a_clone_that_lacks_the_merged_side_still_answers(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.merge("merge")
    shallow = tmp_path / "shallow"
    place.git("clone", "-q", "--depth", "2", f"file://{place.folder}", str(shallow))
    monkeypatch.chdir(shallow)
    (move,) = [change for change in told(capsys) if change["event"] == "transition"]
    assert move["merged_by"] == "carol@example.com"
    assert move["approved_by"] == ["alice@example.com"]


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_an_approval_is_an_event(place: Place, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    place.merge(how)
    (found,) = [change for change in told(capsys, "churn/1") if change["event"] == "approve"]
    assert found == {
        "event": "approve",
        "model": "churn",
        "version": 1,
        "stage": "Production",
        "field": "approvals/churn/1/Production/1/alice%40example.com.sig",
        "before": None,
        "after": {"approver": "alice@example.com", "number": 1, "proposed_by": ["bob@example.com"]},
        "summary": "approve version 1 for Production",
    }


def test_an_approval_of_another_time_is_not_counted(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.merge("squash")
    with open_registry(place.folder) as registry:
        registry.transition("churn/1", "Staging")
        registry.transition("churn/1", "Production")
    again, away, first = [change for change in told(capsys) if change["event"] == "transition"]
    assert "approved_by" not in again, "the second time nobody approved it"
    assert "approved_by" not in away
    assert first["approved_by"] == ["alice@example.com"]


def test_a_write_of_ones_own_names_nobody(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with open_registry(place.folder) as registry:
        registry.transition("churn/1", "Production")
    assert not any("proposed_by" in change for change in told(capsys))


def test_a_squash_is_taken_back_without_its_approval(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.merge("squash")
    assert app.run(["revert", "HEAD"]) == 0
    assert next(place.folder.glob("approvals/**/*.sig")).is_file()
    capsys.readouterr()
    assert app.run(["revert", "HEAD~1:2"]) == 4
    assert "approvals are only ever added to" in capsys.readouterr().err
