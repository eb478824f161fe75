"""Which approvals count: signed for this very change, by somebody who may, in time, and not an author."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitreg.domain.approval import Approval, PolicyApproval, address_key
from gitreg.domain.settings import Approvals
from gitreg.errors import GitregError, NotAllowed
from gitreg.manifest.layout import CODEOWNERS_FILES, parse_approval
from gitreg.policy.codeowners import parse
from gitreg.policy.context import ApprovalFile, Material
from gitreg.signing import sshsig
from gitreg.signing.signers import Person, SignerLine, Signers
from gitreg.signing.statement import APPROVAL_NAMESPACE, ATTESTATION_NAMESPACE, decode, split_file

_SKEW = timedelta(days=1)  # by which clocks may differ
_ADDRESS = re.compile(r"[^\s@/]+@[^\s@/]+")

Fits = Callable[[Approval | PolicyApproval], str]
"""Why a statement is about something else; ``""`` where it is about this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An approval that counts."""

    person: Person
    approval: Approval | PolicyApproval


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An approval that does not: whose file it is, and why."""

    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The approvals of one change.

    Attributes:
        needed: How many persons must approve.
        given: One a person.
        refused: The others.
    """

    needed: int
    given: tuple[Given, ...] = ()
    refused: tuple[Refused, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether so many are there."""
        return len(self.given) >= self.needed

    @property
    def said(self) -> str:
        """``1 of 2 approvals``, and why others don't count."""
        what = (
            f"{min(len(self.given), self.needed)} of {self.needed} approval{'' if self.needed == 1 else 's'}"
        )
        return "; ".join([what, *(f"{each.who} does not count: {each.reason}" for each in self.refused)])

    @property
    def detail(self) -> Mapping[str, Any]:
        """The same for JSON and the review."""
        return {
            "needed": self.needed,
            "present": [
                {
                    "approver": each.approval.approver,
                    "at": each.approval.at,
                    "expires": each.approval.expires,
                    **({"attester": each.approval.attester} if each.approval.attester else {}),
                }
                for each in self.given
            ],
            "refused": [{"approver": each.who, "reason": each.reason} for each in self.refused],
        }


def count(
    asked: Approvals,
    files: Iterable[ApprovalFile],
    material: Material,
    *,
    fits: Fits,
    authors: frozenset[str],
    paths: Sequence[str],
) -> Count:
    """Count the approvals of one change.

    Args:
        asked: How many there must be, and who may give them.
        files: All that lie in the change's place.
        material: Keys, time and CODEOWNERS.
        fits: Whether a statement is about this change.
        authors: E-mail addresses of those who can't approve.
        paths: The files that CODEOWNERS is asked about, from the registry's root: an owner owns them all.

    Raises:
        InvalidManifests: ``keys/allowed_signers`` can't be read.
    """
    signers = material.signers()
    may = _Entitled(asked, signers, material, paths)
    given: dict[Person, Given] = {}
    refused = []
    for file in sorted(files, key=lambda each: each.path):
        place = parse_approval(file.path)
        who = place.principal if place else file.path
        try:
            found = check(file, signers, material, asked=asked, fits=fits, authors=authors)
            may.check(found.person, authors)
            _refuse_too_long(found.approval, asked.valid_days)
            _refuse_again(given.get(found.person))
        except GitregError as error:
            refused.append(Refused(who=who, reason=error.message))
            continue
        given[found.person] = found
    # An approval that was given anew speaks for the one that it is given instead of.
    heard = {each.approval.approver for each in given.values()}
    refused = [each for each in refused if each.who not in heard]
    return Count(needed=asked.count, given=tuple(given.values()), refused=tuple(refused))


