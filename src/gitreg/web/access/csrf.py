"""Proof that a form was made by this server for this browser.

A page of another site can send a form here with the browser's cookies, or from inside the network. It can't
read our pages, so it does not know the token in their forms. The token is a signature over what the request
is known by: its session, the user whom the proxy names, or else a random cookie. It has no end of its own:
pages are kept by browsers, and are as good as new while nothing has changed.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gitreg.web.access import addresses, cookies
from gitreg.web.identity import Identity
from gitreg.web.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Scope

FIELD = "csrf"
HEADER = b"x-csrf-token"

_API = ("/api/", "/ajax-api/")
# What a page of another site can send without asking first (the Fetch standard's CORS-safelisted types).
_SIMPLE = (b"", b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain")
_FORM = b"application/x-www-form-urlencoded"
_MARKS = (b"origin", b"sec-fetch-site", b"cookie")
_RANDOM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_MOST_FIELDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Csrf:
    """What the forms of a page carry.

    Attributes:
        token: Put into forms.
        valid: What a request may bring; several while a server's secret changes.
        cookie: The random cookie that must be set with the page; ``""`` where the browser needs none.
    """

    token: str
    valid: tuple[str, ...]
    cookie: str = ""

    def accepts(self, given: str) -> bool:
        """Whether a request brought a token of ours."""
        found = given.encode("utf-8", "replace")
        return any(hmac.compare_digest(each.encode(), found) for each in self.valid)


def made_for(scope: Scope, settings: Settings, who: Identity, key: bytes) -> Csrf:
    """The token of one browser.

    Args:
        scope: Its request (ASGI).
        settings: Of the server.
        who: Who sends it.
        key: The secret that is kept with the tokens; ``b""`` where there is none yet.
    """
    keys = [each for each in (key, settings.secret) if each]
    cookie = ""
    if who.kind == "session":
        told = f"session {cookies.read(scope, settings, 'session')}"
    elif who.kind == "proxy" and who.person is not None:
        told = f"proxy {who.person.name} <{who.person.email}>"
    else:
        known = cookies.read(scope, settings, "csrf")
        if not _RANDOM.fullmatch(known):
            known = cookie = secrets.token_urlsafe(32)
        told = f"browser {known}"
    valid = tuple(cookies.mac(each, "csrf", told) for each in keys)
    return Csrf(token=valid[0], valid=() if cookie else valid, cookie=cookie)


def keep(scope: Scope, csrf: Csrf) -> None:
    """Keep the token with the request, for its page."""
    scope.setdefault("state", {})["csrf"] = csrf.token


def token_for(scope: Scope) -> str:
    """The token for the forms of a page; ``""`` where nothing checks any."""
    return str(scope.get("state", {}).get("csrf", ""))


def is_due(scope: Scope) -> bool:
    """Whether a request that is not safe must bring a token.

    A client that is no browser sends JSON, and no cookie. The API takes JSON from pages, too: before a
    browser sends that to another site it asks, and is refused.
    """
    content_type = media_type(scope)
    marked = any(key in _MARKS for key, _ in scope["headers"])
    if scope["path"].startswith(_API):
        return marked and scope["method"] == "POST" and content_type in _SIMPLE
    return marked or content_type != b"application/json"


def in_header(scope: Scope) -> str | None:
    """The token that a script put beside the request; None: it has no such header."""
    found = addresses.values(scope, HEADER)
    return found[0].decode("latin-1").strip() if found else None


def in_form(scope: Scope, body: bytes) -> str:
    """The token in the fields of a form; ``""`` where it holds none."""
    if media_type(scope) != _FORM:
        return ""
    try:
        fields = parse_qsl(body.decode("latin-1"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return ""
    return next((value for key, value in fields if key == FIELD), "")


def media_type(scope: Scope) -> bytes:
    """The type of a request's body in small letters, without parameters."""
    found = addresses.values(scope, b"content-type")
    return found[0].partition(b";")[0].strip().lower() if found else b""
