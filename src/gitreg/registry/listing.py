"""Long lists a page at a time, each as of one commit: models at a glance, a model's versions, the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitreg.errors import InvalidInput
from gitreg.index.filter.sql import TRUE, Sql, joined
from gitreg.index.filter.token import PageToken, digest, read_token
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE, OPEN
from gitreg.registry.log import LogEntry, Wanted, log
from gitreg.registry.overview import Summary
from gitreg.registry.searching import Question, find_models
from gitreg.registry.view import VersionDocument

if TYPE_CHECKING:
    from gitreg.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPage:
    """A page of registered models, each at a glance; ``next_page_token`` is None on the last."""

    summaries: tuple[Summary, ...]
    next_page_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """A page of versions as their manifests' data; ``next_page_token`` is None on the last."""

    versions: tuple[VersionDocument, ...]
    next_page_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A page of the log; ``next_page_token`` is None on the last."""

    entries: tuple[LogEntry, ...]
    next_page_token: str | None


def page_commit(token: str | None) -> str | None:
    """The commit at which the first page was answered; None where there is no token.

    Raises:
        InvalidInput: The token is damaged, or none of ours.
    """
    return read_token(token).commit if token else None


def model_count(part: Slice) -> int:
    """How many registered models there are that are not deleted."""
    ((models,),) = part.rows(f"SELECT count(*) FROM model m WHERE m.state = {LIVE} AND $m")
    return int(models)


def holders_by_stage(part: Slice) -> list[tuple[str, int]]:
    """Each stage that is held, and how many versions hold it."""
    rows = part.rows("SELECT h.stage, count(*) FROM holding h WHERE $h GROUP BY h.stage ORDER BY h.stage")
    return [(stage, count) for stage, count in rows]


def models(
    part: Slice,
    view: View,
    asked: Question,
    *,
    counts: Mapping[str, int],
    text: str = "",
    stage: str = "",
) -> SummaryPage:
    """A page of the registered models.

    Args:
        part: The index at the commit.
        view: The registry at the same commit.
        asked: Filter, order, size and token.
        counts: How many versions each model has at that commit (``counting``).
        text: What the name, the description, an owner or a tag must hold, whatever its case; each word.
        stage: Only models of which a version holds this stage, by its exact name.
    """
    page = find_models(part, asked, _narrowed(text, stage))
    names = [each.model.name for each in page.found]
    held = _held(part, view, names)
    return SummaryPage(
        summaries=tuple(
            Summary(
                model=each.model,
                count=counts.get(each.model.name, 0),
                latest=each.latest,
                stages=held.get(each.model.name, {}),
                updated=each.model.updated,
            )
            for each in page.found
        ),
        next_page_token=page.next_page_token,
    )


def _narrowed(text: str, stage: str) -> Sql:
    parts = []
    for word in text.split():
        like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        parts.append(
            Sql(
                "m.name LIKE ? ESCAPE '\\' OR json_extract(m.doc, '$.description') LIKE ? ESCAPE '\\' "
                "OR EXISTS (SELECT 1 FROM json_each(m.doc, '$.owners') o WHERE o.value LIKE ? ESCAPE '\\') "
                "OR EXISTS (SELECT 1 FROM model_tag t WHERE t.row = m.row "
                "AND t.key || '=' || t.value LIKE ? ESCAPE '\\')",
                (like,) * 4,
            )
        )
    if stage:
        holds = "EXISTS (SELECT 1 FROM holding h WHERE h.name = m.name AND h.stage = ? AND $h)"
        parts.append(Sql(holds, (stage,)))
    return joined("AND", parts) if parts else TRUE


def _held(part: Slice, view: View, names: Sequence[str]) -> Mapping[str, Mapping[str, tuple[int, ...]]]:
    order = {stage.name: at for at, stage in enumerate(view.settings.stages)}
    found: dict[str, dict[str, list[int]]] = {}
    for name, stage, number in part.rows(
        "SELECT h.name, h.stage, h.number FROM json_each(?) j CROSS JOIN holding h ON h.name = j.value "
        "WHERE $h ORDER BY h.number DESC",
        json.dumps(names),
    ):
        found.setdefault(name, {}).setdefault(stage, []).append(number)
    return {
        name: {
            stage: tuple(by_stage[stage])
            for stage in sorted(by_stage, key=lambda one: (order.get(one, len(order)), one))
        }
        for name, by_stage in found.items()
    }


def versions(
    part: Slice, name: str, *, stage: str = "", limit: int, token: str | None = None
) -> DocumentPage:
    """A page of a model's versions, the newest first; what can't be read is left out.

    Args:
        part: The index at the commit.
        name: The model, which is there.
        stage: Only those that hold this stage, by its exact name.
        limit: Versions at most.
        token: Of the page before; None for the first.

    Raises:
        InvalidInput: The token belongs to another list or another commit.
    """
    sign = digest("versions of", name, stage)
    below = _place(part, token, sign, int) if token else OPEN
    holds = (
        "AND EXISTS (SELECT 1 FROM holding h WHERE h.name = v.name AND h.number = v.number "
        "AND h.stage = ? AND $h) "
        if stage
        else ""
    )
    rows = part.rows(
        f"SELECT v.number, v.doc FROM version v WHERE v.name = ? AND v.state = {LIVE} AND $v "
        f"AND v.number < ? {holds}ORDER BY v.number DESC LIMIT ?",
        *(name, below, *((stage,) if stage else ()), limit + 1),
    )
    found = tuple(VersionDocument(name, number, json.loads(doc)) for number, doc in rows[:limit])
    following = _token(part, sign, found[-1].version) if len(rows) > limit else None
    return DocumentPage(versions=found, next_page_token=following)


def log_page(
    part: Slice, wanted: Wanted, *, limit: int, token: str | None = None, asked: Iterable[str] = ()
) -> LogPage:
    """A page of what happened, the newest first.

    Args:
        part: The index at the commit of the first page.
        wanted: What to tell.
        limit: Commits at most.
        token: Of the page before; None for the first.
        asked: What the caller asked for, in words: a token of another question is refused.

    Raises:
        InvalidInput: The token belongs to another question or another commit.
    """
    sign = digest("log", *asked)
    before = _place(part, token, sign, str) if token else None
    found = tuple(log(part, wanted, limit=limit + 1, before=before))
    following = _token(part, sign, found[limit - 1].commit.oid) if len(found) > limit else None
    return LogPage(entries=found[:limit], next_page_token=following)


def _token(part: Slice, sign: str, place: int | str) -> str:
    return PageToken(commit=part.commit, search=sign, place=(place,)).text()


def _place(part: Slice, text: str, sign: str, kind: type) -> Any:
    token = read_token(text)
    if token.search != sign or len(token.place) != 1 or not isinstance(token.place[0], kind):
        raise InvalidInput(
            "the page token belongs to another list",
            where="page token",
            hint="give what was asked for the first page",
        )
    if token.commit != part.commit:
        raise InvalidInput(
            "the page token belongs to another commit",
            where="page token",
            hint=f"its pages are those of commit {token.commit[:10]}",
        )
    return token.place[0]
