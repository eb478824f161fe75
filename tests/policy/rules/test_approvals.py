"""Enough persons have approved, none of them an author: with real keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitreg.domain.model import Evaluation
from gitreg.domain.settings import Approvals, Stage
from gitreg.policy.context import ApprovalFile, Authors, Entering, Judgement
from gitreg.policy.rules.approvals import judge
from tests.policy.making import DAY, NOW, consent, entering, line, material, signed, version

Key = Callable[[str], Path]
PEOPLE = ("ann@example.com", "bob@example.com", "@ml/reviewers")


def case(count: int = 1, *, number: int = 3, **asked: Any) -> Entering:
    told = Approvals(count=count, **({"approvers": PEOPLE} | asked))
    return entering(version(), Stage(name="Production", approvals=told), number=number)


def said(one: Entering, files: list[ApprovalFile], **more: Any) -> Judgement:
    (found,) = judge(one, material(approvals=files, **more))
    return found


@pytest.fixture
def people(key_of: Key) -> str:
    return "".join(
        line(f"{name}@example.com", key_of(f"ed25519:{name}")) for name in ("ann", "bob", "carl", "ada")
    )


def by(one: Entering, name: str, key_of: Key, **other: Any) -> ApprovalFile:
    return signed(consent(one, f"{name}@example.com", **other), key_of(f"ed25519:{name}"))


def why(found: Judgement) -> str:
    assert not found.passed
    assert found.code == "GR206"
    (refused,) = found.detail["refused"]
    return str(refused["reason"])


def test_two_persons(key_of: Key, people: str) -> None:
    one = case(2)
    found = said(one, [by(one, "bob", key_of), by(one, "ann", key_of)], signers=people)
    assert (found.rule, found.passed, found.message, found.help) == (
        "approvals",
        True,
        "2 of 2 approvals",
        "",
    )
    assert found.detail == {
        "needed": 2,
        "present": [
            {"approver": f"{name}@example.com", "at": NOW - DAY, "expires": NOW + 9 * DAY}
            for name in ("ann", "bob")
        ],
        "refused": [],
        "authors": found.detail["authors"],
    }
    assert found.detail["authors"], "who can't approve is told, too"


def test_F13_who_may_is_told(key_of: Key, people: str) -> None:
    one = case(2, codeowners=True)
    found = said(one, [by(one, "ann", key_of)], signers=people)
    assert (found.passed, found.message, found.subject) == (
        False,
        "1 of 2 approvals",
        "churn/12 → Production",
    )
    assert (found.path, found.field) == ("models/churn/versions/12.yaml", ("stages", "Production"))
    assert found.help == (
        "gitreg approve churn/12 Production, by ann@example.com or bob@example.com or @ml/reviewers "
        "or the owners in CODEOWNERS"
    )


def test_the_command_can_be_typed_whatever_the_model_is_called() -> None:
    one = case()
    found = said(replace(one, version=replace(one.version, name="my model")), [])
    assert found.help.startswith("gitreg approve 'my model/12' Production, by ")


def test_F14_nobody_approves_what_they_wrote(key_of: Key) -> None:
    one = case(approvers=("ada@example.com",))
    signers = line("ada@example.com,ada@home.example", key_of("ed25519:ada"))
    file = by(one, "ada", key_of)
    for authors in (
        Authors(version=frozenset({"ada@home.example"})),
        Authors(promotion=frozenset({"ADA@example.com"})),
    ):
        assert why(said(one, [file], signers=signers, authors=authors)) == "an author can't approve"
    assert said(one, [file], signers=signers, authors=Authors()).passed


def test_F22_an_approval_used_again_after_a_rollback(key_of: Key, people: str) -> None:
    first = case(number=3)
    file = by(first, "ann", key_of)
    assert said(first, [file], signers=people).passed
    moved = replace(file, path=file.path.replace("/Production/3/", "/Production/4/"))
    exclusive = replace(first.stage, exclusive=True)
    for again in (
        replace(first, number=lambda: 4, entered=lambda: 3),  # this version had the stage since
        replace(first, number=lambda: 4, stage=exclusive),  # another had it, whose place it would take
    ):
        old = by(replace(first, stage=again.stage), "ann", key_of)
        assert why(said(again, [old], signers=people)) == (
            "it is for assignment 3 of the stage, and this is number 4"
        )
        assert why(said(again, [replace(old, path=moved.path)], signers=people)).startswith(
            "it is for assignment 3"
        )


def test_others_that_enter_a_stage_meanwhile_take_no_approval_away(key_of: Key, people: str) -> None:
    one = case(number=3, count=2)
    early = by(one, "ann", key_of)
    later = replace(one, number=lambda: 7, entered=lambda: 2)
    found = said(later, [early, by(later, "bob", key_of)], signers=people)
    assert found.passed and found.detail["refused"] == []
    assert not said(
        replace(later, entered=lambda: 3), [early, by(later, "bob", key_of)], signers=people
    ).passed


def test_who_approves_anew_is_heard_once_and_not_refused(key_of: Key, people: str) -> None:
    one = case(number=4)
    one = replace(one, stage=replace(one.stage, exclusive=True))
    old = by(replace(one, number=lambda: 3), "ann", key_of)
    found = said(one, [old, by(one, "ann", key_of)], signers=people)
    assert found.passed and found.detail["refused"] == []


@pytest.mark.parametrize(("kind", "eased", "passed"), [
    ("", 0, False), ("back", None, False), ("back", 1, False), ("back", 0, True), ("aside", None, True),
])  # fmt: skip
def test_what_a_rollback_is_asked_for(
    key_of: Key, people: str, kind: Any, eased: int | None, passed: bool
) -> None:
    one = case(2)
    one = replace(one, stage=replace(one.stage, rollback_approvals=eased), returning=lambda: kind)
    assert said(one, [], signers=people).passed is passed
    if (kind, eased) == ("back", 1):
        assert said(one, [by(one, "ann", key_of)], signers=people).message == "1 of 1 approval"


def test_results_that_came_later_are_not_approved(key_of: Key, people: str) -> None:
    one = case()
    file = by(one, "ann", key_of)
    worse = version(evaluations=(Evaluation(name="holdout", at=NOW, metrics={"auc": 0.1}),))
    assert why(said(replace(one, version=worse), [file], signers=people)) == (
        "the version, or its evaluations, were others when it was signed"
    )
    moved = replace(one.version, stages={"Production": NOW}, description="new", tags={"a": "b"})
    assert said(replace(one, version=moved), [file], signers=people).passed


def test_F16_a_rule_that_was_another(key_of: Key, people: str) -> None:
    one, stricter = case(), case(requires_more := 1, valid_days=7)
    assert requires_more == 1
    file = by(one, "ann", key_of, expires=NOW + DAY)
    assert (
        why(said(stricter, [file], signers=people)) == "the rules of the stage were others when it was signed"
    )


@pytest.mark.parametrize(
    ("at", "expires", "reason"),
    [
        (NOW - 3 * DAY, NOW, "it was good until 2026-11-26"),
        (NOW - 3 * DAY, NOW + timedelta(milliseconds=1), ""),
        (NOW + DAY, NOW + 2 * DAY, ""),
        (NOW + DAY + timedelta(milliseconds=1), NOW + 2 * DAY, "it is dated 2026-11-27, which lies ahead"),
        (NOW - DAY, NOW + 29 * DAY, ""),
        (
            NOW - DAY,
            NOW + 29 * DAY + timedelta(milliseconds=1),
            "it claims to be good for more than the 30 days that the rules allow",
        ),
    ],
)
def test_in_time(at: Any, expires: Any, reason: str, key_of: Key, people: str) -> None:
    one = case()
    found = said(one, [by(one, "ann", key_of, at=at, expires=expires)], signers=people)
    assert found.passed is (not reason)
    assert not reason or why(found) == reason


def test_F11_F17_a_key_that_was_revoked(key_of: Key) -> None:
    one = case()
    file = by(one, "ann", key_of)
    for options, passed in (
        ('valid-before="20261126120000Z"', True),
        ('valid-before="20261126115959Z"', False),
        ('valid-after="20261126120000Z"', True),
        ('valid-after="20261126120001Z"', False),
    ):
        signers = line("ann@example.com", key_of("ed25519:ann"), options)
        assert said(one, [file], signers=signers).passed is passed, options


def test_F17_who_is_no_longer_named(key_of: Key, people: str) -> None:
    one = case(approvers=("bob@example.com",))
    assert why(said(one, [by(one, "ann", key_of)], signers=people)) == (
        "the rules do not name this person as an approver"
    )


def test_F17_who_left_the_group_with_an_old_key(key_of: Key) -> None:
    one = case(approvers=("@ML/Reviewers",))
    old, new = key_of("ed25519:ann-old"), key_of("ed25519:ann")
    file = by(one, "ann", key_of)
    member = line("ann@example.com,@ml/reviewers", old) + line("ann@example.com", new)
    assert said(one, [file], signers=member).passed
    left = line("ann@example.com,@ml/reviewers", old, 'valid-before="20260101Z"') + line(
        "ann@example.com", new
    )
    assert why(said(one, [file], signers=left)) == "the rules do not name this person as an approver"


def test_a_group_is_no_person(key_of: Key) -> None:
    """Two members are two, and nobody signs in the group's name alone."""
    one = case(2, approvers=("@ml/reviewers",))
    signers = "".join(
        line(f"{name}@example.com,@ml/reviewers", key_of(f"ed25519:{name}")) for name in ("ann", "bob")
    )
    assert said(one, [by(one, "ann", key_of), by(one, "bob", key_of)], signers=signers).passed


