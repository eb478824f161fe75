"""``gitreg timeline``: who held each stage of a model when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import NAME, STAGE, at_option, json_option
from gitreg.cli.output import Cell, document, hint, line, note, on_terminal, table
from gitreg.cli.pictures import draw, look, one_form, svg_option, write_picture
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.domain.timeline import Bar, Timeline
    from gitreg.index.reading import Slice
    from gitreg.registry.store import Store

_MOST_ROWS = 20
_WIDE, _MIDDLING = 104, 80  # columns from which on the table says more


@click.command("timeline")
@click.argument("name", type=NAME)
@click.option("--stage", type=STAGE, metavar="STAGE", help="Only this stage.")
@click.option("--since", metavar="DATE", help="Only from this date on (a day means its beginning).")
@click.option("--until", metavar="DATE", help="Only up to this date (a day means its end).")
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows in the table.")
@svg_option
@at_option
@json_option
def command(
    name: str,
    stage: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    svg: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Show which version of NAME held each stage, from when to when."""
    one_form(svg=svg, as_json=as_json)
    from gitreg.registry.timeline import timeline

    store, part = current_slice(at)
    begin, end = _limits(part, since, until)
    found = timeline(store, part, name).within(begin, end)
    if stage is not None:
        found = _only(found, stage, store)
    if as_json:
        from gitreg.registry.documents_past import timeline_document

        document(timeline_document(found))
    elif svg is not None:
        from gitreg.render.timeline import window
        from gitreg.render.timeline_svg import timeline_svg

        # Up to the commit and not up to now: the same commit gives the same picture.
        write_picture(
            timeline_svg(found, window(found, since=begin, until=end, end=_asked(at) or found.time)), svg
        )
    elif on_terminal():
        _show(found, begin, end, at, limit)
    else:
        table(_COLUMNS, islice(_rows(found), limit))
    tell_shallow(part)


def _limits(part: Slice, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    if since is None and until is None:
        return None, None
    from gitreg.registry.looking import moment

    begin = moment(part, since, "--since", day_begins=True)
    end = moment(part, until, "--until")
    if begin and end and end < begin:
        raise UsageError("--until lies before --since", where="--until", hint="exchange the two")
    return begin, end


def _only(found: Timeline, stage: str, store: Store) -> Timeline:
    """The lane of one stage; it may be one that the settings know no more."""
    from dataclasses import replace

    lanes = tuple(lane for lane in found.lanes if lane.stage.casefold() == stage.casefold())
    if not lanes:
        store.view(found.commit).settings.stage(stage)  # says which stages there are
    return replace(found, lanes=lanes)


def _asked(at: str | None) -> datetime | None:
    """The date that ``--at`` names; None where it names a revision, or nothing."""
    if at is None:
        return None
    from gitreg.errors import InvalidInput
    from gitreg.registry.clock import utc_now
    from gitreg.registry.dates import parse_moment

    try:
        return min(parse_moment(at), utc_now())
    except InvalidInput:
        return None


def _show(
    found: Timeline, begin: datetime | None, end: datetime | None, at: str | None, limit: int | None
) -> None:
    from gitreg.registry.clock import utc_now
    from gitreg.render.timeline import timeline_lines, window

    if not found.lanes:
        note(f"no version of {found.name} held a stage" + (" in that time" if begin or end else ""))
        if not (begin or end):
            hint("gitreg transition NAME/VERSION STAGE")
        return
    looks = look()
    last = utc_now() if at is None else _asked(at) or found.time
    shown = window(found, since=begin, until=end, end=last, now=at is None)
    draw(timeline_lines(found, shown, looks))
    line()
    bars = list(found.bars())
    limit = limit or _MOST_ROWS
    columns = [name for name, least in _SHOWN.items() if looks.width >= least]
    cells = [
        _told(stage, bar, last, looks.width, "now" if at is None else "still") for stage, bar in bars[:limit]
    ]
    table(columns, [[row[name] for name in columns] for row in cells])
    if len(bars) > limit:
        from shlex import quote

        line(f"and {len(bars) - limit:,} more: gitreg timeline -n {len(bars)} -- {quote(found.name)}")


_SHOWN = {
    "stage": 0,
    "version": 0,
    "from": 0,
    "to": 0,
    "for": 0,
    "by": _MIDDLING,
    "commit": _WIDE,
}
_COLUMNS = (
    "stage",
    "version",
    "since",
    "until",
    "seconds",
    "given_by",
    "ended_by",
    "commit_since",
    "commit_until",
)


def _told(stage: str, bar: Bar, last: datetime, columns: int, still: str) -> dict[str, Cell]:
    from gitreg.render.scale import lasting

    begin = f"{'before ' if bar.began_before else ''}{_time(bar.since, columns)}"
    long = lasting(((bar.until or last) - bar.since).total_seconds())
    return {
        "stage": stage,
        "version": bar.version,
        "from": begin,
        "to": _time(bar.until, columns) if bar.until else still,
        "for": f"over {long}" if bar.began_before and long else long,
        "by": bar.given_by,
        "commit": (bar.commit_since or "")[:10],
    }


def _time(when: datetime, columns: int) -> str:
    from gitreg.render.text import moment

    return moment(when).removesuffix(" UTC") if columns >= _MIDDLING else moment(when)[:10]


def _rows(found: Timeline) -> Iterator[tuple[Cell, ...]]:
    from gitreg.manifest.encode import time_text

    for stage, bar in found.bars():
        yield (
            stage,
            bar.version,
            None if bar.began_before else time_text(bar.since),
            time_text(bar.until) if bar.until else None,
            _seconds(bar),
            bar.given_by,
            bar.ended_by,
            bar.commit_since,
            bar.commit_until,
        )


def _seconds(bar: Bar) -> int | None:
    if bar.until is None or bar.began_before:
        return None
    # Clocks may have gone wrong: what came second is told by the order, and nothing lasts less than no time.
    return max(round((bar.until - bar.since).total_seconds()), 0)
