"""Approvals that a server signs for those who signed in there: whose word counts, for whom, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitreg.domain.settings import Approvals, PolicySettings, Settings, Stage
from gitreg.errors import InvalidInput
from gitreg.policy.context import ApprovalFile, Authors, Entering, Judgement, PolicyChange
from gitreg.policy.digests import rule_digest
from gitreg.policy.enforce import asked_of_policy, judge_entering, judge_policy
from gitreg.signing.statement import ATTESTATION_NAMESPACE, decode, encode
from tests.policy.conftest import World, approval, entering, file_of, version
from tests.policy.making import NOW, line
from tests.policy.test_approvals import CHANGE, of_rules

Key = Callable[[str], Path]

SERVER = "models@example.com"
ASKED = Approvals(count=1, approvers=("ann@example.com", "dora@example.com"), signed_in=(SERVER,))


def case(asked: Approvals = ASKED) -> Entering:
    return entering(Stage(name="Production", approvals=asked), version())


def judged(world: World, one: Entering | None = None) -> Judgement:
    (found,) = judge_entering(one or case(), world.material)
    return found


@pytest.fixture
def server(key_of: Key) -> Path:
    return key_of("ed25519:server")


@pytest.fixture
def signers(key_of: Key, server: Path) -> bytes:
    """Ann and Bob have keys, and so has the server; Dora has none."""
    people = "".join(line(f"{each}@example.com", key_of(f"ed25519:{each}")) for each in ("ann", "bob"))
    return (people + line(SERVER, server)).encode()


def vouched(key: Path, one: Entering | None = None, **other: Any) -> ApprovalFile:
    """What the server signs for Ann, but for what is other."""
    namespace = other.pop("namespace", ATTESTATION_NAMESPACE)
    told = {"attester": SERVER} | other
    return file_of(approval(one or case(), **told), key, namespace=namespace)


def test_one_for_somebody_who_signed_in(server: Path, signers: bytes) -> None:
    found = judged(World(signers=signers, files=[vouched(server)]))
    assert found.passed and found.message == "1 of 1 approval"
    (present,) = found.detail["present"]
    assert (present["approver"], present["attester"]) == ("ann@example.com", SERVER)


def test_one_for_somebody_without_a_key(server: Path, signers: bytes) -> None:
    assert judged(World(signers=signers, files=[vouched(server, approver="dora@example.com")])).passed


def test_an_approval_of_their_own_counts_as_ever(ann: Path, signers: bytes) -> None:
    found = judged(World(signers=signers, files=[file_of(approval(case()), ann)]))
    assert found.passed and "attester" not in found.detail["present"][0]


@pytest.mark.parametrize("name", ["ann", "bob", "stranger"])
def test_one_that_somebody_else_signed_as_the_server(key_of: Key, signers: bytes, name: str) -> None:
    found = judged(World(signers=signers, files=[vouched(key_of(f"ed25519:{name}"))]))
    assert not found.passed
    assert ("is nobody's" if name == "stranger" else f"signed by {name}@example.com") in found.message


def test_somebody_who_vouches_in_their_own_name(key_of: Key, signers: bytes) -> None:
    file = vouched(key_of("ed25519:bob"), attester="bob@example.com")
    found = judged(World(signers=signers, files=[file]))
    assert not found.passed and "do not take the word of bob@example.com" in found.message


def test_a_stage_that_takes_no_servers_word(server: Path, signers: bytes) -> None:
    asked = replace(ASKED, signed_in=())
    one = case(asked)
    found = judged(World(signers=signers, files=[vouched(server, one)]), one)
    assert not found.passed and f"do not take the word of {SERVER}" in found.message


def test_a_stage_that_takes_another_servers_word(key_of: Key, server: Path, signers: bytes) -> None:
    asked = replace(ASKED, signed_in=("other@example.com",))
    one = case(asked)
    both = signers + line("other@example.com", key_of("ed25519:other")).encode()
    assert not judged(World(signers=both, files=[vouched(server, one)]), one).passed
    claimed = vouched(server, one, attester="other@example.com")
    assert f"signed by {SERVER}" in judged(World(signers=both, files=[claimed]), one).message


def test_the_servers_own_name_is_no_approver(server: Path, signers: bytes) -> None:
    asked = replace(ASKED, approvers=(SERVER,))
    one = case(asked)
    found = judged(World(signers=signers, files=[vouched(server, one, approver=SERVER)]), one)
    assert not found.passed and "can't vouch for itself" in found.message


@pytest.mark.parametrize("approver", ["@ann", "ann", "ann@example.com ", "a b@example.com"])
def test_what_is_no_person(server: Path, signers: bytes, approver: str) -> None:
    asked = replace(ASKED, approvers=(approver, "@ml/reviewers"))
    one = case(asked)
    assert not judged(World(signers=signers, files=[vouched(server, one, approver=approver)]), one).passed


@pytest.mark.parametrize("approver", ["ann@example.com", "dora@example.com", "Dora@Example.com"])
@pytest.mark.parametrize("part", ["version", "promotion"])
def test_F14_an_author(server: Path, signers: bytes, approver: str, part: str) -> None:
    authors = Authors(**{part: frozenset({approver.lower()})})
    file = vouched(server, approver=approver)
    found = judged(World(signers=signers, files=[file], authors=authors))
    assert not found.passed and "an author can't approve" in found.message


def test_a_server_that_is_an_author_vouches_for_nobody(server: Path, signers: bytes) -> None:
    authors = Authors(version=frozenset({SERVER}))
    found = judged(World(signers=signers, files=[vouched(server)], authors=authors))
    assert not found.passed and "can't vouch for others" in found.message


def test_F17_somebody_whom_the_rules_do_not_name(server: Path, signers: bytes) -> None:
    found = judged(World(signers=signers, files=[vouched(server, approver="bob@example.com")]))
    assert "do not name this person" in found.message


@pytest.mark.parametrize(
    ("named", "other"),
    [("user@example.com", "u\u017fer@example.com"), ("kim@example.com", "\u212aim@example.com")],
)
def test_another_mailbox_is_another_person(server: Path, signers: bytes, named: str, other: str) -> None:
    """Letters that fold to those of an approver's address do not make one of whoever has that mailbox."""
    one = case(replace(ASKED, approvers=(named,)))
    assert judged(World(signers=signers, files=[vouched(server, one, approver=named.upper())]), one).passed
    found = judged(World(signers=signers, files=[vouched(server, one, approver=other)]), one)
    assert not found.passed and "do not name this person" in found.message
    # Nor does it help to be the author by such an address: there the doubt counts against them.
    authors = Authors(version=frozenset({other}))
    found = judged(World(signers=signers, files=[vouched(server, one, approver=named)], authors=authors), one)
    assert not found.passed and "an author can't approve" in found.message


