"""What stands before every route: which requests are answered at all, and who sends them.

A page of a foreign site can make a browser send requests to a server on this machine, or with the cookies of
one elsewhere. What tells them from those of our own pages: the Host header, which a rebound name gives away;
the Origin header and Sec-Fetch-Site, which browsers set and pages can't; and the token in our forms.
"""

from __future__ import annotations

import logging
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from gitreg.errors import GitregError, InvalidInput
from gitreg.web import caller, identity
from gitreg.web.access import addresses, cookies, csrf, headers, lasting, request_log
from gitreg.web.access.entries import Access
from gitreg.web.access.recognition import SAFE, Recognition
from gitreg.web.access.store import AccessStore
from gitreg.web.body import Gone, TooLong, TooSlow, read_body
from gitreg.web.identity import Denied, Identity, Role
from gitreg.web.responses import refuse
from gitreg.web.settings import Settings, is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger("gitreg.web")
_DENIED = "PERMISSION_DENIED"
_FOR_EVERYBODY = frozenset({"/health", "/ready", "/sign-in"})
_STATIC = "/static/"
_SIGNING = frozenset({"/sign-in", "/sign-out"})
_SHORT = 16 * 1024
"""Bytes of a form that anybody may send."""
_LONG = 32 * 1024


class Refused(Exception):
    """A request is not answered.

    Args:
        status: HTTP status.
        code: MLflow's error code.
        message: Why, and what would help.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Guard:
    """Checks each request, then hands it to ``app``.

    Args:
        app: The application behind it.
        settings: What was allowed.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self._store = AccessStore(settings.place)
        self._recognition = Recognition(settings)
        self._told = ""  # what was last wrong with the store
        self._hosts = frozenset(map(addresses.host_name, (settings.host, *settings.allowed_hosts)))
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _Sending(send))
        else:  # no route speaks anything else: there is nothing to check it by
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        begun = perf_counter()
        identity.remember(Identity())
        try:
            await self.app(scope, await self._admitted(scope, receive, sending), sending)
        except Gone:
            pass
        except Denied as denied:
            if sending.status:
                raise
            code = "UNAUTHENTICATED" if denied.status == 401 else _DENIED
            await refuse(scope, sending, denied.status, code, denied.message)
        except Refused as refused:
            await refuse(scope, sending, refused.status, refused.code, refused.message)
        except Exception:
            if not sending.status:
                message = "gitreg met a bug; the server's log has the details."
                await refuse(scope, sending, 500, "INTERNAL_ERROR", message)
            raise  # to the server, which logs it
        finally:
            if self.settings.log:
                seconds = perf_counter() - begun
                who = identity.current()
                request_log.write(request_log.line(scope, self.settings, who, sending.status, seconds))

    async def _admitted(self, scope: Scope, receive: Receive, sending: _Sending) -> Receive:
        """Where the application gets the request's body from, once it may have the request.

        Raises:
            Refused, Denied: It may not.
        """
        host = _header(scope, b"host")
        method, path = scope["method"], scope["path"]
        if not path.startswith(_STATIC):  # a page that refuses is to have its style
            self._check_host(host)
        if method not in SAFE and self._is_foreign(scope, host):
            raise Refused(
                403,
                _DENIED,
                "The request was sent by a page of another site. "
                "Start the server with --allowed-origin for each site whose pages may write.",
            )
        if path == "/health" or path.startswith(_STATIC):
            return receive  # these are the same for everybody, and must work when nothing else does
        access = self._access()
        try:
            who = self._recognition.identify(scope, access)
        except InvalidInput as problem:
            raise Refused(400, "INVALID_PARAMETER_VALUE", problem.message) from None
        finally:
            if self._recognition.stale(scope, access):
                sending.cookies.append(cookies.setting(scope, self.settings, "session", ""))
        identity.remember(who)
        lasting.keep(scope, partial(self._lasts, scope))
        forms = csrf.made_for(scope, self.settings, who, access.secret)
        csrf.keep(scope, forms)
        if forms.cookie:
            sending.page_cookies.append(cookies.setting(scope, self.settings, "csrf", forms.cookie))
        if not (path in _FOR_EVERYBODY or self._is_preflight(scope)):
            identity.require(Role.READER)
        # No browser sends a bearer token by itself.
        bearer = who.kind == "token" and caller.of_bearer(_header(scope, b"authorization").encode("latin-1"))
        if method in SAFE or bearer or not csrf.is_due(scope):
            return receive
        return await self._with_token(scope, receive, forms)

    def _lasts(self, scope: Scope) -> bool:
        """Whether the request would be let through now: a token may have been revoked since."""
        try:
            return self._recognition.identify(scope, self._access()).may(Role.READER)
        except (Denied, Refused, InvalidInput):
            return False

    async def _with_token(self, scope: Scope, receive: Receive, forms: csrf.Csrf) -> Receive:
        """Check the token of a form, which stands in a header or in the body."""
        given, body = csrf.in_header(scope), None
        if given is None:
            body = await self._body(scope, receive)
            # A long body takes its time: others are answered meanwhile.
            given = (
                await run_sync(csrf.in_form, scope, body) if len(body) > _LONG else csrf.in_form(scope, body)
            )
        if not forms.accepts(given):
            raise Refused(
                403,
                _DENIED,
                "The form was not made by this server for this browser, or is too old: load its page again. "
                "A program sends JSON to /api/ instead.",
            )
        return receive if body is None else partial(_replayed, receive, [body])

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        settings = self.settings
        most = _SHORT if scope["path"] in _SIGNING else settings.most_bytes
        try:
            return await read_body(scope, receive, most=most, patience=settings.patience)
        except TooLong:
            message = f"The request's body is longer than {most} bytes."
            raise Refused(413, "INVALID_PARAMETER_VALUE", message) from None
        except TooSlow:
            message = f"The request's body did not come within {settings.patience:g} seconds."
            raise Refused(408, "DEADLINE_EXCEEDED", message) from None

    def _access(self) -> Access:
        try:
            found = self._store.read()
        except GitregError as problem:
            if self._told != str(problem):  # once, not for each request
                self._told = str(problem)
                _LOG.error("%s (%s)", problem, problem.hint)
            message = "The server can't tell who may do what; its log has the details."
            raise Refused(503, "TEMPORARILY_UNAVAILABLE", message) from None
        self._told = ""
        return found

    def _check_host(self, host: str) -> None:
        name = addresses.asked_host(host)
        known = bool(name) and (name in self._hosts or name == "localhost" or is_loopback(name))
        # What is rebound is a name: who comes by an address has come to this server.
        if not known and (self.settings.loopback or not addresses.is_address(name)):
            raise Refused(
                403,
                _DENIED,
                f"This server does not answer to the host name {name or host[:100]!r}. "
                "Start it with --allowed-host for each name that it has.",
            )

    def _is_foreign(self, scope: Scope, host: str) -> bool:
        origin = _header(scope, b"origin").lower()
        if origin:
            return origin not in self._origins and addresses.authority(origin) != host.lower()
        return _header(scope, b"sec-fetch-site") not in {"", "none", "same-origin"}

    def _is_preflight(self, scope: Scope) -> bool:
        """Whether a browser asks if an allowed page may ask: that has no credentials (Fetch, 3.2.2)."""
        asked = scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method")
        return bool(asked) and _header(scope, b"origin").lower() in self._origins


class _Sending:
    """Where an answer goes, with the headers of every answer.

    Attributes:
        status: Of the answer, once it has begun; 0 before.
        cookies: Headers that set cookies with any answer.
        page_cookies: Those that only a page needs.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.cookies: list[tuple[bytes, bytes]] = []
        self.page_cookies: list[tuple[bytes, bytes]] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = headers.completed(message.get("headers", ()))
            of_page = any(key.lower() == b"content-type" and b"text/html" in value for key, value in given)
            # A browser that signs in or out with this answer gets its cookie from there.
            mine = [] if any(key.lower() == b"set-cookie" for key, _ in given) else self.cookies
            message["headers"] = [*given, *mine, *(self.page_cookies if of_page else ())]
        await self._send(message)


def _header(scope: Scope, name: bytes) -> str:
    """A header's last value, as the application has it; ``""`` where there is none."""
    found = addresses.values(scope, name)
    return found[-1].decode("latin-1") if found else ""


async def _replayed(receive: Receive, bodies: list[bytes]) -> Message:
    """The body that was read already, then what comes."""
    if bodies:
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}
    return await receive()
