"""What an import or export did, and what it could not carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["conflict", "skipped", "lost", "kept"]
"""``conflict``: it is here already, as something else. ``skipped``: a model or version stays behind.
``lost``: a part of one. ``kept``: it differs here, and stays as it is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that was not carried, and why.

    Attributes:
        versions: The versions that it is about; empty: the model itself.
        what: Which part of them; ``""``: all of it.
    """

    kind: Kind
    model: str
    versions: tuple[int, ...] = ()
    what: str = ""
    reason: str

    def __str__(self) -> str:
        subject = f"{self.model}/{_ranges(self.versions)}" if self.versions else self.model
        return f"{subject}{f', {self.what}' if self.what else ''}: {self.reason}"


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of an import or export; counts are of what was carried now.

    Attributes:
        place: The MLflow store, without secrets.
        seen: Versions that were looked at.
        changed: Descriptions, tags and statuses that followed a change.
        commits: How many were made; ``commit`` is the last of them.
        warnings: What the user should know of the commits.
    """

    place: str
    models: int = 0
    versions: int = 0
    stages: int = 0
    aliases: int = 0
    changed: int = 0
    seen: int = 0
    commits: int = 0
    commit: str | None = None
    branch: str = ""
    seconds: float = 0.0
    warnings: dict[str, None] = field(default_factory=dict)
    _remarks: dict[tuple[Kind, str, str, str], list[int]] = field(default_factory=dict)

    def remark(self, kind: Kind, model: str, version: int | None, what: str, reason: str) -> None:
        """Take down what was not carried; the same of many versions is one remark."""
        numbers = self._remarks.setdefault((kind, model, what, reason), [])
        if version is not None:
            numbers.append(version)

    def take(self, other: Report) -> None:
        """Take over the remarks of another report."""
        for key, numbers in other._remarks.items():
            self._remarks.setdefault(key, []).extend(numbers)

    @property
    def remarks(self) -> list[Remark]:
        """Everything that was not carried, conflicts first."""
        order = ("conflict", "skipped", "lost", "kept")
        made = [
            Remark(kind=kind, model=model, versions=tuple(numbers), what=what, reason=reason)
            for (kind, model, what, reason), numbers in self._remarks.items()
        ]
        return sorted(made, key=lambda one: order.index(one.kind))

    @property
    def exit_code(self) -> int:
        """4: there are conflicts; 3: a model or version could not be carried; else 0."""
        kinds = {kind for kind, *_ in self._remarks}
        return 4 if "conflict" in kinds else 3 if "skipped" in kinds else 0

    @property
    def skipped(self) -> int:
        """Models and versions that stay behind."""
        return sum(len(one.versions) or 1 for one in self.remarks if one.kind in ("conflict", "skipped"))


def _ranges(numbers: tuple[int, ...]) -> str:
    """``1-3,7`` for 1, 2, 3 and 7."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in found[:10]]
    return ",".join(shown) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
