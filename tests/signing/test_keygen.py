"""Signing with a key's file and with an agent."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, NotAllowed
from gitreg.signing.keygen import public_key, sign, signing_key, wants_touch
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
    armor = sign(b"data", key=signing_key(chosen=str(path)), namespace=NAMESPACE)
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
    assert signing_key(chosen="/k") == "/k"
    with pytest.raises(NotAllowed, match="no SSH key"):
        signing_key()
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id_rsa").write_text("")
    assert signing_key() == str(tmp_path / ".ssh/id_rsa")


@pytest.mark.parametrize("form", ["{home}/key", "{home}/key.pub", "~/key", "~/key.pub"])
def test_forms_of_a_file_as_git_takes_them(
    key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for half in ("", ".pub"):
        shutil.copy(f"{key_of('ed25519')}{half}", tmp_path / f"key{half}")
    key = form.format(home=tmp_path)
    armor = sign(b"data", key=key, namespace=NAMESPACE)
    assert verify(b"data", armor, namespace=NAMESPACE).blob == public_key(key)


def test_a_listed_key_wins_wherever_it_lies(
    key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    for kind, name in (("ed25519", "id_ed25519"), ("nistp256", "work.laptop"), ("rsa", "id_rsa")):
        for half in ("", ".pub"):
            shutil.copy(f"{key_of(kind)}{half}", tmp_path / f".ssh/{name}{half}")
    usual, other = str(tmp_path / ".ssh/id_ed25519"), str(tmp_path / ".ssh/work.laptop")
    listed = {public_key(other)}
    assert signing_key() == usual
    assert signing_key(known=listed) == signing_key(chosen=usual, known=listed) == other
    assert signing_key(chosen=usual, known={b"nobody's"}) == usual, "for the caller to refuse"
    (tmp_path / ".ssh/work.laptop").unlink()  # its public half alone signs nothing
    assert signing_key(known=listed) == usual
    assert signing_key(chosen="~/locked", known=listed) == "~/locked", "what can't be told may be it"


def test_a_security_key_wants_a_touch(key_of: KeyOf) -> None:
    field = b"\0\0\0\x1ask-ssh-ed25519@openssh.com" + b"\0\0\0 " + bytes(32) + b"\0\0\0\4ssh:"
    assert wants_touch(f"key::sk-ssh-ed25519@openssh.com {base64.b64encode(field).decode()}")
    assert not wants_touch(str(key_of("ed25519"))) and not wants_touch("/nowhere")


def test_a_program_of_the_users_gets_all_of_their_environment(
    key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "signer"
    program.write_text('#!/bin/sh\n[ "$SIGNER_ACCOUNT" = ann ] || exit 1\nexec ssh-keygen "$@"\n')
    program.chmod(0o755)
    with pytest.raises(NotAllowed, match="it says nothing"):
        sign(b"data", key=str(key_of("ed25519")), namespace=NAMESPACE, program=str(program))
    monkeypatch.setenv("SIGNER_ACCOUNT", "ann")
    armor = sign(b"data", key=str(key_of("ed25519")), namespace=NAMESPACE, program=str(program))
    assert verify(b"data", armor, namespace=NAMESPACE)


@pytest.mark.usefixtures("agent")
def test_certificates_of_the_agent_are_passed_over(
    key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for half in ("", ".pub"):
        shutil.copy(f"{key_of('ed25519')}{half}", tmp_path / f"key{half}")
    made = ["ssh-keygen", "-q", "-s", str(key_of("nistp256")), "-I", "ann", "-n", "ann", "key.pub"]
    subprocess.run(made, check=True, cwd=tmp_path)
    (tmp_path / "key").chmod(0o600)
    subprocess.run(["ssh-add", "-q", "key"], check=True, cwd=tmp_path)
    held = subprocess.run(["ssh-add", "-L"], check=True, capture_output=True, text=True).stdout
    assert "-cert-v01@" in held
    assert signing_key(known={b"x"}).startswith("key::ssh-ed25519 ")


@pytest.mark.parametrize(
    ("key", "why", "mend"),
    [
        ("open", "others can read", "chmod 600 "),
        ("locked", "the passphrase is wrong", "ssh-add "),
        ("junk", "holds no SSH key", "ssh-keygen -t ed25519"),
        ("half.pub", "only the public half", "ssh-add -l"),
        ("key::{public}", "no SSH agent runs", "ssh-agent"),
        ("key::AAAA", "no public key", "user.signingKey"),
    ],
)
def test_why_a_key_does_not_sign(
    key_of: KeyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, why: str, mend: str
) -> None:
    for name in ("SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("open", "locked"):
        shutil.copy(key_of("ed25519"), name)
        Path(name).chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", "locked"], check=True)
    Path("open").chmod(0o644)
    Path("junk").write_text("no key")
    shutil.copy(f"{key_of('ed25519')}.pub", "half.pub")
    with pytest.raises(NotAllowed) as raised:
        sign(b"x", key=key.format(public=public(key_of("ed25519"))), namespace=NAMESPACE)
    assert why in raised.value.message and mend in raised.value.hint


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
