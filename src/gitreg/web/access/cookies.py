"""Cookies of a browser: how they are read and set, and what the one of a session says.

Cookies know no ports: every server on ``localhost`` gets those of the others. So their names end with what
is this server's own. Over TLS they begin with ``__Host-``, which other hosts of the domain can't set
(RFC 6265bis).
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from gitreg.web.access import addresses, tokens
from gitreg.web.access.entries import Access, Token
from gitreg.web.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Scope

SESSION_LASTS = timedelta(days=7)
_MOST_BYTES = 500
_MOST_ENDED = 1_000  # sessions of one token that are remembered; beyond it all of the token's have ended

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
    """What a session's cookie says: with which token, since when, its own id, and our signature."""
    issued, own = f"{int(now.timestamp()):x}", secrets.token_urlsafe(12)
    return f"{token.id}.{issued}.{own}.{_signature(token, issued, own, access.secret)}"


def token_of_session(value: str, access: Access, now: datetime) -> Token | None:
    """The token that a session was begun with; None: it or the token has ended, or we never signed it."""
    found = _session(value, access, now)
    return found.token if found else None


def ended(value: str, access: Access, now: datetime) -> Access:
    """What is known once a session has ended, in all processes; what nobody has to know any more is left out.

    Args:
        value: Of its cookie; one that is no session's ends none.
        access: What is known before.
        now: The present time.
    """
    known = {
        key: until
        for key, until in access.ended.items()
        if now < until and key.partition(".")[0] in access.tokens
    }
    found = _session(value, access, now)
    if found is None:
        return replace(access, ended=known)
    ident = found.token.id
    known[found.key] = found.until
    mine = [key for key in known if key.startswith(f"{ident}.")]
    if len(mine) > _MOST_ENDED:
        known = {key: until for key, until in known.items() if key not in mine}
        known[ident] = now + SESSION_LASTS
    return replace(access, ended=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """A session that has not ended: what it is called once it has, and until when it lasts."""

    token: Token
    key: str
    until: datetime


def _session(value: str, access: Access, now: datetime) -> _Session | None:
    parts = value.split(".")
    token = access.tokens.get(parts[0])
    if len(parts) != 4 or token is None or not token.lives(now) or not value.isascii():
        return None
    _, issued, own, signature = parts
    if not hmac.compare_digest(_signature(token, issued, own, access.secret), signature):
        return None
    until = datetime.fromtimestamp(int(issued, 16), UTC) + SESSION_LASTS  # ours: it is signed
    key = f"{token.id}.{tokens.digest(own)}"
    over = any(until <= access.ended[each] for each in (key, token.id) if each in access.ended)
    return None if over or now >= until else _Session(token=token, key=key, until=until)


def mac(secret: bytes, *parts: str) -> str:
    """A signature of these texts, none of which holds NUL: 43 letters, digits, ``-`` and ``_``."""
    made = hmac.digest(secret, "\0".join(parts).encode(), "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def _signature(token: Token, issued: str, own: str, secret: bytes) -> str:
    return mac(secret, "session", token.digest, issued, own)


def _name(scope: Scope, settings: Settings, cookie: Cookie) -> str:
    own = sha256(f"{settings.place}\0{settings.port}".encode("utf-8", "surrogateescape")).hexdigest()[:8]
    prefix = "__Host-" if addresses.secure(scope, settings) else ""
    return f"{prefix}gitreg-{cookie}-{own}"
