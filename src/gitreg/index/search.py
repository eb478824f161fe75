"""Finds versions and models in a slice of the index, a page at a time.

Few matches: they are looked up by the clause that leaves fewest, then sorted. Many: the order is walked by
an index and each row tried, until the page is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gitreg.index.filter.compile import Filter
from gitreg.index.filter.fields import MODEL_UPDATED
from gitreg.index.filter.order import DEFAULT, Key, Place, behind
from gitreg.index.filter.sql import TRUE, Sql, joined
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE, OPEN

FEW = 2_000
"""Up to so many rows are looked up and sorted; the order is walked for more."""
_MOST_PROBES = 8
_LIVING = Sql(
    f"v.state = {LIVE} AND EXISTS (SELECT 1 FROM model m WHERE m.name = v.name AND $m AND m.state = {LIVE})"
)
_STANDING = (Sql("$v"),)
_VERSIONS = Sql("version v")


class Hit(NamedTuple):
    """A version that was found; ``doc`` is its manifest's data as JSON."""

    name: str
    number: int
    doc: str
    place: Place


class ModelHit(NamedTuple):
    """A model that was found.

    Attributes:
        doc: Its manifest's data as JSON.
        updated: Milliseconds since 1970; its versions and their promotions count.
        latest: Its highest version; None where it has none.
    """

    doc: str
    updated: int
    latest: int | None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched for.

    Attributes:
        wanted: The filter.
        order: Keys that leave no ties.
        limit: Most rows.
        place: Only what comes behind it; None: from the beginning.
    """

    wanted: Filter
    order: tuple[Key, ...]
    limit: int
    place: Place | None = None

    @property
    def behind(self) -> list[Sql]:
        """The stretches that are searched, in their order."""
        return [TRUE] if self.place is None else behind(self.order, self.place)


def search_versions(part: Slice, search: Search) -> list[Hit]:
    """The versions of a page, in order."""
    driver = _driver(part, search.wanted.drivers)
    if driver is not None:
        source = Sql(
            f"(SELECT DISTINCT row FROM ({driver.text})) d CROSS JOIN version v ON v.row = d.row",
            driver.params,
        )
        return _select(part, search, source, [joined("OR", search.behind)], search.order)
    if search.order[0].attribute:
        return _by_attribute(part, search)
    return _walked(part, search, search.order, search.behind)


def search_models(part: Slice, search: Search) -> list[ModelHit]:
    """The models of a page, in order."""
    behind = joined("OR", search.behind)
    values = ", ".join(f"{key.value} AS k{at}" for at, key in enumerate(search.order))
    # What is shown of a model is only looked up for those on the page.
    text = f"""
        SELECT m.doc, {MODEL_UPDATED},
            (SELECT v.number FROM version v WHERE v.name = m.name AND $v AND v.state = {LIVE}
                ORDER BY v.number DESC LIMIT 1),
            p.*
        FROM (
            SELECT m.row, {values} FROM model m
            WHERE $m AND m.state = {LIVE} AND ({search.wanted.where.text}) AND ({behind.text})
            ORDER BY {", ".join(key.text for key in search.order)} LIMIT ?
        ) p CROSS JOIN model m ON m.row = p.row"""
    found = part.rows(text, *search.wanted.where.params, *behind.params, search.limit)
    return [
        ModelHit(doc=doc, updated=updated, latest=latest, place=tuple(place))
        for doc, updated, latest, _, *place in found
    ]


def _driver(part: Slice, drivers: Sequence[Sql]) -> Sql | None:
    """The clause that leaves fewest rows, None where each leaves many."""
    best, least = None, FEW + 1
    for driver in drivers[:_MOST_PROBES]:
        ((count,),) = part.rows(f"SELECT count(*) FROM ({driver.text} LIMIT ?)", *driver.params, least)
        if count < least:
            best, least = driver, count
    return best


def _walked(part: Slice, search: Search, order: Sequence[Key], stretches: list[Sql]) -> list[Hit]:
    # One after the other each is a range of an index; all together they would be none.
    indexed = tuple(order) == DEFAULT or order[0].value == "v.name"
    standing = _past(part.seq) if tuple(order) == DEFAULT and part.index.stand().seq > part.seq else _STANDING
    ranges = stretches if indexed else [joined("OR", stretches)]
    return _select(part, search, _VERSIONS, ranges, order, standing)


def _past(seq: int) -> tuple[Sql, ...]:
    """That a version stood at ``seq``, in two parts: what stands to this day can be walked by an index."""
    return (
        Sql(f"v.until = {OPEN} AND v.since <= ?", (seq,)),
        Sql(f"v.until > ? AND v.until < {OPEN} AND v.since <= ?", (seq, seq)),
    )


def _by_attribute(part: Slice, search: Search) -> list[Hit]:
    """Those that have the metric (or tag, or param), by its index; then those that lack it."""
    first, *rest = search.order
    assert first.attribute is not None  # who calls has looked
    kind, key = first.attribute
    place = search.place
    found: list[Hit] = []
    if place is None or place[0] is not None:
        alias = first.value.removesuffix(".value")
        number = f" AND {alias}.value < ''" if kind == "metric" else ""
        source = Sql(f"attribute {alias} CROSS JOIN version v ON v.row = {alias}.row")
        only = Sql(f"{alias}.kind = '{kind}' AND {alias}.key = ?{number}", (key,))
        bound = search.wanted.metrics.get(key) if kind == "metric" else None
        if bound is not None:
            only = joined("AND", [only, Sql(bound.text.replace("a.value", first.value), bound.params)])
        having = (replace(first, join="", nullable=False), *rest)
        stretches = [TRUE] if place is None else behind(having, place)
        found = _select(part, search, source, [joined("AND", [only, one]) for one in stretches], having)
    if len(found) >= search.limit or (kind == "metric" and key in search.wanted.metrics):
        return found
    lacking = place is not None and place[0] is None
    stretches = behind(rest, place[1:]) if lacking and place is not None else [TRUE]
    left = replace(search, limit=search.limit - len(found))
    return found + _walked_without(part, left, first, rest, stretches)


def _walked_without(
    part: Slice, search: Search, first: Key, rest: Sequence[Key], stretches: list[Sql]
) -> list[Hit]:
    lacks = Sql(f"{first.value} IS NULL")
    order = (*rest, replace(first, descending=False))  # the last decides nothing, but it is joined and read
    hits = _walked(part, search, order, [joined("AND", [lacks, one]) for one in stretches])
    return [hit._replace(place=(None, *hit.place[:-1])) for hit in hits]


def _select(
    part: Slice,
    search: Search,
    source: Sql,
    stretches: Iterable[Sql],
    order: Sequence[Key],
    standing: Sequence[Sql] = _STANDING,
) -> list[Hit]:
    """The first rows of each stretch in turn, until there are enough.

    Args:
        part: Where.
        search: Gives the filter and the limit.
        source: What stands behind ``FROM``, with the version as ``v``.
        stretches: Conditions, each for rows that come behind those of the one before it.
        order: Keys within a stretch.
        standing: Conditions of which just one is true for each version that stands.
    """
    values = ", ".join(f"{key.value} AS k{at}" for at, key in enumerate(order))
    joins = [Sql(key.join, (key.attribute[1],)) for key in order if key.join and key.attribute]
    head = (
        f"SELECT v.row, v.name, v.number, {values} FROM {source.text} {' '.join(one.text for one in joins)}"
    )
    named = len(standing) > 1  # the parts of a UNION are ordered by what they give out
    keys = (replace(key, value=f"k{at}") if named else key for at, key in enumerate(order))
    tail = f"ORDER BY {', '.join(key.text for key in keys)} LIMIT ?"
    given = (*source.params, *(param for one in joins for param in one.params))
    found: list[Hit] = []
    for stretch in stretches:
        wheres = [joined("AND", [one, _LIVING, search.wanted.where, stretch]) for one in standing]
        union = " UNION ALL ".join(f"{head} WHERE {where.text}" for where in wheres)
        params = [param for where in wheres for param in (*given, *where.params)]
        # The documents are long: only those of the page are read.
        text = f"SELECT (SELECT w.doc FROM version w WHERE w.row = p.row), p.* FROM ({union} {tail}) p"
        found += map(_hit, part.rows(text, *params, search.limit - len(found)))
        if len(found) >= search.limit:
            break
    return found


def _hit(row: tuple[Any, ...]) -> Hit:
    doc, _, name, number, *place = row
    return Hit(name=name, number=number, doc=doc, place=tuple(place))
