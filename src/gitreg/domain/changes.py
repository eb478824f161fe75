"""The names of what can happen in a registry, and how each is said in one phrase.

``compare`` makes the ``Change`` values of manifests and settings; those of the files beside them come from
``registry.approvals`` and ``registry.rule_files``. The event names are those of the trailer ``Gitreg-Event``,
and three that no command makes and no trailer carries: ``rewrite`` (an immutable part was edited),
``vanish`` (a manifest went without a tombstone), ``reuse`` (a number came again).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from gitreg.domain.names import shown
from gitreg.domain.settings import ARCHIVED, NO_STAGE, Settings

Event = Literal[
    "register",
    "update",
    "evaluate",
    "transition",
    "assign",
    "unassign",
    "alias",
    "tag",
    "deprecate",
    "delete",
    "restore",
    "rename",
    "approve",
    "policy",
    "rewrite",
    "vanish",
    "reuse",
]

# Which of several changes gives a commit its subject: the rarer and weightier first.
RANK: dict[str, int] = {
    "rename": 0,
    "delete": 1,
    "restore": 2,
    "register": 3,
    "transition": 4,
    "assign": 5,
    "unassign": 6,
    "deprecate": 7,
    "evaluate": 8,
    "update": 9,
    "alias": 10,
    "tag": 11,
    "policy": 12,
    "approve": 100,  # last of all: the numbers of the others stay the same
}

_SETTINGS = frozenset(item.name for item in fields(Settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that happened to a model, a version or the settings.

    Attributes:
        event: What it is called.
        model: Name of the model; ``""`` for a change of the settings.
        version: Number of the version; None where it concerns the model itself.
        stage: The stage that was gained or lost; ``None`` when a transition left no stage.
        origin: The stages held before, sorted; empty for none. (Trailer ``Gitreg-From``.)
        field: Path of the field: ``description``, ``tags.owner``, ``aliases.champion``; of an approval or a
            file of rules that of the file: ``gates/production.json``.
        before: Value before; None where there was none.
        after: Value after; None where there is none. For a rename the new name, for an approval a map:
            ``approver``, ``number`` (of the stage's assignment) and, where its file says so, ``proposed_by``.
    """

    event: Event
    model: str = ""
    version: int | None = None
    stage: str | None = None
    origin: tuple[str, ...] = ()
    field: str | None = None
    before: Any = None
    after: Any = None

    @property
    def subject(self) -> str:
        """The model or version that it happened to: ``churn`` or ``churn/12``."""
        return self.model if self.version is None else f"{self.model}/{self.version}"

    @property
    def of_a_file(self) -> bool:
        """Whether it is one of a file of rules beside ``gitreg.yaml``, whose path is the field then."""
        return self.event == "policy" and self.field not in _SETTINGS


def phrase(change: Change) -> str:  # noqa: C901, PLR0912 (one branch for each event)
    """``change`` as one phrase in the imperative: ``transition version 12 to Production``."""
    what = "model" if change.version is None else f"version {change.version}"
    match change.event:
        case "transition":
            held = f" (from {', '.join(change.origin)})" if change.origin else ""
            return f"transition {what} to {change.stage or NO_STAGE}{held}"
        case "assign":
            return f"assign {change.stage} to {what}"
        case "unassign":
            return f"unassign {change.stage} from {what}"
        case "alias":
            alias = (change.field or "").removeprefix("aliases.")
            return (
                f"point alias {alias} at version {change.after}" if change.after else f"remove alias {alias}"
            )
        case "tag":
            key = shown((change.field or "").removeprefix("tags."))[1:-1]
            return f"tag {what} with {key}" if change.after is not None else f"remove tag {key} from {what}"
        case "deprecate":
            return f"deprecate {what}" if change.after else f"take back the deprecation of {what}"
        case "evaluate":
            return f"evaluate {what}: {shown(change.after.name)[1:-1]}"
        case "update":
            return f"update {change.field} of {what}"
        case "rename":
            return f"rename model to {change.after}"
        case "policy" if change.of_a_file:
            verb = "add" if change.before is None else "remove" if change.after is None else "change"
            return f"{verb} {shown(change.field or '')[1:-1]}"
        case "policy":
            return f"change {change.field} of the registry"
        case "approve" if change.version is None:
            return "approve a change of the rules"
        case "approve":
            return f"approve {what} for {change.stage}"
        case "rewrite":
            return f"rewrite {change.field} of {what}"
        case "vanish":
            return f"remove the manifest of {what}"
        case _:
            return f"{change.event} {what}"


def worded(change: Change, name_of: Callable[[str], str]) -> str:
    """A change as one phrase; of an approval also whose it is.

    Args:
        change: What happened.
        name_of: What the owner of an e-mail address is called; ``""`` where nobody knows.
    """
    words = phrase(change)
    approver = approver_of(change)
    return f"{words}, by {name_of(approver) or approver}" if approver else words


def approver_of(change: Change) -> str:
    """The principal of an approval; ``""`` of everything else."""
    told = change.after if change.event == "approve" else None
    return str(told.get("approver") or "") if isinstance(told, Mapping) else ""


def ranked(changes: Sequence[Change]) -> list[Change]:
    """``changes`` with the weightiest first; a move to Archived comes after the move that caused it."""
    return sorted(changes, key=lambda c: (RANK.get(c.event, 99), c.stage == ARCHIVED, c.version is None))


def subject(changes: Sequence[Change]) -> str:
    """The commit subject for ``changes``: ``churn: register version 12``; ``details`` tells the rest."""
    models = {change.model for change in changes if change.event != "rename" and change.model}
    first = ranked(changes)[0]
    if len(models) > 1:
        return f"{len(changes)} changes to {len(models)} models"
    said = phrase(first)
    name = first.model or "registry"
    return f"{name}: {said}"


def details(changes: Sequence[Change], *, most: int = 20) -> list[str]:
    """Every change but the one that the subject tells, a line each; at most ``most`` lines."""
    order = ranked(changes)
    several = len({change.model for change in changes}) > 1
    lines = [f"{change.model}: {phrase(change)}" if several else phrase(change) for change in order]
    rest = lines if several else lines[1:]
    if len(rest) > most:
        rest = [*rest[:most], f"and {len(rest) - most:,} more"]
    return rest
