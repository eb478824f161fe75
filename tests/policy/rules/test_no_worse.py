"""A version is no worse than the one that holds the stage."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.model import Evaluation, ModelVersion
from gitreg.domain.settings import NoWorse, Stage
from gitreg.policy.context import Judgement
from gitreg.policy.rules.no_worse import judge
from tests.policy.making import NOW, entering, material, version


def said(new: ModelVersion, old: ModelVersion | None, **rule: Any) -> Judgement:
    told = NoWorse(**({"metric": "auc", "direction": "higher"} | rule))
    (found,) = judge(entering(new, Stage(name="Production", no_worse=(told,)), incumbent=old), material())
    return found


def auc(value: float, number: int = 12) -> ModelVersion:
    return version(number, metrics={"auc": value})


@pytest.mark.parametrize(
    ("new", "old", "rule", "message"),
    [
        (0.921, 0.905, {}, "auc is 0.921, churn/7 has 0.905"),
        (0.93, 0.93, {}, "auc is 0.93, churn/7 has 0.93"),
        (0.92, 0.93, {"tolerance": 0.01}, "auc is 0.92, churn/7 has 0.93"),
        (0.3, 0.2, {"direction": "lower", "tolerance": 0.1}, "auc is 0.3, churn/7 has 0.2"),
        (0.99, 1.0, {"percent": 1.0}, "auc is 0.99, churn/7 has 1"),
        (-101.0, -100.0, {"percent": 1.0}, "auc is -101, churn/7 has -100"),
        (202.0, 200.0, {"direction": "lower", "percent": 1.0}, "auc is 202, churn/7 has 200"),
        (0.0, 0.0, {"percent": 5.0}, "auc is 0, churn/7 has 0"),
        (-0.0, 0.0, {}, "auc is -0, churn/7 has 0"),
        (
            0.1 + 0.2,
            0.3,
            {"direction": "lower"},
            "auc is 0.30000000000000004, churn/7 has 0.29999999999999999",
        ),
        (1234567.0, 1234566.0, {}, "auc is 1234567, churn/7 has 1234566"),
    ],
)
def test_no_worse(new: float, old: float, rule: dict[str, Any], message: str) -> None:
    found = said(auc(new), auc(old, 7), **rule)
    assert (found.passed, found.message, found.code) == (True, message, "")
    assert found.detail == {"metric": "auc", "candidate": new, "incumbent": old}


@pytest.mark.parametrize(
    ("new", "old", "rule", "message"),
    [
        (0.90, 0.93, {"tolerance": 0.01}, "auc is 0.9, worse than the 0.93 of churn/7 by more than 0.01"),
        (0.929999, 0.93, {}, "auc is 0.929999, worse than the 0.93 of churn/7"),
        (0.92999999, 0.93, {}, "auc is 0.92999999, worse than the 0.93 of churn/7"),
        (0.98, 1.0, {"percent": 1.5}, "auc is 0.98, worse than the 1 of churn/7 by more than 1.5%"),
        (-0.1, 0.0, {"percent": 50.0}, "auc is -0.1, worse than the 0 of churn/7 by more than 50%"),
        (0.31, 0.3, {"direction": "lower"}, "auc is 0.31, worse than the 0.3 of churn/7"),
        (-1e308, 1e308, {}, "auc is -1e+308, worse than the 1e+308 of churn/7"),
    ],
)
def test_worse(new: float, old: float, rule: dict[str, Any], message: str) -> None:
    found = said(auc(new), auc(old, 7), **rule)
    assert (found.rule, found.passed, found.code) == ("no_worse", False, "GR204")
    assert found.message == message
    assert found.field == ("metrics", "auc")
    assert found.help.startswith("gitreg diff churn/7 churn/12")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("direction", ["higher", "lower"])
@pytest.mark.parametrize("old", [None, 0.5])
def test_what_is_not_finite_passes_nobody(value: float, direction: str, old: float | None) -> None:
    found = said(auc(value), None if old is None else auc(old, 7), direction=direction, tolerance=1e300)
    assert not found.passed
    assert "which no rule takes" in found.message
    assert found.detail["candidate"] is None, "JSON has no NaN"


def test_B08_numbers_that_no_float_holds() -> None:
    huge = 10**400
    assert said(auc(huge), auc(huge, 7)).passed
    assert said(auc(huge), auc(0.5, 7)).passed
    assert not said(auc(0.5), auc(huge, 7), tolerance=1e300, percent=99.0).passed
    assert not said(auc(huge), auc(0.5, 7), direction="lower").passed


@pytest.mark.parametrize(
    ("new", "rule", "mend"),
    [
        ({}, {}, "gitreg register churn SOURCE --metric auc=VALUE"),
        ({"auc": math.nan}, {}, "gitreg register churn SOURCE --metric auc=VALUE"),
        ({"auc": 0.9}, {"evaluation": "hold out"}, "gitreg evaluate churn/12 'hold out' --metric auc=VALUE"),
    ],
)
def test_what_to_do_where_nobody_holds_the_stage(
    new: dict[str, float], rule: dict[str, Any], mend: str
) -> None:
    found = said(version(12, metrics=new), None, **rule)
    assert (found.passed, found.help) == (False, mend)


def test_a_metric_that_is_missing() -> None:
    found = said(version(), auc(0.9, 7))
    assert (found.passed, found.message, found.field) == (False, "auc is not known", ())
    assert not said(version(), None).passed


def test_nobody_to_compare_with() -> None:
    assert said(auc(0.1), None).message == "auc is 0.1, and nobody held the stage"
    found = said(auc(0.1), version(7))
    assert (found.passed, found.message) == (True, "auc is 0.1, and churn/7 has none to compare")
    assert said(auc(0.1), auc(math.nan, 7)).passed


def evaluated(number: int, *told: tuple[int, dict[str, float]]) -> ModelVersion:
    return version(
        number,
        metrics={"auc": 0.99},
        evaluations=tuple(
            Evaluation(
                name=f"{'holdout' if day >= 0 else 'other'}", at=NOW + timedelta(days=day), metrics=metrics
            )
            for day, metrics in told
        ),
    )


def test_the_newest_evaluation_counts() -> None:
    old = evaluated(7, (0, {"auc": 0.8}))
    new = evaluated(12, (5, {"auc": 0.81}), (1, {"auc": 0.1}), (-1, {"auc": 0.0}))
    assert said(new, old, evaluation="holdout").message == "auc of holdout is 0.81, churn/7 has 0.8"
    same_time = evaluated(12, (5, {"auc": 0.9}), (5, {"auc": 0.7}))
    found = said(same_time, old, evaluation="holdout")
    assert found.message == "auc of holdout is 0.7, worse than the 0.8 of churn/7"
    assert found.field == ("evaluations", 1, "metrics", "auc")


def test_an_evaluation_that_is_missing() -> None:
    old = evaluated(7, (0, {"auc": 0.8}))
    assert said(auc(0.99), old, evaluation="holdout").message == "auc of holdout is not known"
    found = said(evaluated(12, (0, {"f1": 0.9})), old, evaluation="holdout")
    assert (found.passed, found.field) == (False, ("evaluations", 0))


def test_each_metric_is_told() -> None:
    rules = (NoWorse(metric="auc", direction="higher"), NoWorse(metric="loss", direction="lower"))
    case = entering(
        version(metrics={"auc": 0.8, "loss": 0.2}),
        Stage(name="Production", no_worse=rules),
        incumbent=version(7, metrics={"auc": 0.9, "loss": 0.3}),
    )
    assert [(each.detail["metric"], each.passed) for each in judge(case, material())] == [
        ("auc", False),
        ("loss", True),
    ]


@given(old=st.integers(-10_000, 10_000), loss=st.integers(-50, 50), slack=st.integers(0, 50))
def test_figures_are_compared_as_people_write_them(old: int, loss: int, slack: int) -> None:
    """0.93 - 0.01 is not 0.92 to the last bit; in thousandths it is."""
    found = said(auc((old - loss) / 1000), auc(old / 1000, 7), tolerance=slack / 1000)
    assert found.passed is (loss <= slack)
