"""One version of a model holds an exclusive stage."""

from __future__ import annotations

from dataclasses import replace

from gitreg.domain.settings import Stage
from gitreg.policy.rules.exclusive import judge
from tests.policy.making import entering, material, version

STAGE = Stage(name="Production", exclusive=True)


def test_nobody_else_holds_it() -> None:
    new = version(stages=["Production"])
    (said,) = judge(entering(new, STAGE, others=[version(7, stages=["Archived"])]), material())
    assert (said.rule, said.passed, said.message) == ("exclusive", True, "no other version holds it")


def test_two_that_merge_cleanly_as_text() -> None:
    new = version(stages=["Production"])
    others = [version(7, stages=["Production"]), version(9, stages=["Production", "Staging"])]
    (said,) = judge(entering(new, STAGE, others=others), material())
    assert (said.passed, said.code) == (False, "GR201")
    assert said.message == "the stage is exclusive, and churn/9 and churn/7 hold it too"
    assert said.subject == "churn/12 → Production"
    assert said.path == "models/churn/versions/12.yaml"
    assert said.field == ("stages", "Production")
    assert said.help.startswith("gitreg promote churn/12 Production again")


def test_a_stage_whose_name_is_spelled_anew_is_the_same_one() -> None:
    new = version(stages=["production"])
    case = entering(new, STAGE, others=[version(7, stages=["production"])])
    (said,) = judge(replace(case, change=replace(case.change, stage="production")), material())
    assert not said.passed
    assert said.field == ("stages", "production")


def test_a_shared_stage_asks_nothing() -> None:
    case = entering(version(), Stage(name="Staging"), others=[version(7, stages=["Staging"])])
    assert list(judge(case, material())) == []