def test_a_server_vouches_for_itself_under_no_spelling(server: Path, signers: bytes) -> None:
    one = case(replace(ASKED, approvers=("model\u017f@example.com",)))
    found = judged(
        World(signers=signers, files=[vouched(server, one, approver="model\u017f@example.com")]), one
    )
    assert not found.passed and "can't vouch for itself" in found.message
    authors = Authors(version=frozenset({"model\u017f@example.com"}))
    found = judged(World(signers=signers, files=[vouched(server)], authors=authors))
    assert not found.passed and "can't vouch for others" in found.message


def test_one_person_counts_once_whichever_way(ann: Path, server: Path, key_of: Key) -> None:
    people = line("ann@example.com,anna@example.com", ann) + line(SERVER, server)
    asked = replace(ASKED, count=2, approvers=("ann@example.com", "anna@example.com", "dora@example.com"))
    one = case(asked)
    hers = [file_of(approval(one), ann), vouched(server, one, approver="anna@example.com")]
    found = judged(World(signers=people.encode(), files=hers), one)
    assert (found.passed, found.message.partition(";")[0]) == (False, "1 of 2 approvals")
    twice = [vouched(server, one, approver=each) for each in ("dora@example.com", "Dora@example.com")]
    found = judged(World(signers=people.encode(), files=twice), one)
    assert not found.passed and "by the same person" in found.message
    assert judged(World(signers=people.encode(), files=[*hers, *twice]), one).passed


