"""Points in time that a server shows: those that are asked for, and no later than the one it stands at."""

from __future__ import annotations

from gitreg.errors import NotFound
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from gitreg.registry.view import View


def look_at(registry: Registry, asked: str | None, stands: str | None) -> View:
    """The registry at a point.

    Args:
        registry: Open for reading.
        asked: A date or revision; None: none was asked for.
        stands: The point that the whole server shows; None: now.

    Raises:
        NotFound: What is asked for is later than that.
        InvalidInput: It is no point.
    """
    view = registry.at(asked or stands)
    if asked and stands:
        refuse_later(registry.store, view.commit, registry.at(stands).commit)
    return view


def refuse_later(store: Store, commit: str, newest: str) -> None:
    """Refuse to show what came after a commit (full hex ids).

    Raises:
        NotFound: ``commit`` did, or is none of the branch's.
    """
    index = store.index.slice(newest).index
    place, last = index.place_of(commit), index.place_of(newest)
    if place is None or last is None or place > last:
        raise NotFound(
            f"this server shows the registry as it was at commit {newest[:10]}, and nothing later",
            where="query.at",
            hint="leave it out",
        )
