"""Signing with the user's GnuPG, as git-commit does it (git's gpg-interface.c)."""

from __future__ import annotations

import os
import shutil
import subprocess

from gitreg.errors import EnvironmentFailure, NotAllowed

_SECONDS = 120.0  # a person types a passphrase meanwhile


def sign(data: bytes, *, key: str, program: str = "") -> bytes:
    """The armored detached signature over ``data``.

    Args:
        data: What is signed.
        key: What ``gpg --local-user`` is given: an id, or ``Name <address>``.
        program: The user's own ``gpg.program``; ``""``: gpg.

    Raises:
        EnvironmentFailure: GnuPG is missing or does not end.
        NotAllowed: It can't sign: no such secret key, a wrong passphrase.
    """
    command = [_found(program or "gpg"), "--status-fd=2", "-bsau", key]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"{command[0]} did not end in {_SECONDS:g} s", hint="try again") from None
    except OSError as error:
        raise EnvironmentFailure(f"{command[0]} could not be run: {error.strerror}") from None
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode or "\n[GNUPG:] SIG_CREATED " not in f"\n{said}":
        lines = [line for line in said.splitlines() if line and not line.startswith("[GNUPG:]")][-1:]
        why = "".join(char if char.isprintable() else "?" for char in "".join(lines)[:300])
        raise NotAllowed(
            f"gpg could not sign: {why or 'it says nothing'}",
            where=key,
            hint="gpg --list-secret-keys; git config --global user.signingKey KEY",
        )
    return done.stdout


def _found(program: str) -> str:
    program = os.path.expanduser(program)
    if os.path.isabs(program):
        return program
    folders = [each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(each)]
    found = shutil.which(program, path=os.pathsep.join(folders)) if "/" not in program else None
    if not found:
        raise EnvironmentFailure(
            f"{program} is not installed",
            hint="install GnuPG; one of another name: git config --global gpg.program PATH; "
            "or sign by SSH: git config --global gpg.format ssh",
        )
    return found
