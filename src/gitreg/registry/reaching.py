"""Which models a proposal reaches, and whether anything besides: what its merger must be trusted with.

Commits say in words what they do; what counts is which files they change.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.errors import GitregError
from gitreg.gitstore.ancestry import merge_base
from gitreg.gitstore.log import history
from gitreg.manifest.layout import APPROVALS_DIR, Layout, parse_approval
from gitreg.registry.open_proposals import added
from gitreg.registry.store import Store

REGISTRY = ""
"""What is no model's own: settings, rules, keys, and all else that the repository holds."""


def reached(store: Store, base: str, head: str) -> frozenset[str]:
    """The models whose files a proposal changes, under their old and new names; ``REGISTRY`` for other files.

    A commit that changes a file counts although a later one takes it back: ``--mode rebase`` brings each of
    them to the branch.

    Args:
        store: The registry.
        base: Full hex id of the branch's newest commit.
        head: Full hex id of the proposal's.

    Returns:
        ``{REGISTRY}`` where the two have nothing in common, or the branch holds all of it already.
    """
    since = merge_base(store.repository, base, head)
    if since is None:
        return frozenset({REGISTRY})
    try:
        layout = Layout(store.view(base).settings.layout)
    except GitregError:  # which files are whose can't be told
        return frozenset({REGISTRY})
    found = frozenset(_owner(store, layout, path) for path in _paths(store, base, since, head))
    return found or frozenset({REGISTRY})


def _paths(store: Store, base: str, since: str, head: str) -> Iterator[str]:
    laid = added(store, base, head)
    yield from laid.changes
    yield from laid.conflicts
    tree = store.reader.commit(base).tree
    for commit in history(store.repository, head=head, after=since):
        for touched in commit.changes:
            if store.reader.entry(tree, touched.path) != touched.new:  # else it comes from there
                yield touched.path


def _owner(store: Store, layout: Layout, path: str) -> str:
    """The model that a file belongs to."""
    if not path.startswith(store.prefix):
        return REGISTRY
    own = path.removeprefix(store.prefix)
    if own.startswith(f"{APPROVALS_DIR}/"):
        approval = parse_approval(own)
        return approval.name if approval else REGISTRY
    place = layout.parse(own)
    return place.name if place else REGISTRY
