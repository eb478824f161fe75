"""Which buttons a page has for whoever looks at it: none that always leads to a refusal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gitreg.domain.approval import address_key
from gitreg.domain.settings import ARCHIVED, Approvals
from gitreg.errors import GitregError
from gitreg.index.schema import LIVE
from gitreg.policy.context import Judgement
from gitreg.policy.enforce import asked_of_policy
from gitreg.registry.open_proposals import Listed, OpenProposal
from gitreg.registry.reaching import reached
from gitreg.registry.remote_branch import Upstream
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.store import Store
from gitreg.signing.signers import Person, Signers
from gitreg.web.identity import Role
from gitreg.web.pages.look import Look

_CAME = """
SELECT max(first) FROM (
    SELECT min(p.since) AS first FROM holding p WHERE p.name = ? AND p.stage = ? AND p.number IN (
        SELECT h.number FROM holding h WHERE h.name = ? AND h.stage = ? AND $h
    ) GROUP BY p.number
)
"""
_HELD_BEFORE = """
SELECT 1 FROM holding h JOIN version v ON v.name = h.name AND v.number = h.number
WHERE h.name = ? AND h.stage = ? AND h.since < ? AND v.state = ? AND $v LIMIT 1
"""


def rollbacks(look: Look, name: str) -> list[str]:
    """The stages of a model that a rollback can give back: another version held them before.

    Those that ask for approvals are left out: a rollback is refused there. What a former name of the
    model held does not count.

    Args:
        look: The registry.
        name: The model.
    """
    if not look.may(Role.WRITER, name):
        return []
    stages = [stage for stage in look.settings.stages if stage.name != ARCHIVED and not stage.approvals]
    return [stage.name for stage in stages if _held_before(look, name, stage.name)]


def _held_before(look: Look, name: str, stage: str) -> bool:
    """Whether a version held a stage before the last of those that hold it now came to it."""
    rows = look.part.rows(_CAME, name, stage, name, stage)
    came = rows[0][0] or look.part.seq + 1
    return bool(look.part.rows(_HELD_BEFORE, name, stage, came, LIVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What whoever looks at a proposal can do with it on its page."""

    approve: bool
    merge: bool
    withdraw: bool


def rights(look: Look, up: Upstream, proposal: OpenProposal, listed: Listed | None) -> Rights:
    """What whoever looks can do with a proposal.

    Args:
        look: The registry, and who looks.
        up: What the proposal is for.
        proposal: Which.
        listed: What it does and lacks; None: it is merged already.
    """
    if not look.writable or look.at is not None or look.identity.highest < Role.WRITER:
        return Rights(approve=False, merge=False, withdraw=False)
    models = reached(look.registry.store, up.base, proposal.head)
    verdict = listed.verdict if listed else None
    return Rights(
        approve=listed is not None and _can_approve(look, up, listed),
        merge=verdict is not None and verdict.clean and _may(look, Role.APPROVER, models),
        withdraw=_may(look, Role.WRITER, models),
    )


def _may(look: Look, role: Role, models: Collection[str]) -> bool:
    return all(look.may(role, model or None) for model in models)


def _can_approve(look: Look, up: Upstream, listed: Listed) -> bool:
    """Whether an approval that the server signs for them would count."""
    who = look.identity
    if not look.vouches or not who.signed_in or who.person is None:
        return False
    if listed.author.email.casefold() == who.person.email.casefold():
        return False
    store = look.registry.store
    try:
        person = _person(RuleBook(store, up.base).signers, who.person.email)
        return any(
            look.may(Role.APPROVER, model) and asked.signed_in and _waits_for(person, asked, judgement)
            for model, asked, judgement in _asked(store, up, listed)
        )
    except GitregError:  # the keys can't be read: nothing counts
        return False


def _person(signers: Signers, email: str) -> Person:
    return signers.person_of(email) or Person(principals=frozenset({address_key(email)}))


def _asked(store: Store, up: Upstream, listed: Listed) -> Iterator[tuple[str | None, Approvals, Judgement]]:
    """The approvals that a proposal needs: of which model (None: of the rules), and what is said of them."""
    of_rules = asked_of_policy(store.view(up.base).settings)
    for step in listed.verdict.steps if listed.verdict else ():
        for one in step.judged:
            asked, model = one.entering.stage.approvals, one.entering.version.name
            for each in one.judgements:
                if asked is not None and each.rule == "approvals":
                    yield model, asked, each
        for each in step.policy:
            if of_rules is not None and each.rule == "policy":
                yield None, of_rules, each


def _waits_for(person: Person, asked: Approvals, judgement: Judgement) -> bool:
    """Whether somebody may approve who has not, and did not make it."""
    detail = judgement.detail
    spent = [str(each["approver"]) for each in detail.get("present", ())]
    authors = [str(each) for each in detail.get("authors", ())]
    if judgement.passed or any(map(person.answers_to, spent)) or any(map(person.may_be, authors)):
        return False
    # Whom groups and CODEOWNERS name is told by keys and files: the form says it where they don't.
    return asked.codeowners or any("/" in each or person.answers_to(each) for each in asked.approvers)
