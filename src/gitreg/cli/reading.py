"""The state that a reading command looks at, opened without what only writing needs to import."""

from __future__ import annotations

from gitreg.cli.options import current_store
from gitreg.gitstore import journal
from gitreg.registry.store import Store
from gitreg.registry.view import View


def view_at(store: Store, at: str | None) -> View:
    """The registry at its head, or where ``--at`` points; a killed writer's work is finished first."""
    if journal.load(store.repository.state_dir) is not None:
        from gitreg.gitstore.recovery import settle

        settle(store.repository, store.reader)
    return store.view(store.head() if at is None else store.commit_for(at))


def current_view(at: str | None) -> View:
    """The current registry at its head, or where ``--at`` points."""
    return view_at(current_store(), at)
