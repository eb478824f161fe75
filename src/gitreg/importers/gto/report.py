"""What came of the import of a GTO repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

RemarkKind = Literal["conflict", "skipped", "lost"]
"""``conflict``: the name is taken here by something else. ``skipped``: an artifact or a version stays
behind. ``lost``: a tag, or a part of what was said, is not carried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that was not carried: a tag or an artifact, and why."""

    kind: RemarkKind
    subject: str
    reason: str


@dataclass(slots=True, kw_only=True)
class GtoReport:
    """Counts are of what was carried now.

    Attributes:
        place: Address of the GTO repository, without secrets.
        events: Tags that GTO reads.
        known: Those of them that were taken over before.
        idle: Those that change nothing that GTO shows.
        stages: Assignments of stages, and their ends.
        retired: Versions that were deprecated, or are no longer.
        added: Stages that the registry did not have.
        commits: How many were made; ``commit`` is the last of them.
    """

    place: str
    events: int = 0
    known: int = 0
    idle: int = 0
    models: int = 0
    versions: int = 0
    stages: int = 0
    retired: int = 0
    added: tuple[str, ...] = ()
    commits: int = 0
    commit: str | None = None
    branch: str = ""
    remarks: dict[Remark, None] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)

    def remark(self, kind: RemarkKind, subject: str, reason: str) -> None:
        """Take down what was not carried, once."""
        self.remarks[Remark(kind=kind, subject=subject, reason=reason)] = None

    @property
    def exit_code(self) -> int:
        """4: a name is taken; 3: an artifact or a version stays behind; else 0."""
        kinds = {remark.kind for remark in self.remarks}
        return 4 if "conflict" in kinds else 3 if "skipped" in kinds else 0
