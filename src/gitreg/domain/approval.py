"""What is signed: an approval of one assignment of a stage, or of one change of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase, ascii_uppercase

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def address_key(text: str) -> str:
    """What tells one person's address or principal from another's: ``text`` with A–Z in small letters.

    Mail services take an address in any case. Beyond ASCII nothing is folded: the long s folds to s, and who
    has the one mailbox does not have the other.
    """
    return text.translate(_SMALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's consent to one assignment of a stage; it fits no other registry, version or time.

    Attributes:
        registry: Id of the registry's root commit.
        model: The model's name.
        version: The version's number.
        stage: The stage it enters.
        number: Which assignment of the stage in the model this will be; so a replay after a rollback fails.
        origin: SHA-256 (hex) of the version's origin and evaluations.
        rule: SHA-256 (hex) of the stage's rule.
        proposed_by: E-mails of the promotion's authors as the approver saw them.
        approver: The principal who approves.
        at: When it was signed.
        expires: From when it no longer counts.
        reason: The approver's words, or ``""``.
        attester: The server that signs it for the approver, who signed in there; ``""``: the approver does.
    """

    registry: str
    model: str
    version: int
    stage: str
    number: int
    origin: str
    rule: str
    proposed_by: tuple[str, ...]
    approver: str
    at: datetime
    expires: datetime
    reason: str = ""
    attester: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApproval:
    """One person's consent to one change of the policy files.

    Attributes:
        registry: Id of the registry's root commit.
        before: SHA-256 (hex) of the policy files before the change.
        after: The same, after it.
        proposed_by: E-mails of the change's authors as the approver saw them.
        approver: The principal who approves.
        at: When it was signed.
        expires: From when it no longer counts.
        reason: The approver's words, or ``""``.
        attester: The server that signs it for the approver, who signed in there; ``""``: the approver does.
    """

    registry: str
    before: str
    after: str
    proposed_by: tuple[str, ...]
    approver: str
    at: datetime
    expires: datetime
    reason: str = ""
    attester: str = ""
