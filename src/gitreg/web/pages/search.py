"""Search: one field that takes plain words or a filter, over all versions and models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from gitreg.domain.model import ModelVersion
from gitreg.errors import GitregError, InvalidFilter, InvalidInput
from gitreg.index.filter.compile import compile_filter
from gitreg.index.filter.fields import VERSIONS
from gitreg.index.reading import Slice
from gitreg.registry.catalog import Row, Wanted, catalog
from gitreg.registry.offering import metric_keys, newest
from gitreg.registry.searching import Question, VersionPage, find_versions, page_slice
from gitreg.registry.words import find_by_words, words_of
from gitreg.render.text import number
from gitreg.web.pages.cut import cut
from gitreg.web.pages.look import Look, Page

SIZE = 50
"""Versions on a page."""
_MODELS = 5
_MOST_WORDS_LONG = 1_000  # characters of plain words
_MOST_COLUMNS = 6  # metrics, params and tags that a filter or order names
_MOST_KEYS = 12  # metrics that can be chosen to order by
_PLAIN_KEY = re.compile(r"[\w./:@-]+", re.ASCII)
# What no plain words have, once texts in quotes are empty: an operator, or a keyword with what follows it.
_OPERATOR = re.compile(r"[=<>]|\bI?LIKE\s*''|\bIN\s*\(|\bIS\s+(?:NOT\s+)?NULL\b", re.IGNORECASE)
_PAIR = re.compile(r"([^\s=<>!'\"]+)=[^\s=<>'\"]+")  # a tag or parameter as people write it: team=growth
_ORDERS = (
    ("", "Last changed first"),
    ("created DESC", "Newest first"),
    ("name, version DESC", "By name"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A filter that can be clicked, made from what this registry holds, and what it means."""

    filter: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A version that was found: it, its aliases, and the values that filter or order name."""

    version: ModelVersion
    aliases: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a filter or an order: the line with the fault, and a mark below it.

    Attributes:
        message: In a sentence.
        hint: What to write instead.
        where: Of what, and at which column.
        before: The text before the fault, shortened.
        at: The fault itself.
        after: What follows.
    """

    message: str
    hint: str
    where: str
    before: str = ""
    at: str = ""
    after: str = ""


def search(look: Look) -> Page:
    """What was typed, as a filter where it is one; ``?as=words`` takes it for words all the same."""
    text = look.one("q")
    order = look.one("order_by")
    as_words = look.one("as") == "words"
    part = look.part
    fault = found = None
    words: list[str] = []
    question = Question(
        filter="",
        order_by=[order] if order else [],
        max_results=SIZE,
        page_token=look.one("page_token") or None,
    )
    try:
        if question.commit and not look.at:
            part = page_slice(look.registry.store, question)
        if is_filter(text) and not as_words:
            found = find_versions(part, _with(question, text))
        else:
            words = _words(text)
            found = (
                find_by_words(look.registry.store, part, words, question)
                if words
                else find_versions(part, question)
            )
    except InvalidInput as error:
        fault = _fault(error)
    models: Sequence[Row] = ()
    total = 0
    if words and fault is None and not question.page_token:
        matching = catalog(part, look.settings, Wanted(text=" ".join(words)), size=_MODELS)
        models, total = matching.rows, matching.total
    return Page(
        template="search.html",
        title="Search",
        section="search",
        values={
            "text": text,
            "order": order,
            "as_words": as_words,
            "filtering": is_filter(text) and not as_words,
            "fault": fault,
            "found": found,
            "columns": [cut(f"{kind}s.{key}", 60) for kind, key in _shown(found)] if found else [],
            "hits": [_hit(found, version) for version in found.versions] if found else [],
            "models": models,
            "total": total,
            "examples": _examples(look) if look.links.live else [],
            "orders": _orders(part, order) if look.links.live else [],
            "next": look.links.search(
                q=text,
                order_by=order,
                page_token=found.next_page_token,
                **({"as": "words"} if as_words else {}),
            )
            if found and found.next_page_token
            else "",
            "asked_for_page": bool(question.page_token),
        },
    )


def _next(look: Look, found: VersionPage) -> str:
    """The address of the next page; ``""`` where there is none."""
    if not found.next_page_token:
        return ""
    kept = {key: look.one(key) for key in ("q", "order_by", "as")}
    return look.links.search(**kept, page_token=found.next_page_token)


