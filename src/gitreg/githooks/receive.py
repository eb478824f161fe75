"""``pre-receive``: what a server accepts. All refs of a push are judged, then all go or none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from gitreg.errors import GitregError
from gitreg.githooks.own import own_branch, receiving
from gitreg.githooks.referee import Referee, Refusal
from gitreg.githooks.telling import exit_code, failed, refused
from gitreg.githooks.updates import received
from gitreg.gitstore.inherited import quarantine
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
