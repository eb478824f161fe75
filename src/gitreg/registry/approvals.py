"""Approvals as events: what the files below ``approvals/`` say, read without believing any of it.

Whether an approval counts is for policy to say. The history tells that somebody put it there, whoever's
name its path gives, also where what the file holds can't be read.
"""

from __future__ import annotations

import json
from typing import Any

from gitreg.domain.changes import Change
from gitreg.domain.names import is_utf8
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.trees import FILE, Entry
from gitreg.manifest.layout import ApprovalPlace, parse_approval
from gitreg.registry.store import Store

_SIGNATURE = b"-----BEGIN SSH SIGNATURE-----"
_MOST_BYTES = 64 * 1024
_MOST_PEOPLE, _LONGEST = 50, 320  # an e-mail address has 254 characters at most


def approvals_added(store: Store, commit: HistoryCommit) -> tuple[Change, ...]:
    """The approvals that a commit brings, by path; one that it edits or removes is no event."""
    found = []
    for touched in sorted(commit.changes, key=lambda each: each.path):
        if touched.old is not None or touched.new is None or touched.new.mode != FILE:
            continue
        path = touched.path.removeprefix(store.prefix)
        place = parse_approval(path)
        if place is not None:
            found.append(approval_change(path, place, _read(store, touched.new)))
    return tuple(found)


def approval_change(path: str, place: ApprovalPlace, data: bytes) -> Change:
    """One approval as an event.

    Args:
        path: Of its file, below the registry's root.
        place: What the path says.
        data: What the file holds.
    """
    after: dict[str, Any] = {"approver": place.principal}
    if place.number:
        after["number"] = place.number
    proposers = proposed_by(data)
    if proposers:
        after["proposed_by"] = proposers
    return Change(
        event="approve",
        model=place.name,
        version=place.version or None,
        stage=place.stage or None,
        field=path,
        after=after,
    )


def _read(store: Store, entry: Entry) -> bytes:
    known = store.decoder.ahead.get(entry.oid)
    return store.reader.blob(entry.oid) if known is None else known


def proposed_by(data: bytes) -> tuple[str, ...]:
    """Whom an approval names as those who made the proposal; nobody where it can't be read."""
    if len(data) > _MOST_BYTES:
        return ()
    try:
        told = json.loads(data.partition(_SIGNATURE)[0])["predicate"]["proposed_by"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    if not isinstance(told, list):
        return ()
    fit = (one for one in told if isinstance(one, str) and 0 < len(one) <= _LONGEST and is_utf8(one))
    return tuple(fit)[:_MOST_PEOPLE]
