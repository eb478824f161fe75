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
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk")
_LITERAL = ("key::", "ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")


def signing_key(*, chosen: str = "", known: Collection[bytes] = ()) -> str:
    """The key to sign with: a path, or a public key whose private half the agent holds.

    Args:
        chosen: The one that the user's own configuration names; ``""``: none.
        known: Blobs of public keys that are listed for whoever signs. Of several keys one of these is taken,
            whatever is chosen: no other would count.

    Raises:
        NotAllowed: There is no key at all.
    """
    if chosen and (not known or blob_of(chosen) in (b"", *known)):
        return chosen
    found = list(_at_hand())
    fit = next((key for key, line in found if _blob(line) in known), chosen)
    usual = fit or next((key for key, _ in found if not _is_odd(key)), "")
    if not usual:
        raise NotAllowed("there is no SSH key to sign with", hint="ssh-keygen -t ed25519; or pass --key FILE")
    return usual


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
        raise _could_not(key, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def public_key(key: str) -> bytes:
    """The blob of the public key that belongs to a key to sign with.

    Args:
        key: As :func:`signing_key` returns it.

    Raises:
        NotAllowed: There is no such key, or only its passphrase would tell.
    """
    if key.startswith(_LITERAL):
        return _blob(key.removeprefix("key::"))
    path = Path(key).expanduser().absolute()
    beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    if beside.is_file():
        return _blob(beside.read_text("utf-8", "replace"))
    done = _run([_program("ssh-keygen"), "-y", "-P", "", "-f", str(path)], b"")
    if done.returncode:
        raise NotAllowed(
            "the key can't be read",
            where=key,
            hint=f"put its public half beside it: ssh-keygen -y -f {path.name} > {beside.name}",
        )
    return _blob(done.stdout.decode("utf-8", "replace"))


def blob_of(key: str) -> bytes:
    """The same; ``b""`` where nobody can tell."""
    try:
        return public_key(key)
    except NotAllowed:
        return b""


def wants_touch(key: str) -> bool:
    """Whether it lies in a security key, which ssh-keygen waits for without a word that reaches anybody."""
    return blob_of(key)[4:].startswith(b"sk-")


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
    line = key.removeprefix("key::").strip()
    if not _blob(line):
        raise NotAllowed(
            "that is no public key",
            where=key,
            hint="write it as ssh-add -L does: git config --global user.signingKey 'key::ssh-ed25519 AAAA…'",
        )
    path = folder / "key.pub"
    path.write_text(f"{line}\n", encoding="utf-8")
    return path


_CAUSES = (
    ("UNPROTECTED PRIVATE KEY FILE", "others can read the key's file", "chmod 600 {key}"),
    ("incorrect passphrase", "the passphrase is wrong", "try again; where nobody can type it: ssh-add {key}"),
    ("agent socket", "no SSH agent runs that could hold the key", 'eval "$(ssh-agent)"; ssh-add'),
    ("agent refused", "the SSH agent refuses: is it locked, or wants to be asked?", "ssh-add -l; try again"),
    ("couldn't load public key", "the file holds no SSH key", "ls ~/.ssh; ssh-keygen -t ed25519 makes one"),
    (
        "no private key found",
        "only the public half is there, and no agent has the other",
        "ssh-add -l; ls ~/.ssh",
    ),
    ("device not found", "the security key is not there", "plug it in, and try again"),
)
"""What ssh-keygen says, what it means, and what to do about it."""


def _could_not(key: str, said: str) -> NotAllowed:
    hint = "ssh-add -l tells which keys the agent holds; another key: gitreg approve … --key FILE"
    lines = [line for line in said.splitlines() if line.strip()]
    why = "".join(char if char.isprintable() else "?" for char in "".join(lines[-1:])[:300])
    for sign, meaning, mend in _CAUSES:
        if sign.lower() in said.lower():
            private = str(Path(key.removesuffix(".pub")).expanduser())
            named = "" if key.startswith(_LITERAL) else shlex.quote(private)
            why, hint = meaning, mend.format(key=named).rstrip()
            break
    return NotAllowed(f"ssh-keygen could not sign: {why or 'it says nothing'}", where=key, hint=hint)


def _at_hand() -> Iterator[tuple[str, str]]:
    """Keys that could sign: how ``sign`` takes each, and its public line; ``""``: not known."""
    yield from _of_agent()
    folder = Path.home() / ".ssh"
    usual = [path for name in _DEFAULT_KEYS if (path := folder / name).is_file()]
    others = (path.with_suffix("") for path in sorted(folder.glob("*.pub")))
    for path in (*usual, *(path for path in others if path.is_file() and path not in usual)):
        public = path.with_name(f"{path.name}.pub")
        yield str(path), public.read_text("utf-8", "replace") if public.is_file() else ""


def _of_agent() -> Iterator[tuple[str, str]]:
    if not os.environ.get("SSH_AUTH_SOCK") or not _found("ssh-add"):
        return
    done = _run([_program("ssh-add"), "-L"], b"")
    for line in done.stdout.decode("utf-8", "replace").splitlines() if done.returncode == 0 else ():
        if line.startswith(_LITERAL) and "-cert-" not in line.partition(" ")[0]:
            yield f"key::{line}", line


def _is_odd(key: str) -> bool:
    """Whether it is a file that ssh itself would not use unasked."""
    return not key.startswith(_LITERAL) and Path(key).name not in _DEFAULT_KEYS


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
    # All of the environment is the user's own, and a signing program may need any of it; its language is
    # English, so that what it says can be understood.
    env = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=data, capture_output=True, env=env, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"{command[0]} did not end in {_SECONDS:g} s", hint="try again") from None
    except OSError as error:
        raise EnvironmentFailure(f"{command[0]} could not be run: {error.strerror}") from None
