"""Signing with a key's file and with an agent."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, NotAllowed
from gitreg.signing.keygen import sign, signing_key
from gitreg.signing.sshsig import verify
from tests.signing.conftest import NAMESPACE, public

KeyOf = Callable[[str], Path]


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    started = subprocess.run(
        ["ssh-agent", "-s", "-a", str(tmp_path / "a")], capture_output=True, text=True, check=True
    )
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "a"))
    yield
    os.kill(int(started.stdout.partition("SSH_AGENT_PID=")[2].partition(";")[0]), signal.SIGTERM)


def test_a_key_file_signs(key_of: KeyOf) -> None:
    path = key_of("ed25519")
    armor = sign(b"data", key=signing_key(given=str(path)), namespace=NAMESPACE)
    assert verify(b"data", armor, namespace=NAMESPACE).key_type == "ssh-ed25519"


@pytest.mark.usefixtures("agent")
def test_the_agents_first_key_signs_and_one_it_lacks_does_not(
    key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    subprocess.run(["ssh-add", "-q", key_of("nistp256")], check=True)
    key = signing_key()
    assert key.startswith("key::ecdsa-sha2-nistp256 ")
    armor = sign(b"data", key=key, namespace=NAMESPACE)
    assert verify(b"data", armor, namespace=NAMESPACE).key_type == "ecdsa-sha2-nistp256"
    with pytest.raises(NotAllowed, match="could not sign") as raised:
        sign(b"data", key=f"key::{public(key_of('ed25519'))}", namespace=NAMESPACE)
    assert "ssh-add" in raised.value.hint


def test_the_order_of_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert signing_key(gpg_format="ssh", configured="/k") == "/k"
    with pytest.raises(NotAllowed, match="no SSH key"):
        signing_key(gpg_format="openpgp", configured="ABCD")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id_rsa").write_text("")
    assert signing_key() == str(tmp_path / ".ssh/id_rsa")


def test_faults_are_told(key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotAllowed, match="does not exist"):
        sign(b"data", key=str(tmp_path / "missing"), namespace=NAMESPACE)
    (tmp_path / "broken").write_text("no key")
    with pytest.raises(NotAllowed, match="could not sign"):
        sign(b"data", key=str(tmp_path / "broken"), namespace=NAMESPACE)
    fake = tmp_path / "ssh-keygen"
    fake.write_text("#!/bin/sh\necho forged\n")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(EnvironmentFailure, match="not installed"):
        sign(b"data", key=str(key_of("ed25519")), namespace=NAMESPACE)
