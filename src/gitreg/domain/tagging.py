"""Which Git tags a change gets: names and messages, a function of the history up to its commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitreg.domain.changes import Change
from gitreg.domain.names import folder
from gitreg.domain.settings import TagSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPlan:
    """One annotated tag: its name below ``refs/tags/``, its message, and the change that it marks."""

    name: str
    message: str
    change: Change


def version_tag(name: str, version: int, settings: TagSettings) -> str:
    """``churn/v12``, behind the prefix."""
    return f"{settings.prefix}{folder(name)}/v{version}"


def stage_tags(name: str, stage: str, settings: TagSettings) -> str:
    """``churn/Production/``: what the names of a stage's tags begin with."""
    return f"{settings.prefix}{folder(name)}/{stage}/"


def plan_tags(
    changes: Sequence[Change], settings: TagSettings, next_number: Callable[[str, str], int]
) -> list[TagPlan]:
    """The tags of one commit.

    Args:
        changes: What the commit changed.
        settings: Prefix, and which tags are made.
        next_number: Model and stage → the number of the next assignment of that stage, from 1.
            Asked once for each assignment; it must count up by itself.
    """
    plans = []
    for change in changes:
        if change.version is None:
            continue
        if change.event == "register" and settings.made_for == "all":
            name = version_tag(change.model, change.version, settings)
            message = f"{change.model} version {change.version}\n"
            plans.append(TagPlan(name=name, message=message, change=change))
        gained = change.event in ("transition", "assign") and change.stage not in (None, *change.origin)
        if gained and change.stage and settings.made_for != "none":
            number = next_number(change.model, change.stage)
            name = f"{stage_tags(change.model, change.stage, settings)}{number}"
            message = f"{change.model} version {change.version} in {change.stage}\n"
            plans.append(TagPlan(name=name, message=message, change=change))
    return plans
