"""All rules are asked, and nothing that they meet is an exception."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitreg.domain.settings import ARCHIVED, Approvals, NoWorse, PolicySettings, Settings, Stage
from gitreg.policy.enforce import asked_of_policy, judge_entering
from tests.policy.making import entering, material, version

WHOLE = Stage(
    name="Production",
    exclusive=True,
    allowed_from=("Staging",),
    gate="gates/production.json",
    no_worse=(NoWorse(metric="auc", direction="higher"),),
    requires=("lineage",),
    approvals=Approvals(approvers=("ann@example.com",)),
    signed=True,
)


@pytest.mark.parametrize("stage", [Stage(name=ARCHIVED), Stage(name="Staging", description="to try")])
def test_a_stage_without_rules(stage: Stage) -> None:
    assert judge_entering(entering(version(), stage), material()) == ()


def test_each_says_in_one_sentence_what_it_found() -> None:
    case = entering(
        version(metrics={"auc": 0.921}, run_id="4f2a"), WHOLE, incumbent=version(7, metrics={"auc": 0.905})
    )
    found = judge_entering(case, material(gates={"gates/production.json": b"{}"}))
    assert [(each.rule, each.passed, each.message) for each in found] == [
        ("exclusive", True, "no other version holds it"),
        ("from", True, "it comes from Staging"),
        ("gate", True, "gates/production.json is satisfied"),
        ("no_worse", True, "auc is 0.921, churn/7 has 0.905"),
        ("requires", True, "run is known"),
        ("approvals", False, "0 of 1 approval"),
        ("signed", False, "there is no commit whose signature could be looked at"),
    ]
    for each in found:
        assert each.subject == "churn/12 → Production"
        assert bool(each.code) is bool(each.help) is bool(each.path) is (not each.passed)


def test_none_stops_the_others() -> None:
    case = replace(
        entering(version(), WHOLE, origin=()), after=entering(version(7, stages=["Production"]), WHOLE).after
    )
    found = judge_entering(case, material(signers=b"\xff\n"))
    assert [each.code for each in found] == [f"GR20{at}" for at in range(1, 8)]


def test_who_is_asked_about_the_rules() -> None:
    one, two = Approvals(count=1, approvers=("a@b.c",)), Approvals(count=2, approvers=("d@e.f",))
    stages = (Stage(name="Staging"), Stage(name="QA", approvals=one), Stage(name="Production", approvals=two))
    assert asked_of_policy(Settings()) is None
    assert asked_of_policy(Settings(stages=stages)) == two
    assert asked_of_policy(Settings(stages=stages, policy=PolicySettings(approvals=one))) == one
