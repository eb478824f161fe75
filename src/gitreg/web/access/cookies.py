"""Cookies of a browser: how they are read and set, and what the one of a session says.

Cookies know no ports: every server on ``localhost`` gets those of the others. So their names end with what
is this server's own. Over TLS they begin with ``__Host-``, which other hosts of the domain can't set
(RFC 6265bis).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from gitreg.web.access import addresses
from gitreg.web.access.entries import Access, Token
from gitreg.web.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Scope

SESSION_LASTS = timedelta(days=7)
_MOST_BYTES = 500

Cookie = Literal["session", "csrf"]
Header = tuple[bytes, bytes]


def read(scope: Scope, settings: Settings, cookie: Cookie) -> str:
    """The value of a cookie of ours; ``""`` where the request has none."""
    name = _name(scope, settings, cookie)
    for header in addresses.values(scope, b"cookie"):
        for part in header.decode("latin-1").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name and len(value) <= _MOST_BYTES:
                return value
    return ""


def setting(scope: Scope, settings: Settings, cookie: Cookie, value: str) -> Header:
    """The header that sets a cookie until the browser is closed; an empty value takes it away."""
    parts = [f"{_name(scope, settings, cookie)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if addresses.secure(scope, settings):
        parts.append("Secure")
    if not value:
        parts.append("Max-Age=0")
    return b"set-cookie", "; ".join(parts).encode("latin-1")


def session_of(token: Token, access: Access, now: datetime) -> str:
    """What the cookie of a session with a token says: which token, since when, and our signature."""
    issued = f"{int(now.timestamp()):x}"
    return f"{token.id}.{issued}.{_signature(token, issued, access.secret)}"


def token_of_session(value: str, access: Access, now: datetime) -> Token | None:
    """The token that a session was begun with; None: it or the token has ended, or we never signed it."""
    ident, _, rest = value.partition(".")
    issued, _, signature = rest.partition(".")
    token = access.tokens.get(ident)
    if token is None or not token.lives(now) or not signature.isascii():
        return None
    if not hmac.compare_digest(_signature(token, issued, access.secret), signature):
        return None
    age = now.timestamp() - int(issued, 16)  # ours: it is signed
    return token if age < SESSION_LASTS.total_seconds() else None


def mac(secret: bytes, *parts: str) -> str:
    """A signature of these texts, none of which holds NUL: 43 letters, digits, ``-`` and ``_``."""
    made = hmac.digest(secret, "\0".join(parts).encode(), "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def _signature(token: Token, issued: str, secret: bytes) -> str:
    return mac(secret, "session", token.digest, issued)


def _name(scope: Scope, settings: Settings, cookie: Cookie) -> str:
    own = sha256(f"{settings.place}\0{settings.port}".encode("utf-8", "surrogateescape")).hexdigest()[:8]
    prefix = "__Host-" if addresses.secure(scope, settings) else ""
    return f"{prefix}gitreg-{cookie}-{own}"