def test_one_person_with_two_keys_counts_once(key_of: Key) -> None:
    one = case(2, approvers=("ann@example.com", "ann@work.example"))
    signers = line("ann@example.com,ann", key_of("ed25519:ann")) + line(
        "ann@work.example,ann", key_of("ed25519:ann-work")
    )
    files = [
        by(one, "ann", key_of),
        signed(consent(one, "ann@work.example"), key_of("ed25519:ann-work")),
    ]
    for each in (files, files[::-1]):
        found = said(one, each, signers=signers)
        assert len(found.detail["present"]) == 1
        assert why(found) == "it is by the same person as that of ann@example.com, who counts once"


OWNED = b"* @everybody\n/models/churn/ ann@example.com @ml/reviewers\n/ml/models/churn/ bob@example.com\n"


def test_owners_by_CODEOWNERS_of_the_repository(key_of: Key, people: str) -> None:
    """A registry in a folder is asked about by its place in the repository."""
    one = case(approvers=(), codeowners=True)
    files = [by(one, "ann", key_of), by(one, "bob", key_of)]
    for prefix, owner in (("", "ann@example.com"), ("ml/", "bob@example.com")):
        found = said(one, files, signers=people, codeowners=("github", OWNED), prefix=prefix)
        assert found.passed
        assert [each["approver"] for each in found.detail["present"]] == [owner]
    assert not said(one, files, signers=people, codeowners=None).passed
    assert not said(case(approvers=()), files, signers=people, codeowners=("github", OWNED)).passed


