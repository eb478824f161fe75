"""A reviewer whose clone is behind: ``review`` and ``approvals`` fetch what is proposed."""

from __future__ import annotations

import pytest

from tests.registry.team import Original


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """Ann has gone on, with a model that Bob's clone does not know, and proposes it."""
    made = Original.of(tmp_path_factory.mktemp("fetched"), 1)
    ann = made.team.ann
    ann.gitreg("register", "fraud", "s3://models/fraud/1")
    ann.git("push", "-q", "origin", "main")
    ann.gitreg("promote", "fraud/1", "Production", "-m", "a first one")
    return made


def test_a_clone_that_is_behind(once: Original) -> None:
    bob = once.team.bob
    assert "fraud: transition version 1 to Production" in bob.gitreg("proposals").out
    for named in (["fraud/1", "Production"], ["fraud/1"]):
        said = bob.gitreg("review", *named)
        assert "gitreg approve fraud/1 Production" in said.out and said.err == ""
    assert "1 missing" in bob.gitreg("approvals", "fraud/1", "Production", code=1).out


def test_the_first_command_of_all(once: Original) -> None:
    carol = once.team.carol
    assert "fraud" in carol.gitreg("review", "fraud/1", "Production", "--offline", code=3).err
    assert "1 missing" in carol.gitreg("approvals", "fraud/1", "Production", code=1).out


def test_a_server_that_is_away(once: Original) -> None:
    team = once.team
    team.bob.gitreg("proposals")
    away = team.server.bare.with_name("away.git")
    team.server.bare.rename(away)
    try:
        said = team.bob.gitreg("review", "fraud/1", "Production")
    finally:
        away.rename(team.server.bare)
    assert "the server was not asked" in said.err and "fraud/1" in said.out


def test_a_number(once: Original) -> None:
    """A server of ours keeps the proposal under a number alone."""
    team = once.team
    branch = "gitreg/promote/fraud/1/Production"
    team.ann.git("push", "-q", "-o", f"topic={branch}", "origin", f"{branch}:refs/for/main")
    team.ann.git("push", "-q", "origin", "--delete", branch)
    for named in (["1"], ["fraud/1", "Production"], ["fraud/1"], [branch]):
        said = team.carol.gitreg("review", *named)
        assert "fraud/1" in said.out and said.err == "", named
        assert "1 missing" in team.carol.gitreg("approvals", *named, code=1).out
    assert "there is no proposal 7" in team.carol.gitreg("review", "7", code=3).err
    team.bob.gitreg("approve", "1", "--yes")
    team.bob.gitreg("merge", "1")
    assert "it was merged: fraud/1 entered Production" in team.carol.gitreg("review", "1").err
    assert "fraud/1 entered Production" in team.carol.gitreg("approvals", "1").out


def test_a_verdict(once: Original) -> None:
    said = once.again().carol.gitreg("verify", "churn/2", "Production", code=1)
    assert "0 of 1 approval" in said.out and said.err.startswith("verified 1 commit")
