"""Our verdict over SSH signatures, beside ssh-keygen's."""

from __future__ import annotations

import base64
import hashlib
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gitreg.errors import NotAllowed
from gitreg.signing.sshsig import parse, verify
from tests.signing.conftest import NAMESPACE, public, second_opinion, sign

KeyOf = Callable[[str], Path]
DATA = b"what is signed\n"


def ours(data: bytes, armor: bytes, namespace: str = NAMESPACE) -> bool:
    try:
        verify(data, armor, namespace=namespace)
    except NotAllowed as error:
        assert error.message and error.hint
        return False
    return True


@pytest.mark.parametrize("kind", ["ed25519", "nistp256", "nistp384", "nistp521", "rsa"])
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_a_good_signature_is_accepted_as_by_ssh_keygen(
    key_of: KeyOf, tmp_path: Path, kind: str, hash_name: str
) -> None:
    path = key_of(kind)
    armor = sign(path, DATA, options=("-O", f"hashalg={hash_name}"))
    key = verify(DATA, armor, namespace=NAMESPACE)
    assert [key.key_type, base64.b64encode(key.blob).decode()] == public(path).split()[:2]
    assert parse(armor).hash_name == hash_name
    assert second_opinion(tmp_path, DATA, armor, f"ann@example.com {public(path)}\n")


def flipped(armor: bytes) -> bytes:
    """Another signature in armor that is canonical."""
    lines = armor.splitlines()
    blob = bytearray(base64.b64decode(b"".join(lines[1:-1])))
    blob[-8] ^= 1
    return in_armor(bytes(blob))


