"""Who sends a request: the order in which its credentials count.

A token; the session that a token began; the header of a trusted proxy; and where there is none of these,
whoever is on this machine, or nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from gitreg.errors import InvalidInput
from gitreg.gitstore.objects import Person
from gitreg.mlflow.caller import person_of
from gitreg.mlflow.errors import MlflowError
from gitreg.registry.clock import utc_now
from gitreg.web import caller
from gitreg.web.access import addresses, cookies, people, tokens
from gitreg.web.access.entries import Access, Grant, Token
from gitreg.web.identity import Denied, Identity, Kind, Role
from gitreg.web.settings import Settings, is_loopback

if TYPE_CHECKING:
    from starlette.types import Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""
# A browser whose session has ended must be able to begin another one, and to forget it.
SIGNING = frozenset({"/sign-in", "/sign-out"})

_READ_ONLY = (
    "This server is read-only, because others than its own machine reach it. "
    "Start it with --write to let them write, or give them tokens: gitreg token create."
)


class Recognition:
    """Tells who sends a request.

    Args:
        settings: Of the server.
        clock: Gives the time.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._clock = clock
        self._user_header = settings.user_header.lower().encode()
        self._email_header = settings.email_header.lower().encode()

    def identify(self, scope: Scope, access: Access) -> Identity:
        """Who sends this request.

        Args:
            scope: The request (ASGI).
            access: Which tokens and grants there are.

        Raises:
            Denied: 401: the token or the session is not valid.
            InvalidInput: A header comes twice, or names somebody who can't be an author.
        """
        found = self._found(scope, access)
        if self._settings.at is None:
            return found
        barrier = f"This server shows the registry as it was at {self._settings.at}: it can't be written."
        return replace(found, role=min(found.role, Role.READER), models={}, barrier=barrier)

    def stale(self, scope: Scope, access: Access) -> bool:
        """Whether the request has the cookie of a session that is none any more."""
        value = cookies.read(scope, self._settings, "session")
        return bool(value) and cookies.token_of_session(value, access, self._clock()) is None

    def _found(self, scope: Scope, access: Access) -> Identity:
        header = _only(scope, b"authorization")
        bearer = caller.of_bearer(header)
        user, password = caller.of_basic_auth(header)
        for text in (bearer, password):
            if text.startswith(tokens.PREFIX):
                return self._by_token(text, access)
        session = cookies.read(scope, self._settings, "session")
        if session:
            token = cookies.token_of_session(session, access, self._clock())
            if token:
                return _of(token, "session")
            if scope["method"] not in SAFE and scope["path"] not in SIGNING:
                raise Denied(401, "Your session has ended: sign in again.")
        told = self._told_by_proxy(scope)
        if told:
            return self._by_proxy(*told, access)
        local = self._is_local(scope)
        if bearer and not local:
            raise Denied(401, "The token is none of this server's.")
        # MLflow's clients send one token to the tracking server and to the registry: here it opens no more
        # than is open.
        if local:
            return Identity(person=_claimed(scope, user), role=Role.ADMIN, kind="local")
        return self._nobody(scope, user, access)

    def _by_token(self, text: str, access: Access) -> Identity:
        if not tokens.is_whole(text):
            raise Denied(401, "The token is not whole: its checksum is wrong.")
        token = access.token_of(text)
        if token is None:
            raise Denied(401, "The token is none of this server's, or was revoked.")
        if not token.lives(self._clock()):
            raise Denied(401, f"The token {token.id} has expired: gitreg token create makes another one.")
        return _of(token, "token")

    def _told_by_proxy(self, scope: Scope) -> tuple[str, str] | None:
        if not self._user_header or not addresses.trusts(self._settings, addresses.peer(scope)):
            return None
        user = caller.decoded(_only(scope, self._user_header))
        email = caller.decoded(_only(scope, self._email_header)) if self._email_header else ""
        return (user, email) if user or email else None

    def _by_proxy(self, user: str, email: str, access: Access) -> Identity:
        try:
            person = people.named(user, email)
        except MlflowError as problem:
            raise InvalidInput(problem.message) from None
        key = people.key(email or user)
        grant = access.grants.get(key, Grant(user=key))
        role = self._settings.user_role if grant.role is None else grant.role
        return Identity(person=person, role=role, models=grant.models, kind="proxy")

    def _is_local(self, scope: Scope) -> bool:
        """Whether the request was made on this machine, where no proxy stands in between."""
        settings = self._settings
        if not settings.alone or addresses.forwarded(scope):
            return False
        host = addresses.asked_host(_only(scope, b"host").decode("latin-1"))
        known = {"localhost", addresses.host_name(settings.host)}
        return is_loopback(addresses.peer(scope)) and (host in known or is_loopback(host))

    def _nobody(self, scope: Scope, user: str, access: Access) -> Identity:
        # Where people can say who they are, nobody is believed who only claims to be one of them.
        closed = bool(access.tokens or self._user_header or self._settings.sign_in)
        person = None if closed else _claimed(scope, user)
        role = self._settings.anonymous
        barrier = "" if closed or role >= Role.WRITER else _READ_ONLY
        return Identity(person=person, role=role, barrier=barrier)


def _of(token: Token, kind: Kind) -> Identity:
    return Identity(person=token.person, role=token.role, models=token.models, kind=kind)


def _only(scope: Scope, name: bytes) -> bytes:
    found = addresses.values(scope, name)
    if len(found) > 1:  # which one the proxy wrote can't be told
        raise InvalidInput(f"The request has the header {name.decode('latin-1')} {len(found)} times.")
    return found[0] if found else b""


def _claimed(scope: Scope, user: str) -> Person | None:
    """Whom basic authentication names; a name that Git can't hold matters to writes alone."""
    if not user:
        return None
    try:
        return person_of(user)
    except MlflowError as problem:
        if scope["method"] in SAFE:
            return None
        raise InvalidInput(problem.message) from None
