"""Decide about a proposal: approve it as somebody who signed in here, merge it, or withdraw it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from gitreg.domain.approval import PolicyApproval
from gitreg.errors import Conflict, GitregError, InvalidInput, NotAllowed
from gitreg.gitstore.ancestry import merge_base
from gitreg.registry import merge_proposal
from gitreg.registry.approving import Plan, plan_on
from gitreg.registry.clock import utc_now
from gitreg.registry.contrasting_rules import told_to_approve
from gitreg.registry.numbered import Numbered
from gitreg.registry.open_proposals import Listed, OpenProposal, looked_at
from gitreg.registry.proposals_shown import find, state_of
from gitreg.registry.reaching import reached
from gitreg.registry.remote_branch import Upstream
from gitreg.registry.store import Store
from gitreg.registry.withdrawing import withdraw
from gitreg.web import identity, vouching
from gitreg.web.actions.act import Act, Changed, Form
from gitreg.web.actions.typed import Typed
from gitreg.web.identity import Role
from gitreg.web.pages import differing
from gitreg.web.pages.look import Look, Page

_HEAD = "head"
_MODES: tuple[merge_proposal.Mode, ...] = ("merge", "squash", "rebase")
_PLACES = {"message": "message", "mode": "mode"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A proposal that somebody is about to decide on.

    Attributes:
        upstream: What it is for, as it was fetched last.
        proposal: Which.
        listed: What it does and lacks; None where the branch holds all of it already.
        models: Those that it reaches; ``""`` for anything besides, see ``reaching.reached``.
    """

    upstream: Upstream
    proposal: OpenProposal
    listed: Listed | None
    models: frozenset[str]

    @property
    def name(self) -> str:
        """By what its page and commands know it: its number, where a server gave it one."""
        return str(self.proposal.number) if self.proposal.number else self.proposal.branch

    @property
    def promoted(self) -> tuple[str, int] | None:
        """The one version that it brings to a stage; None where it does something else."""
        verdict = self.listed.verdict if self.listed else None
        moved = [one.entering for step in verdict.steps for one in step.judged] if verdict else []
        versions = {(each.version.name, each.version.version) for each in moved if each.stage.guarded}
        return versions.pop() if len(versions) == 1 else None


def _asked(store: Store, ref: str) -> Asked:
    up, found = find(store, ref)
    if isinstance(found, Numbered):
        raise Conflict(f"proposal {found.number} is {found.state}", where=ref)
    return Asked(
        upstream=up,
        proposal=found,
        listed=looked_at(store, up, found),
        models=reached(store, up.base, found.head),
    )


def _require(role: Role, models: Iterable[str]) -> None:
    for model in sorted(models):
        identity.require(role, model or None)


# Approve


def show_approve(look: Look, typed: Typed, ref: str, *, key: str) -> Page:
    """What would be signed in the name of whom, or why it can't be done here."""
    asked = _asked(look.registry.store, ref)
    wanted: Plan | None = None
    why: GitregError | None = None
    store = look.registry.store
    try:
        wish = vouching.wish_of(store, asked.upstream, asked.name, look.identity, key=key)
        wanted = plan_on(store, wish, asked.upstream)
    except NotAllowed as error:
        why = error
    else:
        vouching.require_for(wanted)
    return _page(
        "approve.html",
        f"Approve {asked.name}",
        asked,
        typed,
        wanted=wanted,
        why=why,
        who=look.identity.person,
        rules=_rules(store, asked, wanted),
    )


def _rules(store: Store, asked: Asked, wanted: Plan | None) -> tuple[differing.RuleTold, ...]:
    """What a change of the rules means that would be signed: nobody approves one unseen."""
    if wanted is None or not any(isinstance(each, PolicyApproval) for each in wanted.statements.values()):
        return ()
    base, head = asked.upstream.base, asked.proposal.head
    since = merge_base(store.repository, base, head) or base
    return differing.rules(told_to_approve(store, since, head))


