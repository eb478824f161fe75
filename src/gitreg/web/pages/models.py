"""The list of registered models: the first page that everybody sees."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.settings import Stage
from gitreg.errors import InvalidInput
from gitreg.registry.catalog import ORDERS, Catalog, Wanted, catalog
from gitreg.render.svg import number as coordinate
from gitreg.web.pages.look import Look, Page

SIZE = 50
"""Models on a page."""
_WIDTH, _HEIGHT, _EDGE = 96.0, 24.0, 3.0


def models(look: Look) -> Page:
    """The models that match what was typed and chosen, a page of them."""
    wanted = Wanted(
        text=look.one("q"),
        stage=_stage(look),
        owner=look.one("owner"),
        order=look.one("order", "name") or "name",
    )
    found = catalog(look.part, look.settings, wanted, page=look.whole("page", default=1), size=SIZE)
    return Page(
        template="models.html",
        title="Models",
        section="models",
        values={
            "found": found,
            "wanted": wanted,
            "empty": not found.total and wanted == Wanted(order=wanted.order),
            "filters": _filters(look, wanted),
            "orders": ORDERS,
            "around": around(found),
            "sparkline": sparkline,
            "faults": look.view.faults(),
            "paged": lambda number: look.links.models(
                q=wanted.text, stage=wanted.stage, owner=wanted.owner, order=look.one("order"), page=number
            ),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One choice among those that narrow the list; ``query`` is what its address asks."""

    label: str
    query: dict[str, str]
    chosen: bool


def _filters(look: Look, wanted: Wanted) -> list[Filter]:
    stages: list[Stage] = list(look.settings.stages)
    kept = {"q": wanted.text, "owner": wanted.owner, "order": "" if wanted.order == "name" else wanted.order}
    made = [Filter(label="All", query=kept, chosen=not wanted.stage)]
    for stage in stages:
        query = {**kept, "stage": stage.name}
        made.append(Filter(label=stage.name, query=query, chosen=wanted.stage == stage.name))
    return made


def _stage(look: Look) -> str:
    said = look.one("stage")
    if not said:
        return ""
    try:
        return look.view.stage_name(said)
    except InvalidInput as error:
        raise InvalidInput(error.message, where="stage", hint=error.hint) from None


def around(found: Catalog) -> list[int | None]:
    """The numbers of pages to offer: the ends and those beside this one; None stands for a gap."""
    near = {1, found.pages, *range(found.page - 1, found.page + 2)}
    shown: list[int | None] = []
    for number in sorted(one for one in near if 1 <= one <= found.pages):
        if shown and shown[-1] is not None and number - shown[-1] > 1:
            shown.append(None)
        shown.append(number)
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A small curve: the points of its line, and its last point."""

    points: str
    x: str
    y: str
    width: str = coordinate(_WIDTH)
    height: str = coordinate(_HEIGHT)


def sparkline(values: tuple[tuple[int, float], ...]) -> Sparkline | None:
    """The curve of a metric over versions; None where there are fewer than two."""
    if len(values) < 2:
        return None
    low, high = min(value for _, value in values), max(value for _, value in values)
    span = (high - low) or 1.0
    step = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
    places = [
        (_EDGE + at * step, _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE))
        for at, (_, value) in enumerate(values)
    ]
    points = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in places)
    return Sparkline(points=points, x=coordinate(places[-1][0]), y=coordinate(places[-1][1]))
