"""Which approvals counted when a commit of the history was judged: by the code that judges pushes."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from gitreg.policy.context import Judgement
from gitreg.registry.judging import step_of
from gitreg.registry.store import Store
from gitreg.registry.verdict import Step

Gain = tuple[str, int, str]
"""Model, version, and the stage that it gains."""

_MOST_KNOWN = 5_000  # commits


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The approvals of one change.

    Attributes:
        asked: Whether the rules asked for any.
        given: Principals whose approvals counted → the server that vouched for them, or ``""``.
        refused: The others → why theirs did not count.
        fault: Why nobody can tell; then the others are empty.
        digest: For a change of the rules: SHA-256 of those that it sets up; ``""`` where none was asked for.
    """

    asked: bool = False
    given: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitCounted:
    """The approvals of all that one commit did.

    Attributes:
        gains: Of each stage that a version gained, as far as that can be judged.
        rules: Of its change of the rules; None where it made none.
        fault: What is wrong with the commit, which may be why others can't be.
    """

    gains: Mapping[Gain, Counted] = field(default_factory=dict)
    rules: Counted | None = None
    fault: str = ""


_KNOWN: OrderedDict[tuple[str, str, str, str], CommitCounted] = OrderedDict()
_LOCK = Lock()


def counted(store: Store, oid: str, end: str) -> CommitCounted:
    """Which approvals of a commit's changes counted, by the rules of the commit before it.

    Judged by the commits' own times it never changes: so it is kept for as long as the process lives.

    Args:
        store: The registry, with its whole history.
        oid: Full hex id of a commit on the first-parent history of the branch.
        end: As ``oid``: the commit that holds the approvals, itself or one that came after it.

    Raises:
        GitregError: It can't be judged: its files, or the rules before it, can't be read.
    """
    key = (os.fspath(store.repository.common_dir), store.prefix, oid, end)
    with _LOCK:
        found = _KNOWN.get(key)
    if found is None:
        found = _of(step_of(store, oid, end))
        with _LOCK:
            _KNOWN[key] = found
            while len(_KNOWN) > _MOST_KNOWN:
                _KNOWN.popitem(last=False)
    return found


def _of(step: Step | None) -> CommitCounted:
    if step is None:
        return CommitCounted()
    gains = {}
    for judged in step.judged:
        change = judged.entering.change
        asked = next((each for each in judged.judgements if each.rule == "approvals"), None)
        gains[change.model, change.version or 0, change.stage or ""] = _counted(asked)
    rules = next((each for each in step.policy if each.rule == "policy"), None)
    fault = next((f"{one.location}: {one.message}" for one in step.findings), "")
    return CommitCounted(gains=gains, rules=_counted(rules) if rules else None, fault=fault)


def _counted(found: Judgement | None) -> Counted:
    detail: Mapping[str, Any] = found.detail if found else {}
    if found is None or "present" not in detail:  # nobody was asked, or the keys can't be read
        return Counted(fault="" if found is None or found.passed else found.message)
    return Counted(
        asked=True,
        given={str(each["approver"]): str(each.get("attester", "")) for each in detail["present"]},
        refused={str(each["approver"]): str(each["reason"]) for each in detail["refused"]},
        digest=str(detail.get("after", "")),
    )
