"""Asks the rules: those of a stage about a version that enters it, and those about a change of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gitreg.domain.settings import Approvals, Settings
from gitreg.policy.context import Entering, Judgement, Material, PolicyChange
from gitreg.policy.rules import (
    allowed_from,
    approvals,
    exclusive,
    gate,
    no_worse,
    policy_change,
    requires,
    signed,
)

_RULES = (exclusive, allowed_from, gate, no_worse, requires, approvals, signed)
_OF_THE_FIRST_TIME = ("from", "gate", "no_worse", "requires")


def judge_entering(entering: Entering, material: Material) -> tuple[Judgement, ...]:
    """What each rule of a stage says of a version that enters it: all of them, whatever the first says."""
    found = (judgement for rule in _RULES for judgement in rule.judge(entering, material))
    return tuple(_forgiven(judgement, entering) for judgement in found)


def _forgiven(judgement: Judgement, entering: Entering) -> Judgement:
    """A rollback gives back what was had: who satisfied the rules of a stage once is not asked to again.

    Else the version that everybody fled from would be the bar that the good one has to jump.
    """
    if judgement.passed or judgement.rule not in _OF_THE_FIRST_TIME or not entering.returning():
        return judgement
    message = f"{judgement.message}; a rollback is not asked for it"
    return replace(judgement, passed=True, message=message, code="", path="", field=(), help="")


def judge_policy(change: PolicyChange, material: Material) -> tuple[Judgement, ...]:
    """What is said of a change of the rules."""
    return tuple(_of_policy(change, material))


def _of_policy(change: PolicyChange, material: Material) -> Iterator[Judgement]:
    yield policy_change.judge(change, asked_of_policy(change.rules), material)
    if change.rules.policy.signed:
        yield signed.of_commits(material, subject="the rules", path=change.paths[0])


def asked_of_policy(settings: Settings) -> Approvals | None:
    """The approvals that a change of the rules needs; None: nobody is asked.

    Where the rules don't say, it needs those of the stage that asks for most: who could lower the bar
    alone would not have to jump it. They are signed then: that a server vouches for those who move a
    version says nothing of the rules themselves.
    """
    if settings.policy.approvals is not None:
        return settings.policy.approvals
    asked = [stage.approvals for stage in settings.stages if stage.approvals is not None]
    most = max(asked, key=lambda each: each.count, default=None)
    return replace(most, signed_in=()) if most is not None else None
