"""What became of a proposal that is not open any more, as far as its branch's name and the history tell."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.branches import elsewhere
from gitreg.index.reading import Link
from gitreg.registry.activity import entry
from gitreg.registry.hands import Hands, hands
from gitreg.registry.log import LogEntry, commit_of
from gitreg.registry.proposal_names import promoted
from gitreg.registry.store import Store
from gitreg.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A proposal of a version for a stage, which is not open.

    Attributes:
        model: The model's name.
        version: The version's number.
        stage: The stage, by its exact name.
        given: The newest commit that gave the version that stage; None: none ever did.
        hands: Who proposed, approved and merged it; None where only one person is known.
    """

    model: str
    version: int
    stage: str
    given: Link | None
    hands: Hands | None


def ended(store: Store, view: View, name: str) -> Ended | None:
    """What a proposal was about whose branch is gone.

    Args:
        store: The registry.
        view: It at its newest commit.
        name: Its branch: see ``proposal_names.promotion``.

    Returns:
        None where the name tells no version and stage of this registry.
    """
    told = None if elsewhere(name, store.prefix) else promoted(name)
    if told is None:
        return None
    model, version, stage = told.name, told.version, told.stage
    part = store.index.slice(view.commit)
    known = "SELECT 1 FROM version v WHERE v.name = ? AND v.number = ? AND $v"
    if not part.rows(known, model, version):
        return None
    if stage not in [each.name for each in view.settings.stages]:
        return None
    found = _given(store, view, model, version, stage)
    return Ended(
        model=model,
        version=version,
        stage=stage,
        given=found[0] if found else None,
        hands=found[1] if found else None,
    )


def _given(
    store: Store, view: View, model: str, version: int, stage: str
) -> tuple[Link, Hands | None] | None:
    """The newest commit that gave the stage, and who had a hand in it."""
    part = store.index.slice(view.commit)
    for span in part.names(model):
        rows = part.rows(
            "SELECT max(e.seq) FROM event e WHERE e.name = ? AND e.number = ? AND e.stage = ? "
            "AND e.event IN ('transition', 'assign') AND e.seq >= ? AND e.seq <= ?",
            *(span.name, version, stage, span.since, min(span.until, part.seq)),
        )
        if rows[0][0] is None:
            continue
        told = entry(part, rows[0][0])
        logged = LogEntry(commit=commit_of(told.link), changes=told.changes, unread=told.unread)
        ((_, who),) = hands(store, part, [logged])
        mine = (each for each in who if each.change.version == version and each.change.stage == stage)
        return told.link, next(mine, None)
    return None
