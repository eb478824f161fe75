"""Where a step happens that is judged: its commit, what can be seen of it, and the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitreg.gitstore.commits import HistoryCommit
from gitreg.policy.context import CommitSignature
from gitreg.registry.differing import Look
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.store import Store

_SKEW = timedelta(days=1)  # by which clocks may differ (DESIGN: times may not run backwards by more)

Coming = Callable[[RuleBook, datetime], CommitSignature]
"""The rules, and when → what the signature of a commit will be worth that is not made yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where one step happens.

    Attributes:
        store: The registry itself: its history.
        seen: The same through a reader that sees both sides of the step.
        commit: The step: its first parent is the side before.
        approved: Full hex id of the commit whose approval files count.
        now: Time of the judgement; None: the commits' own times.
        proposed: For a proposal, the head of its branch: its commits are the ones that make the change.
        unmade: The commit is about to be made, or only thought of: nobody can be told of it by its id.
        coming: Tells the signature that a commit will bear which is only thought of.
        look: Finds files in the commit and the one before it faster than their trees tell, where it is known.
    """

    store: Store
    seen: Store
    commit: HistoryCommit
    approved: str
    now: datetime | None = None
    proposed: str = ""
    unmade: bool = False
    coming: Coming | None = None
    look: Look | None = None

    @property
    def before(self) -> str:
        """Full hex id of the commit before it."""
        return self.commit.parents[0]


def in_future(moment: datetime, now: datetime) -> bool:
    """Whether a time lies ahead by more than clocks may differ."""
    return moment > now + _SKEW


def backwards(moment: datetime, before: datetime) -> bool:
    """Whether time ran backwards by more than clocks may differ."""
    return moment < before - _SKEW
