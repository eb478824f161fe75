"""Puts signed approvals on a proposal's branch, as one commit on top of what is there, and sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gitreg.domain.changes import Change
from gitreg.errors import GitregError, MovedRef
from gitreg.gitstore.remote import ANY, PushRef, push
from gitreg.manifest.layout import parse_approval
from gitreg.registry.approvals import approval_change
from gitreg.registry.approving import Plan, Wish, again
from gitreg.registry.messages import commit_message
from gitreg.registry.numbered import by_number
from gitreg.registry.open_proposals import OpenProposal
from gitreg.registry.remote_branch import BRANCHES, Upstream, note, point
from gitreg.registry.signer import session_of
from gitreg.registry.store import Store

_SCRATCH = "refs/gitreg/approving"
"""Holds what was made and is not sent yet."""

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was added.

    Attributes:
        commit: Full hex id of the proposal's new head.
        changes: The approvals as events.
        words: What the server said.
        notes: What else should be known, one sentence each.
    """

    commit: str
    changes: tuple[Change, ...]
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def add(store: Store, wish: Wish, wanted: Plan, files: Mapping[str, bytes]) -> Added:
    """Add signed approvals to a proposal.

    Args:
        store: The registry.
        wish: What was asked for.
        wanted: What was signed.
        files: The signed files, by path below the registry's root.

    Raises:
        Conflict: The proposal is another one by now, or a person's edits stand in the way.
        NotAllowed, EnvironmentFailure, OutcomeUnknown: The server refuses, or was not reached.
    """
    changes = tuple(
        approval_change(path, place, data)
        for path, data in sorted(files.items())
        if (place := parse_approval(path)) is not None
    )
    for _ in range(_TRIES - 1):
        try:
            return _attempt(store, wish, wanted, files, changes)
        except MovedRef:  # somebody else approved meanwhile
            wanted = again(store, wish, wanted)
    return _attempt(store, wish, wanted, files, changes)


def _attempt(
    store: Store, wish: Wish, wanted: Plan, files: Mapping[str, bytes], changes: tuple[Change, ...]
) -> Added:
    up, proposal = wanted.upstream, wanted.proposal
    sent = up.remote is not None and proposal.shared
    ref = _SCRATCH if sent else proposal.ref
    commit = _commit(store, ref, proposal.head, files, changes, wish)
    made = Added(commit=commit, changes=changes)
    if not sent:
        said = f"{proposal.name} is not on {up.remote}: nobody else sees the approval there"
        return replace(made, notes=(said,)) if up.remote else made
    try:
        words = _sent(store, up, proposal, commit)
    finally:
        note(store, _SCRATCH, None)
    return _brought_along(store, proposal, replace(made, words=words))


def _brought_along(store: Store, proposal: OpenProposal, made: Added) -> Added:
    """The branch of this clone on the new commit, too; sent it is, whatever stands in the way here."""
    if not proposal.branch or proposal.here != proposal.head:
        return made
    try:
        point(store, f"{BRANCHES}{proposal.branch}", made.commit, was=proposal.here, reason="gitreg approve")
    except GitregError as error:
        said = f"{proposal.branch} here is behind now ({error}): git merge --ff-only {made.commit[:10]}"
        return replace(made, notes=(said,))
    return made


def _commit(
    store: Store,
    ref: str,
    head: str,
    files: Mapping[str, bytes],
    changes: tuple[Change, ...],
    wish: Wish,
) -> str:
    with session_of(store, ref) as session:
        if ref != _SCRATCH and session.base != head:
            raise MovedRef("the branch moved meanwhile", where=ref)
        commit = session.commit(
            parent=head,
            changes={store.prefix + path: data for path, data in files.items()},
            message=commit_message(changes, reason=wish.reason),
            author=wish.author or wish.committer,
            committer=wish.committer,
            when=wish.clock(),
        )
        session.publish()
    return commit


def _sent(store: Store, up: Upstream, proposal: OpenProposal, commit: str) -> tuple[str, ...]:
    assert up.remote is not None
    if proposal.there is not None:
        update = PushRef(source=commit, target=f"{BRANCHES}{proposal.branch}", expected=proposal.there)
        words = push(store.repository, up.remote, [update]).words
        note(store, up.tracking(proposal.branch), commit)
        return words
    assert proposal.number is not None
    kept = by_number(store, proposal.number)
    topic = kept.topic if kept is not None else proposal.branch
    # The ref that is pushed to holds nothing, so no lease of Git's can stand on it: the server is told.
    options = [f"topic={topic}", f"expected={proposal.head}"]
    update = PushRef(source=commit, target=f"refs/for/{up.branch}", expected=ANY)
    words = push(store.repository, up.remote, [update], options=options).words
    if not store.repository.bare:  # a server's own numbers are not another server's
        note(store, proposal.ref, commit)
    return words
