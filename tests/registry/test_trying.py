"""What the rules would say of a promotion that nobody has made, told as the promotion itself is judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.people import Person, person


@pytest.fixture
def ann(tmp_path: Path) -> Person:
    """Somebody whose key the registry knows; Production asks for signed commits, by way of Staging."""
    made = person("ann", tmp_path)
    made.work.mkdir()
    made.gitreg("init", ".")
    made.edit("gitreg.yaml", "  - Production\n", "  - {name: Production, from: [Staging], signed: true}\n")
    made.write("keys/allowed_signers", f"{made.email} {made.public_key}\n")
    made.commit("rules")
    made.gitreg("register", "churn", "s3://models/churn/1")
    made.gitreg("transition", "churn/1", "Staging")
    return made


def test_a_signature_to_come_is_told_as_it_will_be(ann: Person) -> None:
    move = ("transition", "churn/1", "Production")
    for config, passes, said in (
        ((("commit.gpgSign", "false"),), False, "it would not be signed"),
        ((("commit.gpgSign", "true"), ("user.signingKey", "")), False, "no key is chosen"),
        ((("user.signingKey", str(ann.home / "key.pub")),), True, "signed by who made it"),
        ((("user.email", "bob@example.com"),), False, "names bob@example.com as its author"),
        ((("user.email", ann.email),), True, "signed by who made it"),
    ):
        ann.configure(*config)
        assert said in ann.gitreg("policy", "test", "churn/1", "Production", code=0 if passes else 1).out
        ann.gitreg(*move, "--dry-run", code=0 if passes else 5)
    ann.gitreg(*move)


def test_a_commit_that_is_not_made_is_not_named(ann: Person) -> None:
    ann.configure(("commit.gpgSign", "false"))
    said = ann.gitreg("transition", "churn/1", "Production", code=5).words
    assert "the commit by ann@example.com: it is not signed" in said and "--amend" not in said


def test_one_that_holds_the_stage_already(ann: Person) -> None:
    told = json.loads(ann.gitreg("policy", "test", "churn/1", "staging", "--json").out)
    assert told == {
        "model": "churn",
        "version": 1,
        "stage": "Staging",
        "incumbent": 1,
        "passed": True,
        "rules": [],
    }
    assert "churn/1 is in Staging already" in ann.gitreg("policy", "test", "churn/latest", "staging").out


def test_a_stage_that_others_come_from_stays(ann: Person) -> None:
    said = ann.gitreg("config", "stages", "Production,Archived", code=4).words
    assert "versions come to Production from Staging" in said
