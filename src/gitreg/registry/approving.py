"""``gitreg approve``: sign what a proposal asks approvals for, and add the signed files to its branch.

What is signed is what was shown: where the proposal changes meanwhile, nothing is added.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gitreg.domain.approval import Approval, PolicyApproval, address_key
from gitreg.domain.settings import Approvals
from gitreg.errors import Conflict, NotAllowed
from gitreg.gitstore.ancestry import merge_base
from gitreg.gitstore.log import authors
from gitreg.gitstore.objects import Person
from gitreg.manifest.layout import Layout, approval_file, policy_approval_file
from gitreg.policy.context import Judgement
from gitreg.policy.digests import origin_digest, rule_digest
from gitreg.policy.enforce import asked_of_policy
from gitreg.policy.wording import command
from gitreg.registry.approver_key import key_for, stranger
from gitreg.registry.judging import judge
from gitreg.registry.open_proposals import OpenProposal, find
from gitreg.registry.remote_branch import Upstream, upstream
from gitreg.registry.root import root_of
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.signer import users_own
from gitreg.registry.store import Store
from gitreg.registry.verdict import Judged, Verdict
from gitreg.signing import keygen
from gitreg.signing import signers as signing
from gitreg.signing.statement import APPROVAL_NAMESPACE, ATTESTATION_NAMESPACE, encode, encode_file

Statement = Approval | PolicyApproval
_APPROVALS = ("approvals", "policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who approves what.

    Attributes:
        first: See ``open_proposals.find``.
        second: As ``first``.
        remote: See ``remote_branch.upstream``.
        rules: Approve the change of the rules that it makes, too.
        approver: A principal of the one who approves; ``""``: the address that Git knows.
        attester: The principal of a server that vouches for the approver, who signed in there; ``""``: the
            approver signs.
        valid_days: Days that it is to be good for, at most what the rules say; None: as many.
        reason: The approver's words.
        author: Who puts it on the branch; None: the committer.
        committer: Who acts.
        clock: Gives the time.
    """

    first: str
    second: str | None
    committer: Person
    clock: Callable[[], datetime]
    remote: str | None = None
    rules: bool = False
    approver: str = ""
    attester: str = ""
    author: Person | None = None
    valid_days: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What somebody is about to sign.

    Attributes:
        proposal: Which.
        upstream: What it was judged on.
        verdict: What the rules say of it now.
        statements: Path of the file below the registry's root → what it is to say.
        already: What this person has approved before, in words.
    """

    proposal: OpenProposal
    upstream: Upstream
    verdict: Verdict
    statements: Mapping[str, Statement]
    already: tuple[str, ...] = ()


def plan(store: Store, wish: Wish) -> Plan:
    """Fetch a proposal, judge it, and tell what there is to sign.

    Raises:
        NotFound: There is no such proposal.
        NotAllowed: Nobody's approval is asked for, or not this person's.
    """
    return plan_on(store, wish, upstream(store, wish.remote))


def plan_on(store: Store, wish: Wish, up: Upstream) -> Plan:
    """The same on what was fetched before."""
    found = find(store, up, wish.first, wish.second)
    now = wish.clock()
    verdict = judge(store, up.base, found.head, now=now, proposal=True)
    rules = RuleBook(store, up.base)
    principal, person = _approver(store, up, rules, wish)
    # Whoever has written under the address that Git knows is an author, by whatever name they approve.
    typist = () if wish.attester else (signing.Person(principals=frozenset({wish.committer.email})),)
    persons = (person, *typist)
    drawn = _Drawing(store=store, up=up, proposal=found, wish=wish, rules=rules, principal=principal, now=now)
    statements: dict[str, Statement] = {}
    already = []
    unheard: list[str] = []
    for judged in _asked(verdict):
        version, stage = judged.entering.version, judged.entering.stage
        if _has_given(judged, person):
            already.append(f"{version.name}/{version.version} for {stage.name}")
        elif not _takes(rules, wish, stage.approvals):
            unheard.append(stage.name)
        else:
            _refuse_author(judged.judgements, persons)
            statements |= drawn.promotion(judged)
    detail = _policy_detail(verdict)
    if detail is not None and wish.rules and not _takes(rules, wish, asked_of_policy(rules.settings)):
        unheard.append("a change of the rules")
    elif detail is not None and wish.rules:
        if any(person.answers_to(str(each["approver"])) for each in detail.get("present", ())):
            already.append("the change of the rules")
        else:
            _refuse_author((one for step in verdict.steps for one in step.policy), persons)
            statements |= drawn.rules_change(detail)
    if unheard and not statements:
        raise _unheard(found, wish, unheard)
    if not statements and not already:
        raise _nothing(found, detail is not None)
    return Plan(proposal=found, upstream=up, verdict=verdict, statements=statements, already=tuple(already))


def sign(store: Store, wanted: Plan, *, key: str = "") -> dict[str, bytes]:
    """The signed files, by path below the registry's root.

    Args:
        store: The registry.
        wanted: What is signed.
        key: See ``approver_key.key_for``.

    Raises:
        NotAllowed: There is no key, it can't sign, or the rules would not count what it signs.
    """
    chosen = key_for(store, wanted.upstream, wanted.statements.values(), given=key)
    program = users_own(store.repository).get("gpg.ssh.program", "")
    files = {}
    for path, statement in wanted.statements.items():
        text = encode(statement)
        namespace = ATTESTATION_NAMESPACE if statement.attester else APPROVAL_NAMESPACE
        armor = keygen.sign(text, key=chosen, namespace=namespace, program=program)
        files[path] = encode_file(text, armor)
    _refuse_worthless(store, wanted, files)
    return files


def verdict_with(store: Store, wanted: Plan, files: Mapping[str, bytes]) -> Verdict:
    """What the rules say of the proposal with the signed files in it."""
    laid = {store.prefix + path: data for path, data in files.items()}
    now = max(each.at for each in wanted.statements.values())
    return judge(store, wanted.upstream.base, wanted.proposal.head, now=now, proposal=True, laid=laid)


def _refuse_worthless(store: Store, wanted: Plan, files: Mapping[str, bytes]) -> None:
    """Refuse approvals that would not count, by the very rules that will judge them."""
    verdict = verdict_with(store, wanted, files)
    approvers = {each.approver for each in wanted.statements.values()}
    for told in _about(verdict, wanted.statements.values()):
        for refused in told.detail.get("refused", ()) if told.rule in _APPROVALS else ():
            if refused["approver"] in approvers:
                raise NotAllowed(
                    f"your approval would not count: {refused['reason']}",
                    where=told.subject,
                    hint="gitreg policy show: who may approve; keys/allowed_signers: which keys count",
                )


def _about(verdict: Verdict, statements: Collection[Statement]) -> Iterator[Judgement]:
    """What the rules say of that which statements are about; an older one of something else is left aside."""
    promotions = {(s.model, s.version, s.stage) for s in statements if isinstance(s, Approval)}
    rules = any(isinstance(each, PolicyApproval) for each in statements)
    for step in verdict.steps:
        for judged in step.judged:
            version = judged.entering.version
            if (version.name, version.version, judged.entering.stage.name) in promotions:
                yield from judged.judgements
        yield from step.policy if rules else ()


def again(store: Store, wish: Wish, before: Plan) -> Plan:
    """The plan once more, after somebody else pushed to the proposal.

    Raises:
        Conflict: It is another proposal now.
    """
    found = plan(store, wish)
    if {path: _essence(each) for path, each in found.statements.items()} != {
        path: _essence(each) for path, each in before.statements.items()
    }:
        raise Conflict(
            "the proposal changed while you were approving it",
            where=found.proposal.ref,
            hint=f"look at it again: gitreg review {found.proposal.name}",
        )
    return replace(found, statements=before.statements)


def _essence(statement: Statement) -> Statement:
    fixed = datetime.fromtimestamp(0, statement.at.tzinfo)
    return replace(statement, at=fixed, expires=fixed)


def _asked(verdict: Verdict) -> Iterator[Judged]:
    for step in verdict.steps:
        for judged in step.judged:
            # Of a version that makes room in a rollback nobody is asked.
            if any(each.rule == "approvals" and each.detail.get("needed") != 0 for each in judged.judgements):
                yield judged


def _refuse_author(judgements: Iterable[Judgement], persons: Collection[signing.Person]) -> None:
    """Refuse who has written what they would approve, before they are asked for their passphrase."""
    for each in judgements:
        for author in each.detail.get("authors", ()) if each.rule in _APPROVALS else ():
            if any(person.may_be(author) for person in persons):
                raise NotAllowed(
                    "your approval would not count: an author can't approve",
                    where=each.subject,
                    hint=f"{author} wrote it; gitreg approvals tells who may approve",
                )


def _has_given(judged: Judged, person: signing.Person) -> bool:
    return any(
        person.answers_to(str(given["approver"]))
        for each in judged.judgements
        if each.rule == "approvals"
        for given in each.detail.get("present", ())
    )


def _policy_detail(verdict: Verdict) -> Mapping[str, Any] | None:
    """What is said of a change of the rules that asks for approvals; None where there is none."""
    for step in verdict.steps:
        for each in step.policy:
            if each.rule == "policy" and "needed" in each.detail:
                return each.detail
    return None


def _takes(rules: RuleBook, wish: Wish, asked: Approvals | None) -> bool:
    """Whether the rules count an approval that is signed as this one will be."""
    if not wish.attester:
        return True
    server = rules.signers.person_of(wish.attester)
    return server is not None and asked is not None and any(map(server.answers_to, asked.signed_in))


def _unheard(found: OpenProposal, wish: Wish, about: list[str]) -> NotAllowed:
    return NotAllowed(
        f"the rules take this server's word for no approval of {', '.join(about)}: sign it yourself",
        where=found.ref,
        hint=f"in a clone: gitreg approve {found.name}; or set approvals.signed_in: [{wish.attester}]",
    )


def _approver(store: Store, up: Upstream, rules: RuleBook, wish: Wish) -> tuple[str, signing.Person]:
    """By which of their names somebody approves, as the keys spell it, and who that is."""
    name = wish.approver or wish.committer.email
    person = rules.signers.person_of(name)
    if person is None and wish.attester:
        return name, signing.Person(principals=frozenset({address_key(name)}))
    if person is None:
        again = command("approve", *filter(None, (wish.first, wish.second)))
        raise stranger(store, up, name, again)
    return next(each for each in person.principals if address_key(each) == address_key(name)), person


def _nothing(found: OpenProposal, changes_rules: bool) -> NotAllowed:
    if changes_rules:
        return NotAllowed(
            "the proposal changes the rules, which is approved on its own",
            where=found.ref,
            hint=f"gitreg approve {found.name} --policy",
        )
    return NotAllowed(
        "no rule asks for approvals of this proposal",
        where=found.ref,
        hint=f"gitreg merge {found.name}; what the rules ask for: gitreg policy show",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """Draws up statements."""

    store: Store
    up: Upstream
    proposal: OpenProposal
    wish: Wish
    rules: RuleBook
    principal: str
    now: datetime

    def promotion(self, judged: Judged) -> dict[str, Statement]:
        """The approval of one version that enters one stage."""
        entering = judged.entering
        version, stage = entering.version, entering.stage
        assert stage.approvals is not None
        number = entering.number()
        layout = Layout(self.rules.settings.layout)
        gate = self.rules.gate(stage.gate) if stage.gate else None
        path = approval_file(version.name, version.version, stage.name, number, self.principal)
        return {
            path: Approval(
                registry=root_of(self.store, self.up.base),
                model=version.name,
                version=version.version,
                stage=stage.name,
                number=number,
                origin=origin_digest(version),
                rule=rule_digest(stage, gate),
                proposed_by=self._proposers([layout.version_file(version.name, version.version)]),
                approver=self.principal,
                at=self.now,
                expires=self._expires(stage.approvals),
                reason=self.wish.reason,
                attester=self.wish.attester,
            )
        }

    def rules_change(self, detail: Mapping[str, Any]) -> dict[str, Statement]:
        """The approval of a change of the rules."""
        asked = asked_of_policy(self.rules.settings)
        assert asked is not None
        after = str(detail["after"])
        return {
            policy_approval_file(after, self.principal): PolicyApproval(
                registry=root_of(self.store, self.up.base),
                before=str(detail["before"]),
                after=after,
                proposed_by=self._proposers(["gitreg.yaml", "gates", "keys"]),
                approver=self.principal,
                at=self.now,
                expires=self._expires(asked),
                reason=self.wish.reason,
                attester=self.wish.attester,
            )
        }

    def _proposers(self, paths: list[str]) -> tuple[str, ...]:
        repository = self.store.repository
        since = merge_base(repository, self.up.base, self.proposal.head) or self.up.base
        placed = [self.store.prefix + path for path in paths]
        return tuple(sorted(authors(repository, head=self.proposal.head, after=[since], paths=placed)))

    def _expires(self, asked: Approvals) -> datetime:
        days = asked.valid_days if self.wish.valid_days is None else self.wish.valid_days
        return self.now + timedelta(days=min(days, asked.valid_days))
