"""What a proposal still lacks, in few words: approvals first, then what else the rules find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitreg.policy.enforce import asked_of_policy

if TYPE_CHECKING:
    from gitreg.domain.settings import Approvals, Settings
    from gitreg.policy.context import Judgement
    from gitreg.registry.verdict import Verdict

APPROVALS = frozenset({"GR206", "GR208"})
"""Findings that say that approvals are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """The approvals of one stage, or of a change of the rules.

    Attributes:
        subject: ``churn/2``; ``""`` for the rules.
        stage: The stage; ``""`` for the rules.
        needed: How many persons.
        given: How many have approved.
        may: Who may.
    """

    subject: str
    stage: str
    needed: int
    given: int
    may: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether enough have."""
        return self.given >= self.needed

    @property
    def words(self) -> str:
        """``1 of 2 approvals``."""
        return f"{self.given} of {self.needed} approval{'s' * (self.needed != 1)}"


def approvals_asked(verdict: Verdict, settings: Settings) -> tuple[Shortage, ...]:
    """The approvals that are asked for, met or not.

    Args:
        verdict: What the rules say of a proposal.
        settings: Those of its base.
    """
    return tuple(dict.fromkeys(_asked(verdict, settings)))


def _asked(verdict: Verdict, settings: Settings) -> Iterator[Shortage]:
    for step in verdict.steps:
        for one in step.judged:
            stage, version = one.entering.stage, one.entering.version
            if stage.approvals is not None:
                subject = f"{version.name}/{version.version}"
                counted = _counted(subject, stage.name, stage.approvals, one.judgements)
                if counted.needed:  # of a version that makes room in a rollback nobody is asked
                    yield counted
        asked = asked_of_policy(settings) if step.policy else None
        if asked is not None:
            yield _counted("", "", asked, step.policy)


def _counted(subject: str, stage: str, asked: Approvals, judgements: tuple[Judgement, ...]) -> Shortage:
    details = [each.detail for each in judgements if "needed" in each.detail]
    detail = details[0] if details else {}
    may = (*asked.approvers, *(("the owners in CODEOWNERS",) if asked.codeowners else ()))
    given = len(detail.get("present", ()))
    return Shortage(
        subject=subject, stage=stage, needed=int(detail.get("needed", asked.count)), given=given, may=may
    )


def state_of(verdict: Verdict, settings: Settings) -> str:
    """``passes``, or what is missing: ``1 of 2 approvals``, and the first of what else is wrong."""
    if verdict.clean:
        return "passes"
    short = [each.words for each in approvals_asked(verdict, settings) if not each.met]
    others = [
        each.message for each in verdict.findings if each.severity == "error" and each.code not in APPROVALS
    ]
    wrong = [each.message for each in verdict.findings if each.severity == "error"]
    return "; ".join([*short, *others[:1]]) or wrong[0]
