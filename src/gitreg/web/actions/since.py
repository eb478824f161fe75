"""What happened to a model since the page with a form was loaded."""

from __future__ import annotations

from gitreg.registry.log import LogEntry, Wanted, log
from gitreg.web.actions.act import SEEN
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look

_MOST = 5


def since(look: Look, typed: Typed, name: str) -> tuple[LogEntry, ...]:
    """The newest commits that changed a model after the one that a refused form was filled in on."""
    if typed.problem is None or typed.problem.code != 409:
        return ()
    index = look.part.index
    seen = index.place_of(typed.one(SEEN))
    if seen is None:
        return ()
    found = log(look.part, Wanted(name=name), limit=_MOST)
    return tuple(entry for entry in found if (index.place_of(entry.commit.oid) or 0) > seen)


def seen_now(look: Look, typed: Typed) -> str:
    """The commit that a form says it was filled in on.

    A form that is shown again after a slip keeps the first one, so that no change of others is lost that came
    meanwhile; after a conflict the present state was shown.
    """
    if typed.sent and typed.problem is not None and typed.problem.code != 409 and typed.one(SEEN):
        return typed.one(SEEN)
    return look.view.commit
