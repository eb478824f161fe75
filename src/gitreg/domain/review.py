"""What a reviewer of a proposal is told: values, without a word of how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gitreg.domain.changes import Change
from gitreg.domain.contrast import Contrast
from gitreg.domain.contrast_model import RegistryContrast
from gitreg.domain.contrast_rules import RuleChange
from gitreg.domain.findings import Finding
from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one rule says: its name, whether it is met, why, and what to do where it is not."""

    rule: str
    passed: bool
    message: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """One approval: by whom, when, until when, and why it does not count (``""``: it does).

    ``attester`` is the server that signed for the approver, who signed in there; ``""``: they did themselves.
    """

    principal: str
    at: datetime | None = None
    expires: datetime | None = None
    refused: str = ""
    attester: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The approvals that a change needs and has.

    Attributes:
        needed: Persons who must approve.
        given: Approvals that count, one a person.
        refused: Approval files that don't, each with its reason.
        may: Who can approve besides, as the rules name them.
    """

    needed: int
    given: tuple[Approver, ...] = ()
    refused: tuple[Approver, ...] = ()
    may: tuple[str, ...] = ()

    @property
    def count(self) -> str:
        """``1 of 2 approvals``."""
        return (
            f"{min(len(self.given), self.needed)} of {self.needed} approval{'' if self.needed == 1 else 's'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One version that would enter one stage.

    Attributes:
        change: The transition or assignment.
        version: The version as it would be.
        incumbent: The version that holds the stage now (the highest, if several); None: none does.
        takes: Whether the incumbent leaves the stage.
        rulings: Every rule that was asked, approvals included.
        approved: The approvals; None where the stage asks for none.
        better: Metrics whose good direction the stage's rules tell.
        contrast: Incumbent and candidate side by side; None without an incumbent.
        undo: The command that takes it back once it is merged.
    """

    change: Change
    version: ModelVersion
    incumbent: ModelVersion | None = None
    takes: bool = False
    rulings: tuple[Ruling, ...] = ()
    approved: Approved | None = None
    better: Mapping[str, Direction] = field(default_factory=dict)
    contrast: Contrast | None = None
    undo: str = ""

    @property
    def stage(self) -> str:
        """The stage that is entered."""
        return self.change.stage or ""

    @property
    def passed(self) -> bool:
        """Whether every rule is met."""
        return all(each.passed for each in self.rulings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChange:
    """A change of the rules themselves: what is said of it, who has approved it, and what it changes."""

    rulings: tuple[Ruling, ...]
    approved: Approved | None = None
    changes: tuple[RuleChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A proposal, as its reviewer needs it.

    Attributes:
        base: Full hex id of the commit that it would be merged into.
        head: Full hex id of the proposal's head.
        moves: The versions that would enter stages, in history's order.
        others: What else would change, approvals left out.
        vacated: Stages that no version of a model would hold any more: the model's name and the stage.
        rules: What is said of a change of the rules; None where it changes none.
        findings: Everything that is wrong.
        exit_code: 0 clean, 1 findings, 6 when the repository would contradict itself.
        contrast: The whole difference, by meaning; None where only stages move.
        approve: The command that approves it; ``""`` where nobody is waited for, or its branch is not known.
        merge: The command that merges it; ``""`` where it can't be, or its branch is not known.
    """

    base: str
    head: str
    moves: tuple[Move, ...] = ()
    others: tuple[Change, ...] = ()
    vacated: tuple[tuple[str, str], ...] = ()
    rules: RulesChange | None = None
    findings: tuple[Finding, ...] = ()
    exit_code: int = 0
    contrast: RegistryContrast | None = None
    approve: str = ""
    merge: str = ""

    @property
    def clean(self) -> bool:
        """Whether it can be merged as far as the rules go."""
        return self.exit_code == 0

    @property
    def empty(self) -> bool:
        """Whether nothing of the registry would change and nothing is wrong."""
        return not (self.moves or self.others or self.rules or self.findings)
