"""Approvals by command: who may, what is signed, and what does not count (CASES.md, F10 to F17, F22)."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.registry.team import BRANCH, FOLDER, Original, Team, built
from tests.servers.people import Person, person


@pytest.fixture(scope="session")
def one_once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original.of(tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="session")
def two_once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original.of(tmp_path_factory.mktemp("two"), 2)


@pytest.fixture
def team(one_once: Original) -> Team:
    """churn/2 is proposed; one of Bob and Carol must approve."""
    return one_once.again()


@pytest.fixture
def two(two_once: Original) -> Team:
    """The same, and both must."""
    return two_once.again()


def rows(who: Person, code: int) -> list[dict[str, object]]:
    who.git("fetch", "-q")
    found = json.loads(who.gitreg("approvals", "churn/2", "Production", "--json", code=code).out)
    (one,) = found
    return one


def test_F13_it_takes_as_many_as_the_rules_say(two: Team) -> None:
    assert two.verdict() == ["churn/2 → Production: 0 of 2 approvals"]
    two.bob.gitreg("approve", "churn/2", "Production", "--yes", "-m", "Looks right")
    assert two.verdict() == ["churn/2 → Production: 1 of 2 approvals"]
    told = rows(two.carol, 1)
    assert [each["approver"] for each in told["given"]] == ["bob@example.com"] and told["needed"] == 2
    said = two.bob.gitreg("approve", "churn/2", "Production", "--yes").words
    assert "nothing to sign: you have approved churn/2 for Production already" in said
    two.carol.gitreg("approve", BRANCH, "--yes")
    assert two.verdict() == []
    assert len(rows(two.ann, 0)["given"]) == 2


def test_ssh_keygen_agrees(team: Team, tmp_path: Path) -> None:
    team.bob.gitreg("approve", "churn/2", "Production", "--yes", "-m", "Tried on last week")
    team.bob.git("fetch", "-q")
    data = team.bob.run("git", "show", f"origin/{BRANCH}:{FOLDER}/bob%40example.com.sig").out
    statement, begin, rest = data.partition("-----BEGIN SSH SIGNATURE-----")
    (tmp_path / "signature").write_text(begin + rest)
    command = ["ssh-keygen", "-Y", "verify", "-n", "gitreg-approval@v1", "-I", "bob@example.com"]
    command += ["-f", str(team.bob.work / "keys/allowed_signers"), "-s", str(tmp_path / "signature")]
    subprocess.run(command, input=statement.encode(), check=True, capture_output=True)
    told = json.loads(statement)["predicate"]
    assert (told["reason"], told["proposed_by"]) == ("Tried on last week", ["ann@example.com"])
    message = team.bob.git("log", "-1", "--format=%B", f"origin/{BRANCH}")
    assert (
        message.startswith("churn: approve version 2 for Production") and "Gitreg-Event: approve" in message
    )


def test_F14_the_author_does_not_approve(team: Team) -> None:
    before = team.server.git("for-each-ref")
    said = team.ann.gitreg("approve", "churn/2", "Production", "--yes", code=5).words
    assert "would not count" in said
    assert team.server.git("for-each-ref") == before


def test_F14_who_registered_it_does_not_approve_what_another_proposes(team: Team) -> None:
    team.ann.gitreg("withdraw", "churn/2", "Production")
    bob = team.bob
    bob.gitreg("register", "churn", "s3://models/churn/3")
    bob.git("push", "-q", "origin", "main")
    team.carol.gitreg("promote", "churn/3", "Production")
    said = bob.gitreg("approve", "churn/3", "Production", "--yes", code=5).words
    assert "an author can't approve" in said


def test_F10_a_stranger_does_not_approve(team: Team, tmp_path: Path) -> None:
    dave = person("dave", tmp_path, url=team.ann.url).clone()
    said = dave.gitreg("approve", "churn/2", "Production", "--yes", code=5).words
    assert "no key in keys/allowed_signers" in said
    said = dave.gitreg("approve", "churn/2", "Production", "--yes", "--as", "bob@example.com", code=5).words
    assert "would not count" in said and "nobody's" in said


def test_F12_another_namespace(team: Team) -> None:
    bob = team.bob
    bob.gitreg("approve", "churn/2", "Production", "--yes")
    bob.git("checkout", "-q", BRANCH)
    file = bob.work / FOLDER / "bob%40example.com.sig"
    statement = file.read_text().partition("-----BEGIN")[0]
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(bob.home / "key")]
    made = subprocess.run(command, input=statement.encode(), capture_output=True, check=True)
    file.write_bytes(statement.encode() + made.stdout)
    bob.git("commit", "-q", "-a", "--amend", "--no-edit")
    bob.git("push", "-q", "--force", "origin", BRANCH)
    (message,) = team.verdict()
    assert "0 of 1 approval" in message and "the signature is for 'git'" in message


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"version": 2', '"version": 1', "lies in the place of another"),
        ('"stage": "Production"', '"stage": "Staging"', "lies in the place of another"),
    ],
)
def test_F15_an_approval_of_something_else(team: Team, old: str, new: str, why: str) -> None:
    bob = team.bob
    bob.gitreg("approve", "churn/2", "Production", "--yes")
    bob.git("checkout", "-q", BRANCH)
    file = bob.work / FOLDER / "bob%40example.com.sig"
    statement = file.read_text().partition("-----BEGIN")[0]
    assert old in statement
    statement = statement.replace(old, new).replace(
        "models:/churn/2", "models:/churn/1" if "1" in new else "models:/churn/2"
    )
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "gitreg-approval@v1", "-f", str(bob.home / "key")]
    made = subprocess.run(command, input=statement.encode(), capture_output=True, check=True)
    file.write_bytes(statement.encode() + made.stdout)
    bob.git("commit", "-q", "-a", "--amend", "--no-edit")
    bob.git("push", "-q", "--force", "--no-verify", "origin", BRANCH)
    assert any(why in message for message in team.verdict())


def test_F15_an_approval_of_another_registry(team: Team, tmp_path: Path) -> None:
    other = built(tmp_path / "other", 1)
    other.bob.gitreg("approve", "churn/2", "Production", "--yes")
    other.bob.git("checkout", "-q", BRANCH)
    name = f"{FOLDER}/bob%40example.com.sig"
    data = (other.bob.work / name).read_text()
    bob = team.bob
    bob.git("fetch", "-q")
    bob.git("checkout", "-q", BRANCH)
    bob.write(name, data)
    bob.commit("from elsewhere")
    bob.git("push", "-q", "origin", BRANCH)
    (message,) = team.verdict()
    assert "it was given in another registry" in message


def test_F17_a_revoked_approver(team: Team) -> None:
    team.bob.gitreg("approve", "churn/2", "Production", "--yes")
    assert team.verdict() == []
    carol = team.carol
    carol.git("checkout", "-q", "-b", "gitreg/policy/without-bob")
    carol.edit("gitreg.yaml", "bob@example.com, ", "")
    carol.commit("Bob has left")
    carol.git("push", "-q", "origin", "gitreg/policy/without-bob")
    team.bob.gitreg("approve", "gitreg/policy/without-bob", "--policy", "--yes")
    carol.gitreg("merge", "gitreg/policy/without-bob")
    (message,) = team.verdict()
    assert "0 of 1 approval" in message


def test_what_was_signed_is_what_is_promoted(team: Team) -> None:
    """An evaluation that comes after the approval makes another thing of the version."""
    team.bob.gitreg("approve", "churn/2", "Production", "--yes")
    ann = team.ann
    ann.gitreg("evaluate", "churn/2", "holdout", "--metric", "auc=0.1")
    ann.git("push", "-q", "origin", "main")
    ann.git("fetch", "-q")
    found = ann.gitreg("verify", "--proposal", "origin/main", f"origin/{BRANCH}", code=None)
    assert found.code in (1, 4)  # changed on both sides, or approved for what it was
    assert "0 of 1 approval" in found.words or "changed on both sides" in found.words


def test_one_person_with_two_keys_counts_once(tmp_path: Path) -> None:
    second = tmp_path / "second"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(second)], check=True)
    public = " ".join(second.with_suffix(".pub").read_text().split()[:2])
    keys = f"bob@example.com {{bob}}\nbob@example.com,robert@example.com,@ml/reviewers {public}\n"
    keys += "carol@example.com {carol}\n"
    team = built(tmp_path / "team", 2, keys)
    team.bob.gitreg("approve", "churn/2", "Production", "--yes")
    said = team.bob.gitreg(
        "approve", "churn/2", "Production", "--yes", "--as", "robert@example.com", "--key", str(second)
    ).words
    assert "approved churn/2 for Production already" in said
    assert team.verdict() == ["churn/2 → Production: 1 of 2 approvals"]


def test_two_approve_at_the_same_moment(two: Team) -> None:
    """Both see the same head; the second one's push finds another, and is made again on top of it."""
    running = [
        subprocess.Popen(
            ["gitreg", "approve", "churn/2", "Production", "--yes"],
            cwd=who.work,
            env=who.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for who in (two.bob, two.carol)
    ]
    told = [each.communicate(timeout=120)[0] for each in running]
    assert [each.returncode for each in running] == [0, 0], told
    assert two.verdict() == []
    for who in (two.bob, two.carol):
        assert who.git("for-each-ref", "refs/gitreg") == "", "nothing is left of what was made on the way"


def test_a_question_is_asked_where_somebody_can_answer(team: Team) -> None:
    said = team.bob.gitreg("approve", "churn/2", "Production", code=2).words
    assert "--yes" in said and "0 of 1 approval" in said
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        ["gitreg", "approve", "churn/2", "Production"],
        cwd=team.bob.work,
        env={**team.bob.env, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.write(ours, b"n\n")
    assert asked.wait(60) == 130
    os.close(theirs)
    os.close(ours)
    assert team.verdict() == ["churn/2 → Production: 0 of 1 approval"]


def test_a_dry_run_adds_nothing(team: Team) -> None:
    before = team.server.git("for-each-ref"), team.bob.git("for-each-ref", "refs/heads")
    said = team.bob.gitreg("approve", "churn/2", "Production", "--dry-run").words
    assert "Would approve churn/2 for Production as bob@example.com" in said
    assert (team.server.git("for-each-ref"), team.bob.git("for-each-ref", "refs/heads")) == before


def test_what_nobody_proposes_nobody_approves(team: Team) -> None:
    said = team.bob.gitreg("approve", "churn/1", "Production", "--yes", code=3).words
    assert "gitreg promote churn/1 Production" in said


def test_without_a_remote_the_branch_here_gets_it(team: Team, tmp_path: Path) -> None:
    bob = team.bob
    bob.git("fetch", "-q")
    bob.git("branch", BRANCH, f"origin/{BRANCH}")
    bob.git("remote", "remove", "origin")
    bob.gitreg("approve", "churn/2", "Production", "--yes")
    assert json.loads(bob.gitreg("verify", "--proposal", "main", BRANCH, "--json").out)["clean"]
    bob.gitreg("merge", "churn/2", "Production", "--mode", "squash")
    assert "churn/Production/1" in bob.git("tag")
    assert bob.git("log", "-1", "--format=%an") == "Ann", "a squash keeps the proposer's name"


def test_a_key_that_the_agent_holds(team: Team) -> None:
    agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    told = dict(part.split("=", 1) for part in agent.replace("\n", "").split(";") if "=" in part)
    bob = Person(
        **{**{name: getattr(team.bob, name) for name in ("name", "home", "work", "url")}, "more": told}
    )
    try:
        bob.run("ssh-add", "-q", str(bob.home / "key"))
        shutil.move(bob.home / "key", bob.home / "elsewhere")
        bob.gitreg("approve", "churn/2", "Production", "--yes")
        assert team.verdict() == []
    finally:
        subprocess.run(["ssh-agent", "-k"], env={**os.environ, **told}, capture_output=True, check=False)


def test_D04_no_password_is_told(team: Team) -> None:
    bob = team.bob
    bob.git("remote", "set-url", "origin", "https://bob:hunter2@127.0.0.1:9/registry.git")
    said = bob.gitreg("approve", "churn/2", "Production", "--yes", code=7).words
    assert "hunter2" not in said