def test_keys_that_cannot_be_read(key_of: Key, people: str) -> None:
    one = case()
    found = said(one, [by(one, "ann", key_of)], signers=people + "carl@example.com ssh-ed25519 ?\n")
    assert (found.passed, found.code, found.path) == (False, "GR206", "keys/allowed_signers")
    assert found.message.startswith("the keys can't be read (keys/allowed_signers:5")
    assert not said(one, [by(one, "ann", key_of)], signers="").passed, "nor a file that is not there"


def test_files_that_are_no_approvals_are_told_by_their_path(key_of: Key, people: str) -> None:
    one = case()
    odd = ApprovalFile(path="approvals/churn/12/Production/3/notes.txt", data=b"looks good to me")
    found = said(one, [odd, by(one, "ann", key_of)], signers=people)
    assert found.passed
    assert found.detail["refused"] == [
        {"approver": odd.path, "reason": "the approval carries no SSH signature"},
    ]
    assert "notes.txt does not count: the approval carries no SSH signature" in found.message


FILES: dict[str, ApprovalFile] = {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from(["ann", "bob", "carl", "ada", "ann-late", "eve"]), unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.permutations(names))
    )
)
def test_the_order_of_approvals_is_nothing(
    key_of: Key, people: str, told: tuple[list[str], list[str]]
) -> None:
    one = case(2)
    if not FILES:
        FILES.update({name: by(one, name, key_of) for name in ("ann", "bob", "carl", "ada", "eve")})
        late = signed(
            consent(one, "ann@example.com", at=NOW - 9 * DAY, expires=NOW - DAY), key_of("ed25519:ann")
        )
        FILES["ann-late"] = replace(late, path=late.path.replace("/ann", "/late/ann"))
    first, second = (said(one, [FILES[name] for name in names], signers=people) for names in told)
    assert first == second
    assert first.passed is ({"ann", "bob"} <= set(told[0]))
    assert len(first.detail["present"]) == len({"ann", "bob"} & set(told[0]))
