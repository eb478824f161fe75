"""The state that a reading command looks at, opened without what only writing needs to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.cli.options import current_store
from gitreg.gitstore import journal
from gitreg.registry.store import Store
from gitreg.registry.view import View

if TYPE_CHECKING:
    from gitreg.index.reading import Slice

_LONG = 2000  # commits: reading fewer into the index takes less than a second


def view_at(store: Store, at: str | None) -> View:
    """The registry at its head, or where ``--at`` points; a killed writer's work is finished first."""
    _settle(store)
    view = store.look(at)
    _tell_loss(store)
    return view


def current_view(at: str | None) -> View:
    """The current registry at its head, or where ``--at`` points."""
    return view_at(current_store(), at)


def current_slice(at: str | None) -> tuple[Store, Slice]:
    """The current registry and its index, up to date, at its head or where ``--at`` points.

    Where the index has to be made first, a bar on stderr tells how far it is.

    Raises:
        NotFound: ``--at`` names a commit that is not on the branch's first-parent history.
    """
    store = current_store()
    return store, slice_at(store, at)


def slice_at(store: Store, at: str | None) -> Slice:
    """As ``current_slice``, of an open registry."""
    from gitreg.cli.progress import Progress

    _settle(store)
    with Progress() as progress:

        def told(done: int, total: int) -> None:
            if total > _LONG:
                progress.bar("reading the history", done, total)

        part = store.index.slice(progress=told)
        found = part if at is None else store.index.slice(store.commit_for(at), progress=told)
    _tell_loss(store)
    return found


def tell_shallow(part: Slice) -> None:
    """Say what a shallow clone can't tell, where the history is asked for."""
    if part.shallow:
        from gitreg.cli.output import note
        from gitreg.render.text import moment

        first = part.link(1)
        note(
            f"this is a shallow clone: what happened up to {first.oid[:10]} ({moment(first.time)}) "
            "can't be told; git fetch --unshallow brings it"
        )


def _settle(store: Store) -> None:
    if journal.load(store.repository.state_dir) is not None:
        from gitreg.gitstore.recovery import settle

        settle(store.repository, store.reader)


def _is_shared(store: Store, commit: str) -> bool:
    """Whether the branch's remote holds a commit: a proposal was begun on it, and this clone is behind."""
    from gitreg.gitstore.log import is_ancestor

    branch = store.read_branch().removeprefix("refs/heads/")
    followed = store.repository.upstream(branch) if branch else None
    theirs = store.reader.ref(followed) if followed else None
    return theirs is not None and is_ancestor(store.repository, commit, theirs)


def _tell_loss(store: Store) -> None:
    lost = store.index.lost if "index" in store.__dict__ else 0
    if lost:
        from gitreg.cli.output import warning
        from gitreg.gitstore.log import is_ancestor
        from gitreg.render.text import plural

        former = store.index.lost_head
        if _is_shared(store, former):
            store.index.lost = 0
            return
        gone = f"{plural(lost, 'commit')} {'is' if lost == 1 else 'are'} no longer"
        if is_ancestor(store.repository, former, store.head()):
            warning(
                f"a merge made the branch's former head {former[:10]} its second parent: {gone} on its "
                f"first-parent history; to mend it: git reset --keep {former[:10]}, then merge the other side"
            )
        else:
            warning(
                f"the branch was rewritten since the last look: {gone} in its history "
                "(git reflog still knows them)"
            )
        store.index.lost = 0
