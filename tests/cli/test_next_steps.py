"""The next command that messages name: one that works, by the rules that stand."""

from __future__ import annotations

import pytest

from tests.cli.conftest import git
from tests.cli.test_cli_output import terminal

ASKED = """\
stages:
  - name: Staging
    approvals: {count: 1, approvers: [bob@example.com]}
  - name: Production
    exclusive: true
    from: [Staging]
    approvals: {count: 1, approvers: [bob@example.com]}
    rollback_approvals: 1
  - name: Archived
"""


@pytest.fixture
def churn_of_a_team(churn, run):
    """The model churn, of which version 2 took Production from version 1; now moves need approvals."""
    run("transition", "churn/2", "Production", "--archive-existing")
    settings = churn / "gitreg.yaml"
    kept = settings.read_text().partition("stages:\n")[0]
    settings.write_text(kept + ASKED)
    git(churn, "commit", "-qam", "rules")
    return churn


def test_after_a_registration(churn_of_a_team, run):
    shown = terminal("register", "churn", "s3://x")[1]
    assert "next: gitreg promote churn/3 Staging" in shown
    clone = churn_of_a_team.with_name("clone")
    git(churn_of_a_team, "clone", "-q", str(churn_of_a_team), str(clone))
    shown = terminal("--registry", str(clone), "register", "churn", "s3://y")[1]
    assert "main follows origin/main: git push shares this commit" in shown
    assert "next: git push, then gitreg promote churn/4 Staging" in shown


def test_after_a_promotion(churn_of_a_team, run):
    assert "next: gitreg approvals churn/2 Staging" in terminal("promote", "churn/2", "Staging")[1]
    assert "next: gitreg merge churn/2 Archived" in terminal("promote", "churn/2", "Archived")[1]


def test_what_must_be_proposed_first(churn_of_a_team, run):
    run("register", "churn", "s3://x")
    said = run("policy", "test", "churn/3", "Production", code=1).out
    assert "gitreg promote churn/3 Staging first" in said


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_rollback_that_must_be_proposed(churn_of_a_team, run, more):
    said = run("rollback", "churn", "Production", *more, code=5).err
    again = said.partition("help: propose it: ")[2].strip()
    assert again == "gitreg rollback churn Production --to 1 --propose"
    assert "Proposed" in run(*again.split()[1:]).out


def test_a_stage_that_is_emptied(churn_of_a_team, run):
    said = "warning: churn/2 holds Production: no version will after this\n"
    assert run("delete", "churn/2", "--dry-run").err.startswith(said)
    assert run("unassign", "churn/2", "Production").err == said
    assert run("unassign", "churn/1", "Archived").err == ""


def test_a_rollback_after_a_version_was_taken_out(churn, run):
    run("transition", "churn/2", "Production", "--archive-existing")
    run("unassign", "churn/2", "Production")
    result = run("rollback", "churn", "Production")
    assert result.out.startswith("Gave Production of churn back to version 2")
    again = result.err.strip().rpartition(": ")[2]
    assert again == "gitreg rollback churn Production --to 1"
    assert "version 2 is the one that was taken out of Production last" in result.err
    assert "version 1" in run(*again.split()[1:]).out


def test_a_bare_registry(tmp_path):
    shown = terminal("init", "--bare", str(tmp_path / "r.git"))[1]
    assert "r.git hooks install --server --proposals" in shown
