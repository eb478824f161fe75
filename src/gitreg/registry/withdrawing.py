"""Take a proposal away: its pull request, its branch there and here, or its number on a server of ours."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.branches import OURS
from gitreg.errors import Conflict, GitregError, NotFound
from gitreg.gitstore.log import is_ancestor
from gitreg.gitstore.remote import ANY, PushRef, push
from gitreg.registry.open_proposals import OpenProposal, find, with_request
from gitreg.registry.remote_branch import (
    BRANCHES,
    Upstream,
    checked_out,
    hosting_of,
    point,
    remove_there,
    upstream,
)
from gitreg.registry.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was withdrawn.

    Attributes:
        proposal: Which.
        upstream: Where it was open.
        words: What the server said.
        notes: What is left, and why.
    """

    proposal: OpenProposal
    upstream: Upstream
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def withdraw(store: Store, first: str, second: str | None = None, *, remote: str | None = None) -> Withdrawn:
    """Withdraw a proposal.

    Args:
        store: The registry.
        first: See ``open_proposals.find``.
        second: As ``first``.
        remote: See ``remote_branch.upstream``.

    Raises:
        NotFound: There is none.
        Conflict: Somebody changed it meanwhile.
        NotAllowed: The server refuses it.
    """
    up = upstream(store, remote)
    found = with_request(store, up, find(store, up, first, second))
    _refuse_foreign(up, found)
    words: tuple[str, ...] = ()
    service = hosting_of(store, up) if found.url else None
    if service is not None and found.number is not None:
        service.close(found.number)
    elif found.number is not None:
        words = _unnumbered(store, up, found)
    if found.there is not None:
        words += remove_there(store, up, found.branch, found.there)
    notes = (*_left_open(up, found), *_remove_here(store, found))
    return Withdrawn(proposal=found, upstream=up, words=words, notes=notes)


def _left_open(up: Upstream, found: OpenProposal) -> tuple[str, ...]:
    """Where a service keeps the proposal all the same: it was told of it by a push alone."""
    if up.service not in ("gitea", "gerrit") or found.there is not None or found.number is not None:
        return ()
    return (f"it stays open on {up.address}, as gitreg has no token for it: close it there",)


def _refuse_foreign(up: Upstream, found: OpenProposal) -> None:
    if found.branch and not found.branch.startswith(OURS):
        mend = (
            f"git push {up.remote} --delete {found.branch}"
            if found.there
            else f"git branch -D {found.branch}"
        )
        raise Conflict(
            f"{found.branch} is a branch of yours, not one that gitreg made", where=found.ref, hint=mend
        )


def _unnumbered(store: Store, up: Upstream, found: OpenProposal) -> tuple[str, ...]:
    if up.remote is None:
        raise NotFound(
            f"proposal {found.number} can be withdrawn from a clone only",
            where=found.ref,
            hint=f"git clone, and there: gitreg withdraw {found.number}",
        )
    target = f"refs/for/{found.target}"  # the number alone counts: see githooks.proc_receive
    update = PushRef(source=found.head, target=target, expected=ANY)
    return push(store.repository, up.remote, [update], options=[f"withdraw={found.number}"]).words


def remove(store: Store, up: Upstream, found: OpenProposal) -> tuple[str, ...]:
    """Remove the branches of a proposal that was merged; what could not be removed, one sentence each.

    A branch that no command of ours made stays, and so do commits that were not part of the proposal.
    """
    if not found.branch.startswith(OURS):
        return ()
    notes = []
    if found.there is not None:
        try:
            remove_there(store, up, found.branch, found.there)
        except GitregError as error:
            notes.append(f"the branch {found.branch} stays on {up.remote}: {error.message}")
    if found.here is not None and not is_ancestor(store.repository, found.here, found.head):
        return *notes, f"the branch {found.branch} stays here: it holds other commits"
    return *notes, *_remove_here(store, found)


def _remove_here(store: Store, found: OpenProposal) -> tuple[str, ...]:
    if found.here is None:
        return ()
    ref = f"{BRANCHES}{found.branch}"
    if checked_out(store, ref):
        return (f"the branch {found.branch} stays here: it is checked out",)
    try:
        point(store, ref, None, was=found.here, reason="the proposal is closed")
    except GitregError as error:
        return (f"the branch {found.branch} stays here: {error.message}",)
    return ()
