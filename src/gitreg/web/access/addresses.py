"""Where a request comes from, and which name of the server it was sent to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitreg.domain.names import shown
from gitreg.errors import UsageError
from gitreg.web.settings import Network, Settings, is_loopback

if TYPE_CHECKING:
    from starlette.types import Scope

# What proxies add; a request that has one of them comes from elsewhere, whatever its peer's address.
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")

# No percent-encoding and no zone: what stands behind them would pass for a part of the address.
_HOST = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?", re.ASCII | re.IGNORECASE
)


def values(scope: Scope, name: bytes) -> list[bytes]:
    """What each header of this name says; ``name`` in small letters."""
    return [value for key, value in scope["headers"] if key == name]


def host_name(text: str) -> str:
    """The name in a Host header, without its port."""
    text = text.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") > 1:  # an IPv6 address as --host takes it
        return text
    return text.partition(":")[0].rstrip(".")


def asked_host(text: str) -> str:
    """The name or address in a Host header (RFC 9112, 3.2); ``""`` where it holds anything besides."""
    return host_name(text) if _HOST.fullmatch(text.strip()) else ""


def authority(origin: str) -> str | None:
    """``host[:port]`` of an origin; None where it has none, as ``null``."""
    try:
        parts = urlsplit(origin)
        return parts.netloc if parts.scheme in {"http", "https"} else None
    except ValueError:
        return None


def server_name(text: str) -> str:
    """A name under which clients reach a server, as ``--allowed-host`` takes it.

    Raises:
        UsageError: No Host header can say that.
    """
    if asked_host(text) or (host_name(text) == text.lower() and is_address(text)):
        return text
    raise UsageError(
        f"{shown(text)} is no name of a server", where="--allowed-host", hint="such as models.example.com"
    )


def site(text: str) -> str:
    """The origin of a site, as ``--allowed-origin`` takes it.

    Raises:
        UsageError: No browser sends that as an Origin header.
    """
    found = authority(text.rstrip("/"))
    if found and text.rstrip("/").partition("://")[2] == found:
        return text
    raise UsageError(
        f"{shown(text)} is no site", where="--allowed-origin", hint="such as https://models.example.com"
    )


def peer(scope: Scope) -> str:
    """The address of whoever opened the connection; ``""`` where there is none."""
    return str((scope.get("client") or ("", 0))[0])


def trusts(settings: Settings, address: str) -> bool:
    """Whether an address is a proxy's whose headers are believed: this machine, or one that was named."""
    return is_loopback(address) or within(address, settings.trusted_proxies)


def within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of these networks."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)


def forwarded(scope: Scope) -> bool:
    """Whether a proxy says that it hands the request on."""
    return any(key in _FORWARDED for key, _ in scope["headers"])


def client(scope: Scope, settings: Settings) -> str:
    """The address that a request began at: the last one that no trusted proxy has told of itself."""
    found = peer(scope)
    told = b",".join(values(scope, b"x-forwarded-for")).decode("latin-1").split(",")
    for each in reversed(told):
        address = each.strip()
        if not trusts(settings, found) or not is_address(address):
            break
        found = address
    return found


def secure(scope: Scope, settings: Settings) -> bool:
    """Whether the client speaks TLS, with this server or with a trusted proxy in front of it."""
    if scope.get("scheme") == "https":
        return True
    told = values(scope, b"x-forwarded-proto")
    return bool(told) and told[-1].strip().lower() == b"https" and trusts(settings, peer(scope))


def origin(scope: Scope, settings: Settings) -> str:
    """Where the client finds the server: ``https://models.example.com``, for code to copy."""
    host = next(iter(values(scope, b"host")), b"localhost").decode("latin-1")
    return f"http{'s' if secure(scope, settings) else ''}://{host}"


def is_address(text: str) -> bool:
    """Whether it is an address, and no name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
