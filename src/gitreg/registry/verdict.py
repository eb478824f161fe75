"""What a judgement of BASE..HEAD found."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.changes import Change
from gitreg.domain.findings import Finding
from gitreg.policy.context import Entering, Judgement

INTEGRITY = frozenset(
    {"GR103", "GR104", "GR105", "GR110", "GR301", "GR302", "GR303", "GR304", "GR305", "GR306"}
)
"""Findings that say that the repository contradicts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One version that enters one stage, and what every rule says of it."""

    entering: Entering
    judgements: tuple[Judgement, ...]

    @property
    def passed(self) -> bool:
        """Whether it satisfies them all."""
        return all(each.passed for each in self.judgements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step along the first parents, or a proposal as it would be merged.

    Attributes:
        commit: Full hex id of the commit; for a proposal that of its head.
        changes: What it changes, as compare found it.
        judged: The versions that enter stages.
        policy: What is said of a change of the rules; empty where it changes none.
        findings: Everything that is wrong with it.
    """

    commit: str
    changes: tuple[Change, ...]
    judged: tuple[Judged, ...]
    policy: tuple[Judgement, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was looked at in a whole history.

    Attributes:
        commits: Those that touch what is judged.
        promotions: Entries of versions in stages that have rules.
        approvals: Those that count for them.
    """

    commits: int
    promotions: int
    approvals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judgement found.

    Attributes:
        base: Full hex id of the commit whose policy counts.
        head: Full hex id of the commit that was judged.
        steps: Oldest first.
        findings: All of them, those of the steps included.
        tally: Of a whole history, whose steps are left out.
    """

    base: str
    head: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    tally: Tally | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(each.severity == "error" for each in self.findings)

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 6 when the repository contradicts itself."""
        return exit_code(self.findings)


def exit_code(findings: tuple[Finding, ...]) -> int:
    """The exit code of a command that judges."""
    errors = [each for each in findings if each.severity == "error"]
    if not errors:
        return 0
    return 6 if any(each.code in INTEGRITY for each in errors) else 1