def approve(act: Act, typed: Typed, ref: str, *, key: str) -> str:
    """Sign what the page showed, and put it on the proposal's branch."""
    store = act.registry.store
    asked = _asked(store, ref)
    who, message = identity.current(), typed.one("message")
    wish = vouching.wish_of(store, asked.upstream, asked.name, who, key=key, reason=message)
    wanted = vouching.planned(store, wish)
    _refuse_other(wanted.proposal, typed)
    vouching.signed(store, wish, wanted, key=key)
    return act.proposal(asked.name, "approved")


def _refuse_other(proposal: OpenProposal, typed: Typed) -> None:
    if typed.one(_HEAD) != proposal.head:
        raise Changed


# Merge


def show_merge(look: Look, typed: Typed, ref: str) -> Page:
    """What the rules say of it, and the button."""
    asked = _asked(look.registry.store, ref)
    _require(Role.APPROVER, asked.models)
    return _page("forms/merge.html", f"Merge {asked.name}", asked, typed, modes=_MODES)


def merge(act: Act, typed: Typed, ref: str) -> str:
    """Merge it, if the rules are met."""
    store = act.registry.store
    asked = _asked(store, ref)
    _require(Role.APPROVER, asked.models)
    _refuse_other(asked.proposal, typed)
    mode = next((each for each in _MODES if each == (typed.one("mode") or "merge")), None)
    if mode is None:
        raise InvalidInput("there is no such way to merge", where="mode", hint=", ".join(_MODES))
    wish = merge_proposal.Wish(
        first=asked.name,
        second=None,
        mode=mode,
        reason=typed.one("message"),
        author=act.person,
        committer=vouching.server(store),
        clock=utc_now,
        head=typed.one(_HEAD),
    )
    done = merge_proposal.merge(store, wish)
    if asked.promoted is not None:
        return act.links.version(*asked.promoted, committed=done.commit)
    return act.links.commit(done.commit) if done.commit else act.links.proposals()


# Withdraw


def show_withdraw(look: Look, typed: Typed, ref: str) -> Page:
    """What it was for, and the button."""
    asked = _asked(look.registry.store, ref)
    _require(Role.WRITER, asked.models)
    return _page("forms/withdraw.html", f"Withdraw {asked.name}", asked, typed)


def take_back(act: Act, typed: Typed, ref: str) -> str:
    """Withdraw it."""
    store = act.registry.store
    asked = _asked(store, ref)
    _require(Role.WRITER, asked.models)
    _refuse_other(asked.proposal, typed)
    withdraw(store, asked.name)
    return act.links.to("proposals", at=None, done="withdrawn")


def _page(template: str, title: str, asked: Asked, typed: Typed, **values: object) -> Page:
    return Page(
        template=template,
        title=title,
        section="proposals",
        values={
            "name": asked.name,
            "proposal": asked.proposal,
            "listed": asked.listed,
            "state": state_of(asked.listed.verdict) if asked.listed else "",
            "typed": typed,
            **values,
        },
    )


def forms(key: str) -> tuple[Form, ...]:
    """The forms, for a server with this key; ``""``: it has none."""
    return (
        Form(
            path="/proposals/{ref:path}/approve",
            show=partial(show_approve, key=key),
            carry_out=partial(approve, key=key),
            single=frozenset({_HEAD, "message"}),
            places=_PLACES,
            role=Role.APPROVER,
        ),
        Form(
            path="/proposals/{ref:path}/merge",
            show=show_merge,
            carry_out=merge,
            single=frozenset({_HEAD, "message", "mode"}),
            places=_PLACES,
            role=Role.APPROVER,
        ),
        Form(
            path="/proposals/{ref:path}/withdraw",
            show=show_withdraw,
            carry_out=take_back,
            single=frozenset({_HEAD}),
            places=_PLACES,
        ),
    )
