"""Which approvals count, with real keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from gitreg.domain.approval import PolicyApproval
from gitreg.domain.settings import Approvals, PolicySettings, Settings, Stage
from gitreg.policy.context import ApprovalFile, Authors, Entering, Judgement, PolicyChange
from gitreg.policy.digests import origin_digest, policy_digest, rule_digest
from gitreg.policy.enforce import asked_of_policy, judge_entering, judge_policy
from tests.policy.conftest import NOON, ROOT, World, approval, entering, file_of, version
from tests.signing.conftest import public

Key = Callable[[str], Path]

ASKED = Approvals(count=1, approvers=("ann@example.com", "bob@example.com"))
STAGE = Stage(name="Production", approvals=ASKED)


def case(asked: Approvals = ASKED) -> Entering:
    return entering(replace(STAGE, approvals=asked), version())


def judged(world: World, one: Entering | None = None) -> Judgement:
    (found,) = judge_entering(one or case(), world.material)
    return found


def test_one_that_counts(ann: Path, keys: bytes) -> None:
    found = judged(World(signers=keys, files=[file_of(approval(case()), ann)]))
    assert found.passed and found.message == "1 of 1 approval"
    assert [each["approver"] for each in found.detail["present"]] == ["ann@example.com"]


def test_none(keys: bytes) -> None:
    found = judged(World(signers=keys))
    assert (found.passed, found.code, found.message) == (False, "GR206", "0 of 1 approval")
    assert "gitreg approve churn/2 Production" in found.help and "bob@example.com" in found.help


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"registry": "b" * 40}, "another registry"),
        ({"version": 3}, "it is for churn/3"),
        ({"model": "fraud"}, "it is for fraud/2"),
        ({"stage": "Staging"}, "in Staging"),
        ({"number": 2}, "assignment 2"),
        ({"origin": "0" * 64}, "the version, or its evaluations"),
        ({"rule": "0" * 64}, "the rules of the stage"),
        ({"expires": NOON - timedelta(hours=1)}, "it was good until"),
        ({"at": NOON + timedelta(days=2), "expires": NOON + timedelta(days=9)}, "lies ahead"),
        ({"expires": NOON + timedelta(days=300)}, "more than the 30 days"),
    ],
)
def test_F15_F22_one_for_something_else(ann: Path, keys: bytes, other: dict[str, object], why: str) -> None:
    found = judged(World(signers=keys, files=[file_of(approval(case(), **other), ann)]))
    assert not found.passed and why in found.message
    assert found.detail["refused"][0]["approver"] == "ann@example.com"


def test_F10_a_key_that_is_nobodys(key_of: Key, keys: bytes) -> None:
    found = judged(World(signers=keys, files=[file_of(approval(case()), key_of("ed25519:stranger"))]))
    assert "is nobody's" in found.message


def test_signed_by_somebody_else_than_it_says(key_of: Key, keys: bytes) -> None:
    found = judged(World(signers=keys, files=[file_of(approval(case()), key_of("ed25519:bob"))]))
    assert "signed by bob@example.com, and not by ann@example.com" in found.message


def test_a_file_under_another_name(ann: Path, keys: bytes) -> None:
    one = file_of(approval(case()), ann)
    moved = replace(one, path=one.path.replace("ann", "bob"))
    assert "called after somebody else" in judged(World(signers=keys, files=[moved])).message


def test_F11_a_key_outside_its_dates(ann: Path) -> None:
    one = [file_of(approval(case()), ann)]
    old = f'ann@example.com valid-before="20260101Z" {public(ann)}\n'.encode()
    new = f'ann@example.com valid-after="20270101Z" {public(ann)}\n'.encode()
    for signers in (old, new):
        assert not judged(World(signers=signers, files=one)).passed


def test_F12_another_namespace(ann: Path, keys: bytes) -> None:
    one = file_of(approval(case()), ann, namespace="git")
    assert "not for 'gitreg-approval@v1'" in judged(World(signers=keys, files=[one])).message
    limited = f'ann@example.com namespaces="git" {public(ann)}\n'.encode()
    found = judged(World(signers=limited, files=[file_of(approval(case()), ann)]))
    assert "may not sign" in found.message


def test_F13_one_too_few(ann: Path, keys: bytes) -> None:
    asked = replace(ASKED, count=2)
    found = judged(World(signers=keys, files=[file_of(approval(case(asked)), ann)]), case(asked))
    assert (found.passed, found.message) == (False, "1 of 2 approvals")


@pytest.mark.parametrize("part", ["version", "promotion"])
def test_F14_an_author(ann: Path, keys: bytes, part: str) -> None:
    authors = Authors(**{part: frozenset({"Ann@Example.com"})})
    world = World(signers=keys, files=[file_of(approval(case()), ann)], authors=authors)
    assert "an author can't approve" in judged(world).message


def test_F14_an_author_by_another_of_their_names(ann: Path) -> None:
    signers = f"ann@example.com,ann@home.example {public(ann)}\n".encode()
    authors = Authors(version=frozenset({"ann@home.example"}))
    assert not judged(World(signers=signers, files=[file_of(approval(case()), ann)], authors=authors)).passed


def test_F17_somebody_whom_the_rules_do_not_name(key_of: Key, keys: bytes) -> None:
    one = file_of(approval(case(), approver="eve@example.com"), key_of("ed25519:eve"))
    assert "do not name this person" in judged(World(signers=keys, files=[one])).message


def test_a_group(ann: Path) -> None:
    asked = Approvals(approvers=("@ml/reviewers",))
    one = [file_of(approval(case(asked)), ann)]
    member = f"ann@example.com,@ml/reviewers {public(ann)}\n".encode()
    assert judged(World(signers=member, files=one), case(asked)).passed
    assert not judged(
        World(signers=f"ann@example.com {public(ann)}\n".encode(), files=one), case(asked)
    ).passed


def test_an_owner_in_CODEOWNERS(ann: Path, keys: bytes) -> None:
    asked = Approvals(codeowners=True)
    one = [file_of(approval(case(asked)), ann)]
    for text, passed in (
        (b"models/churn/ ann@example.com\n", True),
        (b"models/fraud/ ann@example.com\n", False),
        (b"* ann@example.com\nmodels/ bob@example.com\n", False),
    ):
        world = World(signers=keys, files=one, owners=("github", text))
        assert judged(world, case(asked)).passed is passed, text
    assert not judged(World(signers=keys, files=one), case(asked)).passed


def test_one_person_counts_once_and_the_order_is_nothing(key_of: Key) -> None:
    first, second, bob = (key_of(f"ed25519:{name}") for name in ("ann", "ann-too", "bob"))
    signers = (
        f"ann@example.com {public(first)}\nann@example.com,anna@example.com {public(second)}\n"
        f"bob@example.com {public(bob)}\n"
    ).encode()
    asked = Approvals(count=2, approvers=("ann@example.com", "anna@example.com", "bob@example.com"))
    one = case(asked)
    hers = [
        file_of(approval(one), first),
        file_of(approval(one, approver="anna@example.com"), second),
    ]
    again = "anna@example.com does not count: it is by the same person as that of ann@example.com, who counts once"
    assert judged(World(signers=signers, files=hers), one).message == f"1 of 2 approvals; {again}"
    his = file_of(approval(one, approver="bob@example.com"), bob)
    told = {
        (found.passed, found.message)
        for order in permutations([*hers, his])
        if (found := judged(World(signers=signers, files=list(order)), one))
    }
    assert told == {(True, f"2 of 2 approvals; {again}")}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\0" * 100, b"x" * 70_000, b'{"a": 1}\n-----BEGIN SSH SIGNATURE-----\n']
)
def test_what_is_no_approval(data: bytes, keys: bytes) -> None:
    file = ApprovalFile(path="approvals/churn/2/Production/1/ann%40example.com.sig", data=data)
    assert not judged(World(signers=keys, files=[file])).passed


def test_every_byte_counts(ann: Path, keys: bytes) -> None:
    one = file_of(approval(case()), ann)
    for at in range(0, len(one.data), 7):
        changed = one.data[:at] + bytes([one.data[at] ^ 1]) + one.data[at + 1 :]
        assert not judged(World(signers=keys, files=[replace(one, data=changed)])).passed, at


def test_keys_that_can_not_be_read(ann: Path) -> None:
    found = judged(World(signers=b"ann@example.com nonsense\n", files=[file_of(approval(case()), ann)]))
    assert not found.passed and "keys/allowed_signers:1" in found.message


GUARDED = Settings(policy=PolicySettings(approvals=ASKED))
CHANGE = PolicyChange(before="1" * 64, after="2" * 64, paths=("gitreg.yaml",), rules=GUARDED)


def of_rules(**other: object) -> PolicyApproval:
    told: dict[str, object] = {
        "registry": ROOT,
        "before": CHANGE.before,
        "after": CHANGE.after,
        "proposed_by": ("eve@example.com",),
        "approver": "ann@example.com",
        "at": NOON,
        "expires": NOON + timedelta(days=3),
    }
    return PolicyApproval(**{**told, **other})  # type: ignore[arg-type]


def test_F16_new_rules(ann: Path, keys: bytes) -> None:
    world = World(signers=keys)
    (found,) = judge_policy(CHANGE, world.material)
    assert (found.passed, found.code) == (False, "GR208")
    for told, authors, passed in (
        (of_rules(), frozenset(), True),
        (of_rules(), frozenset({"ann@example.com"}), False),
        (of_rules(before="3" * 64), frozenset(), False),
        (of_rules(after="3" * 64), frozenset(), False),
        (approval(case()), frozenset(), False),
    ):
        change = replace(CHANGE, approvals=(file_of(told, ann),), authors=authors)
        (found,) = judge_policy(change, world.material)
        assert found.passed is passed, told


def test_who_is_asked_about_the_rules() -> None:
    assert asked_of_policy(Settings()) is None
    assert asked_of_policy(GUARDED) == ASKED
    many = replace(ASKED, count=3)
    stages = (STAGE, replace(STAGE, name="Canary", approvals=many))
    assert asked_of_policy(Settings(stages=stages)) == many
    assert asked_of_policy(replace(GUARDED, stages=stages)) == ASKED
    (found,) = judge_policy(replace(CHANGE, rules=Settings()), World().material)
    assert found.passed


def test_digests_change_with_what_they_are_of() -> None:
    one = version()
    moved = replace(one, stages={"Production": NOON}, description="x", tags={"a": "b"}, updated=NOON)
    assert origin_digest(moved) == origin_digest(one), "a promotion itself changes nothing"
    assert origin_digest(version(metrics={"auc": 1.0})) != origin_digest(one)
    assert origin_digest(version(3)) != origin_digest(one)
    assert rule_digest(STAGE, None) == rule_digest(replace(STAGE, description="said better"), None)
    assert rule_digest(STAGE, None) != rule_digest(replace(STAGE, exclusive=True), None)
    assert rule_digest(replace(STAGE, gate="gates/a.json"), b"{}") != rule_digest(
        replace(STAGE, gate="gates/a.json"), b"{ }"
    )
    assert policy_digest({"a": b"1", "b": b"2"}) == policy_digest({"b": b"2", "a": b"1"})
    assert policy_digest({"a": b"1"}) != policy_digest({"b": b"1"})
