"""The rules change only with the approvals that they ask for themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gitreg.domain.approval import PolicyApproval
from gitreg.domain.settings import Approvals, PolicySettings, Settings
from gitreg.policy.context import ApprovalFile, CommitSignature, Judgement, PolicyChange
from gitreg.policy.enforce import judge_policy
from tests.policy.making import DAY, NOW, ROOT, line, material, signed

Key = Callable[[str], Path]
ASKED = Approvals(count=1, approvers=("ann@example.com",))
CHANGE = PolicyChange(
    before="1" * 64,
    after="2" * 64,
    paths=("gates/a.json", "gitreg.yaml"),
    rules=Settings(policy=PolicySettings(approvals=ASKED)),
    authors=frozenset({"ada@example.com"}),
)


def by(name: str, key_of: Key, **other: Any) -> ApprovalFile:
    told: dict[str, Any] = {
        "registry": ROOT,
        "before": CHANGE.before,
        "after": CHANGE.after,
        "proposed_by": ("ada@example.com",),
        "approver": f"{name}@example.com",
        "at": NOW - DAY,
        "expires": NOW + DAY,
    }
    return signed(PolicyApproval(**(told | other)), key_of(f"ed25519:{name}"))


def people(key_of: Key) -> str:
    return "".join(line(f"{name}@example.com", key_of(f"ed25519:{name}")) for name in ("ann", "bob", "ada"))


def said(change: PolicyChange, key_of: Key, **more: Any) -> Judgement:
    (found,) = judge_policy(change, material(signers=people(key_of), **more))
    assert found.rule == "policy"
    return found


def test_F16_nobody_lowers_the_bar_alone(key_of: Key) -> None:
    found = said(CHANGE, key_of)
    assert (found.passed, found.code, found.path) == (False, "GR208", "gates/a.json")
    assert found.message == "gates/a.json, gitreg.yaml changed with 0 of 1 approval"
    assert found.help.endswith("--policy, by ann@example.com")
    assert ": git push origin HEAD:refs/heads/gitreg/rules/22222222; " in found.help
    own = replace(CHANGE, approvals=(by("ada", key_of),), rules=_asking(approvers=("ada@example.com",)))
    assert "an author can't approve" in said(own, key_of).message


def test_with_the_approvals_that_it_needs(key_of: Key) -> None:
    found = said(replace(CHANGE, approvals=(by("ann", key_of),)), key_of)
    assert (found.passed, found.message) == (True, "gates/a.json, gitreg.yaml changed with 1 of 1 approval")
    assert found.detail == {
        "needed": 1,
        "present": [{"approver": "ann@example.com", "at": NOW - DAY, "expires": NOW + DAY}],
        "refused": [],
        "authors": ["ada@example.com"],
        "before": CHANGE.before,
        "after": CHANGE.after,
    }


def test_F15_of_another_change_or_registry(key_of: Key) -> None:
    for other, why in (
        ({"after": "3" * 64}, "it is for other rules than these"),
        ({"before": "3" * 64}, "the rules were others when it was signed"),
        ({"registry": "3" * 40}, "it was given in another registry"),
    ):
        found = said(replace(CHANGE, approvals=(by("ann", key_of, **other),)), key_of)
        assert not found.passed
        assert found.detail["refused"] == [{"approver": "ann@example.com", "reason": why}]


def _asking(**asked: Any) -> Settings:
    return Settings(policy=PolicySettings(approvals=Approvals(**asked)))


def test_an_owner_owns_all_that_changes(key_of: Key) -> None:
    asking = replace(CHANGE, rules=_asking(codeowners=True), approvals=(by("ann", key_of), by("bob", key_of)))
    for text, who in (
        (b"/ml/gates/ ann@example.com\n", []),
        (b"/ml/ bob@example.com\n/ml/gates/ ann@example.com bob@example.com\n", ["bob@example.com"]),
        (b"/gates/ ann@example.com\n/gitreg.yaml ann@example.com\n", []),
    ):
        found = said(asking, key_of, codeowners=("github", text), prefix="ml/")
        assert [each["approver"] for each in found.detail["present"]] == who, text
    itself = replace(asking, paths=(".github/CODEOWNERS",))
    found = said(itself, key_of, codeowners=("github", b"/.github/ ann@example.com\n"), prefix="ml/")
    assert found.passed, "it lies where the hosting service looks for it"


def test_nobody_is_asked(key_of: Key) -> None:
    found = said(replace(CHANGE, rules=Settings()), key_of)
    assert (found.passed, found.message) == (
        True,
        "nobody need approve a change of gates/a.json, gitreg.yaml",
    )


def test_keys_that_cannot_be_read(key_of: Key) -> None:
    change = replace(CHANGE, approvals=(by("ann", key_of),))
    (found,) = judge_policy(change, material(signers="ann@example.com nonsense\n"))
    assert (found.passed, found.code) == (False, "GR208")
    assert found.message.startswith("the keys can't be read (keys/allowed_signers:1")


def test_signed_commits(key_of: Key) -> None:
    rules = Settings(policy=PolicySettings(approvals=ASKED, signed=True))
    change = replace(CHANGE, rules=rules, approvals=(by("ann", key_of),))
    commit = CommitSignature(commit="c" * 40, author="ada@example.com", fault="it is not signed")
    for one, passed in ((commit, False), (replace(commit, fault="", signer=("ada@example.com",)), True)):
        first, second = judge_policy(change, material(signers=people(key_of), signatures=[one]))
        assert first.passed
        assert (second.rule, second.passed, second.code) == ("signed", passed, "" if passed else "GR207")
        assert second.subject == "the rules"
