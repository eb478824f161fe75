"""Addresses of remotes as text: what kind each is, which are refused, and what must never be shown."""

from __future__ import annotations

import re
from pathlib import Path

from gitreg.errors import InvalidInput

_HTTP_USER = re.compile(r"(?P<scheme>https?://)[^/?#\s'\"]*@", re.IGNORECASE)
_PASSWORD = re.compile(r"(?P<open>[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s:@'\"]*):[^/?#\s'\"]*@")
_HELPER = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9+.-]*)::")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_SCP = re.compile(r"(?P<host>\[[^]/]*\]|[^/:]+):(?!//)")
_ALLOWED = frozenset({"file", "git", "http", "https", "ssh", "git+ssh", "ssh+git"})


def without_password(text: str) -> str:
    """``text`` with user and password taken out of every ``http`` address, and the password of all others."""
    text = _HTTP_USER.sub(lambda match: match["scheme"], text)
    return _PASSWORD.sub(lambda match: f"{match['open']}@", text)


def check_address(url: str) -> None:
    """Refuse an address that could make Git or ssh run a program, before Git sees it.

    Args:
        url: As it is after ``url.*.insteadOf``.

    Raises:
        InvalidInput: It names a transport helper (``ext::``), an unknown scheme, a host or a path
            that begins with a dash (ssh would take it for an option), or holds control characters.
    """
    fault = _fault(url)
    if fault:
        raise InvalidInput(
            fault, where=without_password(url) if url.isprintable() else "", hint="see: git remote -v"
        )


def _fault(url: str) -> str:
    if not url or not url.isprintable():
        return "the remote's address is empty or holds control characters"
    helper = _HELPER.match(url)
    if helper:
        return f"the remote's address names a program, git-remote-{helper['name']}; nothing was run"
    scheme = _SCHEME.match(url)
    if scheme and scheme["scheme"].lower() not in _ALLOWED:
        return f"the remote's address has the scheme {scheme['scheme']}, which gitreg does not use"
    authority = scheme["rest"].split("/", 1)[0] if scheme else ""
    if not scheme and (scp := _SCP.match(url)):
        authority = scp["host"]
    user, at, host = authority.rpartition("@")
    if url.startswith("-") or host.lstrip("[").startswith("-") or (at and user.startswith("-")):
        return "the remote's address begins with a dash, which a program would take for an option"
    return ""


def local_path(url: str, *, at: Path) -> Path | None:
    """The folder that an address names on this machine, None when it names another machine.

    Args:
        url: The address.
        at: The folder in which Git is run.
    """
    if url.lower().startswith("file://"):
        return Path(url[len("file://") :])
    if _SCHEME.match(url) or _SCP.match(url):
        return None
    return at / url
