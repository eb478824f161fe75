"""``pre-push``: what the server would refuse is refused before it leaves."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from gitreg.domain.settings import Settings
from gitreg.githooks.own import settings_at
from gitreg.githooks.referee import Referee, Refusal
from gitreg.githooks.telling import exit_code, refused
from gitreg.githooks.updates import BRANCHES, Update, pushed
from gitreg.gitstore.roots import registries, work_tree_of
from gitreg.registry.store import Store


def pre_push(remote: str, text: bytes, *, at: Path, env: Mapping[str, str], now: datetime) -> int:
    """Judge a push before it is sent; 0, or what ``exit_code`` says.

    Args:
        remote: Name of the remote, or its URL where it has none.
        text: The hook's input.
        at: The folder in which Git runs the hook.
        env: The hook's environment.
        now: Time of the push.
    """
    updates = pushed(text)
    found: list[Refusal] = []
    for repository in registries(work_tree_of(at)) if updates else ():
        with Store(repository) as store:
            found += _refusals(store, remote, updates, now)
    if not found:
        return 0
    sys.stderr.write(refused(found, env))
    return exit_code(found)


def _refusals(store: Store, remote: str, updates: Sequence[Update], now: datetime) -> list[Refusal]:
    settings = _settings(store, updates)
    if settings is None:
        return []
    branch = f"{BRANCHES}{settings.branch}"
    mine = next((each for each in updates if each.ref == branch), None)
    if mine is not None and mine.old is not None and not store.reader.has(mine.old):
        mend = f"git pull --rebase {remote} {settings.branch}"
        reason = "the remote branch holds commits that are not here, so that nothing can be judged"
        return [Refusal(ref=branch, reason=reason, mend=mend)]
    old = mine.old if mine else _known(store, remote, settings.branch)
    return Referee(store, branch=branch, old=old, updates=updates, now=now).refusals()


def _settings(store: Store, updates: Sequence[Update]) -> Settings | None:
    """The settings at HEAD, else those of the first branch of the push that has any."""
    head = store.repository.head().oid
    heads = [head, *(each.new for each in updates if each.ref.startswith(BRANCHES))]
    return next((found for oid in heads if oid and (found := settings_at(store, oid))), None)


def _known(store: Store, remote: str, branch: str) -> str | None:
    """Where the remote's branch was seen last; the local one where it never was."""
    refs = store.repository.refs
    seen = None if "/" in remote else refs.read(f"refs/remotes/{remote}/{branch}")
    return seen or refs.read(f"{BRANCHES}{branch}")