@pytest.mark.parametrize("kind", ["ed25519", "nistp256", "nistp521", "rsa"])
def test_tampering_is_refused_as_by_ssh_keygen(key_of: KeyOf, tmp_path: Path, kind: str) -> None:
    path = key_of(kind)
    armor = sign(path, DATA)
    signers = f"ann@example.com {public(path)}\n"
    cases = {
        "other data": (DATA + b"!", armor, NAMESPACE),
        "other namespace": (DATA, sign(path, DATA, namespace="git"), NAMESPACE),
        "flipped bit": (DATA, flipped(armor), NAMESPACE),
        "cut off": (DATA, armor[: len(armor) // 2], NAMESPACE),
        "no last line": (DATA, armor[:-35], NAMESPACE),
        "empty": (DATA, b"", NAMESPACE),
    }
    for name, (data, signature, namespace) in cases.items():
        assert not ours(data, signature, namespace), name
        assert not second_opinion(tmp_path, data, signature, signers, namespace=namespace), name


@pytest.mark.parametrize(
    "change",
    [
        lambda armor: armor.replace(b"\n", b"\r\n"),
        lambda armor: armor + b"\n",
        lambda armor: b"\n" + armor,
        lambda armor: armor[:40] + b"\n" + armor[40:],
        lambda armor: armor.replace(b"\n-----END", b" \n-----END"),
        lambda armor: armor + armor,
    ],
)
def test_armor_has_one_spelling(key_of: KeyOf, change: Callable[[bytes], bytes]) -> None:
    assert not ours(DATA, change(sign(key_of("ed25519"), DATA)))


def test_a_short_rsa_key_is_refused(key_of: KeyOf, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    path = key_of("short-rsa")
    private = serialization.load_ssh_private_key(path.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    signed = to_sign(DATA)
    raw = private.sign(signed, padding.PKCS1v15(), hashes.SHA512())
    armor = armored(base64.b64decode(public(path).split()[1]), field(b"rsa-sha2-512") + field(raw))
    with pytest.raises(NotAllowed, match="1024 bits"):
        verify(DATA, armor, namespace=NAMESPACE)


def test_rsa_with_sha1_is_refused(key_of: KeyOf) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    path = key_of("rsa")
    private = serialization.load_ssh_private_key(path.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    raw = private.sign(to_sign(DATA), padding.PKCS1v15(), hashes.SHA1())
    armor = armored(base64.b64decode(public(path).split()[1]), field(b"ssh-rsa") + field(raw))
    with pytest.raises(NotAllowed, match="SHA-1"):
        verify(DATA, armor, namespace=NAMESPACE)


@pytest.mark.parametrize(("flags", "good"), [(b"\x01", True), (b"\x05", True), (b"\x00", False)])
def test_a_security_key_counts_when_it_was_touched(tmp_path: Path, flags: bytes, good: bool) -> None:
    private = Ed25519PrivateKey.generate()
    point = private.public_key().public_bytes_raw()
    kind = b"sk-ssh-ed25519@openssh.com"
    blob = field(kind) + field(point) + field(b"ssh:")
    counted = flags + b"\0\0\0\7"
    hashed = hashlib.sha256(b"ssh:").digest() + counted + hashlib.sha256(to_sign(DATA)).digest()
    armor = armored(blob, field(kind) + field(private.sign(hashed)) + counted)
    assert ours(DATA, armor) is good
    if good:
        signers = f"ann@example.com {kind.decode()} {base64.b64encode(blob).decode()}\n"
        assert second_opinion(tmp_path, DATA, armor, signers)


@pytest.mark.parametrize(("flags", "good"), [(b"\x01", True), (b"\x00", False)])
def test_a_security_key_of_the_ecdsa_kind(tmp_path: Path, flags: bytes, good: bool) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    kind = b"sk-ecdsa-sha2-nistp256@openssh.com"
    blob = field(kind) + field(b"nistp256") + field(point) + field(b"ssh:")
    counted = flags + b"\0\0\0\7"
    hashed = hashlib.sha256(b"ssh:").digest() + counted + hashlib.sha256(to_sign(DATA)).digest()
    made = utils.decode_dss_signature(private.sign(hashed, ec.ECDSA(hashes.SHA256())))
    numbers = b"".join(field(each.to_bytes(each.bit_length() // 8 + 1, "big")) for each in made)
    armor = armored(blob, field(kind) + field(numbers) + counted)
    assert ours(DATA, armor) is good
    if good:
        signers = f"ann@example.com {kind.decode()} {base64.b64encode(blob).decode()}\n"
        assert second_opinion(tmp_path, DATA, armor, signers)


def test_the_reserved_field_is_empty(tmp_path: Path) -> None:
    """ssh-keygen signs an empty one whatever the signature holds there: what it does not see could be anything."""
    private = Ed25519PrivateKey.generate()
    key = field(b"ssh-ed25519") + field(private.public_key().public_bytes_raw())
    signers = f"ann@example.com ssh-ed25519 {base64.b64encode(key).decode()}\n"
    for held, signed in ((b"", b""), (b"x", b""), (b"x", b"x"), (b"", b"x")):
        signature = field(b"ssh-ed25519") + field(private.sign(to_sign(DATA, reserved=signed)))
        armor = armored(key, signature, reserved=held)
        assert ours(DATA, armor) is (held == signed == b"")
        assert second_opinion(tmp_path, DATA, armor, signers) is (signed == b"")


def test_a_certificate_is_told_from_a_key(key_of: KeyOf, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.with_suffix(".pub").write_text(public(key_of("ed25519")) + "\n")
    made = ["ssh-keygen", "-q", "-s", str(key_of("nistp256")), "-I", "ann", "-n", "ann", str(path) + ".pub"]
    subprocess.run(made, check=True)
    _, text = (tmp_path / "key-cert.pub").read_text().split()[:2]
    armor = armored(base64.b64decode(text), field(b"ssh-ed25519") + field(bytes(64)))
    with pytest.raises(NotAllowed, match="made with a certificate"):
        verify(DATA, armor, namespace=NAMESPACE)


@pytest.mark.parametrize("kind", ["ed25519", "nistp256", "nistp384", "nistp521", "rsa"])
def test_what_is_accepted_here_is_accepted_by_ssh_keygen(key_of: KeyOf, tmp_path: Path, kind: str) -> None:
    """Each field cut, lengthened, flipped, emptied or taken from another signature: a thousand of them."""
    signers = f"ann@example.com {public(key_of(kind))}\n"
    chance = random.Random(kind)
    whole = fields(sign(key_of(kind), DATA))
    others = [fields(sign(key_of(other), DATA, namespace="git")) for other in ("ed25519", "rsa")]
    for _ in range(1000):
        parts = list(whole)
        at = chance.randrange(len(parts))
        inner = fields_of(parts[at]) if at in (0, 4) and chance.random() < 0.5 else []
        if inner:
            within = chance.randrange(len(inner))
            inner[within] = spoilt(inner[within], chance)
            parts[at] = b"".join(map(field, inner))
        else:
            parts[at] = chance.choice([spoilt(parts[at], chance), chance.choice(others)[at]])
        armor = in_armor(b"SSHSIG\0\0\0\1" + b"".join(map(field, parts)))
        if ours(DATA, armor) and parts != whole:
            assert second_opinion(tmp_path, DATA, armor, signers), parts


def spoilt(value: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(value) + 1)
    bit = bytes([value[at] ^ 1 << chance.randrange(8)]) if at < len(value) else b""
    return chance.choice(
        [value[:at] + bit + value[at + 1 :], value[:at], value[at:], value + b"\0", b"\0" + value, b""]
    )


def fields(armor: bytes) -> list[bytes]:
    return fields_of(base64.b64decode(b"".join(armor.splitlines()[1:-1]))[10:])


def fields_of(data: bytes) -> list[bytes]:
    found = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        found.append(data[4:end])
        data = data[end:]
    return found


def field(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def to_sign(data: bytes, *, reserved: bytes = b"") -> bytes:
    digest = hashlib.sha512(data).digest()
    return b"SSHSIG" + field(NAMESPACE.encode()) + field(reserved) + field(b"sha512") + field(digest)


def armored(key: bytes, signature: bytes, *, reserved: bytes = b"") -> bytes:
    blob = b"SSHSIG\0\0\0\1" + field(key) + field(NAMESPACE.encode()) + field(reserved) + field(b"sha512")
    return in_armor(blob + field(signature))


def in_armor(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = [text[at : at + 70] + b"\n" for at in range(0, len(text), 70)]
    return b"-----BEGIN SSH SIGNATURE-----\n" + b"".join(lines) + b"-----END SSH SIGNATURE-----\n"
