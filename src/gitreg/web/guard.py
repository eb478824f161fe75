"""Who may ask what: the checks that stand before every route.

A page of a foreign site can make a browser send requests to a server on this machine. Three things tell them
from a client's: the Host header, which a rebound name gives away; the Origin header and Sec-Fetch-Site, which
browsers set and pages can't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitreg.mlflow import rest
from gitreg.mlflow.errors import MlflowError
from gitreg.web import caller
from gitreg.web.responses import respond
from gitreg.web.settings import Settings, is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_DENIED = "PERMISSION_DENIED"


class Guard:
    """Checks each request, then hands it to ``app``.

    Args:
        app: The application behind it.
        settings: What was allowed.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self._hosts = frozenset(_host(name) for name in (settings.host, *settings.allowed_hosts))
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)
        self._user_header = settings.user_header.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sniffless(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), _NOSNIFF]
            await send(message)

        headers: dict[bytes, bytes] = dict(scope["headers"])
        refused = self._refused(scope, headers)
        if refused is None and scope["method"] not in _SAFE:
            try:
                caller.remember(self._user(scope, headers))
            except MlflowError as problem:
                refused = rest.error(problem.status, problem.code, problem.message)
        if refused is not None:
            await respond(sniffless, refused, close=True)
            return
        await self.app(scope, receive, sniffless)

    def _refused(self, scope: Scope, headers: dict[bytes, bytes]) -> rest.Answer | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._knows(host):
            return rest.error(
                403,
                _DENIED,
                f"This server does not answer to the host name {_host(host)!r}. "
                "Start it with --allowed-host for each name that it has.",
            )
        method: str = scope["method"]
        if method in _SAFE:
            return None
        if self._is_foreign(host, headers):
            return rest.error(
                403,
                _DENIED,
                "The request was sent by a page of another site. "
                "Start the server with --allowed-origin for each site whose pages may write.",
            )
        if not self.settings.writable and rest.writes(method, scope["path"]):
            return rest.error(403, _DENIED, self._why_read_only())
        return None

    def _why_read_only(self) -> str:
        if self.settings.at is not None:
            return f"This server shows the registry as it was at {self.settings.at}: it can't be written."
        return (
            "This server is read-only, because others than its own machine reach it. "
            "Start it with --write to let them write."
        )

    def _knows(self, host: str) -> bool:
        name = _host(host)
        return name in self._hosts or name == "localhost" or is_loopback(name)

    def _is_foreign(self, host: str, headers: dict[bytes, bytes]) -> bool:
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin:
            return origin not in self._origins and _authority(origin) != host.lower()
        return headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}

    def _user(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        if self._user_header:
            told = headers.get(self._user_header, b"")
            if told and self._trusts(scope):
                return caller.decoded(told)
        return caller.of_basic_auth(headers.get(b"authorization", b""))

    def _trusts(self, scope: Scope) -> bool:
        peer = (scope.get("client") or ("", 0))[0]
        return is_loopback(peer) or caller.within(peer, self.settings.trusted_proxies)


def _host(text: str) -> str:
    """The name in a Host header, without its port."""
    text = text.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") > 1:  # an IPv6 address as --host takes it
        return text
    return text.partition(":")[0].rstrip(".")


def _authority(origin: str) -> str | None:
    """``host[:port]`` of an origin; None where it has none, as ``null``."""
    try:
        parts = urlsplit(origin)
        return parts.netloc if parts.scheme in {"http", "https"} else None
    except ValueError:
        return None
