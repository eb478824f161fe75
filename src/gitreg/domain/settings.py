"""What ``gitreg.yaml`` says: the format, the branch, the stages and how tags are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput

FORMAT = 1
ARCHIVED = "Archived"
NO_STAGE = "None"

Layout = Literal["flat", "sharded"]
TagsFor = Literal["all", "stages", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of the registry. ``exclusive``: one version of a model holds it at a time."""

    name: str
    exclusive: bool = False
    description: str = ""


DEFAULT_STAGES = (Stage(name="Staging"), Stage(name="Production"), Stage(name=ARCHIVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSettings:
    """How Git tags are made: ``prefix`` goes before the model's name, ``made_for`` says which."""

    prefix: str = ""
    made_for: TagsFor = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The registry's settings, in the order and words of ``gitreg.yaml``."""

    format: int = FORMAT
    name: str = ""
    description: str = ""
    branch: str = "main"
    layout: Layout = "flat"
    stages: tuple[Stage, ...] = DEFAULT_STAGES
    tags: TagSettings = field(default_factory=TagSettings)
    extra: dict[str, Any] = field(default_factory=dict)

    def stage(self, text: str) -> Stage:
        """The stage called ``text``; case does not count, as in MLflow.

        Raises:
            InvalidInput: It is not a stage of this registry; the hint names the nearest.
        """
        wanted = text.casefold()
        for stage in self.stages:
            if stage.name.casefold() == wanted:
                return stage
        names = [stage.name for stage in self.stages]
        raise InvalidInput(
            f"{shown(text)} is not a stage of this registry",
            where="stage",
            hint=did_you_mean(text, names) or f"stages: {', '.join(names)}",
        )

    def has_stage(self, text: str) -> bool:
        """Whether ``text`` names a stage of this registry, whatever its case."""
        return any(stage.name.casefold() == text.casefold() for stage in self.stages)


def did_you_mean(text: str, known: list[str] | tuple[str, ...]) -> str:
    """``did you mean "X"?`` for the nearest of ``known``, or ``""``."""
    import difflib  # only errors need it

    folded = {name.casefold(): name for name in reversed(known)}
    near = difflib.get_close_matches(text.casefold(), list(folded), n=1, cutoff=0.6)
    return f'did you mean "{folded[near[0]]}"?' if near else ""
