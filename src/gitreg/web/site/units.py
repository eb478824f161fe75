"""The work of a site in pieces: each is made by one process, from the registry alone, and written at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gitreg.domain.model import ModelTombstone
from gitreg.web.pages.activity import SIZE, activity
from gitreg.web.pages.commit import commit
from gitreg.web.pages.look import Elsewhere, Page
from gitreg.web.pages.version import ModelPages
from gitreg.web.site import places
from gitreg.web.site.folder import Folder
from gitreg.web.site.making import Made, Site, SiteLook, written
from gitreg.web.site.record import Files

VERSIONS = 250
"""Versions in one piece: a model of ten thousand keeps every process busy."""
COMMITS = 500
"""Commits in one piece."""
PAGES = 20
"""Pages of all that happened in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUnit:
    """A model, or some of its versions.

    Attributes:
        name: The model.
        numbers: The versions whose pages are made, highest first.
        first: Whether the model's own page and documents are made, too.
        known: Path → digest of what the last run wrote for the model.
    """

    name: str
    numbers: tuple[int, ...]
    first: bool
    known: Files


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryUnit:
    """Some commits, by their places in the history, and some pages of all that happened.

    ``known`` is what the last run wrote for them.
    """

    commits: tuple[int, ...]
    pages: tuple[int, ...]
    known: Files


Unit = ModelUnit | HistoryUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a unit: its files, and how many of them had to be written.

    ``name`` is the model's, ``""`` for what belongs to none.
    """

    name: str
    files: Files
    wrote: int


def model_units(site: Site, name: str, known: Files) -> Iterator[ModelUnit]:
    """The pieces of one model."""
    numbers = site.numbers(name)
    for begin in range(0, max(len(numbers), 1), VERSIONS):
        yield ModelUnit(name=name, numbers=numbers[begin : begin + VERSIONS], first=begin == 0, known=known)


def history_units(site: Site, since: int, again: Sequence[int], known: Files) -> Iterator[HistoryUnit]:
    """The pieces of the history.

    Args:
        site: What is made.
        since: The place of the first commit that is told anew: its page names the next, which is new.
        again: The places of commits before it that are told anew, too.
        known: What the last run wrote.
    """
    if not site.tells:
        return
    now = site.part.seq
    seqs = [*again, *range(max(since, 1), now + 1)] if site.detailed else []
    for begin in range(0, len(seqs), COMMITS):
        yield HistoryUnit(commits=tuple(seqs[begin : begin + COMMITS]), pages=(), known=known)
    first, last = places.page_of(max(since, 1)), places.page_of(now)
    for begin in range(first, last + 1, PAGES):
        yield HistoryUnit(commits=(), pages=tuple(range(begin, min(begin + PAGES, last + 1))), known=known)


def carry_out(site: Site, folder: Folder, unit: Unit) -> Done:
    """Make the files of a unit and write those that differ."""
    match unit:
        case ModelUnit():
            return put(folder, unit.name, list(_model(site, unit)), unit.known)
        case HistoryUnit():
            return put(folder, "", list(_history(site, unit)), unit.known)


def put(folder: Folder, name: str, found: list[tuple[str, bytes]], known: Mapping[str, str]) -> Done:
    """Write those of the files that ``known`` does not say are there."""
    folder.announce(path for path, _ in found if path not in known)
    files = {path: folder.put(path, data, known=known.get(path, "")) for path, data in found}
    return Done(name=name, files=files, wrote=sum(known.get(path) != made for path, made in files.items()))


def _model(site: Site, unit: ModelUnit) -> Made:
    name = unit.name
    if unit.first:
        yield from _own(site, name)
    if unit.numbers:
        look = site.look(site.places.version(name, 1))
        pages = _Pages(look, name)
        for number in unit.numbers:
            yield site.places.version(name, number), written(site, partial(pages.version, number), look)


class _Pages:
    """The version pages of a model; where there is no model any more, each says so."""

    def __init__(self, look: SiteLook, name: str) -> None:
        self._look = look
        self._name = name
        self._made: ModelPages | None = None

    def version(self, number: int) -> Page | Elsewhere:
        """The page of one version."""
        if self._made is None:
            self._made = ModelPages(self._look, self._name)
        left = self._made.record.model
        if not isinstance(left, ModelTombstone):
            return self._made.version(number)
        if left.renamed_to:
            return Elsewhere(address=self._look.links.version(left.renamed_to, number))
        return self._made.model()


def _own(site: Site, name: str) -> Made:
    path = site.places.model(name)
    # The timeline on it ends with a commit: were it that of the site, each commit would change every page.
    look = site.look(path, index=site.last_change(name))
    yield path, written(site, lambda: ModelPages(look, name).model(), look)
    data = site.data(name)
    if data is not None:
        yield from data.files(site.places)


def _history(site: Site, unit: HistoryUnit) -> Made:
    for seq in unit.commits:
        oid = site.part.link(seq).oid
        path = places.commit(oid)
        look = site.look(path)
        yield path, written(site, partial(_commit, look, oid), look)
    for page in unit.pages:
        path = places.activity(page)
        after = site.part.index.oid_of(page * SIZE + 1) if page * SIZE < site.part.seq else None
        look = site.look(path, {"before": [after]} if after else {})
        yield path, written(site, partial(activity, look), look)


def _commit(look: SiteLook, oid: str) -> Page:
    """The page of a commit, without its tags: which are there is no matter of the history."""
    found = commit(look, oid)
    return replace(found, values={**found.values, "tags": ()})
