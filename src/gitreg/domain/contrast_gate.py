"""Two JSON Schemas side by side: whether the second asks for more or for less, where that is sure.

It is sure of bounds, required fields and lists of values that every manifest must satisfy together. Below
``not``, ``anyOf``, ``if`` and the like more may be less, and what is referred to may stand below them, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from gitreg.domain.effects import Effect

_LEAST = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_MOST = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_REMARKS = frozenset({"title", "description", "$comment", "examples", "default", "deprecated"})
_TANGLED = frozenset(
    {"$ref", "$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"}
)  # what one part says depends on others
_OTHER_PROPERTIES = frozenset({"additionalProperties", "patternProperties"})
_WORDS = ("true", "false", "null", "NaN", "Infinity")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One thing that a gate asks for: at which field, before and after (None: not at all), and which way."""

    field: str
    before: float | str | None
    after: float | str | None
    effect: Effect


def demands(before: Any, after: Any) -> tuple[Demand, ...] | None:
    """What the second schema asks for otherwise; None where that can't be told for sure.

    Args:
        before: A JSON Schema as parsed JSON.
        after: Another.
    """
    try:
        return None if _tangled(before) or _tangled(after) else tuple(_schema(before, after, ()))
    except (_Unsure, RecursionError):
        return None


class _Unsure(Exception):
    """Nobody can tell which way it goes."""


def _tangled(value: Any) -> bool:
    if isinstance(value, dict):
        return not _TANGLED.isdisjoint(value) or any(map(_tangled, value.values()))
    return isinstance(value, list) and any(map(_tangled, value))


def _schema(was: Any, now: Any, at: tuple[str, ...]) -> Iterator[Demand]:
    if _same(was, now):
        return
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        raise _Unsure
    for key in sorted({*was, *now}):
        there = key in was, key in now
        if not (all(there) and _same(was[key], now[key])):
            yield from _keyword(key, was, now, at, there)


def _keyword(
    key: str, was: Mapping[str, Any], now: Mapping[str, Any], at: tuple[str, ...], there: tuple[bool, bool]
) -> Iterator[Demand]:
    """What one keyword asks for otherwise; ``there``: whether each side has it."""
    old, new = was.get(key), now.get(key)
    if key in _LEAST or key in _MOST:
        yield _bound(key, old, new, at, there)
    elif key in ("required", "enum"):
        yield from _listed(key, old, new, at, there)
    elif key == "properties":
        if not _OTHER_PROPERTIES.isdisjoint({*was, *now}) and _names(old) != _names(new):
            raise _Unsure
        yield from _properties(old, new, at)
    elif key == "allOf" and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _schema(one, other, at)
    elif key == "items" and isinstance(old, dict) and isinstance(new, dict):
        yield from _schema(old, new, (*at, "[]"))
    elif key not in _REMARKS:
        raise _Unsure


def _same(was: Any, now: Any) -> bool:
    """Whether two values are the same JSON: to Python ``true`` is 1."""
    return json.dumps(was, sort_keys=True) == json.dumps(now, sort_keys=True)


def _names(properties: Any) -> frozenset[str]:
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def _properties(was: Any, now: Any, at: tuple[str, ...]) -> Iterator[Demand]:
    old, new = (_NOTHING if side is None else side for side in (was, now))
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        raise _Unsure
    for name in sorted({*old, *new}):
        yield from _schema(old.get(name, _NOTHING), new.get(name, _NOTHING), (*at, name))


def _bound(key: str, was: Any, now: Any, at: tuple[str, ...], there: tuple[bool, bool]) -> Demand:
    for value, told in zip((was, now), there, strict=True):
        if told and not _is_number(value):
            raise _Unsure
    stricter = there[1]  # a bound where there was none
    if all(there):
        stricter = now > was if key in _LEAST else now < was
    return Demand(
        field=".".join((*at, key)), before=was, after=now, effect="raises" if stricter else "lowers"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _listed(key: str, was: Any, now: Any, at: tuple[str, ...], there: tuple[bool, bool]) -> Iterator[Demand]:
    """Fields that must be there, or values of which one must be: no list at all asks for none."""
    if key == "enum" and not all(there):
        raise _Unsure
    if not all(isinstance(value, list) for value, told in zip((was, now), there, strict=True) if told):
        raise _Unsure
    old, new = ({_told(one): None for one in value or ()} for value in (was, now))
    more, less = ([one for one in new if one not in old], [one for one in old if one not in new])
    field = ".".join((*at, key))
    for one in more:
        yield Demand(field=field, before=None, after=one, effect="lowers" if key == "enum" else "raises")
    for one in less:
        yield Demand(field=field, before=one, after=None, effect="raises" if key == "enum" else "lowers")


def _told(value: Any) -> str:
    """A value as JSON, but for a text that is taken for nothing else."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value if isinstance(value, str) and value.isidentifier() and value not in _WORDS else text
