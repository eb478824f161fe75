"""Who held each stage of a model when, from the index: former names of the model included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitreg.domain.references import parse_reference
from gitreg.domain.settings import DEFAULT_STAGES
from gitreg.domain.timeline import Bar, Lane, Timeline, in_effect
from gitreg.errors import UsageError
from gitreg.manifest import decode

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.index.reading import Slice, Span
    from gitreg.registry.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A stage that was held from one place of the chain to another; ``last`` is None while it is."""

    stage: str
    version: int
    first: int
    last: int | None


def timeline(store: Store, part: Slice, name: str, *, newest: int | None = None) -> Timeline:
    """Who held each stage of a model when, up to the slice's commit; deleted models are told of, too.

    Args:
        store: The registry.
        part: Its index.
        name: The model, with or without ``models:/``.
        newest: How many times of each stage are told under each name of the model, those that began last;
            None: all.

    Raises:
        UsageError: It names a version.
        NotFound: There never was such a model, or it has another name now; the hint says which.
    """
    name = model_name(store, part, name, "timeline")
    held = _merged(_rows(part, name, newest))
    commits = _commits(part, held)
    lanes: dict[str, list[Bar]] = {stage: [] for stage in stage_names(part)}
    for each in held:
        lanes.setdefault(each.stage, []).append(_bar(each, commits, shallow=part.shallow))
    return Timeline(
        name=name,
        commit=part.commit,
        time=commits[part.seq][1],
        lanes=tuple(Lane(stage=stage, bars=tuple(bars)) for stage, bars in lanes.items() if bars),
        effect=_effect(part, sorted(commits)),
    )


def model_name(store: Store, part: Slice, text: str, what: str) -> str:
    """The name in ``text``; a model is or was there under it.

    Args:
        store: The registry.
        part: Its index.
        text: A model's URI, with or without ``models:/``.
        what: The command that is asked for it: ``timeline``.

    Raises:
        UsageError: It names a version.
        InvalidInput: No model can be called so.
        NotFound: There never was such a model, or it has another name now; the hint says which.
    """
    found = parse_reference(text, exists=lambda name: _doc(part, name) is not None)
    if found.selector is not None:
        raise UsageError(
            f"{found} is a version: the {what} is of a model", hint=f"gitreg {what} {found.name}"
        )
    doc = _doc(part, found.name)
    if doc is None or json.loads(doc or "{}").get("renamed_to"):
        store.view(part.commit).model(found.name)
    return found.name


def _doc(part: Slice, name: str) -> str | None:
    """The data of a model's manifest; ``""`` where it can't be read, None where there is none."""
    rows = part.rows("SELECT m.doc FROM model m WHERE m.name = ? AND $m", name)
    return (rows[0][0] or "") if rows else None


def stage_names(part: Slice) -> tuple[str, ...]:
    """The registry's stages in their configured order; the default ones where the settings can't be read."""
    rows = part.rows("SELECT s.doc FROM settings s WHERE $s")
    stages = decode.settings(json.loads(rows[0][0])).stages if rows and rows[0][0] else DEFAULT_STAGES
    return tuple(stage.name for stage in stages)


def _rows(part: Slice, name: str, newest: int | None) -> Iterator[_Held]:
    """What the index holds, oldest first: a bar has ended and another begun where the model was renamed."""
    for span in reversed(part.names(name)):
        for stage, number, since, until in _within(part, span, newest):
            until = min(until, span.until)  # noqa: PLW2901
            last = until if until <= part.seq else None
            yield _Held(stage=stage, version=number, first=since, last=last)


def _within(part: Slice, span: Span, newest: int | None) -> list[tuple[str, int, int, int]]:
    """Stage, version, begin and end of what was held while the model had one name, oldest first."""
    where = "name = ? AND since >= ? AND since < ? AND since <= ?"
    bounds = (span.name, span.since, span.until, part.seq)
    held = f"SELECT stage, number, since, until FROM holding WHERE {where}"
    if newest is None:
        return part.rows(f"{held} ORDER BY since, number, stage", *bounds)
    rows: list[tuple[str, int, int, int]] = []
    for (stage,) in part.rows(f"SELECT DISTINCT stage FROM holding WHERE {where}", *bounds):
        rows += part.rows(
            f"{held} AND stage = ? ORDER BY since DESC, number DESC LIMIT ?", *bounds, stage, newest
        )
    return sorted(rows, key=lambda row: (row[2], row[1], row[0]))


def _merged(rows: Iterator[_Held]) -> list[_Held]:
    """The same without seams: nothing ended where a commit gave again what it took."""
    found: dict[tuple[str, int, int | None], _Held] = {}
    for row in rows:
        before = found.pop((row.stage, row.version, row.first), None)
        first = before.first if before else row.first
        whole = _Held(stage=row.stage, version=row.version, first=first, last=row.last)
        found[row.stage, row.version, row.last] = whole
    return sorted(found.values(), key=lambda each: (each.first, each.version, each.stage))


def _commits(part: Slice, held: list[_Held]) -> dict[int, tuple[str, datetime, str]]:
    """Place in the chain → id, committer time and author, of all commits that a timeline tells of."""
    from gitreg.gitstore.objects import moment

    places = {
        part.seq,
        *(each.first for each in held),
        *(each.last for each in held if each.last is not None),
    }
    rows = part.rows(
        "SELECT seq, oid, time, author FROM chain WHERE seq IN (SELECT value FROM json_each(?))",
        json.dumps(sorted(places)),
    )
    return {seq: (oid, moment(time, "+0000"), author) for seq, oid, time, author in rows}


def _effect(part: Slice, places: list[int]) -> dict[int, datetime]:
    """Place in the chain → when the commit there took effect; later commits with an earlier clock count."""
    from gitreg.gitstore.objects import moment

    spans = list(zip(places, [*places[1:], part.seq + 1], strict=True))
    rows = part.rows(
        "SELECT json_extract(s.value, '$[0]'), (SELECT min(c.time) FROM chain c WHERE "
        "c.seq >= json_extract(s.value, '$[0]') AND c.seq < json_extract(s.value, '$[1]')) "
        "FROM json_each(?) s",
        json.dumps(spans),
    )
    return in_effect({place: moment(time, "+0000") for place, time in rows})


def _bar(held: _Held, commits: dict[int, tuple[str, datetime, str]], *, shallow: bool) -> Bar:
    commit, since, author = commits[held.first]
    before = shallow and held.first == 1
    commit_until, until, ended_by = (None, None, None) if held.last is None else commits[held.last]
    return Bar(
        version=held.version,
        since=since,
        until=until,
        first=held.first,
        last=held.last,
        commit_since=None if before else commit,
        commit_until=commit_until,
        given_by=None if before else author,
        ended_by=ended_by,
        began_before=before,
    )
