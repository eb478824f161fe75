"""``gitreg approve`` and ``gitreg approvals``: what they answer, whose key they take, where they write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.registry.team import BRANCH, FOLDER, RULES, Original, Team, built, with_rules
from tests.servers.people import Person, person

YES = ("approve", "churn/2", "Production", "--yes")
BOBS = f"{FOLDER}/bob%40example.com.sig"


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original.of(tmp_path_factory.mktemp("approve"), 1)


@pytest.fixture
def team(once: Original) -> Team:
    """churn/2 is proposed; one of Bob and Carol must approve."""
    return once.again()


@pytest.fixture
def number(team: Team) -> Team:
    """The same, pushed to ``refs/for/main``: proposal 1."""
    team.ann.git("checkout", "-q", BRANCH)
    team.ann.run("git", "push", "origin", "-o", "topic=better", "HEAD:refs/for/main")
    return team


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A real agent that holds nothing yet: the variables that lead to it."""
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    told = dict(part.split("=", 1) for part in said.replace("\n", "").split(";") if "=" in part)
    yield {"SSH_AUTH_SOCK": told["SSH_AUTH_SOCK"]}
    subprocess.run(["ssh-agent", "-k"], env={**os.environ, **told}, capture_output=True, check=False)


def unconfigured(who: Person) -> None:
    """Take away what their Git says of keys."""
    who.run("git", "config", "--global", "--unset", "user.signingKey", at=who.home)
    who.run("git", "config", "--global", "--unset", "gpg.format", at=who.home)


def test_both_answer_in_json(team: Team) -> None:
    told = json.loads(team.bob.gitreg(*YES, "-m", "Looks right", "--json").out)
    assert told["branch"] == BRANCH and told["warnings"] == []
    assert told["commit"] == team.server.git("rev-parse", BRANCH)
    (one,) = told["approvals"]
    assert (one["path"], one["approver"], one["number"]) == (BOBS, "bob@example.com", 1)
    (change,) = told["changes"]
    assert (change["event"], change["version"], change["stage"]) == ("approve", 2, "Production")
    (asked,) = json.loads(team.bob.gitreg("approvals", "churn/2", "Production", "--json").out)
    (given,) = asked["given"]
    assert (asked["needed"], given["approver"], given["at"]) == (1, "bob@example.com", one["at"])
    again = json.loads(team.bob.gitreg(*YES, "--json").out)
    assert again["commit"] is None and again["approvals"] == []
    assert team.server.git("rev-parse", BRANCH) == told["commit"]


@pytest.mark.parametrize(("days", "counted"), [(3, 3), (300, 30)])
def test_it_is_good_for_as_many_days_as_asked_and_allowed(team: Team, days: int, counted: int) -> None:
    (one,) = json.loads(team.bob.gitreg(*YES, "--valid-days", str(days), "--json").out)["approvals"]
    at, until = (datetime.fromisoformat(one[key]) for key in ("at", "expires"))
    assert until - at == timedelta(days=counted)
    assert team.verdict() == []


def test_F11_a_key_outside_its_dates(tmp_path: Path) -> None:
    team = built(tmp_path, 1, 'bob@example.com valid-before="20200101Z" {bob}\n')
    before = team.server.git("for-each-ref"), team.bob.git("for-each-ref", "refs/heads", "refs/gitreg")
    said = team.bob.gitreg(*YES, code=5).words
    assert "would not count" in said and "was valid only before 2020-01-01" in said
    after = team.server.git("for-each-ref"), team.bob.git("for-each-ref", "refs/heads", "refs/gitreg")
    assert after == before


def test_F22_it_counts_for_one_assignment_alone(team: Team) -> None:
    team.bob.gitreg(*YES)
    team.carol.gitreg("merge", "churn/2", "Production")
    ann = team.ann
    ann.git("pull", "-q", "--ff-only")
    ann.gitreg("unassign", "churn/2", "Production")
    ann.git("push", "-q", "origin", "main")
    ann.gitreg("promote", "churn/2", "Production")
    assert team.verdict() == ["churn/2 → Production: 0 of 1 approval"], "that of number 1 lies beside it"
    (one,) = json.loads(team.bob.gitreg(*YES, "--json").out)["approvals"]
    assert one["number"] == 2 and "/Production/2/" in one["path"]
    assert team.verdict() == []


