"""Secrets and signatures as Standard Webhooks has them (github.com/standard-webhooks/standard-webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from gitreg.errors import InvalidInput

PREFIX = "whsec_"
_FRESH = 32  # bytes
_LEAST, _MOST = 16, 512


def new_secret() -> str:
    """A fresh secret: ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_FRESH)).decode()


def check_secret(text: str, *, where: str) -> str:
    """A secret as somebody gives it, without the white space around it; it is in no message.

    Args:
        text: ``whsec_`` and base64, or any text, which then is the key as it stands.
        where: Where it came from.

    Raises:
        InvalidInput: It can't be one, or is too short to be kept secret.
    """
    found = text.strip()
    if not found.isprintable():
        raise InvalidInput("the secret holds a character that can't be seen", where=where)
    try:
        size = len(key_of(found))
    except (binascii.Error, ValueError):
        raise InvalidInput(f"what follows {PREFIX} in the secret is no base64", where=where) from None
    if not _LEAST <= size <= _MOST:
        raise InvalidInput(
            f"the secret has {size} bytes: {_LEAST} to {_MOST} are needed",
            where=where,
            hint="leave it out, and one is made",
        )
    return found


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for."""
    if secret.startswith(PREFIX):
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return secret.encode()


def sign(secret: str, *, event: str, timestamp: int, body: bytes) -> str:
    """One signature: ``v1,`` and the HMAC-SHA256 of ``event.timestamp.body`` in base64.

    Args:
        secret: See ``key_of``.
        event: Id of the message; it holds no dot.
        timestamp: Seconds since 1970.
        body: What is sent.
    """
    signed = b".".join((event.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets_: Iterable[str], *, event: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks, with one signature for each secret."""
    signed = (sign(one, event=event, timestamp=timestamp, body=body) for one in secrets_)
    return {
        "webhook-id": event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signed),
    }
