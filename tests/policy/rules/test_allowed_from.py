"""A version comes from one of the stages that the rules allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitreg.domain.settings import Stage
from gitreg.policy.rules.allowed_from import judge
from tests.policy.making import entering, material, version


@pytest.mark.parametrize(
    ("allowed", "origin", "message"),
    [
        (("Staging",), ("Staging",), "it comes from Staging"),
        (("staging",), ("Staging",), "it comes from Staging"),
        (("Staging",), ("Archived", "Staging"), "it comes from Archived, Staging"),
        (("Staging", "None"), (), "it held no stage"),
        (("none",), (), "it held no stage"),
    ],
)
def test_it_may(allowed: tuple[str, ...], origin: tuple[str, ...], message: str) -> None:
    stage = Stage(name="Production", allowed_from=allowed)
    (said,) = judge(entering(version(), stage, origin=origin), material())
    assert (said.passed, said.message) == (True, message)


@pytest.mark.parametrize(
    ("allowed", "origin", "message", "first"),
    [
        (("Staging",), (), "it held no stage; only Staging may go to Production", "Staging"),
        (("None",), ("Staging",), "it comes from Staging; only None may go to Production", "None"),
        (("None", "QA"), ("Archived",), "it comes from Archived; only None, QA may go to Production", "QA"),
    ],
)
def test_it_may_not(allowed: tuple[str, ...], origin: tuple[str, ...], message: str, first: str) -> None:
    stage = Stage(name="Production", allowed_from=allowed)
    (said,) = judge(entering(version(), stage, origin=origin), material())
    assert (said.rule, said.passed, said.code, said.message) == ("from", False, "GR202", message)
    assert said.help == f"gitreg transition churn/12 {first} first"
    asks = replace(material(), asks_approvals=lambda stage: stage == first)
    (said,) = judge(entering(version(), stage, origin=origin), asks)
    assert said.help == f"gitreg promote churn/12 {first} first"
    assert said.field == ("stages", "Production")


def test_from_anywhere_asks_nothing() -> None:
    assert list(judge(entering(version(), Stage(name="Production")), material())) == []
