"""The commits that make a change are signed by their authors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitreg.domain.settings import Stage
from gitreg.errors import InvalidManifests
from gitreg.policy.context import CommitSignature, Judgement
from gitreg.policy.rules.signed import judge
from gitreg.signing.signers import Signers
from tests.policy.making import entering, material, version

COMMIT = "0123456789abcdef0123456789abcdef01234567"
STAGE = Stage(name="Production", signed=True)


def said(*signatures: CommitSignature) -> Judgement:
    (found,) = judge(entering(version(), STAGE), material(signatures=signatures))
    return found


def commit(author: str = "ann@example.com", **rest: object) -> CommitSignature:
    return replace(CommitSignature(commit=COMMIT, author=author), **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one",
    [
        commit(signer=("@ml/reviewers", "ann@example.com")),
        commit("Ann@Example.com", signer=("ann@example.com",)),
        commit(merge=True),
    ],
)
def test_signed(one: CommitSignature) -> None:
    found = said(one)
    assert (found.rule, found.passed, found.message) == ("signed", True, "signed by who made it")


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (commit(fault="it is not signed"), "the commit 0123456789 by ann@example.com: it is not signed"),
        (
            commit(signer=("bob@example.com",)),
            "the commit 0123456789 names ann@example.com as its author, and is signed by bob@example.com",
        ),
        (
            commit("u\u017fer@example.com", signer=("user@example.com",)),
            "the commit 0123456789 names u\u017fer@example.com as its author, and is signed by user@example.com",
        ),
        (commit(), "the commit 0123456789 names ann@example.com as its author, and is signed by a stranger"),
        (
            commit(fault="the key SHA256:x is nobody's", merge=True),
            "the commit 0123456789 by ann@example.com: the key SHA256:x is nobody's",
        ),
    ],
)
def test_F09_F10_not_signed_by_its_author(one: CommitSignature, message: str) -> None:
    found = said(commit(signer=("ann@example.com",)), one)
    assert (found.passed, found.code, found.message) == (False, "GR207", message)
    assert found.path == "models/churn/versions/12.yaml"
    assert "commit.gpgSign" in found.help


def test_a_commit_that_is_not_made_yet() -> None:
    assert said(replace(commit(fault="it is not signed"), commit="")).message.startswith("the commit by ann")


def test_nothing_to_look_at_is_not_signed() -> None:
    assert not said().passed


def test_keys_that_cannot_be_read() -> None:
    def unreadable() -> list[CommitSignature]:
        Signers.parse(b"ann@example.com AAAA\n")
        raise AssertionError

    with pytest.raises(InvalidManifests):
        unreadable()
    (found,) = judge(entering(version(), STAGE), replace(material(), signatures=unreadable))
    assert (found.passed, found.code) == (False, "GR207")
    assert found.message.startswith("the keys can't be read (keys/allowed_signers:1")


def test_a_stage_that_asks_for_none() -> None:
    assert list(judge(entering(version(), Stage(name="Staging")), material())) == []
