"""OpenPGP signatures, verified by gpgv over the registry's own keys; no keyring of the user is touched."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gitreg.errors import EnvironmentFailure, NotAllowed

_SECONDS = 30.0
_PUBLIC_KEY = 6  # the tag of its packet
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


def fingerprints(text: bytes) -> tuple[str, ...]:
    """The fingerprints of all armored public keys in a file, in hex as gpg shows them (RFC 9580, 5.5.4).

    Raises:
        NotAllowed: There is no readable key in it.
    """
    found = tuple(_fingerprint(body) for tag, body in _packets(dearmored(text)) if tag == _PUBLIC_KEY)
    if not found:
        raise NotAllowed("the file holds no OpenPGP key that can be told", hint="gpg --armor --export PERSON")
    return found


def _fingerprint(body: bytes) -> str:
    if body[:1] == b"\x04":
        data = b"\x99" + len(body).to_bytes(2, "big") + body
        return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()
    lead = b"\x9b" if body[:1] == b"\x06" else b"\x9a"
    return hashlib.sha256(lead + len(body).to_bytes(4, "big") + body).hexdigest().upper()


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each packet (RFC 9580, 4.2).

    Raises:
        NotAllowed: One has no length, or is cut off.
    """
    at = 0
    while at < len(data):
        first = data[at]
        if first & 0xC0 == 0x80:  # the old form
            tag, size = (first >> 2) & 15, (1, 2, 4, 0)[first & 3]
            head, length = 1 + size, int.from_bytes(data[at + 1 : at + 1 + size], "big") if size else -1
        else:
            tag, (head, length) = first & 63, _length(data[at + 1 : at + 6])
        body = data[at + head : at + head + max(length, 0)]
        if length < 0 or len(body) != length or not 0 < length < 65_536:
            raise NotAllowed("the OpenPGP key is malformed", hint="gpg --armor --export PERSON")
        yield tag, body
        at += head + length


def _length(data: bytes) -> tuple[int, int]:
    """Of a packet of the new form: where its body begins, and how long that is (-1: nobody knows)."""
    first = data[0] if data else 224
    if first < 192:
        return 2, first
    if first < 224:
        return 3, ((first - 192) << 8) + int.from_bytes(data[1:2], "big") + 192
    return (6, int.from_bytes(data[1:5], "big")) if first == 255 else (2, -1)


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
