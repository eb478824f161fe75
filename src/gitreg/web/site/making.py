"""Makes the pages and documents of a site out of a registry at one commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

from gitreg.domain import names
from gitreg.domain.model import RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.errors import GitregError
from gitreg.index.reading import Slice
from gitreg.registry.indexed import IndexedStates
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.web.pages.look import Elsewhere, Look, Page
from gitreg.web.rendering import render
from gitreg.web.site.data import ModelData
from gitreg.web.site.frames import Frames
from gitreg.web.site.links import SiteLinks
from gitreg.web.site.places import Places, twins_of

DETAILED = 20_000
"""Commits of a history up to which each of them has a page of its own."""

Made = Iterator[tuple[str, bytes]]
"""Path and contents of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What decides about every page beside the registry.

    Attributes:
        title: What the site is called; ``""``: as the registry.
        base_url: Where it will be, with ``/`` at its end; ``""``: not known.
        models: Patterns of the models that are in it (``fraud-*``); none: all.
    """

    title: str = ""
    base_url: str = ""
    models: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether a model is in the site."""
        return not self.models or any(fnmatchcase(name, pattern) for pattern in self.models)


@dataclass(frozen=True, kw_only=True)
class SiteLook(Look):
    """A look without a server, at a registry that may be called otherwise here.

    Attributes:
        own: Its settings, under the name of the site.
        index: The index at the commit, or at the last one that matters.
    """

    own: Settings
    index: Slice

    @property
    def part(self) -> Slice:
        """The index."""
        return self.index

    @property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says, under the name of the site."""
        return self.own


class Site:
    """The registry as a site shows it.

    Args:
        registry: Open for reading.
        commit: The commit that is shown (full hex id), on the branch's first-parent history.
        choice: What else decides.
    """

    def __init__(self, registry: Registry, commit: str, choice: Choice) -> None:
        self.registry = registry
        self.choice = choice
        self.part = registry.store.index.slice(commit)
        self.view = View(commit=commit, states=IndexedStates(registry.store, self.part))
        self.frames = Frames()
        self.seq_of = lru_cache(maxsize=4096)(self._seq_of)
        self.detailed = self.part.seq <= DETAILED and self.tells

    @property
    def tells(self) -> bool:
        """Whether it tells what happened: a site of some models alone says nothing of the others."""
        return not self.choice.models

    @cached_property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says, under the name of the site."""
        found = self.view.settings
        return replace(found, name=self.choice.title) if self.choice.title else found

    @property
    def stages(self) -> list[str]:
        """The stages in the configured order."""
        return [stage.name for stage in self.settings.stages]

    @property
    def past(self) -> bool:
        """Whether the branch has gone on since the commit that is shown."""
        return self.part.commit != self.registry.store.head()

    @cached_property
    def names(self) -> list[str]:
        """Every model of the site that there ever was, sorted: links may lead to one that is gone."""
        rows = self.part.rows(
            "SELECT name FROM event WHERE seq <= ? UNION SELECT m.name FROM model m WHERE m.since <= ?",
            self.part.seq,
            self.part.seq,
        )
        return sorted(name for (name,) in rows if name and self.choice.takes(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """The numbers of all versions that a model ever had, highest first, for the same reason."""
        rows = self.part.rows(
            "SELECT DISTINCT number FROM version WHERE name = ? AND since <= ? ORDER BY number DESC",
            name,
            self.part.seq,
        )
        return tuple(number for (number,) in rows)

    @cached_property
    def places(self) -> Places:
        """Where models lie."""
        return Places(twins_of(self.names))

    def look(
        self, path: str, query: Mapping[str, Sequence[str]] | None = None, *, index: Slice | None = None
    ) -> SiteLook:
        """How the page at ``path`` looks at the registry.

        Args:
            path: From the root of the site.
            query: What a server would be asked.
            index: At another commit than the one that is shown, where the page says which that is.
        """
        return SiteLook(
            registry=self.registry,
            view=self.view,
            links=SiteLinks(path, self.places, self.seq_of, takes=self.choice.takes, detailed=self.detailed),
            query=query or {},
            path=path,
            origin="",
            own=self.settings,
            index=index or self.part,
        )

    def data(self, name: str) -> ModelData | None:
        """What programs are told of a model; None of one that is not registered, or can't be read."""
        model = self.part.model(name)
        if not isinstance(model, RegisteredModel):
            return None
        return ModelData(self.part, model, self.stages)

    def last_change(self, name: str) -> Slice:
        """The index at the last commit that changed a model: what its page says up to then stays so."""
        folder = f"%/{names.folder(name).replace('%', '|%').replace('_', '|_')}/%"
        place, quoted = self.part.seq, json.dumps(name, ensure_ascii=False)
        ((seq,),) = self.part.rows(
            "SELECT max(seq) FROM (SELECT max(seq) AS seq FROM event WHERE name = ? AND seq <= ? UNION ALL "
            "SELECT seq FROM event WHERE event = 'rename' AND after = ? AND seq <= ? UNION ALL "
            "SELECT seq FROM unread WHERE path LIKE ? ESCAPE '|' AND seq <= ?)",
            *(name, place, quoted, place, folder, place),
        )
        oid = self.part.index.oid_of(seq) if seq else None
        return self.registry.store.index.slice(oid) if oid else self.part

    def _seq_of(self, oid: str) -> int | None:
        place = self.part.index.place_of(oid) if self.tells else None
        return place if place is not None and place <= self.part.seq else None


def written(site: Site, make: Callable[[], Page | Elsewhere], look: SiteLook) -> bytes:
    """A page as a file; where there is none, the one that says why, or leads on."""
    try:
        found = make()
        if isinstance(found, Elsewhere):
            return render("elsewhere.html", links=look.links, address=found.address).encode()
        return site.frames.html(found, look).encode()
    except GitregError as error:
        return render(
            "refused.html",
            links=look.links,
            status="",
            title="This can’t be shown",
            message=error.message,
            where=error.where,
            hint=error.hint,
            sign_in="",
        ).encode()
