"""What a server knows of who may do what: its tokens and grants, as values and as JSON."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput
from gitreg.gitstore.objects import Person
from gitreg.web.access import tokens
from gitreg.web.identity import Role

FORMAT = 1
MAX_PATTERN = 250
"""As long as a model's name can be, in characters."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, without its secret.

    Attributes:
        digest: SHA-256 of its text, in hexadecimal digits.
        person: The author of what it writes.
        role: What it may do with every model.
        models: Pattern of names → what it may do with those models, where that is more.
        created: When it was made.
        expires: From when on it is no longer taken; None: never.
        note: What it is for.
    """

    digest: str
    person: Person
    role: Role
    created: datetime
    models: Mapping[str, Role] = field(default_factory=dict)
    expires: datetime | None = None
    note: str = ""

    @property
    def id(self) -> str:
        """What it is called by; it tells nothing of its text."""
        return self.digest[: tokens.ID_LENGTH]

    def lives(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person whom a proxy names may do.

    Attributes:
        user: As the proxy names them, see ``people.key``.
        role: What they may do with every model; None: what the server's ``--user-role`` says.
        models: As of a token.
    """

    user: str
    role: Role | None = None
    models: Mapping[str, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """All that is known.

    Attributes:
        secret: Signs sessions; empty where nothing was ever kept.
        tokens: Id → token.
        grants: User → grant.
        ended: What ``cookies.ended`` calls a session, or all of a token → those that would last until then
            have ended.
    """

    secret: bytes = b""
    tokens: Mapping[str, Token] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)

    def token_of(self, text: str) -> Token | None:
        """The token whose text this is, alive or not; None: it was never made, or was revoked."""
        digest = tokens.digest(text)
        found = self.tokens.get(digest[: tokens.ID_LENGTH])
        return found if found and hmac.compare_digest(found.digest, digest) else None


def role_of(word: str, where: str) -> Role:
    """A role by its name, as a person types it.

    Raises:
        InvalidInput: There is none of this name.
    """
    for role in Role:
        if role.word == word.strip().lower():
            return role
    known = ", ".join(role.word for role in Role if role)
    raise InvalidInput(f"{shown(word)} is no role", where=where, hint=f"one of {known}")


def check_pattern(pattern: str, where: str) -> str:
    """Return ``pattern`` if it can stand for names of models.

    Raises:
        InvalidInput: It is blank, too long, or holds what no name holds.
    """
    if not pattern.strip() or len(pattern) > MAX_PATTERN or not pattern.isprintable():
        raise InvalidInput(f"{shown(pattern)} is no pattern for names", where=where, hint="such as 'churn*'")
    return pattern


def encode(access: Access) -> bytes:
    """The JSON document that keeps it."""
    document = {
        "format": FORMAT,
        "secret": access.secret.hex(),
        "tokens": [_token_document(token) for token in access.tokens.values()],
        "grants": [
            {
                "user": grant.user,
                "role": None if grant.role is None else grant.role.word,
                "models": _words(grant.models),
            }
            for grant in access.grants.values()
        ],
        "ended": {key: until.isoformat() for key, until in access.ended.items()},
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def decode(data: bytes) -> Access:
    """The document's content.

    Raises:
        ValueError: It is not one that ``encode`` made.
    """
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']!r}, not {FORMAT}")
        found = Access(
            secret=bytes.fromhex(document["secret"]),
            tokens={token.id: token for token in map(_token, document["tokens"])},
            grants={grant.user: grant for grant in map(_grant, document["grants"])},
            ended={key: _moment(until) for key, until in document.get("ended", {}).items()},
        )
    except (KeyError, TypeError, AttributeError, RecursionError, InvalidInput) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if len(found.secret) < 32:
        raise ValueError("its secret is too short")
    return found


def _token_document(token: Token) -> dict[str, Any]:
    return {
        "digest": token.digest,
        "user": {"name": token.person.name, "email": token.person.email},
        "role": token.role.word,
        "models": _words(token.models),
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat() if token.expires else None,
        "note": token.note,
    }


def _token(given: dict[str, Any]) -> Token:
    digest = _text(given["digest"])
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a digest is no SHA-256")
    return Token(
        digest=digest,
        person=Person(name=_text(given["user"]["name"]), email=_text(given["user"]["email"])),
        role=role_of(_text(given["role"]), "role"),
        models=_roles(given["models"]),
        created=_moment(given["created"]),
        expires=None if given["expires"] is None else _moment(given["expires"]),
        note=_text(given["note"]),
    )


def _grant(given: dict[str, Any]) -> Grant:
    role = given["role"]
    return Grant(
        user=_text(given["user"]),
        role=None if role is None else role_of(_text(role), "role"),
        models=_roles(given["models"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a time has no zone")
    return moment


def _words(models: Mapping[str, Role]) -> dict[str, str]:
    return {pattern: role.word for pattern, role in models.items()}


def _roles(given: dict[str, Any]) -> dict[str, Role]:
    return {pattern: role_of(_text(word), "models") for pattern, word in given.items()}