def check(
    file: ApprovalFile,
    signers: Signers,
    material: Material,
    *,
    asked: Approvals,
    fits: Fits,
    authors: frozenset[str],
) -> Given:
    """One approval, if it is whole, in time, about this change, and signed by a key that counts.

    The key is the approver's own, or that of a server whose word the rules take for who signed in there.

    Raises:
        InvalidInput, NotAllowed: It is not; the message says why.
    """
    statement, armor = split_file(file.data)
    approval = decode(statement)
    place = parse_approval(file.path)
    if place is None or place.principal != approval.approver:
        raise NotAllowed("the file is called after somebody else than the approver")
    if approval.registry != material.root:
        raise NotAllowed("it was given in another registry")
    other = fits(approval)
    if other:
        raise NotAllowed(other)
    namespace = ATTESTATION_NAMESPACE if approval.attester else APPROVAL_NAMESPACE
    key = sshsig.verify(statement, armor, namespace=namespace)
    signer = signers.check(key, namespace, material.now)
    if approval.attester:
        person = _vouched_for(approval, signer, signers, asked, authors)
    elif signer.answers_to(approval.approver):
        person = signer
    else:
        raise NotAllowed(f"it was signed by {min(signer.principals)}, and not by {approval.approver}")
    if material.now >= approval.expires:
        raise NotAllowed(f"it was good until {approval.expires:%Y-%m-%d}")
    if approval.at > material.now + _SKEW:
        raise NotAllowed(f"it is dated {approval.at:%Y-%m-%d}, which lies ahead")
    return Given(person=person, approval=approval)


def _vouched_for(
    approval: Approval | PolicyApproval,
    server: Person,
    signers: Signers,
    asked: Approvals,
    authors: frozenset[str],
) -> Person:
    """The person for whom a server signed; one without a key of their own is known by their address alone.

    Raises:
        NotAllowed: The rules don't take this server's word, or it gives it for itself.
    """
    if not server.answers_to(approval.attester):
        raise NotAllowed(f"it was signed by {min(server.principals)}, and not by {approval.attester}")
    if not any(server.answers_to(each) for each in asked.signed_in):
        raise NotAllowed(f"the rules do not take the word of {approval.attester} for who signed in there")
    if any(server.may_be(each) for each in authors):
        raise NotAllowed(f"{approval.attester} is an author, and can't vouch for others")
    if not _ADDRESS.fullmatch(approval.approver):
        raise NotAllowed("a server vouches for a person, by an e-mail address")
    person = signers.person_of(approval.approver)
    if person == server or server.may_be(approval.approver):
        raise NotAllowed(f"{approval.attester} can't vouch for itself")
    return person or Person(principals=frozenset({address_key(approval.approver)}))


class _Entitled:
    """Who may approve: persons, groups, and the owners of files."""

    def __init__(self, asked: Approvals, signers: Signers, material: Material, paths: Sequence[str]) -> None:
        self._named = asked.approvers
        self._signers = signers
        self._now = material.now
        self._owners = _owners(material, paths) if asked.codeowners else ()

    def check(self, person: Person, authors: frozenset[str]) -> None:
        """Raises NotAllowed where the person may not approve, with the reason."""
        named = any(self._is(person, each) for each in self._named)
        owns = bool(self._owners) and all(
            any(self._is(person, each) for each in owners) for owners in self._owners
        )
        if not (named or owns):
            raise NotAllowed("the rules do not name this person as an approver")
        if any(person.may_be(each) for each in authors):
            raise NotAllowed("an author can't approve")

    def _is(self, person: Person, name: str) -> bool:
        if "/" not in name:
            return person.answers_to(name)
        # A group is left with the line that tells of it, though the person has other keys.
        return any(
            _in_force(line, self._now) and self._signers.person_of_key(line.key) == person
            for line in self._signers.lines_of(name)
        )


def _in_force(line: SignerLine, now: datetime) -> bool:
    begun = line.valid_after is None or now >= line.valid_after
    return begun and (line.valid_before is None or now <= line.valid_before)


def _owners(material: Material, paths: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The owners of each file."""
    found = material.codeowners()
    if found is None:
        return ()
    dialect, data = found
    owners = parse(data, dialect)
    # CODEOWNERS itself lies where the hosting service looks for it, not in the registry's folder.
    placed = (path if path in CODEOWNERS_FILES else material.prefix + path for path in paths)
    return tuple(owners.owners_of(path) for path in placed)


def _refuse_too_long(approval: Approval | PolicyApproval, days: int) -> None:
    if approval.expires > approval.at + timedelta(days=days):
        raise NotAllowed(f"it claims to be good for more than the {days} days that the rules allow")


def _refuse_again(first: Given | None) -> None:
    if first is not None:
        raise NotAllowed(f"it is by the same person as that of {first.approval.approver}, who counts once")
