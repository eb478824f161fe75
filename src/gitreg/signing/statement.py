"""The signed form of an approval: a canonical in-toto Statement v1, and the file that carries it.

The bytes are a function of the approval: JSON with sorted keys, indented by two, UTF-8, one newline at the
end. What is read back must encode to the same bytes, so nothing can be hidden in a second spelling.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.errors import InvalidInput

APPROVAL_NAMESPACE = "gitreg-approval@v1"
ATTESTATION_NAMESPACE = "gitreg-attestation@v1"
"""What a server signs for somebody who signed in there: its key can give no approval of its own by that."""
MOST_BYTES = 64 * 1024

_TYPE = "https://in-toto.io/Statement/v1"
_APPROVAL = "urn:gitreg:approval:v1"
_POLICY = "urn:gitreg:policy-approval:v1"
_POLICY_SUBJECT = "gitreg:/policy"
_BEGIN = b"-----BEGIN SSH SIGNATURE-----"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HINT = "gitreg approve"


def encode(approval: Approval | PolicyApproval) -> bytes:
    """The bytes that the approver signs, or the server where they signed in.

    Raises:
        InvalidInput: A time has no zone, or a text has no UTF-8 form.
    """
    told: dict[str, Any] = {
        "registry": approval.registry,
        "proposed_by": list(approval.proposed_by),
        "approver": approval.approver,
        "at": _time_text(approval.at),
        "expires": _time_text(approval.expires),
        "reason": approval.reason,
    }
    if approval.attester:
        told["attester"] = approval.attester
    if isinstance(approval, Approval):
        kind, subject = _APPROVAL, f"models:/{approval.model}/{approval.version}"
        digest = approval.origin
        told |= {"model": approval.model, "version": approval.version, "stage": approval.stage}
        told |= {"number": approval.number, "rule": approval.rule}
    else:
        kind, subject, digest = _POLICY, _POLICY_SUBJECT, approval.after
        told["before"] = approval.before
    statement = {
        "_type": _TYPE,
        "predicateType": kind,
        "subject": [{"name": subject, "digest": {"sha256": digest}}],
        "predicate": told,
    }
    try:
        return (json.dumps(statement, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:
        raise InvalidInput("the approval holds text that has no UTF-8 form", hint=_HINT) from None


def decode(statement: bytes) -> Approval | PolicyApproval:
    """The approval that a statement's bytes stand for.

    Raises:
        InvalidInput: It is no statement of ours, a field is missing, unknown or of the wrong kind, or the
            bytes are not the canonical ones.
    """
    if len(statement) > MOST_BYTES:
        raise InvalidInput(f"the statement has more than {MOST_BYTES} bytes", hint=_HINT)
    try:
        document = json.loads(statement.decode("utf-8"))
        approval = _read(document)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InvalidInput(
            f"the statement is not an approval of gitreg's: {_why(error)}", hint=_HINT
        ) from None
    if encode(approval) != statement:
        raise InvalidInput("the statement is not written in its canonical form", hint=_HINT)
    return approval


def encode_file(statement: bytes, armor: bytes) -> bytes:
    """An approval's file: the statement, directly followed by the armored signature over it."""
    return statement + armor


def split_file(data: bytes) -> tuple[bytes, bytes]:
    """The statement and the armored signature of an approval's file.

    Raises:
        InvalidInput: It is too long, or carries no signature.
    """
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"the approval has more than {MOST_BYTES} bytes", hint=_HINT)
    # JSON text holds no raw newline inside a string, so the first such line ends the statement.
    at = data.find(b"\n" + _BEGIN)
    if at < 0:
        raise InvalidInput("the approval carries no SSH signature", hint=_HINT)
    return data[: at + 1], data[at + 1 :]


def _read(document: Any) -> Approval | PolicyApproval:
    told = document["predicate"]
    kind = document["predicateType"]
    digest = _matched(document["subject"][0]["digest"]["sha256"], _SHA256, "subject")
    registry = _matched(told["registry"], _OID, "registry")
    proposers = told["proposed_by"]
    if not isinstance(proposers, list):
        raise ValueError("proposed_by is no list")
    proposed_by = tuple(_text(one, "proposed_by") for one in proposers)
    approver, reason = _text(told["approver"], "approver"), _text(told["reason"], "reason")
    attester = _text(told.get("attester", ""), "attester")
    at, expires = _time(told["at"], "at"), _time(told["expires"], "expires")
    if expires <= at:
        raise ValueError("it expires before it is signed")
    if kind == _POLICY:
        return PolicyApproval(
            registry=registry,
            before=_matched(told["before"], _SHA256, "before"),
            after=digest,
            proposed_by=proposed_by,
            approver=approver,
            at=at,
            expires=expires,
            reason=reason,
            attester=attester,
        )
    if kind != _APPROVAL:
        raise ValueError("its predicateType is another")
    return Approval(
        registry=registry,
        model=_text(told["model"], "model"),
        version=_count(told["version"], "version"),
        stage=_text(told["stage"], "stage"),
        number=_count(told["number"], "number"),
        origin=digest,
        rule=_matched(told["rule"], _SHA256, "rule"),
        proposed_by=proposed_by,
        approver=approver,
        at=at,
        expires=expires,
        reason=reason,
        attester=attester,
    )


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if type(error) is ValueError and len(str(error)) < 80:
        return str(error)
    return "it has another shape"


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{field} is no text")
    return value


def _count(value: Any, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{field} is no number from 1 on")
    return value


def _matched(value: Any, pattern: re.Pattern[str], field: str) -> str:
    text = _text(value, field)
    if not pattern.fullmatch(text):
        raise ValueError(f"{field} is no digest")
    return text


def _time(value: Any, field: str) -> datetime:
    text = _text(value, field)
    if not _TIME.fullmatch(text):
        raise ValueError(f"{field} is no time in UTC with milliseconds")
    return datetime.fromisoformat(text)


def _time_text(value: datetime) -> str:
    if value.tzinfo is None:
        raise InvalidInput(f"the time {value.isoformat()} has no zone")
    return f"{value.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
