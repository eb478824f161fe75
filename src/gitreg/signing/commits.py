"""Who signed a commit or a tag, by an SSH or an OpenPGP key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitreg.errors import NotAllowed
from gitreg.signing import pgp, sshsig
from gitreg.signing.signers import Person, Signers

_NAMESPACE = "git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed: ``person``, or None where it was a key that a hosting service merges with."""

    person: Person | None
    fingerprint: str


def who_signed(
    payload: bytes,
    signature: bytes,
    *,
    signers: Signers,
    pgp_keys: Mapping[str, bytes],
    merge_keys: Sequence[bytes],
    when: datetime,
) -> Signer:
    """The signer of a commit or tag.

    Args:
        payload: What was signed.
        signature: Armored.
        signers: Persons and their SSH keys.
        pgp_keys: Principal to armored OpenPGP keys.
        merge_keys: Of hosting services: each an SSH public key's line or an armored OpenPGP key.
        when: The moment at which SSH keys must be valid, with a zone; gpgv takes OpenPGP's own time.

    Raises:
        NotAllowed: The signature is wrong, or of a key that is unknown or not valid.
        EnvironmentFailure: gpgv is needed and missing.
    """
    if signature.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        key = sshsig.verify(payload, signature, namespace=_NAMESPACE)
        if any(key.blob == _blob(line) for line in merge_keys):
            return Signer(person=None, fingerprint=key.fingerprint)
        return Signer(person=signers.check(key, _NAMESPACE, when), fingerprint=key.fingerprint)
    if not signature.startswith(b"-----BEGIN PGP "):
        raise NotAllowed("the signature is neither SSH's nor OpenPGP's", hint="git config gpg.format ssh")
    for block in merge_keys:
        if block.startswith(b"-----BEGIN PGP ") and (found := pgp.verify(payload, signature, keys=block)):
            return Signer(person=None, fingerprint=found)
    for principal, block in pgp_keys.items():
        if found := pgp.verify(payload, signature, keys=block):
            person = signers.person_of(principal) or Person(principals=frozenset({principal}))
            return Signer(person=person, fingerprint=found)
    raise NotAllowed("the OpenPGP key that signed is nobody's", where="keys/", hint="add keys/PERSON.asc")


def _blob(line: bytes) -> bytes | None:
    words = line.split()
    try:
        return base64.b64decode(words[1], validate=True) if len(words) > 1 else None
    except binascii.Error:
        return None
