"""Which Git tags a change gets: names, targets, times and messages, a function of the history so far.

Everything that knows how tags look is a ``Style``; what makes, checks and reads tags asks ``style_of``.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.domain.changes import Change
from gitreg.domain.settings import Settings, TagSettings
from gitreg.domain.tag_style import Planner, SeenTag, Standing, Style, TagName, TagPlan
from gitreg.domain.tags_gto import GtoStyle, fault_of_settings
from gitreg.domain.tags_own import OwnStyle
from gitreg.errors import InvalidInput

__all__ = ["Planner", "SeenTag", "Standing", "Style", "TagName", "TagPlan", "check_settings", "style_of"]

_HINT = "gitreg config tags.style gitreg makes tags that can (docs/gto.md)"


def style_of(settings: TagSettings) -> Style:
    """The style that the settings name."""
    return GtoStyle(settings) if settings.style == "gto" else OwnStyle(settings)


def version_tag(model: str, version: int, settings: TagSettings) -> str:
    """The tag of a version's registration: ``churn/v12``, or ``churn@v12.0.0`` in GTO's form."""
    return style_of(settings).version_tag(model, version)


def refuse_misfit(changes: Sequence[Change], settings: TagSettings) -> None:
    """Refuse what the registry's tags could not tell, before anything is written.

    Raises:
        InvalidInput: With the reason.
    """
    reason = style_of(settings).misfit(changes) if settings.made_for != "none" else ""
    if reason:
        raise InvalidInput(reason, where=f"tags.style: {settings.style}", hint=_HINT)


def check_settings(settings: Settings) -> Settings:
    """Return settings whose tags can be made.

    Raises:
        InvalidInput: What they say of tags does not go together.
    """
    field, reason = fault_of_settings(settings)
    if reason:
        raise InvalidInput(reason, where=field, hint="docs/gto.md tells what GTO reads")
    return settings
