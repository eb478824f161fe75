"""Searches as MLflow's store answers them, out of the index: prompts left out, pages by offset or place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from gitreg.errors import GitregError
from gitreg.index.filter.compile import compile_clauses
from gitreg.index.filter.fields import MODEL_UPDATED, MODELS, VERSIONS
from gitreg.index.filter.grammar import Clause
from gitreg.index.filter.order import DEFAULT, MODEL_DEFAULT, Key
from gitreg.index.filter.source import Token
from gitreg.index.filter.sql import Sql
from gitreg.index.filter.token import digest
from gitreg.index.reading import Slice
from gitreg.index.search import Hit, ModelHit, Search, search_models, search_versions
from gitreg.mlflow.errors import invalid
from gitreg.mlflow.grammar import IS_PROMPT, Condition, Kind, Value
from gitreg.mlflow.pages import Page

H = TypeVar("H", Hit, ModelHit)

_MOST_CONDITIONS = 500  # SQLite nests an expression a thousand deep
_MOST_SKIPPED = 1_000_000  # a token that says more was forged

_COLUMNS: dict[str, str] = {"number": "v.number", "created": "v.created"}
_PROMPTS: dict[Kind, str] = {
    "models": "SELECT q.name FROM model_tag t CROSS JOIN model q ON q.row = t.row "
    f"WHERE t.key = '{IS_PROMPT}' AND t.value = 'true' AND $q",
    "versions": "SELECT q.name FROM attribute a CROSS JOIN version q ON q.row = a.row "
    f"WHERE a.kind = 'tag' AND a.key = '{IS_PROMPT}' AND a.value = 'true' AND $q",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is searched for.

    Attributes:
        kind: Models or versions.
        conditions: All of them must hold; checked.
        order: Column and whether it ascends.
        most: Results on a page.
        page: Where it begins.
        sign: Tells this search from another.
    """

    kind: Kind
    conditions: Sequence[Condition]
    order: Sequence[tuple[str, bool]]
    most: int
    page: Page
    sign: str


def sign_of(kind: Kind, filter_string: str | None, order_by: Sequence[str] | None) -> str:
    """What tells one search from another, in page tokens."""
    return digest(kind, filter_string or "", *(order_by or ()))


def find_versions(part: Slice, sought: Sought) -> tuple[list[Hit], str | None]:
    """A page of versions, and the token of the next one."""
    search, skip = _search(part, sought)
    return _cut(part, sought, search_versions(part, search)[skip:])


def find_models(part: Slice, sought: Sought) -> tuple[list[ModelHit], str | None]:
    """A page of models, and the token of the next one."""
    search, skip = _search(part, sought)
    return _cut(part, sought, search_models(part, search)[skip:])


def _cut(part: Slice, sought: Sought, hits: list[H]) -> tuple[list[H], str | None]:
    if len(hits) <= sought.most:
        return hits, None
    found = hits[: sought.most]
    following = Page(
        offset=sought.page.offset + sought.most,
        commit=part.commit,
        search=sought.sign,
        place=found[-1].place if found else None,
    )
    return found, following.token()


def _search(part: Slice, sought: Sought) -> tuple[Search, int]:
    """The search, and how many of its hits come before the page."""
    page, order = sought.page, _order(sought)
    known = page.place is not None and page.commit == part.commit and page.search == sought.sign
    place = page.place if known and len(page.place or ()) == len(order) else None
    skip = 0 if place is not None else min(page.offset, _MOST_SKIPPED)
    asked, prompts = _apart(sought.conditions)
    if len(asked) > _MOST_CONDITIONS:
        raise invalid(f"Invalid filter: it has {len(asked):,} conditions, {_MOST_CONDITIONS:,} are allowed.")
    fields = VERSIONS if sought.kind == "versions" else MODELS
    try:
        wanted = compile_clauses(
            [_clause(each) for each in asked], fields, also=_prompts(part, sought, prompts)
        )
    except GitregError as error:  # a pattern or a number beyond what SQLite holds
        raise invalid(f"Invalid filter: {error}") from None
    return Search(wanted=wanted, order=order, limit=skip + sought.most + 1, place=place), skip


def _order(sought: Sought) -> tuple[Key, ...]:
    default = DEFAULT if sought.kind == "versions" else MODEL_DEFAULT
    if not sought.order:
        return default
    named = {key.name: key for key in default}
    table = "v" if sought.kind == "versions" else "m"
    keys = []
    for column, ascending in sought.order:
        value = _COLUMNS.get(column, f"{table}.{column}")
        if sought.kind == "models" and column == "updated":
            value = MODEL_UPDATED
        keys.append(Key(name=value, value=value, descending=not ascending))
        named.pop(value, None)
    named.pop("v.updated", None)
    return (*keys, *named.values())


def _apart(conditions: Sequence[Condition]) -> tuple[list[Condition], list[Condition]]:
    """The conditions without those about prompts, and those."""
    prompts = [each for each in conditions if each.type == "tag" and each.key == IS_PROMPT]
    if not prompts or _asks_for_prompts(prompts[0]):
        return list(conditions), prompts
    return [each for each in conditions if each not in prompts], prompts


def _asks_for_prompts(condition: Condition) -> bool:
    text = str(condition.value).lower()
    return (condition.comparator, text) in (("=", "true"), ("!=", "false"))


def _prompts(part: Slice, sought: Sought, prompts: Sequence[Condition]) -> list[Sql]:
    """Leaves prompts out unless they are asked for, as MLflow's store does."""
    if prompts and _asks_for_prompts(prompts[0]):
        return []
    listed = _PROMPTS[sought.kind]
    if not part.rows(f"{listed} LIMIT 1"):
        return []
    table = "v" if sought.kind == "versions" else "m"
    return [Sql(f"{table}.name NOT IN ({listed})")]


def _clause(condition: Condition) -> Clause:
    """A condition as a clause of our own grammar, whose fields go by MLflow's names too."""
    tag = condition.type == "tag"
    name = "tags" if tag else condition.key
    field = Token("word", condition.key, name, condition.key if tag else None, 0)
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    sign = Token("sign", condition.comparator, condition.comparator, None, 0)
    return Clause(
        field=field,
        operator=condition.comparator,
        sign=sign,
        values=tuple(_token(value) for value in values),
    )


def _token(value: Value) -> Token:
    text = str(value)
    return Token("text" if isinstance(value, str) else "number", text, text, None, 0)
