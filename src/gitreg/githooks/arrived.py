"""``post-receive``: what follows on a push. Nothing here can undo it, so nothing here fails it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.errors import GitregError
from gitreg.githooks.own import own_branch, receiving, settings_at
from gitreg.githooks.tags import model_of
from gitreg.githooks.updates import PROPOSALS, TAGS, Update, received
from gitreg.gitstore.programs import executables, run_program
from gitreg.registry.store import Store
from gitreg.render.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitreg.gitstore.repository import Repository

SUBSCRIBERS = "subscribers"
"""Folder below ``gitreg/`` in the Git folder, with the programs that are told of every event."""

PATIENCE = 30.0
"""Seconds that one of them may take."""

AT_MOST = 3.0
"""Seconds for which a push waits while webhooks are told of it."""


def post_receive(text: bytes, *, at: Path, env: Mapping[str, str], now: datetime) -> int:
    """Make the tags of what arrived, bring the index up to date, close proposals, tell subscribers.

    Args:
        text: The hook's input.
        at: The folder in which Git runs the hook.
        env: The hook's environment.
        now: Time of the push.

    Returns:
        0: the push stands, whatever goes wrong here; that is told on stderr.
    """
    updates = received(text)
    repository = receiving(at)
    with Store(repository) as store:
        branch = own_branch(store, updates)
        if branch is None:
            return 0
        main = next((each for each in updates if each.ref == branch and each.new), None)
        tags = [each.ref for each in updates if each.new and _is_registry_tag(store, branch, each.ref)]
        if main is not None:
            with _told("the tags were not made", "gitreg reconcile"):
                tags += _reconciled(store, branch)
            with _told("the index is behind", "gitreg index"):
                store.index.slice()
            with _told("the proposals were not looked at", "git push again"):
                _closed(store, main, now)
        with _told("the subscribers were not told", ""):
            _publish(store, list(dict.fromkeys(tags)))
    with _told("the webhooks were not told yet", "gitreg webhooks deliver"):
        _deliver(repository)
    return 0


@contextmanager
def _told(what: str, mend: str) -> Iterator[None]:
    """Go on after a failure, and tell it."""
    try:
        yield
    except (GitregError, OSError) as error:
        said = error.message if isinstance(error, GitregError) else error.strerror or str(error)
        _warn(f"{what}: {said}" + (f" (to mend it: {mend})" if mend else ""))


def _warn(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"gitreg: warning: {safe(text)}\n")
        sys.stderr.flush()


def _is_registry_tag(store: Store, branch: str, ref: str) -> bool:
    head = store.repository.refs.read(branch) if ref.startswith(TAGS) else None
    settings = settings_at(store, head) if head else None
    return settings is not None and model_of(ref, settings) is not None


def _reconciled(store: Store, branch: str) -> list[str]:
    """Make what tags are missing; their full names."""
    from gitreg.registry.new_tags import make_new_tags

    _adopt(store, branch)
    return [f"{TAGS}{name}" for name in make_new_tags(store)]


def _adopt(store: Store, branch: str) -> None:
    """Point HEAD at the registry's branch where it names one that never was: commands begin there."""
    from gitreg.gitstore.heads import point_head

    head = store.repository.head()
    if store.repository.bare and head.oid is None and head.branch != branch:
        point_head(store.repository, branch)


def _closed(store: Store, main: Update, now: datetime) -> None:
    if store.repository.refs.list(PROPOSALS):
        from gitreg.githooks.closing import close_proposals  # most pushes find none

        close_proposals(store, main, now)


def _deliver(repository: Repository) -> None:
    """Tell the webhooks what can be told soon; a server, cron or the next push goes on."""
    from gitreg.subscribers.ledger import Ledger

    if Ledger.of(repository).usable:  # the push of another user leaves them to their owner
        from gitreg.subscribers.courier import Courier  # most servers have no webhooks

        Courier(repository).deliver(seconds=AT_MOST, wait=AT_MOST)


def _publish(store: Store, tags: Sequence[str], *, seconds: float = PATIENCE) -> None:
    programs = executables(store.repository.state_dir / SUBSCRIBERS)
    if not programs or not tags:
        return
    lines = list(_events(store, tags))
    text = "".join(lines).encode("utf-8", "replace")
    for program in programs:
        outcome = run_program(program, text, at=store.repository.root, seconds=seconds)
        if outcome.fault:
            _warn(f"the subscriber {program.name} failed: {outcome.fault}")


def _events(store: Store, tags: Sequence[str]) -> Iterator[str]:
    from gitreg.registry.event import Events

    events = Events(store)
    events.look_up(tags)
    for ref in tags:
        with _told(f"{ref} was not told", f"gitreg event {ref}"):
            yield json.dumps(events.of(ref), ensure_ascii=False) + "\n"
