"""Signing in and out with a browser: a token is shown once, then a cookie stands for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from anyio.to_thread import run_sync
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gitreg.errors import GitregError
from gitreg.registry.clock import utc_now
from gitreg.web import identity, refusals
from gitreg.web.access import cookies, csrf, pages, tokens
from gitreg.web.access.store import AccessStore
from gitreg.web.body import TooLong, TooSlow, read_body
from gitreg.web.identity import Role
from gitreg.web.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

_SHORT = 16 * 1024  # bytes of a form
_HOME = "/"
_MOST_FIELDS = 20


def routes(settings: Settings) -> list[BaseRoute]:
    """``/sign-in`` and ``/sign-out``."""
    signing = _Signing(settings)
    return [
        Route("/sign-in", signing.show, methods=["GET"]),
        Route("/sign-in", signing.sign_in, methods=["POST"]),
        Route("/sign-out", signing.sign_out, methods=["POST"]),
    ]


class _Signing:
    """Begins and ends sessions; the guard in front has checked where the form is from."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._store = AccessStore(settings.place)
        self._clock = clock

    async def show(self, request: Request) -> Response:
        """The form."""
        return _form(request, local_path(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        """Take a token, give a session."""
        fields = await self._fields(request)
        after = local_path(fields.get("next", ""))
        text = fields.get("token", "").strip()
        if not tokens.is_whole(text):
            return _form(
                request, after, error="That is no whole token. It begins with grt_ and has 53 characters."
            )
        access, now = self._store.read(), self._clock()
        token = access.token_of(text)
        if token is None or not token.lives(now):
            return _form(
                request, after, error="This token is not known here, or was revoked, or has expired."
            )
        return self._go(request, after, cookies.session_of(token, access, now))

    async def sign_out(self, request: Request) -> Response:
        """End the session of this browser, for whoever else may have its cookie, too."""
        session = cookies.read(request.scope, self._settings, "session")
        try:
            if session and cookies.token_of_session(session, self._store.read(), self._clock()):
                await run_sync(self._end, session)
        except GitregError as error:
            return refusals.of_error(request, error)
        return self._go(request, _HOME if self._settings.anonymous >= Role.READER else "/sign-in", "")

    def _end(self, session: str) -> None:
        self._store.change(lambda access: cookies.ended(session, access, self._clock()))

    async def _fields(self, request: Request) -> dict[str, str]:
        try:
            body = await read_body(
                request.scope, request.receive, most=_SHORT, patience=self._settings.patience
            )
            return dict(parse_qsl(body.decode(), max_num_fields=_MOST_FIELDS))
        except (TooLong, TooSlow, ValueError):
            return {}

    def _go(self, request: Request, after: str, session: str) -> Response:
        response = RedirectResponse(after, status_code=303, headers={"Cache-Control": "no-store"})
        name, value = cookies.setting(request.scope, self._settings, "session", session)
        response.headers[name.decode()] = value.decode("latin-1")
        return response


def local_path(text: str) -> str:
    """``text`` where it is an address of this server, as in ``/models?at=2026-01-01``; else its first page.

    A browser reads two slashes, forward or backward, as another server, and drops tabs and newlines.
    """
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return _HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return _HOME
    plain = not parts.scheme and not parts.netloc
    return quote(text, safe="/?&=%:@+~,;!$'()*#[]") if plain else _HOME


def _form(request: Request, after: str, error: str = "") -> Response:
    who = identity.current()
    return pages.page(
        "sign_in.html",
        status=401 if error else 200,
        next=after,
        error=error,
        csrf=csrf.token_for(request.scope),
        name=who.name if who.signed_in else "",
    )
