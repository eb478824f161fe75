"""What is said of a proposal after it was merged."""

from __future__ import annotations

import json

import pytest

from tests.registry.team import BRANCH, Original, Team


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original.of(tmp_path_factory.mktemp("merged"), 1)


@pytest.fixture
def team(once: Original) -> Team:
    """churn/2 is proposed by Ann and approved by Bob."""
    made = once.again()
    made.bob.gitreg("approve", "churn/2", "Production", "--yes")
    return made


@pytest.mark.parametrize("mode", ["merge", "squash"])
def test_a_branch_that_is_left_here(team: Team, mode: str) -> None:
    team.bob.gitreg("merge", "churn/2", "Production", "--mode", mode)
    said = team.ann.gitreg("review", "churn/2", "Production")
    assert "it was merged: churn/2 entered Production in commit " in said.err
    assert "approved by bob@example.com, merged by Bob)" in said.err
    last = said.err.splitlines()[-1]
    assert last.endswith(f"git branch -D {BRANCH}")
    team.ann.run(*last.partition(": ")[2].split())
    said = team.ann.gitreg("review", "churn/2", "Production", code=3)
    assert "it is there already" in said.err and "gitreg approvals churn/2 Production" in said.err


@pytest.mark.parametrize("mode", ["merge", "squash", "rebase"])
def test_the_approvals_as_they_counted(team: Team, mode: str) -> None:
    team.bob.gitreg("merge", "churn/2", "Production", "--mode", mode)
    carol = team.carol
    key = team.bob.run("ssh-keygen", "-lf", str(team.bob.home / "key.pub")).out.split()[1]
    for named in (["churn/2", "Production"], ["churn/Production/1"], [BRANCH]):
        said = carol.gitreg("approvals", *named).out
        assert said.startswith("churn/2 entered Production in commit ")
        row = said.splitlines()[-1].split("\t")
        assert row[:3] == ["churn/2 Production", "bob@example.com", "approved"]
        assert row[-1] == key
        (told,) = json.loads(carol.gitreg("approvals", *named, "--json").out)
        assert (told["number"], told["needed"], len(told["given"])) == (1, 1, 1)
        assert told["commit"] in said or told["commit"][:10] in said
        assert told["keys"] == {"bob@example.com": key}
    assert "there is no assignment 2" in carol.gitreg("approvals", "churn/Production/2", code=3).err


def test_what_was_never_given(team: Team) -> None:
    for named in (["churn/1", "Production"], ["churn/9", "Production"], ["nothing"], ["churn/QA/1"]):
        said = team.carol.gitreg("approvals", *named, code=3).err
        assert "help: " in said
