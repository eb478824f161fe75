"""SSH signatures, verified in process (OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f, RFC 5656, 8332, 8709)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from gitreg.errors import NotAllowed

_MAGIC = b"SSHSIG"
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_COLUMNS = 70  # as ssh-keygen writes
_MOST_BYTES = 16 * 1024
_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 16384
_USER_PRESENT = 0x01
_CURVES = {
    b"nistp256": ("SECP256R1", "SHA256"),
    b"nistp384": ("SECP384R1", "SHA384"),
    b"nistp521": ("SECP521R1", "SHA512"),
}
_HINT = "sign again with a current ssh-keygen and a plain key: ssh-ed25519, ECDSA or RSA of 2048 bits or more"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key as SSH writes it; ``blob`` is what the base64 of an authorized_keys line holds."""

    blob: bytes

    @property
    def key_type(self) -> str:
        """``ssh-ed25519``, ``ecdsa-sha2-nistp256`` and the like."""
        return _Reader(self.blob).string().decode("ascii", "replace")

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ``ssh-keygen -l`` shows it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSignature:
    """What an armored SSH signature holds, not yet verified.

    Attributes:
        public_key: The signer's key as a blob.
        key_type: The key's type.
        namespace: What the signature is for.
        hash_name: ``sha256`` or ``sha512``.
        signature: The signature blob.
    """

    public_key: bytes
    key_type: str
    namespace: str
    hash_name: str
    signature: bytes


class _Reader:
    """Takes SSH's length-prefixed fields off a blob, in order.

    Raises (every method):
        ValueError: The blob ends too early.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ValueError("it ends too early")
        part, self._at = self._data[self._at : end], end
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def integer(self) -> int:
        raw = self.string()
        value = int.from_bytes(raw, "big", signed=True)
        if value <= 0 or len(raw) != value.bit_length() // 8 + 1:
            raise ValueError("a number in it is not in its shortest form")
        return value

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("more follows its end")


def parse(armor: bytes) -> SshSignature:
    """An armored SSH signature as a value.

    Args:
        armor: From ``-----BEGIN`` to the newline after ``END SSH SIGNATURE-----``, as ssh-keygen writes it.

    Raises:
        NotAllowed: It is malformed, or its armor is not the one that its content encodes to.
    """
    try:
        blob = _dearmored(armor)
        reader = _Reader(blob)
        if reader.take(len(_MAGIC)) != _MAGIC or reader.number() != 1:
            raise ValueError("it is not of version 1")
        key, namespace = reader.string(), reader.string().decode("utf-8")
        if reader.string():  # ssh-keygen passes over this field, so it could hold anything
            raise ValueError("its reserved field is not empty")
        hash_name = reader.string().decode("ascii")
        signature = reader.string()
        reader.end()
        key_type = _Reader(key).string().decode("ascii")
    except (ValueError, binascii.Error) as error:
        why = "" if isinstance(error, UnicodeDecodeError | binascii.Error) else f": {error}"
        raise _refused(f"the SSH signature is malformed{why}") from None
    return SshSignature(
        public_key=key,
        key_type=key_type,
        namespace=namespace,
        hash_name=hash_name,
        signature=signature,
    )


def verify(data: bytes, armor: bytes, *, namespace: str) -> PublicKey:
    """The key that signed ``data``; whose it is, is for :class:`gitreg.signing.signers.Signers` to say.

    Args:
        data: What was signed.
        armor: The armored signature.
        namespace: What the signature must be for, exactly.

    Raises:
        NotAllowed: The signature is malformed, for another purpose, of a weak or unknown kind, or wrong.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    found = parse(armor)
    if found.namespace != namespace:
        raise _refused(f"the signature is for {found.namespace!a}, not for {namespace!a}")
    if found.hash_name not in ("sha256", "sha512"):
        raise _refused(f"the signature hashes with {found.hash_name!a}; only sha256 and sha512 count")
    digest = hashlib.new(found.hash_name, data).digest()
    fields = (namespace.encode(), b"", found.hash_name.encode(), digest)
    signed = _MAGIC + b"".join(len(each).to_bytes(4, "big") + each for each in fields)
    try:
        _verify(found, signed)
    except InvalidSignature:
        raise _refused("the signature does not fit what it stands under") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _refused(f"the signature or its key ({found.key_type!a}) is malformed") from None
    return PublicKey(blob=found.public_key)


