"""Real keys, made by ssh-keygen, and its second opinion."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

NAMESPACE = "gitreg-approval@v1"
KINDS = {
    "ed25519": ("-t", "ed25519"),
    "nistp256": ("-t", "ecdsa", "-b", "256"),
    "nistp384": ("-t", "ecdsa", "-b", "384"),
    "nistp521": ("-t", "ecdsa", "-b", "521"),
    "rsa": ("-t", "rsa", "-b", "2048"),
    "short-rsa": ("-t", "rsa", "-b", "1024"),
}


def sign(key: Path, data: bytes, *, namespace: str = NAMESPACE, options: tuple[str, ...] = ()) -> bytes:
    """The armored signature that ssh-keygen makes."""
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-f", str(key), *options]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def second_opinion(
    folder: Path, data: bytes, armor: bytes, signers: str, *, namespace: str = NAMESPACE, when: str = ""
) -> bool:
    """Whether ``ssh-keygen -Y verify`` accepts it for ann."""
    (folder / "signature").write_bytes(armor)
    (folder / "signers").write_text(signers)
    command = ["ssh-keygen", "-Y", "verify", "-n", namespace, "-I", "ann@example.com"]
    command += ["-f", str(folder / "signers"), "-s", str(folder / "signature")]
    command += ["-O", f"verify-time={when}"] if when else []
    return subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def key_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The private key's file of a kind; made once."""
    folder = tmp_path_factory.mktemp("keys")

    def made(kind: str) -> Path:
        path = folder / kind
        if not path.exists():
            options = KINDS[kind.partition(":")[0]]
            command = ["ssh-keygen", "-q", *options, "-N", "", "-C", "", "-f", str(path)]
            subprocess.run(command, check=True)
        return path

    return made


def public(path: Path) -> str:
    """Type and base64 of a key."""
    return path.with_name(path.name + ".pub").read_text().strip()
