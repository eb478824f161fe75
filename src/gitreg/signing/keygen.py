"""Signing with ssh-keygen: a private key's file, or a key that the SSH agent holds."""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from gitreg.errors import EnvironmentFailure, NotAllowed

_SECONDS = 120.0  # a person types a passphrase or touches a key meanwhile
_KEPT = (
    *("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER", "HOME", "TERM", "TMPDIR"),
    *("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
)
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_LITERAL = ("key::", "ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")


def signing_key(
    *, given: str = "", gpg_format: str = "", configured: str = "", known: Collection[bytes] = ()
) -> str:
    """The key to sign with: a path, or a public key whose private half the agent holds.

    Args:
        given: What the command line says, or ``""``.
        gpg_format: The user's own ``gpg.format``.
        configured: The user's own ``user.signingKey``; counts where the format is ``ssh``.
        known: Blobs of public keys that are listed for whoever signs: of several keys one of these is taken.

    Raises:
        NotAllowed: There is no key at all.
    """
    if given:
        return given
    if configured and gpg_format == "ssh":
        return configured
    found = [*_of_agent(), *_of_home()]
    if not found:
        raise NotAllowed("there is no SSH key to sign with", hint="pass --key FILE, or ssh-keygen -t ed25519")
    return next((key for key, line in found if _blob(line) in known), found[0][0])


def key_of_command(command: str) -> str:
    """The key that the user's ``gpg.ssh.defaultKeyCommand`` gives in its first line; ``""``: none.

    Raises:
        EnvironmentFailure: It can't be run, or does not end.
    """
    words = shlex.split(command)
    if not words:
        return ""
    done = _run([_program(os.path.expanduser(words[0])), *words[1:]], b"")
    first = done.stdout.decode("utf-8", "replace").splitlines()[:1]
    return first[0].strip() if done.returncode == 0 and first else ""


def sign(data: bytes, *, key: str, namespace: str, program: str = "") -> bytes:
    """The armored signature over ``data``.

    Args:
        data: What is signed.
        key: As :func:`signing_key` returns it.
        namespace: What the signature is for.
        program: The user's own ``gpg.ssh.program``; ``""``: ssh-keygen.

    Raises:
        EnvironmentFailure: ssh-keygen is missing or does not end.
        NotAllowed: It can't sign: no such key, wrong passphrase, the agent does not hold it.
    """
    program = _program(os.path.expanduser(program) or "ssh-keygen")
    with tempfile.TemporaryDirectory(prefix="gitreg-sign-") as folder:
        path = _key_file(key, Path(folder))
        command = [program, "-Y", "sign", "-q", "-n", namespace, "-f", str(path)]
        if path.parent == Path(folder):
            command.append("-U")  # the private half is with the agent
        done = _run(command, data)
    if done.returncode or not done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        why = "".join(char if char.isprintable() else "?" for char in "".join(said)[:300])
        raise NotAllowed(
            f"ssh-keygen could not sign: {why or 'it says nothing'}",
            where=key,
            hint="check the passphrase, or ssh-add the key and try again",
        )
    return done.stdout


def public_key(key: str, *, program: str = "") -> bytes:
    """The blob of the public key that belongs to a key to sign with.

    Args:
        key: As :func:`signing_key` returns it.
        program: As for ``sign``.

    Raises:
        NotAllowed: There is no such key, or only its passphrase would tell.
    """
    if key.startswith(_LITERAL):
        return _blob(key.removeprefix("key::"))
    path = Path(key).expanduser().absolute()
    beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    if beside.is_file():
        return _blob(beside.read_text("utf-8", "replace"))
    command = [_program(os.path.expanduser(program) or "ssh-keygen"), "-y", "-P", "", "-f", str(path)]
    done = _run(command, b"")
    if done.returncode:
        raise NotAllowed(
            "the key can't be read",
            where=key,
            hint=f"put its public half beside it: ssh-keygen -y -f {path.name} > {beside.name}",
        )
    return _blob(done.stdout.decode("utf-8", "replace"))


def _key_file(key: str, folder: Path) -> Path:
    if not key.startswith(_LITERAL):
        path = Path(key).expanduser().absolute()
        if not path.is_file():
            raise NotAllowed(
                "the key's file does not exist",
                where=key,
                hint="git config --global user.signingKey FILE; of gitreg approve: --key FILE",
            )
        return path
    path = folder / "key.pub"
    path.write_text(key.removeprefix("key::").strip() + "\n", encoding="utf-8")
    return path


def _of_agent() -> Iterator[tuple[str, str]]:
    """The keys that the agent holds: how ``sign`` takes each, and its public line."""
    if not os.environ.get("SSH_AUTH_SOCK") or not _found("ssh-add"):
        return
    done = _run([_program("ssh-add"), "-L"], b"")
    for line in done.stdout.decode("utf-8", "replace").splitlines() if done.returncode == 0 else ():
        if line.startswith(_LITERAL):
            yield f"key::{line}", line


def _of_home() -> Iterator[tuple[str, str]]:
    """The same of the keys that ssh itself would use."""
    for name in _DEFAULT_KEYS:
        path = Path.home() / ".ssh" / name
        if path.is_file():
            public = path.with_name(f"{name}.pub")
            yield str(path), public.read_text("utf-8", "replace") if public.is_file() else ""


def _blob(line: str) -> bytes:
    try:
        return base64.b64decode(line.split()[1], validate=True)
    except (IndexError, ValueError):
        return b""


def _found(name: str) -> str:
    # Never the current folder, nor one named from it: a clone could bring its own ssh-keygen.
    if os.path.isabs(name) or os.sep in name:
        return name if os.path.isabs(name) else ""
    folders = [each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(each)]
    return shutil.which(name, path=os.pathsep.join(folders)) or ""


def _program(name: str) -> str:
    found = _found(name)
    if not found:
        raise EnvironmentFailure(
            f"{name} is not installed",
            hint="install OpenSSH's client; a program of your own: git config --global gpg.ssh.program PATH",
        )
    return found


def _run(command: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=data, capture_output=True, env=env, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"{command[0]} did not end in {_SECONDS:g} s", hint="try again") from None
    except OSError as error:
        raise EnvironmentFailure(f"{command[0]} could not be run: {error.strerror}") from None
