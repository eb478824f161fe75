"""``pre-receive``: what a server accepts. All refs of a push are judged, then all go or none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from gitreg.errors import GitregError
from gitreg.githooks.referee import Referee, Refusal, settings_at
from gitreg.githooks.telling import exit_code, failed, refused
from gitreg.githooks.updates import BRANCHES, Update, received
from gitreg.gitstore.inherited import quarantine
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.roots import registry_of, work_tree_of
from gitreg.registry.store import Store


def pre_receive(text: bytes, *, at: Path, env: Mapping[str, str], now: datetime) -> int:
    """Judge a push.

    The objects lie in quarantine: nothing that names one is kept, neither in the index nor elsewhere.

    Args:
        text: The hook's input.
        at: The folder in which Git runs the hook.
        env: The hook's environment.
        now: Time of the push.

    Returns:
        0, or what ``exit_code`` says; why is told on stderr.
    """
    try:
        refusals = _refusals(text, at, env, now)
    except GitregError as error:
        sys.stderr.write(failed(error, env))
        return error.exit_code
    if not refusals:
        return 0
    sys.stderr.write(refused(refusals, env))
    return exit_code(refusals)


def _refusals(text: bytes, at: Path, env: Mapping[str, str], now: datetime) -> list[Refusal]:
    updates = received(text)
    repository = receiving(at)
    with quarantine(repository, env), Store(repository) as store:
        branch = own_branch(store, updates)
        if branch is None:
            return []
        old = repository.refs.read(branch)
        return Referee(store, branch=branch, old=old, updates=updates, now=now).refusals()


def receiving(at: Path) -> Repository:
    """The repository that is pushed to, from the folder in which Git runs its hooks.

    Raises:
        NotARegistry: It has a work tree, and that holds no registry or several.
    """
    if at.name == ".git":  # looking upwards could find a registry that this repository lies in
        return registry_of(work_tree_of(at.parent))
    return Repository.discover(at)


def own_branch(store: Store, updates: list[Update]) -> str | None:
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
