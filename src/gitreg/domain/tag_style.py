"""What a style of Git tags is: the words that all styles share, and what each must be able to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gitreg.domain.changes import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPlan:
    """One annotated tag.

    Attributes:
        name: Below ``refs/tags/``.
        message: Its text.
        change: What it stands for.
        target: Full hex id of the commit that it points at.
        when: The tagger's time.
    """

    name: str
    message: str
    change: Change
    target: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TagName:
    """What the name of a registry tag says.

    Attributes:
        model: The model's name.
        version: The version's number; None where the name tells none.
        stage: The stage that was gained or lost, else None.
        number: The number in the name, by which tags of one ``series`` are told apart; None without.
        series: What the tags have in common of which a later one has a higher ``place``.
        place: See ``series``.
    """

    model: str
    version: int | None = None
    stage: str | None = None
    number: int | None = None
    series: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTag:
    """A tag that is there: the commit that it points at, and the tagger's time (None: a lightweight one)."""

    target: str
    when: datetime | None


class Standing(Protocol):
    """The tags that came before: from these the numbers and times of the next go on."""

    def named(self, start: str) -> Mapping[str, str]:
        """The tags whose names begin with ``start``, each with an id to ask ``seen`` about."""

    def seen(self, oid: str) -> SeenTag:
        """What a tag holds."""


class Planner(Protocol):
    """Plans the tags of one commit after the other; it counts up by itself."""

    def plan(self, changes: Sequence[Change], commit: str, when: datetime) -> list[TagPlan]:
        """The tags of the commit ``commit``, made at ``when``, which changed ``changes``."""


class Style(Protocol):
    """A form that tags have."""

    @property
    def examples(self) -> str:
        """How the tags are called, for a message."""

    def version_tag(self, model: str, version: int) -> str:
        """The tag of a version's registration."""

    def stage_patterns(self, stage: str) -> tuple[str, str]:
        """A glob and a regular expression for the tags that assign ``stage``."""

    def parse(self, name: str) -> TagName | None:
        """What a tag's name says; None for a name that no registry tag has."""

    def planner(self, standing: Standing) -> Planner:
        """What plans the tags that follow on those that stand."""

    def misfit(self, changes: Sequence[Change]) -> str:
        """Why the tags can't tell what one commit changed; ``""`` where they can."""
