"""Which registry a push goes to: its repository, its settings, and its own branch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput, NotARegistry
from gitreg.githooks.updates import BRANCHES, Update
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.roots import registry_of, work_tree_of
from gitreg.registry.store import Store


def receiving(at: Path) -> Repository:
    """The repository that is pushed to, from the folder in which Git runs its hooks.

    Raises:
        NotARegistry: It has a work tree, and that holds no registry or several.
    """
    if at.name == ".git":  # looking upwards could find a registry that this repository lies in
        return registry_of(work_tree_of(at.parent))
    return Repository.discover(at)


def own_branch(store: Store, updates: Sequence[Update]) -> str | None:
    """Full name of the registry's own branch, None where there is no registry.

    It is the one that the settings at HEAD name; before the first push of a registry the one that
    HEAD names, or that the pushed settings name themselves.
    """
    head = store.repository.head()
    settings = settings_at(store, head.oid) if head.oid else None
    if settings is not None:
        return f"{BRANCHES}{settings.branch}"
    for update in updates:
        if update.new is None or not update.ref.startswith(BRANCHES):
            continue
        coming = settings_at(store, update.new)
        if coming is not None and update.ref in (head.branch, f"{BRANCHES}{coming.branch}"):
            return update.ref
    return None


def settings_at(store: Store, commit: str) -> Settings | None:
    """The settings that a commit holds; None where it holds no registry that can be read."""
    try:
        return store.view(commit).settings
    except (NotARegistry, InvalidInput):
        return None
