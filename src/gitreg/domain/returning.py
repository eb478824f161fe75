"""Whether a change of stages is a rollback: it does just what ``rollback`` would have done.

Whoever makes it, and however: a command, a hand edit, a merge. What a version satisfied when it entered a
stage need not be asked again when the stage is given back to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from gitreg.domain.model import ModelState
from gitreg.domain.rollback import Hold, Plan, plan
from gitreg.domain.settings import Settings
from gitreg.errors import Conflict, InvalidInput

Return = Literal["", "back", "aside"]
"""``back``: the version gets a stage again that it held; ``aside``: it makes room, and is where it was."""


def rolled_back(
    holds: Sequence[Hold],
    before: ModelState,
    after: ModelState,
    *,
    stage: str,
    number: int,
    settings: Settings,
    touched: Iterable[int],
) -> Plan | None:
    """The rollback that a change comes to, None where it is none.

    Args:
        holds: The stages that the model's versions held up to ``before``, under all of its names.
        before: The model before.
        after: The model afterwards.
        stage: A stage, by its exact name, that a version enters.
        number: The version.
        settings: The registry's settings.
        touched: The versions that differ between the two, or more.
    """
    numbers = set(touched)
    for to in (None, number):
        try:
            found = plan(holds, stage, state=before, settings=settings, to=to)
        except (Conflict, InvalidInput):
            continue
        if number in found.back and _same(found.request.following, before, after, numbers):
            return found
    return None


def _same(
    following: Mapping[int, frozenset[str]], before: ModelState, after: ModelState, touched: set[int]
) -> bool:
    """Whether the versions hold afterwards what a rollback gives them, and the others what they held."""
    return all(
        held(after, number) == following.get(number, held(before, number))
        for number in touched | following.keys()
    )


def held(state: ModelState, number: int) -> frozenset[str]:
    """The stages that a version holds; none where it is not there."""
    version = state.live(number)
    return frozenset(version.stages) if version else frozenset()
