"""The pages and documents of a site that are of no single model: made anew by every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gitreg.errors import GitregError
from gitreg.index.schema import LIVE
from gitreg.registry.catalog import Catalog, Row, Wanted, catalog
from gitreg.registry.hands import hands
from gitreg.registry.proposals_shown import Shelf, shelf
from gitreg.web import assets
from gitreg.web.pages.activity import activity
from gitreg.web.pages.look import Elsewhere, Page
from gitreg.web.pages.models import SIZE, around, models
from gitreg.web.pages.policy import policy
from gitreg.web.pages.proposals import MOST, proposal, proposals
from gitreg.web.site import data as data_of
from gitreg.web.site import feed, places
from gitreg.web.site.latest import latest
from gitreg.web.site.making import Made, Site, SiteLook, written
from gitreg.web.site.record import digest

Keeps = Callable[[str, str], bool]
"""Takes a path and the digest of what a page is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file: what it holds, None: what it held; and a digest of what it was made of, ``""``: not told."""

    path: str
    data: bytes | None
    inputs: str = ""


LATEST = 100
"""Commits that the feed and ``activity.json`` tell of."""


def whole(site: Site, keeps: Keeps) -> Iterator[Piece]:
    """All of them.

    Args:
        site: What is made.
        keeps: Whether a page that was made of the same stands there; it is not made then.
    """
    rows = [row for row in _rows(site) if site.choice.takes(row.model.name)]
    yield from _models(site, rows, keeps)
    for path, data in _others(site, rows):
        yield Piece(path=path, data=data)


def _others(site: Site, rows: Sequence[Row]) -> Made:
    yield "data/models.js", data_of.models_script(rows, site.places, site.stages)
    yield "api/v1/models/index.json", data_of.text(data_of.models_document(rows, site.part.commit))
    yield from _page(site, places.activity(), activity if site.tells else partial(_not_told, site))
    yield from _page(site, "policy/index.html", policy)
    yield from _page(site, "search/index.html", _search)
    yield from _page(site, "compare/index.html", _compare)
    yield from _proposals(site)
    yield from _documents(site)
    for file in assets.FILES:
        if file not in _SERVED:
            yield places.static(file), assets.content(file)
    yield ".nojekyll", b""  # a model's name may begin with _, which GitHub Pages would leave out


_AT_ONCE = 500  # models
_SERVED = ("htmx.min.js",)
"""Files that only pages of a server name."""


def _page(site: Site, path: str, make: Callable[[SiteLook], Page | Elsewhere]) -> Made:
    look = site.look(path)
    yield path, written(site, partial(make, look), look)


def _models(site: Site, rows: Sequence[Row], keeps: Keeps) -> Iterator[Piece]:
    """The list, page by page; the first stands at the root, too."""
    pages = max(1, -(-len(rows) // SIZE))
    shared = {**models(site.look("index.html")).values, "empty": not rows}
    for number in range(1, pages + 1):
        shown = tuple(rows[(number - 1) * SIZE : number * SIZE])
        inputs = digest(repr((shown, len(rows), shared["faults"])).encode("utf-8", "backslashreplace"))
        found = Catalog(rows=shown, total=len(rows), page=number, pages=pages)
        for path in [places.models(number), *(["index.html"] if number == 1 else [])]:
            if keeps(path, inputs):
                yield Piece(path=path, data=None, inputs=inputs)
                continue
            look = site.look(path)
            values = {**shared, "found": found, "around": around(found), "paged": _paged(look)}
            page = Page(template="models.html", title="Models", section="models", values=values)
            yield Piece(path=path, data=site.frames.html(page, look).encode(), inputs=inputs)


def _paged(look: SiteLook) -> Callable[[int], str]:
    return lambda number: look.links.models(page=number)


def _rows(site: Site) -> Iterator[Row]:
    page = pages = 1
    while page <= pages:
        found = catalog(site.part, site.settings, Wanted(), page=page, size=_AT_ONCE)
        yield from found.rows
        page, pages = page + 1, found.pages


def _search(look: SiteLook) -> Page:
    ((total,),) = look.part.rows("SELECT count(*) FROM model m WHERE m.state = ? AND $m", LIVE)
    return Page(template="site_search.html", title="Search", section="search", values={"total": total})


def _compare(look: SiteLook) -> Page:
    return Page(template="site_compare.html", title="Compare versions", section="models")


def _proposals(site: Site) -> Made:
    """The proposals that are open here, whatever commit is shown: of the past nobody knows any."""
    path = "proposals/index.html"
    look = site.look(path)
    shown = None if site.past or not site.tells else _shelf(site)
    if shown is None or not (shown.open or shown.closed):  # in the same words here and in a clone
        yield path, written(site, partial(_not_told, site, look), look)
        return
    yield path, written(site, partial(proposals, look), look)
    names = [str(each.listed.proposal.number or each.listed.proposal.branch) for each in shown.open]
    names += [str(each.number) for each in shown.closed]
    for name in dict.fromkeys(names):
        path = places.proposal(name)
        look = site.look(path)
        yield path, written(site, partial(proposal, look, name), look)


def _shelf(site: Site) -> Shelf | None:
    try:
        return shelf(site.registry.store, most=MOST)
    except GitregError:  # a clone of which no branch is known to be the registry's
        return None


def _not_told(site: Site, look: SiteLook) -> Page:
    """In the place of what happened, or is proposed, where there is nothing or it is not told."""
    section = look.path.partition("/")[0]
    if not site.tells:
        why = "This site shows some models of the registry alone, and so not what happened or is proposed."
    elif site.past:
        why = "This site shows the registry as it was: which proposals were open then is not known."
    else:
        why = "No proposal was open when this was made."
    values = {"why": why}
    return Page(template="site_untold.html", title=section.capitalize(), section=section, values=values)


def _documents(site: Site) -> Made:
    told = data_of.registry_document(site.part, site.settings)
    yield "api/v1/registry.json", data_of.text(told)
    stand = {"commit": told["commit"], "time": told["time"], "name": told["name"]}
    yield "commit.json", data_of.text(stand)
    links = site.look("index.html").links
    at = links.commit(site.part.commit).removeprefix("./")
    yield "data/site.js", b"gitregSite.stands(" + data_of.text({**stand, "at": at}).strip() + b");\n"
    if not site.tells:
        return
    entries = latest(site.part, LATEST)
    people = hands(site.registry.store, site.part, (each.entry for each in entries))
    yield "activity.json", data_of.text(data_of.activity_document(people, site.part.commit))
    yield places.FEED, feed.atom(site, entries)
