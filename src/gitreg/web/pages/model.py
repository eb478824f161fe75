"""The page of a registered model: its versions, how its metrics went, and who held each stage when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitreg.domain.model import AnyModel, ModelTombstone, RegisteredModel
from gitreg.errors import InvalidInput
from gitreg.index.schema import LIVE
from gitreg.registry import recent
from gitreg.registry.card import card
from gitreg.registry.catalog import Catalog
from gitreg.registry.overview import updated
from gitreg.registry.record import ModelRecord
from gitreg.registry.series import series
from gitreg.registry.timeline import timeline
from gitreg.registry.version_list import VersionList, metric_names, version_list
from gitreg.render.plot_svg import plot_svg
from gitreg.render.timeline import window
from gitreg.render.timeline_svg import timeline_svg
from gitreg.web.pages.compare import MOST
from gitreg.web.pages.cut import cut
from gitreg.web.pages.deleted import deleted_versions
from gitreg.web.pages.history import steps
from gitreg.web.pages.loading import argument
from gitreg.web.pages.look import Look, Page
from gitreg.web.pages.models import around
from gitreg.web.pages.rights import rollbacks

SIZE = 25
"""Versions on a page."""
SIZE_OF_FILE = 100
"""The same where there is no server to ask for the next page."""
MOST_POINTS = 150
"""Versions that the plot shows, the newest: more would be no more than a line."""
MOST_BARS = 40
"""Times of each stage that the timeline shows, the newest."""
MOST_PROSE = 40_000
"""Characters of a description or a card."""
_MOST_TAGS = 50
_MOST_CHOICES = 8  # metrics that the plot offers side by side: more are in a list
_COLUMNS = 3  # metrics in the table of versions
_STEPS = 10
_MOST_OLDER = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several views of the same page; ``query`` is what its address asks."""

    label: str
    query: dict[str, str]
    chosen: bool


def model_page(look: Look, record: ModelRecord, model: RegisteredModel) -> Page:
    """The page of a model that is there.

    Args:
        look: The registry; asked may be ``stage`` and ``page`` of the versions, and ``metric`` of the plot.
        record: What is known of the model.
        model: What its manifest says.

    Raises:
        InvalidInput: There is no such stage or metric.
    """
    shown = card(look.view, record.name)
    return Page(
        template="model.html",
        title=record.name,
        section="models",
        values={
            "model": model,
            "updated": updated(look.view, record.name),
            "held": record.held,
            "rollbacks": rollbacks(look, record.name),
            "aliases": record.aliases,
            "tags": list(model.tags.items())[:_MOST_TAGS],
            "more_tags": max(0, len(model.tags) - _MOST_TAGS),
            "description": cut(model.description, MOST_PROSE),
            **_listed(look, record),
            "timeline": _timeline(look, record),
            "card": None if shown is None else cut(shown, MOST_PROSE),
            "history": steps(
                look.registry.store, look.part, recent.of_model(look.part, record.spans, most=_STEPS)
            ),
            "faults": look.view.faults(record.name),
            "argument": argument,
            "cut": cut,
        },
    )


def _listed(look: Look, record: ModelRecord) -> dict[str, Any]:
    """The list of versions, and the plot of their metrics."""
    stage, metric = _stage(look), look.one("metric")
    size = SIZE if look.links.live else SIZE_OF_FILE
    found = version_list(look.part, record.name, stage=stage, page=look.whole("page", default=1), size=size)
    keys = metric_names(look.part, look.settings, record.name)
    return {
        "found": found,
        "gone": [] if found.total or stage else deleted_versions(record),
        "stage": stage,
        "stages": _stages(record, stage),
        "columns": keys[:_COLUMNS],
        "around": around(Catalog(rows=(), total=found.total, page=found.page, pages=found.pages)),
        "paged": lambda number: look.links.model(
            record.name, stage=stage, page=number if number > 1 else None
        ),
        "numbers": lambda: _older(look, record, found),
        "metrics": _metrics(keys, metric),
        "most_choices": _MOST_CHOICES,
        "most_compared": MOST,
        "plot": _plot(look, record, metric or (keys[0] if keys else ""), found),
        "most_points": MOST_POINTS,
    }


def gone_page(look: Look, record: ModelRecord, model: AnyModel | None) -> Page:
    """The page of a model that is deleted, or whose manifest can't be read (None).

    Args:
        look: The registry.
        record: What is known of the model.
        model: What is left of it.
    """
    entries = recent.of_model(look.part, record.spans, most=_STEPS)
    deletes = (each for each in entries if any(one.event == "delete" for one in each.entry.changes))
    numbers = look.part.rows(
        "SELECT v.number FROM version v WHERE v.name = ? AND $v ORDER BY v.number DESC LIMIT 100", record.name
    )
    return Page(
        template="model_gone.html",
        title=record.name,
        section="models",
        values={
            "name": record.name,
            "mark": model.deleted if isinstance(model, ModelTombstone) else None,
            "deleted": next(deletes, None),
            "numbers": [] if model else [number for (number,) in numbers],
            "faults": [] if model else look.view.faults(record.name),
            "history": steps(look.registry.store, look.part, entries),
            "argument": argument,
            "cut": cut,
        },
    )


def _stage(look: Look) -> str:
    said = look.one("stage")
    if not said:
        return ""
    try:
        return look.view.stage_name(said)
    except InvalidInput as error:
        raise InvalidInput(error.message, where="stage", hint=error.hint) from None


def _older(look: Look, record: ModelRecord, found: VersionList) -> list[int]:
    """The versions that come after a page's last one, as many as a page may name."""
    rows = look.part.rows(
        "SELECT v.number FROM version v WHERE v.name = ? AND v.number < ? AND v.state = ? AND $v "
        "ORDER BY v.number DESC LIMIT ?",
        *(record.name, found.versions[-1].version, LIVE, _MOST_OLDER),
    )
    return [number for (number,) in rows]


def _stages(record: ModelRecord, chosen: str) -> list[Choice]:
    held = {each.stage: each.total for each in record.held}
    names = [*held, *([chosen] if chosen and chosen not in held else [])]
    made = [Choice(label="All", query={}, chosen=not chosen)]
    return made + [
        Choice(label=f"{name} {held.get(name, 0):,}", query={"stage": name}, chosen=name == chosen)
        for name in names
    ]


def _metrics(keys: Sequence[str], chosen: str) -> list[Choice]:
    shown = [*keys]
    if chosen and chosen not in shown:
        shown.append(chosen)
    first = chosen or (shown[0] if shown else "")
    return [Choice(label=key, query={"metric": key}, chosen=key == first) for key in shown]


def _plot(look: Look, record: ModelRecord, metric: str, found: VersionList) -> str:
    """The picture of a metric over the versions; ``""`` where there is nothing to draw."""
    if not metric or not found.total:
        return ""
    drawn = series(look.registry.store, look.part, record.name, [metric], newest=MOST_POINTS)
    return plot_svg(drawn)


def _timeline(look: Look, record: ModelRecord) -> str:
    """The picture of who held each stage when; ``""`` where none was ever held."""
    told = timeline(look.registry.store, look.part, record.name, newest=MOST_BARS)
    # Where a stage has more, what lies before its oldest bar is not told whole: the picture begins there.
    begins = [told.effect[lane.bars[0].first] for lane in told.lanes if len(lane.bars) >= MOST_BARS]
    since = max(begins, default=None)
    shown = told.within(since, None)
    if not shown.lanes:
        return ""
    return timeline_svg(shown, window(shown, since=since, until=None, end=told.time))
