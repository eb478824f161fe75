"""A proposal that is made anew keeps the approvals that count for it as it is now."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.registry.team import BRANCH, FOLDER, Original, Team

YES = ("approve", "churn/2", "Production", "--yes")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original.of(tmp_path_factory.mktemp("kept"), 1)


@pytest.fixture
def team(once: Original) -> Team:
    """churn/2 is proposed, and approved by Bob."""
    made = once.again()
    made.bob.gitreg(*YES, "-m", "Looks right")
    return made


def again(team: Team, *more: str) -> Any:
    return json.loads(team.ann.gitreg("promote", "churn/2", "Production", "--json", *more).out)


def elsewhere(team: Team) -> None:
    """Main goes on by what has nothing to do with it."""
    team.ann.gitreg("register", "fraud", "s3://models/fraud/1")
    team.ann.git("push", "-q", "origin", "main")


def test_main_moved(team: Team) -> None:
    server = team.server
    elsewhere(team)
    said = again(team)
    assert said["warnings"] == [
        "approved as before by bob@example.com: that counts for the proposal made anew, too"
    ]
    assert said["proposal"]["approvals"][0]["given"] == 1
    assert said["commit"] == server.git("rev-parse", BRANCH)
    lines = server.git("log", "--format=%an|%cn|%s", f"main..{BRANCH}").splitlines()
    assert lines[0] == "Bob|Ann|churn: approve version 2 for Production" and len(lines) == 2
    assert "Looks right" in server.git("log", "-1", "--format=%B", BRANCH)
    assert team.verdict() == []
    assert not again(team)["proposal"]["made"], "nothing more to do"
    team.bob.gitreg("merge", "churn/2", "Production")


def test_another_took_the_stage(team: Team) -> None:
    ann, bob = team.ann, team.bob
    ann.gitreg("promote", "churn/1", "Production")
    bob.gitreg("approve", "churn/1", "Production", "--yes")
    bob.gitreg("merge", "churn/1", "Production")
    (said,) = again(team, "--archive-existing")["warnings"]
    assert said.startswith("the approval of bob@example.com does not count any more: it is for assignment 1")
    assert said.endswith("; to give it again: gitreg approve churn/2 Production")
    assert FOLDER not in team.server.git("ls-tree", "-r", "--name-only", BRANCH)
    assert "0 of 1 approval" in team.verdict()[0]


def test_whose_commits_must_be_signed_by_their_authors(team: Team) -> None:
    ann = team.ann
    ann.git("pull", "-q")
    ann.edit("gitreg.yaml", "  - name: Production\n", "  - name: Production\n    signed: true\n")
    ann.commit("rules")
    team.server.git(
        "config", "core.hooksPath", "/dev/null"
    )  # what is asked of such a change is told elsewhere
    ann.git("push", "-q", "origin", "main")
    team.server.git("config", "--unset", "core.hooksPath")
    ann.configure(("commit.gpgSign", "true"))
    (said,) = again(team)["warnings"]
    assert "the rules of the stage were others when it was signed" in said
    team.bob.configure(("commit.gpgSign", "true"))
    team.bob.gitreg(*YES)
    elsewhere(team)
    (said,) = again(team)["warnings"]
    assert said.startswith("approved as before by bob@example.com")
    assert team.server.git("log", "-1", "--format=%an", BRANCH) == "Ann", "who could sign it"
    assert team.verdict() == []