def test_F12_each_kind_has_a_namespace_of_its_own(ann: Path, server: Path, signers: bytes) -> None:
    as_approval = vouched(server, namespace="gitreg-approval@v1")
    assert "not for 'gitreg-attestation@v1'" in judged(World(signers=signers, files=[as_approval])).message
    as_server = file_of(approval(case()), ann, namespace=ATTESTATION_NAMESPACE)
    assert "not for 'gitreg-approval@v1'" in judged(World(signers=signers, files=[as_server])).message


def test_a_key_that_may_only_vouch(server: Path, signers: bytes) -> None:
    limited = line(SERVER, server, f'namespaces="{ATTESTATION_NAMESPACE}"').encode()
    assert judged(World(signers=limited, files=[vouched(server)])).passed
    asked = replace(ASKED, approvers=(SERVER,))
    one = case(asked)
    own = file_of(approval(one, approver=SERVER), server)
    assert "may not sign for" in judged(World(signers=limited, files=[own]), one).message


def test_F11_a_servers_key_outside_its_dates(server: Path) -> None:
    for option in ('valid-before="20260101Z"', 'valid-after="20270101Z"'):
        old = line(SERVER, server, option).encode()
        assert not judged(World(signers=old, files=[vouched(server)])).passed, option


@pytest.mark.parametrize(
    "other",
    [
        {"registry": "b" * 40},
        {"version": 3},
        {"stage": "Staging"},
        {"number": 2},
        {"origin": "0" * 64},
        {"rule": "0" * 64},
        {"expires": NOW},
    ],
)
def test_F15_F22_one_for_something_else(server: Path, signers: bytes, other: dict[str, Any]) -> None:
    assert not judged(World(signers=signers, files=[vouched(server, **other)])).passed


def test_every_byte_counts(server: Path, signers: bytes) -> None:
    one = vouched(server)
    for at in range(0, len(one.data), 7):
        changed = one.data[:at] + bytes([one.data[at] ^ 1]) + one.data[at + 1 :]
        assert not judged(World(signers=signers, files=[replace(one, data=changed)])).passed, at


def test_the_servers_name_can_not_be_taken_out(server: Path, signers: bytes) -> None:
    one = vouched(server)
    cut = one.data.replace(f'    "attester": "{SERVER}",\n'.encode(), b"")
    assert cut != one.data and not judged(World(signers=signers, files=[replace(one, data=cut)])).passed


def test_a_statement_has_one_spelling() -> None:
    own, servers = approval(case()), approval(case(), attester=SERVER)
    assert b"attester" not in encode(own) and decode(encode(own)) == own
    assert decode(encode(servers)) == servers
    empty = encode(servers).replace(SERVER.encode(), b"")
    with pytest.raises(InvalidInput, match="canonical"):
        decode(empty)
    with pytest.raises(InvalidInput):
        decode(encode(servers).replace(f'"{SERVER}"'.encode(), b"7"))


def test_the_digest_of_a_rule_without_it_is_what_it_was() -> None:
    old = Approvals(count=2, approvers=("ann@example.com",))
    stage = Stage(name="Production", exclusive=True, approvals=old)
    assert rule_digest(stage, None) == "304a7de5b03eff68f25ec9e31cec499e425bc8dfb820d226a2ef916e0fe71772"
    assert (
        rule_digest(replace(stage, approvals=replace(old, signed_in=(SERVER,))), None)
        != "304a7de5b03eff68f25ec9e31cec499e425bc8dfb820d226a2ef916e0fe71772"
    )


def test_a_change_of_the_rules(server: Path, signers: bytes) -> None:
    """A server vouches for it only where ``policy.approvals`` itself says so."""
    stage = Stage(name="Production", approvals=ASKED)
    file = file_of(of_rules(attester=SERVER), server, namespace=ATTESTATION_NAMESPACE)
    for settings, passed in (
        (Settings(policy=PolicySettings(approvals=ASKED)), True),
        (Settings(policy=PolicySettings(approvals=replace(ASKED, signed_in=()))), False),
        (Settings(stages=(stage,)), False),
    ):
        change: PolicyChange = replace(CHANGE, rules=settings, approvals=(file,))
        (found,) = judge_policy(change, World(signers=signers).material)
        assert found.passed is passed, settings
    assert asked_of_policy(Settings(stages=(stage,))) == replace(ASKED, signed_in=())