class TestNumbered:
    def test_what_was_just_given_is_seen_without_a_fetch(self, number: Team) -> None:
        bob = number.bob
        bob.gitreg("approve", "1", "--yes")
        assert "bob@example.com\tapproved" in bob.gitreg("approvals", "1").out
        assert BOBS in number.server.git("ls-tree", "-r", "--name-only", "refs/proposals/1/head")

    def test_an_update_of_what_moved_is_refused_by_the_server(self, number: Team) -> None:
        """Without it the second of two approvers would take the first one's approval away."""
        stale = number.server.git("rev-parse", "refs/proposals/1/head")
        number.bob.gitreg("approve", "1", "--yes")
        now = number.server.git("rev-parse", "refs/proposals/1/head")
        assert now != stale
        push = ("git", "push", "origin", "-o", "topic=better")
        said = number.ann.run(*push, "-o", f"expected={stale}", "HEAD:refs/for/main", code=1).words
        assert "stale info: the proposal is another one by now" in said
        assert number.server.git("rev-parse", "refs/proposals/1/head") == now
        said = number.ann.run(
            "git",
            "push",
            "origin",
            "-o",
            "topic=new",
            "-o",
            f"expected={stale}",
            "HEAD:refs/for/main",
            code=1,
        ).words
        assert "stale info" in said, "what was withdrawn meanwhile is not made anew"
        number.ann.run(*push, "-o", f"expected={now}", "HEAD:refs/for/main")

    def test_without_a_remote_it_is_added_here(self, number: Team) -> None:
        bob = number.bob
        bob.git("fetch", "-q", "origin", "refs/proposals/*:refs/proposals/*")
        bob.git("remote", "remove", "origin")
        bob.gitreg("approve", "1", "--yes")
        assert BOBS in bob.git("ls-tree", "-r", "--name-only", "refs/proposals/1/head")
        assert bob.git("for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"


class TestTheBranchHere:
    def test_it_comes_along(self, team: Team) -> None:
        bob = team.bob
        bob.git("fetch", "-q")
        bob.git("checkout", "-q", BRANCH)
        bob.gitreg(*YES)
        assert bob.git("rev-parse", "HEAD") == team.server.git("rev-parse", BRANCH)
        assert (bob.work / BOBS).is_file() and bob.git("status", "--porcelain") == ""

    def test_what_can_not_come_along_is_told_and_sent_all_the_same(self, team: Team) -> None:
        bob = team.bob
        bob.git("fetch", "-q")
        bob.git("worktree", "add", "-q", "-b", BRANCH, "../other", f"origin/{BRANCH}")
        said = bob.gitreg(*YES)
        assert "Approved" in said.out and "here is behind now" in said.err
        assert team.verdict() == []

    def test_one_that_nobody_else_has_is_told(self, team: Team) -> None:
        bob = team.bob
        bob.git("fetch", "-q")
        bob.git("branch", "gitreg/mine", f"origin/{BRANCH}")
        assert "gitreg/mine is not on origin" in bob.gitreg("approve", "gitreg/mine", "--yes").err
        assert BOBS in bob.git("ls-tree", "-r", "--name-only", "gitreg/mine")
        assert BOBS not in team.server.git("ls-tree", "-r", "--name-only", BRANCH)


class TestKeys:
    def test_of_those_in_the_agent_the_listed_one_signs(
        self, team: Team, agent: dict[str, str], tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
        bob = replace(team.bob, more=agent)
        for key in (other, bob.home / "key"):
            bob.run("ssh-add", "-q", str(key), at=bob.home)
        (bob.home / "key").unlink()
        unconfigured(bob)
        bob.gitreg(*YES)
        assert team.verdict() == []

    def test_one_of_the_home_signs(self, team: Team) -> None:
        bob = team.bob
        unconfigured(bob)
        said = bob.gitreg(*YES, code=5).words
        assert "no SSH key" in said and "--key FILE" in said
        (bob.home / ".ssh").mkdir()
        shutil.copy(bob.home / "key", bob.home / ".ssh/id_ed25519")
        bob.gitreg(*YES)
        assert team.verdict() == []

    def test_the_program_that_the_user_has_set_signs(self, team: Team, tmp_path: Path) -> None:
        own = tmp_path / "own-keygen"
        own.write_text(f'#!/bin/sh\necho "$@" >> \'{tmp_path}/asked\'\nexec ssh-keygen "$@"\n')
        own.chmod(0o755)
        team.bob.configure(("gpg.ssh.program", str(own)))
        team.bob.gitreg(*YES)
        assert "-n gitreg-approval@v1" in (tmp_path / "asked").read_text()

    def test_a_clone_names_no_program(self, team: Team) -> None:
        bob = team.bob
        trap = bob.work / "trap"
        trap.write_text(f"#!/bin/sh\ntouch '{bob.home}/sprung'\nexit 1\n")
        trap.chmod(0o755)
        for key in ("gpg.ssh.program", "gpg.ssh.defaultKeyCommand"):
            bob.git("config", key, str(trap))
        bob.gitreg(*YES)
        assert not (bob.home / "sprung").exists()

    def test_a_wrong_passphrase_signs_nothing(self, team: Team, tmp_path: Path) -> None:
        bob = team.bob
        bob.run("ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(bob.home / "key"), at=bob.home)
        before = team.server.git("for-each-ref")
        for answer, code in (("wrong", 5), ("secret", 0)):
            ask = tmp_path / answer
            ask.write_text(f"#!/bin/sh\necho {answer}\n")
            ask.chmod(0o755)
            asked = replace(
                bob, more={"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":"}
            )
            said = asked.gitreg(*YES, code=code).words
            assert code == 0 or ("passphrase" in said and team.server.git("for-each-ref") == before)
        assert team.verdict() == []


def test_an_older_approval_of_the_rules_that_does_not_count_is_no_hindrance(team: Team) -> None:
    carol, bob = team.carol, team.bob
    carol.git("fetch", "-q")
    carol.git("checkout", "-q", BRANCH)
    carol.edit("gitreg.yaml", "valid_days: 30", "valid_days: 20")
    carol.commit("and other rules")
    carol.git("push", "-q", "origin", BRANCH)
    told = json.loads(bob.gitreg("approve", BRANCH, "--policy", "--yes", "--json").out)["approvals"]
    (rules,) = (each["path"] for each in told if "policy" in each)
    bob.git("fetch", "-q")
    bob.git("checkout", "-q", BRANCH)
    bob.git("rm", "-q", BOBS)
    bob.edit(rules, "AAAA", "BBBB")
    bob.git("commit", "-q", "-a", "--amend", "--no-edit")
    bob.git("push", "-q", "--force", "origin", BRANCH)
    assert any("0 of 1 approval; bob@example.com does not count" in each for each in team.verdict())
    bob.gitreg("approve", BRANCH, "--yes")
    assert not any("Production" in each for each in team.verdict()), "what Bob approved now counts"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_registry_in_a_folder_of_a_repository_without_a_remote(tmp_path: Path, algorithm: str) -> None:
    ann, bob = person("ann", tmp_path), person("bob", tmp_path)
    ann.work.mkdir()
    ann.git("init", "-q", f"--object-format={algorithm}")
    ann.gitreg("init", "sub")
    ann, bob = (replace(each, work=ann.work / "sub") for each in (ann, bob))
    for version in (1, 2):
        ann.gitreg("register", "churn", f"s3://models/churn/{version}")
    ann.write("gitreg.yaml", with_rules((ann.work / "gitreg.yaml").read_text(), RULES.format(count=1)))
    ann.write("keys/allowed_signers", "".join(f"{each.email} {each.public_key}\n" for each in (ann, bob)))
    ann.commit("rules")
    ann.gitreg("promote", "churn/2", "Production")
    assert "1 missing" in bob.gitreg("approvals", "churn/2", "Production", code=1).out
    bob.gitreg(*YES)
    branch = BRANCH.replace("gitreg/", "gitreg/in/sub/", 1)
    assert f"sub/{BOBS}" in ann.git("ls-tree", "-r", "--name-only", "--full-tree", branch)
    assert "bob@example.com\tapproved" in bob.gitreg("approvals", branch).out
    bob.gitreg("merge", "churn/2", "Production", "--mode", "squash")
    ann.gitreg("verify", "--all")


def test_help_tells_of_both(team: Team) -> None:
    for command in ("approve", "approvals"):
        assert "NAME/VERSION | BRANCH | NUMBER" in team.bob.gitreg(command, "--help").out
