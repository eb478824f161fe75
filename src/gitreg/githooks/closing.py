"""Proposals that arrived in the branch are merged, however they came there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gitreg.githooks.proposals import Proposal, proposals, save, stamp
from gitreg.githooks.updates import BRANCHES, Update
from gitreg.gitstore.ancestry import merge_base
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.log import is_ancestor
from gitreg.registry.differing import touched
from gitreg.registry.store import Store


def close_proposals(store: Store, main: Update, now: datetime) -> None:
    """Mark the proposals that arrived in the branch as merged.

    Args:
        store: The registry.
        main: How its branch moved.
        now: Time of the push.
    """
    with write_lock(store.repository.state_dir) as lock:
        for each in proposals(store):
            if each.meta.state == "open" and main.ref == f"{BRANCHES}{each.meta.target}":
                if not _arrived(store, each, main):
                    continue
                meta = replace(each.meta, state="merged", updated=stamp(now))
                save(store, replace(each, meta=meta), before=each, held=(lock,))


def _arrived(store: Store, proposal: Proposal, main: Update) -> bool:
    """Whether the branch holds a proposal: its commit, or every blob that it brings (squash, rebase)."""
    assert main.new is not None
    if is_ancestor(store.repository, proposal.head, main.new):
        return True
    base = merge_base(store.repository, main.new, proposal.head)
    paths = touched(store, base, proposal.head) if base else []
    there, wanted = (store.reader.commit(oid).tree for oid in (main.new, proposal.head))
    entry = store.reader.entry
    return bool(paths) and all(
        entry(there, store.prefix + path) == entry(wanted, store.prefix + path) for path in paths
    )
