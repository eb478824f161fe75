"""The bytes of an approval, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.errors import InvalidInput
from gitreg.signing.statement import MOST_BYTES, decode, encode, encode_file, split_file

APPROVAL = Approval(
    registry="a" * 40,
    model="Fraud – élan",
    version=12,
    stage="Production",
    number=3,
    origin="b" * 64,
    rule="c" * 64,
    proposed_by=("ann@example.com",),
    approver="bob@example.com",
    at=datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC),
    expires=datetime(2026, 12, 23, 10, tzinfo=UTC),
    reason='said "yes"\nand meant it',
)
POLICY = PolicyApproval(
    registry="a" * 64,
    before="b" * 64,
    after="c" * 64,
    proposed_by=(),
    approver="@bob",
    at=APPROVAL.at,
    expires=APPROVAL.expires,
)


@pytest.mark.parametrize("approval", [APPROVAL, POLICY])
def test_what_is_encoded_reads_back(approval: Approval | PolicyApproval) -> None:
    data = encode(approval)
    assert decode(data) == approval
    document = json.loads(data)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert data == (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def test_the_subject_names_version_and_digest() -> None:
    document = json.loads(encode(APPROVAL))
    assert document["subject"] == [{"name": "models:/Fraud – élan/12", "digest": {"sha256": "b" * 64}}]
    assert document["predicateType"] == "urn:gitreg:approval:v1"
    assert document["predicate"]["at"] == "2026-11-23T10:00:00.123Z"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"number": 3', b'"number": 03'),
        (b'"number": 3', b'"number": true'),
        (b'"number": 3', b'"number": 0'),
        (b'"number": 3', b'"number": 3,\n    "number": 4'),
        (b'"number": 3', b'"number": 3,\n    "note": "unknown field"'),
        (b'"number": 3,\n', b""),
        (b'"stage": "Production"', b'"stage":  "Production"'),
        (b"123Z", b"123+00:00"),
        (b"123Z", b"1234Z"),
        (b"2026-12-23T", b"2025-12-23T"),
        (b"2026-12-23T", b"2026-02-31T"),
        (b"models:/Fraud", b"models:/Other"),
        (b"approval:v1", b"approval:v2"),
        (b'"rule": "c', b'"rule": "C'),
        (b"\xc3\xa9", b"\\u00e9"),
        (b"\xc3\xa9", b"\xff"),
        (b"\xc3\xa9", b"\\ud800"),
        (b"}\n", b"}"),
    ],
)
def test_another_spelling_or_shape_is_refused(old: bytes, new: bytes) -> None:
    data = encode(APPROVAL)
    assert old in data
    at = data.rindex(old)
    with pytest.raises(InvalidInput):
        decode(data[:at] + new + data[at + len(old) :])


@pytest.mark.parametrize(
    "data", [b"", b"null\n", b"[]\n", b"[" * 50_000, b"1" * 5000, b" " * (MOST_BYTES + 1)]
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(data)


def test_text_without_bytes_and_times_without_zone_are_refused() -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        encode(replace(APPROVAL, reason="\ud800"))
    with pytest.raises(InvalidInput, match="zone"):
        encode(replace(APPROVAL, at=datetime(2026, 1, 1)))


def test_a_file_splits_where_it_was_joined() -> None:
    armor = b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"
    hidden = replace(APPROVAL, reason="\n-----BEGIN SSH SIGNATURE-----\n")
    for approval in (APPROVAL, hidden):
        data = encode(approval)
        assert split_file(encode_file(data, armor)) == (data, armor)
    for bad in (b"", encode(APPROVAL), b"x" * (MOST_BYTES + 1)):
        with pytest.raises(InvalidInput):
            split_file(bad)
