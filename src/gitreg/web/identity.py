"""Who sends a request, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Literal

from gitreg.domain.names import shown
from gitreg.gitstore.objects import Person


class Role(IntEnum):
    """What somebody may do; each one may do what those before it may, too."""

    NONE = 0
    READER = 1
    WRITER = 2
    APPROVER = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """Its name as it is written: ``reader``."""
        return self.name.lower()


Kind = Literal["anonymous", "local", "token", "session", "proxy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends a request.

    Attributes:
        person: The author of the commits that it makes; None: whom Git's configuration names.
        role: What they may do with every model.
        models: Pattern of model names (``churn*``) → what they may do with those, where that is more.
        kind: How they are known: nobody told; this machine's own user; a bearer token; a browser that
            signed in; a proxy's header.
        barrier: Why no credentials would let them do more than read; ``""`` where some would.
    """

    person: Person | None = None
    role: Role = Role.NONE
    models: Mapping[str, Role] = field(default_factory=dict)
    kind: Kind = "anonymous"
    barrier: str = ""

    @property
    def signed_in(self) -> bool:
        """Whether somebody has vouched for who it is: a token or a trusted proxy."""
        return self.kind in ("token", "session", "proxy")

    @property
    def name(self) -> str:
        """What to call them; ``""`` where nobody is named."""
        return self.person.name if self.person else ""

    def role_for(self, model: str | None) -> Role:
        """What they may do with one model; None: with the registry as a whole."""
        if model is None:
            return self.role
        granted = (role for pattern, role in self.models.items() if fnmatchcase(model, pattern))
        return max(self.role, *granted, Role.NONE)

    @property
    def highest(self) -> Role:
        """The most that they may do with any model at all."""
        return max(self.role, *self.models.values(), Role.NONE)

    def may(self, role: Role, model: str | None = None) -> bool:
        """Whether they have at least ``role`` for a model; None: for the registry as a whole."""
        return self.role_for(model) >= role


class Denied(Exception):
    """A request is not allowed.

    Attributes:
        status: 401: nobody has said who they are; 403: they may not.
        message: Why, and what would help.
    """

    def __init__(self, status: Literal[401, 403], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


_NOW: ContextVar[Identity] = ContextVar("gitreg_identity")
_NOBODY = Identity()


def current() -> Identity:
    """Who sent the request that is being answered."""
    return _NOW.get(_NOBODY)


def remember(identity: Identity) -> None:
    """Keep who sent the request that is being answered."""
    _NOW.set(identity)


def require(role: Role, model: str | None = None) -> Identity:
    """Who sent the request, if they have ``role`` for a model (None: for the registry as a whole).

    Raises:
        Denied: They have not.
    """
    who = current()
    if who.may(role, model):
        return who
    raise denied(who, role, who.role_for(model), f" for {shown(model)}" if model is not None else "")


def require_somewhere(role: Role) -> Identity:
    """Who sent the request, if they have ``role`` for any model: for what is asked before its name is known.

    Raises:
        Denied: They have not.
    """
    who = current()
    if who.highest >= role:
        return who
    raise denied(who, role, who.highest, "")


def denied(who: Identity, role: Role, has: Role, where: str) -> Denied:
    """Why somebody is refused: what is needed, what they have, and what would help."""
    if who.barrier and role > Role.READER:
        return Denied(403, who.barrier)
    if not who.signed_in and who.kind != "local":
        return Denied(401, f"This needs the role {role.word}{where}: sign in, or send a token that has it.")
    return Denied(403, f"This needs the role {role.word}{where}; yours is {has.word}.")