def is_filter(text: str) -> bool:
    """Whether what was typed is meant as a filter: it is one, or it has an operator outside of quotes."""
    if not text:
        return False
    try:
        compile_filter(text, VERSIONS, stages=list)
    except InvalidFilter:
        pair = _PAIR.fullmatch(text)
        if pair and pair[1] not in VERSIONS.plain and pair[1].partition(".")[0] not in VERSIONS.keyed:
            return False
        return bool(_OPERATOR.search(re.sub(r"'[^']*'|\"[^\"]*\"", "''", text)))
    return True


def _with(question: Question, text: str) -> Question:
    return Question(
        filter=text,
        order_by=question.order_by,
        max_results=question.max_results,
        page_token=question.page_token,
    )


def _words(text: str) -> list[str]:
    if len(text) > _MOST_WORDS_LONG:
        raise InvalidInput(
            f"{len(text):,} characters are more than the {_MOST_WORDS_LONG:,} that are searched for",
            where="q",
        )
    return words_of(text)


def _fault(error: GitregError) -> Fault:
    if not isinstance(error, InvalidFilter):
        return Fault(message=error.message, hint=error.hint, where=error.where)
    end = error.at + error.length
    before = error.text[max(0, error.at - 60) : error.at]
    return Fault(
        message=error.message,
        hint=error.hint,
        where=error.where,
        before=("…" if error.at > 60 else "") + before,
        at=error.text[error.at : min(end, error.at + 80)] or " ",
        after=error.text[end : end + 60],
    )


def _shown(found: VersionPage) -> tuple[tuple[str, str], ...]:
    return found.keys[:_MOST_COLUMNS]


def _hit(found: VersionPage, version: ModelVersion) -> Hit:
    return Hit(
        version=version,
        aliases=found.aliases.get((version.name, version.version), ()),
        values=tuple(_value(version, kind, key) for kind, key in _shown(found)),
    )


def _value(version: ModelVersion, kind: str, key: str) -> str:
    if kind == "metric":
        value = version.metrics.get(key)
        return "" if value is None else number(value) if isfinite(value) else str(value)
    values = version.params if kind == "param" else version.tags
    return cut(values.get(key, ""), 80)


def _orders(part: Slice, chosen: str) -> list[tuple[str, str]]:
    """What the results can be ordered by: the metrics that there are among it."""
    found = list(_ORDERS)
    for key in metric_keys(part, most=_MOST_KEYS):
        name = _named("metrics", key)
        if name and len(key) <= 40:
            found += [(f"{name} DESC", f"{key}, highest first"), (f"{name}", f"{key}, lowest first")]
    if chosen and chosen not in dict(found):
        found.append((chosen, cut(chosen, 40)))
    return found


def _examples(look: Look) -> list[Example]:
    """Filters over what the newest version of this registry has, so that each finds something."""
    version = newest(look.part)
    if version is None:
        return []
    stages = [stage.name for stage in look.settings.stages]
    stage = "Production" if "Production" in stages else stages[-1] if stages else ""
    found: list[Example] = []
    metric = next(((key, value) for key, value in version.metrics.items() if isfinite(value)), None)
    if metric and (name := _named("metrics", metric[0])):
        found.append(Example(filter=f"{name} >= {metric[1]!r}", about=f"{metric[0]} of at least that"))
        if stage:
            found.append(
                Example(
                    filter=f"stage = '{stage}' AND {name} IS NOT NULL", about=f"in {stage}, with {metric[0]}"
                )
            )
    elif stage:
        found.append(Example(filter=f"stage = '{stage}'", about=f"in {stage}"))
    for kind, about, pairs in (("tags", "a tag", version.tags), ("params", "a parameter", version.params)):
        pair = next(((key, value) for key, value in pairs.items() if len(value) <= 40), None)
        if pair and (name := _named(kind, pair[0])):
            found.append(Example(filter=f"{name} = {_quoted(pair[1])}", about=f"by {about}"))
    found.append(Example(filter=f"name LIKE {_quoted(version.name[:1] + '%')}", about="by the model’s name"))
    found.append(
        Example(filter=f"created >= '{version.created:%Y-%m}-01'", about="registered since the month began")
    )
    return found


def _named(kind: str, key: str) -> str:
    """``metrics.auc`` as a filter says it; ``""`` for a key that it can't say."""
    if _PLAIN_KEY.fullmatch(key):
        return f"{kind}.{key}"
    return f"{kind}.`{key}`" if "`" not in key and len(key) <= 60 else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
