"""What a page is made from, and what it is: shared by the server and by the static site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.index.reading import Link, Slice
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.web.identity import Identity, Role
from gitreg.web.links import Links
from gitreg.web.rendering import render


@dataclass(frozen=True, kw_only=True)
class Look:
    """A registry at one commit, and who looks at it how.

    Attributes:
        registry: Open for reading.
        view: The registry at the commit that is looked at.
        links: Gives the addresses of pages.
        query: What was asked in the address: key → its values.
        at: The date or revision that was asked for; None: now.
        identity: Who looks.
        writable: Whether the server takes changes from anybody.
        csrf: Goes into each form; ``""`` where there are none.
        path: The page's own address, without its query.
        origin: Where the server is: ``http://127.0.0.1:8080``; ``""`` where there is none.
        vouches: Whether the server signs approvals for those who signed in.
        typing: Whether what is asked is typed just now: it may be half of what is meant.
    """

    registry: Registry
    view: View
    links: Links
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    at: str | None = None
    identity: Identity = field(default_factory=Identity)
    writable: bool = False
    csrf: str = ""
    path: str = "/"
    origin: str = ""
    vouches: bool = False
    typing: bool = False

    @cached_property
    def part(self) -> Slice:
        """The index at that commit."""
        return self.registry.store.index.slice(self.view.commit)

    @cached_property
    def when(self) -> datetime:
        """Committer time of that commit."""
        return self.part.link(self.part.seq).time

    @cached_property
    def committed(self) -> Link | None:
        """The commit that the form before this page made, if it is in the history."""
        oid = self.one("committed")
        seq = self.part.index.place_of(oid) if oid else None
        return self.part.link(seq) if seq is not None and seq <= self.part.seq else None

    @property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says."""
        return self.view.settings

    def may(self, role: Role, model: str | None = None) -> bool:
        """Whether a form that needs this role is to be shown."""
        return self.writable and self.at is None and self.identity.may(role, model)

    def one(self, key: str, default: str = "") -> str:
        """The value of one thing that was asked; the last where there are several."""
        values = self.query.get(key)
        return values[-1].strip() if values else default

    def whole(self, key: str, *, default: int, least: int = 1, most: int = 1_000_000) -> int:
        """The same as a number.

        Raises:
            InvalidInput: It is none, or out of bounds.
        """
        said = self.one(key)
        if not said:
            return default
        if not said.isascii() or not said.isdigit() or len(said) > 9 or not least <= int(said) <= most:
            raise InvalidInput(f"{key} must be a whole number from {least} to {most}", where=key)
        return int(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, before it is HTML.

    Attributes:
        template: Name of its template, which extends ``base.html``.
        title: What the browser's tab says.
        section: The part of the navigation that it belongs to.
        values: What the template shows.
        status: HTTP status.
    """

    template: str
    title: str
    section: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The page is at another address."""

    address: str


def html(page: Page, look: Look) -> str:
    """The page as HTML."""
    return render(
        page.template,
        page=page,
        look=look,
        links=look.links,
        settings=look.settings,
        stage_names=[stage.name for stage in look.settings.stages],
        Role=Role,
        **page.values,
    )