def _refused(message: str) -> NotAllowed:
    return NotAllowed(message, where="SSH signature", hint=_HINT)


def _dearmored(armor: bytes) -> bytes:
    if len(armor) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    if not (armor.startswith(_BEGIN) and armor.endswith(_END)):
        raise ValueError("its first or last line is missing")
    blob = base64.b64decode(armor[len(_BEGIN) : -len(_END)].replace(b"\n", b""), validate=True)
    text = base64.b64encode(blob)
    lines = [text[at : at + _COLUMNS] + b"\n" for at in range(0, len(text), _COLUMNS)]
    if _BEGIN + b"".join(lines) + _END != armor:
        raise ValueError("its armor is not the one that its content encodes to")
    return blob


def _verify(found: SshSignature, signed: bytes) -> None:
    key, signature = _Reader(found.public_key), _Reader(found.signature)
    kind = key.string()
    algorithm = signature.string()
    if b"-cert-" in kind:
        raise _refused("the signature was made with a certificate, and not with the key itself")
    if kind == b"ssh-rsa":
        _verify_rsa(key, algorithm, signature, signed)
    elif algorithm != kind:
        raise ValueError("the signature is of another kind than the key")
    elif kind == b"ssh-ed25519":
        _verify_ed25519(key.string(), signature.string(), signed)
    elif kind == b"sk-ssh-ed25519@openssh.com":
        point, application, raw = key.string(), key.string(), signature.string()
        _verify_ed25519(point, raw, _by_token(application, signature, signed))
    elif kind == b"sk-ecdsa-sha2-nistp256@openssh.com":
        curve, point, application = key.string(), key.string(), key.string()
        raw = signature.string()
        if curve != b"nistp256":
            raise ValueError("another curve")
        _verify_ecdsa(curve, point, raw, _by_token(application, signature, signed))
    elif kind in {b"ecdsa-sha2-" + curve for curve in _CURVES}:
        curve, point = key.string(), key.string()
        if kind != b"ecdsa-sha2-" + curve:
            raise ValueError("another curve")
        _verify_ecdsa(curve, point, signature.string(), signed)
    else:
        raise _refused(f"keys of the type {found.key_type!a} are not supported")
    key.end()
    signature.end()


def _verify_rsa(key: _Reader, algorithm: bytes, signature: _Reader, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    known = {b"rsa-sha2-256": hashes.SHA256, b"rsa-sha2-512": hashes.SHA512}
    if algorithm not in known:
        raise _refused("the signature is RSA with SHA-1 or another old algorithm; use rsa-sha2-512")
    exponent, modulus = key.integer(), key.integer()
    bits = modulus.bit_length()
    if not _LEAST_RSA_BITS <= bits <= _MOST_RSA_BITS:
        raise _refused(f"the RSA key has {bits} bits; at least {_LEAST_RSA_BITS} are needed")
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(signature.string(), signed, padding.PKCS1v15(), known[algorithm]())


def _verify_ed25519(point: bytes, raw: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(point).verify(raw, signed)


def _verify_ecdsa(curve: bytes, point: bytes, raw: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    name, strength = _CURVES[curve]
    public = ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, name)(), point)
    numbers = _Reader(raw)
    encoded = utils.encode_dss_signature(numbers.integer(), numbers.integer())
    numbers.end()
    public.verify(encoded, signed, ec.ECDSA(getattr(hashes, strength)()))


def _by_token(application: bytes, signature: _Reader, signed: bytes) -> bytes:
    # PROTOCOL.u2f: a token signs hashes, with flags and a counter of its own.
    flags, counter = signature.take(1), signature.take(4)
    if not flags[0] & _USER_PRESENT:
        raise _refused("the security key signed although nobody touched it")
    return hashlib.sha256(application).digest() + flags + counter + hashlib.sha256(signed).digest()
