"""OpenPGP signatures, verified by gpgv over the registry's own keys; no keyring of the user is touched."""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from gitreg.errors import EnvironmentFailure, NotAllowed

_SECONDS = 30.0
_MOST_BYTES = 1024 * 1024
_BLOCK = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]*:[^\n]*\n)*\s*\n(.*?)(?:\n=[A-Za-z0-9+/]{4}\s*)?"
    rb"\n-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_REFUSED = ("EXPKEYSIG", "REVKEYSIG", "EXPSIG", "BADSIG")


def verify(data: bytes, signature: bytes, *, keys: bytes) -> str | None:
    """The fingerprint of the primary key that signed; None where another key than these did.

    Args:
        data: What was signed.
        signature: Detached, armored.
        keys: Armored public keys.

    Raises:
        NotAllowed: The signature is wrong or malformed, or its key expired or revoked.
        EnvironmentFailure: gpgv is missing or does not end.
    """
    with tempfile.TemporaryDirectory(prefix="gitreg-gpgv-") as name:
        folder = Path(name)
        (folder / "keyring").write_bytes(dearmored(keys))
        (folder / "signature").write_bytes(signature)
        # The absolute path matters: gpgv looks for a bare name in the user's own folder.
        command = ["--homedir", name, "--status-fd", "1", "--keyring", str(folder / "keyring")]
        said = _gpgv([*command, str(folder / "signature"), "-"], data)
    words = [line.split()[1:] for line in said.splitlines() if line.startswith("[GNUPG:] ")]
    told = {line[0] for line in words if line}
    for fault in _REFUSED:
        if fault in told:
            raise NotAllowed(f"gpgv refuses the OpenPGP signature ({fault})", hint="sign again")
    valid = [line for line in words if line and line[0] == "VALIDSIG"]
    if len(valid) == 1 and "GOODSIG" in told:
        return valid[0][-1]
    if "NO_PUBKEY" in told:
        return None
    raise NotAllowed("the OpenPGP signature is malformed", hint="sign again")


def dearmored(text: bytes) -> bytes:
    """Armored public keys as the packets that a keyring holds.

    Raises:
        NotAllowed: There is no readable key in it.
    """
    try:
        blocks = [] if len(text) > _MOST_BYTES else _BLOCK.findall(text)
        found = b"".join(base64.b64decode(b"".join(block.split()), validate=True) for block in blocks)
    except binascii.Error:
        found = b""
    if not found:
        raise NotAllowed("the file holds no armored OpenPGP key", hint="gpg --armor --export PERSON")
    return found


def _gpgv(arguments: list[str], data: bytes) -> str:
    folders = [each for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(each)]
    program = shutil.which("gpgv", path=os.pathsep.join(folders))
    if not program:
        raise EnvironmentFailure("gpgv is not installed", hint="install it: apt-get install gpgv")
    try:
        done = subprocess.run(
            [program, *arguments],
            input=data,
            capture_output=True,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"gpgv did not end in {_SECONDS:g} s", hint="try again") from None
    return done.stdout.decode("utf-8", "replace")
