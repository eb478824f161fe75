"""Who holds a key, when and for what."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitreg.errors import InvalidManifests, NotAllowed
from gitreg.signing.signers import Signers
from gitreg.signing.sshsig import PublicKey, verify
from tests.signing.conftest import NAMESPACE, public, second_opinion, sign

KeyOf = Callable[[str], Path]
DATA = b"data\n"


def read(text: str) -> Signers:
    return Signers.parse(text.encode())


@pytest.mark.parametrize(
    ("options", "when", "good"),
    [
        ("", "20260601120000Z", True),
        ('valid-after="20260601Z"', "20260531235959Z", False),
        ('valid-after="20260601Z"', "20260601000000Z", True),
        ('valid-before="20260601Z"', "20260601000000Z", True),
        ('valid-before="20260601Z"', "20260601000001Z", False),
        ('valid-before="202606011200Z"', "20260601120001Z", False),
        ('namespaces="gitreg-*,git"', "20260601120000Z", True),
        ('namespaces="git"', "20260601120000Z", False),
        ('namespaces="*,!gitreg-approval@v1"', "20260601120000Z", False),
        ('namespaces="git",valid-before="20270101Z"', "20260601120000Z", False),
        ('Valid-Before="20270101z",NAMESPACES="gitreg-approval@v?"', "20260601120000Z", True),
        ('valid-after="20260601120000UTC",namespaces="[g]itreg*,*"', "20260601120000Z", True),
        ('namespaces="[g]itreg*"', "20260601120000Z", False),
        ('namespaces="GITREG-*"', "20260601120000Z", False),
        ('namespaces="!git"', "20260601120000Z", False),
        ('namespaces=" gitreg-approval@v1"', "20260601120000Z", False),
    ],
)
def test_limits_of_a_key_hold_as_for_ssh_keygen(
    key_of: KeyOf, tmp_path: Path, options: str, when: str, good: bool
) -> None:
    path = key_of("ed25519")
    text = f"ann@example.com {options} {public(path)} her laptop\n"
    armor = sign(path, DATA)
    key = verify(DATA, armor, namespace=NAMESPACE)
    moment = datetime.strptime(when, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    if good:
        assert read(text).check(key, NAMESPACE, moment).answers_to("ANN@example.com")
    else:
        with pytest.raises(NotAllowed, match=r"may not sign|valid only"):
            read(text).check(key, NAMESPACE, moment)
    assert second_opinion(tmp_path, DATA, armor, text, when=when) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ann@example.com {key}\r\n", True),
        ("  \t\n# ann\r\n\tann@example.com\t {key}\tlaptop\r\n", True),
        ('"ann@example.com" {key} her "laptop', True),
        ("bob,ann@example.com {key}\n", True),
        ("ann@example.com {key}\nann@example.com {key}\n", True),
        ('ann@example.com namespaces="git" {key}\nann@example.com {key}\n', True),
        ('ann@example.com namespaces="git*", {key}\n', False),
        ('ann@example.com ,namespaces="git*" {key}\n', False),
        ("ann@example.com {key}=\n", False),
        ('ann@example.com" {key}\n', False),
        ("ann@example.com, {key}\n", False),
        ("#ann@example.com {key}\n", False),
        ('ann@example.com namespaces=gitreg-approval@v1 {key}"\n', False),
    ],
)
def test_lines_are_read_as_by_ssh_keygen(key_of: KeyOf, tmp_path: Path, text: str, good: bool) -> None:
    text = text.format(key=public(key_of("ed25519")))
    armor = sign(key_of("ed25519"), DATA)
    found = False
    try:
        key = verify(DATA, armor, namespace=NAMESPACE)
        found = (
            read(text).check(key, NAMESPACE, datetime(2026, 6, 1, tzinfo=UTC)).answers_to("ann@example.com")
        )
    except (InvalidManifests, NotAllowed):
        pass
    assert found is good
    if good:  # we refuse more than it does: a comma too many, say
        assert second_opinion(tmp_path, DATA, armor, text)


def test_ten_thousand_lines_are_no_burden() -> None:
    """In pairs by name, and each pair tied to the next by a key: all are one person."""
    blobs = [b"\0\0\0\x0bssh-ed25519\0\0\0 " + at.to_bytes(32, "big") for at in range(5000)]
    keys = [f"ssh-ed25519 {base64.b64encode(each).decode()}" for each in blobs]
    text = "".join(
        f"p{at} {keys[at]}\n" + (f"p{at} {keys[at + 1]}\n" if at + 1 < len(keys) else "")
        for at in range(len(keys))
    )
    began = time.process_time()
    signers = read(text)
    assert len(signers.persons) == 1 and signers.person_of("P4999") == signers.persons[0]
    assert [line.line for line in signers.lines_of("p7")] == [15, 16]
    assert time.process_time() - began < 3, "it was 7 s where every line was held against every person"


def test_letters_beyond_ascii_are_not_folded(key_of: KeyOf) -> None:
    keys = public(key_of("ed25519")), public(key_of("nistp256"))
    signers = read(f"User@example.com {keys[0]}\nu\u017fer@example.com {keys[1]}\n")
    user, other = signers.persons
    assert signers.person_of("USER@example.com") == user
    assert signers.person_of("u\u017fer@example.com") == other
    assert not user.answers_to("u\u017fer@example.com") and not other.answers_to("user@example.com")
    assert user.may_be("u\u017fer@example.com") and not user.may_be("uzer@example.com")


def test_a_stranger_and_a_removed_key_are_refused(key_of: KeyOf) -> None:
    key = verify(DATA, sign(key_of("ed25519"), DATA), namespace=NAMESPACE)
    for text in ("", f"bob@example.com {public(key_of('nistp256'))}\n"):
        with pytest.raises(NotAllowed, match="nobody's") as raised:
            read(text).check(key, NAMESPACE, datetime(2026, 6, 1, tzinfo=UTC))
        assert key.fingerprint in raised.value.message
        assert read(text).person_of_key(key) is None


def test_lines_that_share_a_principal_or_a_key_are_one_person(key_of: KeyOf) -> None:
    one, two, three = public(key_of("ed25519")), public(key_of("nistp256")), public(key_of("nistp384"))
    signers = read(
        f"ann@example.com,@ann,@org/team {one}\n"
        f"# a comment\n\n"
        f"ann@home.example {two}\n"
        f"@ANN,ann@home.example {three}\n"
        f"bob@example.com,@org/team {public(key_of('nistp521'))}\n"
        f"bob@other.example {public(key_of('nistp521'))}\n"
    )
    ann, bob = signers.persons
    assert ann.principals >= {"ann@example.com", "@ann", "ann@home.example", "@org/team"}
    assert signers.person_of("ann@HOME.example") == signers.person_of("@ann") == ann
    assert bob.principals == {"bob@example.com", "@org/team", "bob@other.example"}
    assert signers.person_of("@org/team") is None
    assert signers.person_of("eve@example.com") is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ann@example.com", "lacks"),
        ("ann@example.com AAAAC3Nza extra", "type is missing|can't be read|unknown"),
        ("*@example.com {key}", "plain names"),
        ("ann@example.com cert-authority {key}", "cert-authority"),
        ('ann@example.com valid-after="yesterday" {key}', "YYYYMMDD"),
        ('ann@example.com valid-after="20261341" {key}', "calendar"),
        ('ann@example.com valid-after="20270101",valid-before="20260101" {key}', "not after"),
        ("ann@example.com no-such-option {key}", "unknown"),
        ("ann@example.com ssh-ed25519 !!!!", "base64"),
        ("{key} ann@laptop", "whose it is must stand before it"),
        ("ann@example.com ssh-dss AAAA", "ssh-dss are not supported"),
        ("ann@example.com ssh-ed25519-cert-v01@openssh.com AAAA", "is a certificate"),
        ('ann@example.com namespaces="git*", {key}', "can't be read"),
        ('ann@example.com namespaces="git" "x{key}', "quotation mark"),
        ("ann@example.com, bob@example.com {key}", "beside a comma"),
        ("ann@example.com ecdsa-sha2-nistp256 {blob}", "no ecdsa"),
    ],
)
def test_a_bad_line_is_a_finding_with_its_place(key_of: KeyOf, line: str, why: str) -> None:
    good = public(key_of("ed25519"))
    bad = line.format(key=good, blob=good.split()[1])
    with pytest.raises(InvalidManifests) as raised:
        read(f"bob@example.com {good}\n{bad}\n")
    (finding,) = raised.value.findings
    assert (finding.code, finding.location) == ("GR210", "keys/allowed_signers:2:1")
    assert re.search(why, finding.message), finding.message


def test_a_fingerprint_is_the_one_that_ssh_keygen_shows(key_of: KeyOf) -> None:
    import subprocess

    path = key_of("ed25519")
    shown = subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, check=True).stdout.decode()
    assert PublicKey(blob=base64.b64decode(public(path).split()[1])).fingerprint == shown.split()[1]
