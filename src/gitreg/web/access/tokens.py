"""Bearer tokens as text: how they are made, and how they are kept.

A token is 256 random bits. Nobody can guess it, so one round of SHA-256 keeps it as well as a slow hash
would: those are for passwords, which people choose. The prefix lets scanners of leaked secrets find one, the
checksum tells a mistyped one from a revoked one. Source of the form: GitHub's tokens.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from string import ascii_letters, digits
from zlib import crc32

PREFIX = "grt_"
ID_LENGTH = 10
"""Hexadecimal digits of the digest that a token is called by."""

_DIGITS = digits + ascii_letters
_SECRET, _CHECK = 43, 6  # digits of base 62 that hold 256 and 32 bits
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_SECRET + _CHECK}}}", re.ASCII)


def new() -> str:
    """A token that nobody has: ``grt_`` and 49 letters and digits."""
    text = PREFIX + _base62(int.from_bytes(secrets.token_bytes(32)), _SECRET)
    return text + _checksum(text)


def is_whole(text: str) -> bool:
    """Whether ``text`` has a token's form and its checksum is right."""
    return bool(_FORM.fullmatch(text)) and text[-_CHECK:] == _checksum(text[:-_CHECK])


def digest(text: str) -> str:
    """What is kept of a token: its SHA-256, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECK)


def _base62(number: int, length: int) -> str:
    found = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        found.append(_DIGITS[digit])
    return "".join(reversed(found))
