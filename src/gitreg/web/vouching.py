"""Approvals by who signed in here: the server signs in their name, with its own key."""

from __future__ import annotations

import os

from gitreg.domain.approval import Approval
from gitreg.errors import NotAllowed
from gitreg.gitstore.objects import Person
from gitreg.registry.approval_commit import Added, add
from gitreg.registry.approving import Plan, Wish, plan, sign
from gitreg.registry.clock import utc_now
from gitreg.registry.remote_branch import Upstream
from gitreg.registry.store import Store
from gitreg.registry.vouching import attester
from gitreg.web import identity
from gitreg.web.identity import Identity, Role


def wish_of(store: Store, up: Upstream, name: str, who: Identity, *, key: str, reason: str = "") -> Wish:
    """What somebody wants who signed in here.

    Args:
        store: The registry.
        up: What the proposal is for; its keys count.
        name: The proposal's branch or number.
        who: Sends the request.
        key: The server's private key; ``""``: it has none.
        reason: Why, in their words.

    Raises:
        NotAllowed: They did not sign in, or the server has no key that the registry knows.
    """
    if not who.signed_in or who.person is None:
        raise NotAllowed(
            "nobody has said who you are: an approval is somebody's",
            hint=f"sign in; or approve it with your own key, in a clone: gitreg approve {name}",
        )
    if not key:
        raise NotAllowed(
            "this server has no key to vouch for you with",
            hint=f"approve it with your own, in a clone: gitreg approve {name}",
        )
    return Wish(
        first=name,
        second=None,
        rules=True,
        approver=who.person.email,
        attester=attester(store, up.base, key),
        author=who.person,
        committer=server(store),
        clock=utc_now,
        reason=reason,
    )


def server(store: Store) -> Person:
    """Who commits what is made here in somebody's name."""
    return store.repository.identity(os.environ, "committer")


def require_for(wanted: Plan) -> None:
    """Refuse who is not an approver of all that would be signed.

    Raises:
        Denied: They are not.
    """
    about = {each.model if isinstance(each, Approval) else "" for each in wanted.statements.values()}
    for model in sorted(about):
        identity.require(Role.APPROVER, model or None)


def planned(store: Store, wish: Wish) -> Plan:
    """What would be signed, as it is on the remote now, by somebody who may."""
    wanted = plan(store, wish)
    require_for(wanted)
    return wanted


def signed(store: Store, wish: Wish, wanted: Plan, *, key: str) -> Added | None:
    """Sign it and put it on the proposal; None where there is nothing left to sign."""
    if not wanted.statements:
        return None
    return add(store, wish, wanted, sign(store, wanted, key=key))
