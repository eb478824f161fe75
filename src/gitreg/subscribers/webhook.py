"""A webhook: where it goes, what it waits for, how far it has come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from gitreg.domain.changes import Change
from gitreg.domain.names import shown
from gitreg.errors import InvalidInput
from gitreg.subscribers.kinds import Kind

Mode = Literal["structured", "binary"]
State = Literal["active", "parked", "disabled"]

WHOLE = 2**31 - 1
"""``Cursor.place`` where all of a commit is done."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What a webhook waits for; an empty part asks for nothing.

    Attributes:
        events: Names of events, see ``Kind.names``.
        models: Patterns of model names: ``churn*`` (``fnmatch``, case counts).
        stages: Exact names; only events that give one to a version or take it away.
    """

    events: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    def wants(self, kind: Kind, changes: Sequence[Change]) -> bool:
        """Whether an event is one of these.

        Args:
            kind: Its type.
            changes: What it tells of: one, or all that a proposal would change.
        """
        if self.events and not set(self.events).intersection(kind.names):
            return False
        if not self.models and not self.stages:
            return True
        return any(self._concerns(change) for change in changes)

    def _concerns(self, change: Change) -> bool:
        names = [change.model, *([change.after] if change.event == "rename" else [])]
        if self.models and not any(fnmatchcase(name, one) for name in names for one in self.models if name):
            return False
        left = change.origin if change.event == "transition" else ()
        return not self.stages or not {change.stage, *left}.isdisjoint(self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a webhook has come; what is before it was delivered, or was not asked for.

    Attributes:
        commit: Full hex id of a commit of the registry's branch; ``""``: before the first.
        place: How many of its changes are done; ``WHOLE``: all.
        announced: Number of the last announcement (of a proposal) that is done.
    """

    commit: str
    place: int = WHOLE
    announced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One subscriber.

    Attributes:
        id: Of its row; never used twice.
        name: By which commands know it.
        url: Where deliveries go.
        secret: What they are signed with; never shown.
        former_secret: They are signed with this one, too, until ``former_until`` (seconds since 1970).
        interest: What it waits for.
        mode: How an event is put into a request.
        source: The attribute ``source`` of its events.
        allow_private: Whether its address may be one of a private network, or of this machine.
        allow_http: Whether it may be told without TLS.
        created: When it was set up.
        state: ``parked``: it failed too often; ``disabled``: its receiver said that it is gone (410).
        note: Why it failed last; ``""`` where it did not.
        missed: What it was not told, and why.
        cursor: How far it has come.
        attempts: How often the next event was tried.
        due: When it is tried again, in seconds since 1970; 0: at once.
    """

    id: int
    name: str
    url: str
    secret: str = field(repr=False)
    former_secret: str = field(default="", repr=False)
    former_until: float = 0.0
    interest: Interest = Interest()
    mode: Mode = "structured"
    source: str
    allow_private: bool = False
    allow_http: bool = False
    created: datetime
    state: State = "active"
    note: str = ""
    missed: str = ""
    cursor: Cursor
    attempts: int = 0
    due: float = 0.0

    def secrets(self, now: float) -> tuple[str, ...]:
        """What its deliveries are signed with at a moment (seconds since 1970), the present one first."""
        return (self.secret, *([self.former_secret] if now < self.former_until else []))


def check_name(name: str) -> str:
    """Return ``name`` when a webhook can be called so.

    Raises:
        InvalidInput: It can't.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{shown(name)} is no name of a webhook",
            where="--name",
            hint="letters, digits, dots, dashes and underscores, 63 at most, the first a letter or digit",
        )
    return name


def free_name(wish: str, taken: Iterable[str]) -> str:
    """A name made of ``wish`` (a host) that no other webhook has."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", wish).strip(".-")[:50] or "webhook"
    known = set(taken)
    numbered = (f"{plain}-{number}" for number in range(2, len(known) + 3))
    return plain if plain not in known else next(name for name in numbered if name not in known)
