"""gitreg's own style of Git tags: ``churn/v12`` and ``churn/Production/3``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from gitreg.domain import names
from gitreg.domain.changes import Change
from gitreg.domain.names import folder
from gitreg.domain.settings import TagSettings
from gitreg.domain.tag_style import Standing, TagName, TagPlan

_FORM = re.compile(
    r"(?P<folder>[^/]+)/(?:v(?P<version>[1-9][0-9]{0,8})|(?P<stage>[A-Za-z][A-Za-z0-9_-]*)/(?P<number>[1-9][0-9]{0,8}))"
)


class OwnStyle:
    """Tags in gitreg's own form, behind ``tags.prefix``; every name and every commit can have them."""

    def __init__(self, settings: TagSettings) -> None:
        self.settings = settings

    @property
    def examples(self) -> str:
        """How the tags are called, for a message."""
        prefix = self.settings.prefix
        return f"{prefix}NAME/v12 or {prefix}NAME/STAGE/3"

    def version_tag(self, model: str, version: int) -> str:
        """``churn/v12``, behind the prefix."""
        return f"{self.settings.prefix}{folder(model)}/v{version}"

    def stage_patterns(self, stage: str) -> tuple[str, str]:
        """A glob and a regular expression for the tags that assign ``stage``."""
        prefix = self.settings.prefix
        quoted = prefix.replace(".", r"\.").replace("/", r"\/")
        return f"{prefix}*/{stage}/*", rf"{quoted}[^\/]+\/{stage}\/[0-9]+"

    def parse(self, name: str) -> TagName | None:
        """What a tag's name says; None for a name that no registry tag has."""
        if not name.startswith(self.settings.prefix) or self.settings.made_for == "none":
            return None
        match = _FORM.fullmatch(name, len(self.settings.prefix))
        model = names.from_folder(match["folder"]) if match else None
        if match is None or model is None:
            return None
        if match["version"]:
            version = int(match["version"])
            return TagName(model=model, version=version, series=f"{model}/v", place=version)
        stage, number = match["stage"], int(match["number"])
        return TagName(model=model, stage=stage, number=number, series=f"{model}/{stage}/", place=number)

    def planner(self, standing: Standing) -> OwnPlanner:
        """What plans the tags that follow on those that stand."""
        return OwnPlanner(self, standing)

    def misfit(self, changes: Sequence[Change]) -> str:
        """Nothing is: see ``Style``."""
        return ""


class OwnPlanner:
    """Numbers the assignments of each stage of each model from 1."""

    def __init__(self, style: OwnStyle, standing: Standing) -> None:
        self.style = style
        self._standing = standing
        self._numbers: dict[str, int] = {}

    def plan(self, changes: Sequence[Change], commit: str, when: datetime) -> list[TagPlan]:
        """The tags of one commit; each points at it and has its time."""
        plans = []
        rules = self.style.settings

        def add(name: str, message: str, change: Change) -> None:
            plans.append(TagPlan(name=name, message=message, change=change, target=commit, when=when))

        for change in changes:
            if change.version is None:
                continue
            said = f"{change.model} version {change.version}"
            if change.event == "register" and rules.made_for == "all":
                add(self.style.version_tag(change.model, change.version), f"{said}\n", change)
            gained = change.event in ("transition", "assign") and change.stage not in (None, *change.origin)
            if gained and change.stage and rules.made_for != "none":
                start = f"{rules.prefix}{folder(change.model)}/{change.stage}/"
                add(f"{start}{self._next(start)}", f"{said} in {change.stage}\n", change)
        return plans

    def _next(self, start: str) -> int:
        last = self._numbers.get(start)
        if last is None:
            ends = (name[len(start) :] for name in self._standing.named(start))
            last = max((int(end) for end in ends if end.isascii() and end.isdigit()), default=0)
        self._numbers[start] = last + 1
        return last + 1
