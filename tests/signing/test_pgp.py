"""OpenPGP signatures, by real gpg keys in a folder of their own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, NotAllowed
from gitreg.signing.commits import who_signed
from gitreg.signing.pgp import fingerprints, verify
from gitreg.signing.signers import Signers

pytestmark = pytest.mark.skipif(
    not shutil.which("gpg") or not shutil.which("gpgv"), reason="needs gpg and gpgv"
)
Gpg = Callable[..., bytes]


@pytest.fixture
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)

    def run(*arguments: str, data: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(home), "--batch", "-q", "--pinentry-mode", "loopback"]
        command += ["--passphrase", "", *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    for name in ("ann@example.com", "bob@example.com"):
        run("--quick-gen-key", name, "ed25519", "sign", "never")
    yield run
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)


def test_verdicts(gpg: Gpg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ann, bob = (gpg("--armor", "--export", f"{name}@example.com") for name in ("ann", "bob"))
    signature = gpg("-bsau", "ann@example.com", data=b"data")
    listed = gpg("--with-colons", "--fingerprint", "ann@example.com").decode()
    told = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    assert verify(b"data", signature, keys=ann) == told
    assert fingerprints(ann) == (told,)
    assert fingerprints(bob + ann)[1:] == (told,), "none hides behind another"
    assert verify(b"data", signature, keys=bob + ann) == told
    with pytest.raises(NotAllowed):
        fingerprints(signature)
    assert verify(b"data", signature, keys=bob) is None
    for data, mark in ((b"other", signature), (b"data", b""), (b"data", signature[:90])):
        with pytest.raises(NotAllowed):
            verify(data, mark, keys=ann)
    with pytest.raises(NotAllowed, match="no armored"):
        verify(b"data", signature, keys=b"nothing")
    with monkeypatch.context() as patch, pytest.raises(EnvironmentFailure, match="not installed"):
        patch.setenv("PATH", str(tmp_path))
        verify(b"data", signature, keys=ann)


def test_a_pgp_signature_names_a_person_or_a_service(gpg: Gpg) -> None:
    ann, bob = (gpg("--armor", "--export", f"{name}@example.com") for name in ("ann", "bob"))
    signature = gpg("-bsau", "ann@example.com", data=b"data")

    def asked(keys: dict[str, bytes], *merge_keys: bytes) -> frozenset[str] | None:
        when = datetime(2026, 6, 1, tzinfo=UTC)
        signers = Signers.parse(b"")
        told = who_signed(
            b"data", signature, signers=signers, pgp_keys=keys, merge_keys=merge_keys, when=when
        )
        return told.person.principals if told.person else None

    assert asked({"bob@example.com": bob, "ann@example.com": ann}) == frozenset({"ann@example.com"})
    assert asked({"bob@example.com": bob}, ann) is None
    with pytest.raises(NotAllowed, match="nobody's"):
        asked({"bob@example.com": bob}, b"ssh-ed25519 AAAA")
