"""What an operation of the API is: described once, for routing, checking and the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from gitreg.gitstore.objects import Person
from gitreg.index.reading import Slice
from gitreg.registry.counting import Counts
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.web.asof import refuse_later
from gitreg.web.identity import Role

if TYPE_CHECKING:
    from gitreg.registry.store import Store
    from gitreg.web.registries import Registries

Schema = Mapping[str, Any]
Values = Mapping[str, Any]
"""The parameters and the body's fields of a request, checked; what was not given is not there."""
Document = dict[str, Any]

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter in the path or the query.

    Attributes:
        name: Its name.
        schema: JSON Schema: a string, integer or boolean, or an array of strings (then it may be repeated).
        description: One sentence.
        where: Where it stands.
        needed: Whether it must be given; those in the path always are.
    """

    name: str
    schema: Schema
    description: str
    where: Literal["path", "query"] = "query"
    needed: bool = False

    @property
    def many(self) -> bool:
        """Whether it may be repeated."""
        return self.schema.get("type") == "array"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an operation found or did.

    Attributes:
        document: The answer as JSON data.
        status: HTTP status.
        location: Path below the prefix of what was made, or of what was meant.
        commit: The commit that a write made, full hex id.
    """

    document: Document
    status: int = 200
    location: str = ""
    commit: str | None = None


class Look:
    """The registry at the commit that a reading request asks for.

    Args:
        registry: Open for this request.
        commit: Full hex id.
        head: Whether nothing else was asked for than the newest state.
        counts: Knows how many versions each model has.
        newest: The newest commit that the server shows; None: whatever is the newest.
    """

    def __init__(
        self, registry: Registry, commit: str, *, head: bool, counts: Counts, newest: str | None = None
    ) -> None:
        self.registry = registry
        self.commit = commit
        self._head = head
        self._counts = counts
        self._newest = newest

    @property
    def store(self) -> Store:
        """The open repository."""
        return self.registry.store

    @cached_property
    def view(self) -> View:
        """The registry at the commit."""
        view = self.registry.at(None if self._head else self.commit)
        return view if view.commit == self.commit else self.registry.at(self.commit)

    def at(self, when: str) -> View:
        """The registry at another revision or date.

        Raises:
            NotFound: It is later than what the server shows.
        """
        view = self.registry.at(when)
        if self._newest is not None:
            refuse_later(self.store, view.commit, self._newest)
        return view

    @property
    def counts(self) -> Mapping[str, int]:
        """Name of each model that has versions → how many."""
        return self._counts.of(self.part)

    @cached_property
    def part(self) -> Slice:
        """The index at the commit, and all that came before it."""
        return self.store.index.slice(self.commit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a writing request works on.

    Attributes:
        registry: Open for this request; its commits are the caller's.
        registries: Where others are opened.
        person: The author of commits; None: whom Git's configuration names.
        match: The commits of ``If-Match``, one of which the head must be; None: none was sent.
        key: The private key with which the server vouches for approvers; ``""``: it has none.
    """

    registry: Registry
    registries: Registries
    person: Person | None
    match: tuple[str, ...] | None = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        id: Its name in the OpenAPI document: ``getModel``.
        method: In capitals.
        path: Template below the prefix: ``/models/{name}``.
        group: Under which heading it is listed.
        summary: One short sentence.
        description: What else is to be known.
        parameters: Those in the path and in the query.
        body: JSON Schema of the request's body; None: it takes none.
        body_needed: Whether there must be a body.
        answer: JSON Schema of the answer.
        status: Of the answer when all went well.
        failures: Statuses of problems that it can answer beside those that all can.
        read: Answers it, where it changes nothing.
        write: Carries it out, where it changes something.
        role: What the caller must be allowed to do.
        models: The models that this must be allowed for; nothing: the registry as a whole.
        somewhere: What the caller must be allowed to do for any model, where ``write`` finds out which.
        steady: Whether the answer depends on nothing but the commit and the request.
    """

    id: str
    method: str
    path: str
    group: str
    summary: str
    answer: Schema
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_needed: bool = True
    status: int = 200
    failures: tuple[int, ...] = ()
    read: Callable[[Look, Values], Found] | None = None
    write: Callable[[Act, Values], Found] | None = None
    role: Role = Role.READER
    models: Callable[[Values], Iterable[str]] = field(default=lambda values: ())
    somewhere: Role = Role.READER
    steady: bool = True

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the path's segments, each percent-encoded, must match."""
        text = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        return re.compile(text)
