"""Who signed: a person, a hosting service, or nobody that is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitreg.errors import NotAllowed
from gitreg.signing.commits import Signer, who_signed
from gitreg.signing.signers import Signers
from tests.signing.conftest import NAMESPACE, public, sign

KeyOf = Callable[[str], Path]


def asked(signature: bytes, *, signers: str = "", merge_keys: tuple[bytes, ...] = ()) -> Signer:
    return who_signed(
        b"payload",
        signature,
        signers=Signers.parse(signers.encode()),
        pgp_keys={},
        merge_keys=merge_keys,
        when=datetime(2026, 6, 1, tzinfo=UTC),
    )


def test_ssh_signatures_name_a_person_or_a_service(key_of: KeyOf) -> None:
    path = key_of("ed25519")
    mark = sign(path, b"payload", namespace="git")
    person = asked(mark, signers=f"ann@example.com {public(path)}\n").person
    assert person is not None
    assert person.answers_to("ann@example.com")
    assert asked(mark, merge_keys=(public(path).encode(),)).person is None
    with pytest.raises(NotAllowed, match="nobody's"):
        asked(mark)
    with pytest.raises(NotAllowed, match="not for 'git'"):
        asked(sign(path, b"payload", namespace=NAMESPACE))
    with pytest.raises(NotAllowed, match="neither"):
        asked(b"-----BEGIN SIGNED MESSAGE-----\n")
