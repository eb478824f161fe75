"""Search by filter and order: a page of versions or of models out of the index, and what it leads on to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.domain.names import shown
from gitreg.domain.settings import DEFAULT_STAGES, did_you_mean
from gitreg.errors import InvalidInput, NotFound
from gitreg.index.filter.compile import compile_filter
from gitreg.index.filter.fields import MODELS, VERSIONS, Fields
from gitreg.index.filter.order import Key, Place, compile_order
from gitreg.index.filter.sql import TRUE, Sql, joined
from gitreg.index.filter.token import PageToken, digest, read_token
from gitreg.index.reading import Slice
from gitreg.index.schema import UNREADABLE
from gitreg.index.search import Search, search_models, search_versions
from gitreg.manifest import decode
from gitreg.registry.store import Store

PAGE = 100
"""Results on a page when nobody says how many."""
MOST = 200_000
"""The most that a page can have (MLflow's limit for versions)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search as it is asked.

    Attributes:
        filter: MLflow's filter grammar and more (docs/search.md); ``""`` takes everything.
        order_by: Such as ``metrics.auc DESC``; without any, MLflow's default.
        max_results: Most results on the page.
        page_token: From the page before; None for the first.
    """

    filter: str = ""
    order_by: Sequence[str] = ()
    max_results: int = PAGE
    page_token: str | None = None

    @property
    def commit(self) -> str | None:
        """The commit at which the first page was answered; None when this is the first.

        Raises:
            InvalidInput: The token is damaged, or none of ours.
        """
        return read_token(self.page_token).commit if self.page_token else None


def question(
    filter: str, order_by: Sequence[str] | str, *, max_results: int, page_token: str | None
) -> Question:
    """A question of Python code, where one order may come as a text alone."""
    order = (order_by,) if isinstance(order_by, str) else tuple(order_by)
    return Question(filter=filter, order_by=order, max_results=max_results, page_token=page_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """A page of versions.

    Attributes:
        versions: In the order that was asked for.
        aliases: Name and number of a version → the aliases that point to it, sorted.
        next_page_token: Leads to the next page, as of the same commit; None: there is none.
        commit: Full hex id of the commit that was searched.
        keys: Kind and key of the metrics, params and tags that filter and order name.
        notes: What may explain that nothing was found: keys that no version has.
        unreadable: Manifests that can't be read and therefore were not searched.
        history: Whether the filter asks for something that a shallow clone can't always tell: the author.
    """

    versions: tuple[ModelVersion, ...]
    aliases: Mapping[tuple[str, int], tuple[str, ...]]
    next_page_token: str | None
    commit: str
    keys: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: int = 0
    history: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """A model that was found; ``latest`` is its highest version, None where it has none.

    The model's ``updated`` takes its versions and their promotions into account.
    """

    model: RegisteredModel
    latest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """A page of models; attributes as of ``VersionPage``."""

    found: tuple[FoundModel, ...]
    next_page_token: str | None
    commit: str
    notes: tuple[str, ...] = ()
    unreadable: int = 0

    @property
    def models(self) -> tuple[RegisteredModel, ...]:
        """The models alone."""
        return tuple(each.model for each in self.found)


def page_slice(store: Store, asked: Question, at: str | datetime | None = None) -> Slice:
    """The index at the commit of the question: the head, or where its first page was answered.

    Args:
        store: The registry.
        asked: The question.
        at: A revision or date to search at instead.

    Raises:
        NotFound: ``at`` is not in the history of the branch.
        InvalidInput: The page token is of another registry or branch.
    """
    if at is not None:
        return store.index.slice(store.commit_for(at))
    try:
        return store.index.slice(asked.commit)
    except NotFound as error:
        raise _foreign() from error


def find_versions(
    part: Slice, asked: Question, also: Sql = TRUE, *, only: Sql = TRUE, among: Sequence[Sql] = ()
) -> VersionPage:
    """A page of the versions that a filter leaves.

    Args:
        part: The index at the commit.
        asked: What is asked.
        also: What else must hold of a version ``v``; a page token is good for the same alone.
        only: A condition that follows from ``also``, as far as is known now.
        among: ``SELECT`` of the rows of versions that leaves none out, where that is known to be short.

    Raises:
        InvalidFilter: The filter or the order has a fault.
        InvalidInput: The token belongs to another search, or the number of results is out of bounds.
    """
    made = _Made.of(part, asked, VERSIONS, also)
    wanted = made.search.wanted
    if only is not TRUE:
        where = joined("AND", [wanted.where, only])
        wanted = replace(wanted, where=where, drivers=(*wanted.drivers, *among))
    hits = search_versions(part, replace(made.search, wanted=wanted))
    found = hits[: asked.max_results]
    versions = tuple(_version(name, doc) for name, _, doc, _ in found)
    return VersionPage(
        versions=versions,
        aliases=_aliases(part, {version.name for version in versions}) if versions else {},
        next_page_token=made.token(found[-1].place) if len(hits) > len(found) else None,
        commit=part.commit,
        keys=made.keys,
        notes=() if hits else _notes(part, made.keys, "attribute"),
        unreadable=_unreadable(part),
        history=made.search.wanted.history,
    )


def find_models(part: Slice, asked: Question, also: Sql = TRUE) -> ModelPage:
    """A page of the registered models that a filter leaves; errors as of ``find_versions``.

    Args:
        part: The index at the commit.
        asked: What is asked.
        also: What else must hold of a model ``m``.
    """
    made = _Made.of(part, asked, MODELS, also)
    hits = search_models(part, made.search)
    found = hits[: asked.max_results]
    return ModelPage(
        found=tuple(FoundModel(model=_model(hit.doc, hit.updated), latest=hit.latest) for hit in found),
        next_page_token=made.token(found[-1].place) if len(hits) > len(found) else None,
        commit=part.commit,
        notes=() if hits else _notes(part, made.keys, "model_tag"),
        unreadable=_unreadable(part),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A question, compiled; its search asks for one row more than the page has, to know of a next one."""

    part: Slice
    search: Search
    signs: tuple[str, ...]

    @classmethod
    def of(cls, part: Slice, asked: Question, fields: Fields, also: Sql = TRUE) -> _Made:
        _check_size(asked.max_results)
        wanted = compile_filter(asked.filter, fields, stages=lambda: _stages(part))
        if also is not TRUE:
            wanted = replace(wanted, where=joined("AND", [wanted.where, also]))
        order = compile_order(asked.order_by, fields)
        kind = "versions" if fields is VERSIONS else "models"
        limits = () if also is TRUE else (also.text, *map(str, also.params))
        signs = (kind, asked.filter, *(key.text + key.name for key in order), *limits)
        place = _place(part, asked.page_token, signs, order)
        search = Search(wanted=wanted, order=order, limit=asked.max_results + 1, place=place)
        return cls(part=part, search=search, signs=signs)

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        ordered = [key.attribute for key in self.search.order if key.attribute]
        return tuple(dict.fromkeys([*ordered, *self.search.wanted.keys]))

    def token(self, place: Place) -> str:
        return PageToken(commit=self.part.commit, search=digest(*self.signs), place=place).text()


def _check_size(size: object) -> None:
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MOST:
        raise InvalidInput(
            f"a page can't have {shown(str(size))} results", where="max_results", hint=f"1 to {MOST:,}"
        )


def _place(part: Slice, text: str | None, signs: Sequence[str], order: Sequence[Key]) -> Place | None:
    if not text:
        return None
    token = read_token(text)
    place = token.check(digest(*signs), order)
    if token.commit != part.commit:
        raise InvalidInput(
            "the page token belongs to another commit",
            where="page token",
            hint=f"its pages are those of commit {token.commit[:10]}",
        )
    return place


def _foreign() -> InvalidInput:
    return InvalidInput(
        "the page token's commit is not in the history of this branch",
        where="page token",
        hint="leave it out for the first page",
    )


def _version(name: str, doc: str) -> ModelVersion:
    found = decode.version(json.loads(doc), name)
    assert isinstance(found, ModelVersion)  # tombstones are not searched
    return found


def _model(doc: str, updated: int) -> RegisteredModel:
    found = decode.model(json.loads(doc))
    assert isinstance(found, RegisteredModel)  # as above
    return replace(found, updated=_EPOCH + timedelta(milliseconds=updated))


def _aliases(part: Slice, names: set[str]) -> dict[tuple[str, int], tuple[str, ...]]:
    rows = part.rows(
        "SELECT s.name, s.number, s.alias FROM alias s "
        "WHERE s.name IN (SELECT value FROM json_each(?)) AND $s ORDER BY s.alias",
        json.dumps(sorted(names)),
    )
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for name, number, alias in rows:
        found[name, number] = (*found.get((name, number), ()), alias)
    return found


def _stages(part: Slice) -> list[str]:
    """The stages that are set up, and those that are held all the same."""
    rows = part.rows("SELECT s.doc FROM settings s WHERE $s")
    settings = decode.settings(json.loads(rows[0][0])) if rows and rows[0][0] else None
    known = [stage.name for stage in (settings.stages if settings else DEFAULT_STAGES)]
    held = part.rows("SELECT DISTINCT h.stage FROM holding h WHERE $h ORDER BY h.stage")
    return [*known, *(stage for (stage,) in held if stage not in known)]


def _unreadable(part: Slice) -> int:
    rows = part.rows(
        f"SELECT (SELECT count(*) FROM version v WHERE v.state = {UNREADABLE} AND $v) "
        f"+ (SELECT count(*) FROM model m WHERE m.state = {UNREADABLE} AND $m)"
    )
    return int(rows[0][0])


def _notes(part: Slice, keys: Sequence[tuple[str, str]], table: str) -> tuple[str, ...]:
    notes = []
    for kind, key in keys:
        known = _known_keys(part, kind if table == "attribute" else None)
        if key not in known:
            near = did_you_mean(key, known)
            thing = "model" if table == "model_tag" else "version"
            notes.append(f"no {thing} has the {kind} {shown(key)}" + (f": {near}" if near else ""))
    return tuple(notes)


def _known_keys(part: Slice, kind: str | None) -> list[str]:
    """Every key of one kind (None: of models' tags), found by leaping from each to the next in the index."""
    table, where = ("attribute", "kind = ? AND") if kind else ("model_tag", "")
    given = (kind, kind) if kind else ()
    rows = part.rows(
        f"WITH RECURSIVE known(key) AS (SELECT (SELECT min(key) FROM {table} WHERE {where} 1) UNION ALL "
        f"SELECT (SELECT min(key) FROM {table} WHERE {where} key > known.key) FROM known "
        "WHERE known.key IS NOT NULL LIMIT 1000) SELECT key FROM known WHERE key IS NOT NULL",
        *given,
    )
    return [key for (key,) in rows]
