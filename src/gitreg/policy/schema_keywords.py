"""A validator of JSON Schema, draft 2020-12, for gates: it comes to an end, and takes no NaN for a number.

Every keyword looks at the clock, expressions have a time limit of their own, and a comparison with a value
that is not finite ends the whole judgement.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jsonschema
from jsonschema import exceptions, validators

from gitreg.policy.patterns import found

DRAFT = jsonschema.Draft202012Validator
ORDER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")

_Judge = Callable[[Any, Any, Any, Any], Iterator[Any]]
_end: ContextVar[float] = ContextVar("_end", default=-math.inf)


class TooSlow(Exception):
    """The time is over."""


class NotFiniteCompared(Exception):
    """A value that no comparison takes was compared."""

    def __init__(self, value: NotFinite, keyword: str, wanted: Any) -> None:
        super().__init__(keyword)
        self.value = value
        self.keyword = keyword
        self.wanted = wanted


class NotFinite(float):
    """NaN or an infinity, which manifests hold as a text; ``field`` says where it stands."""

    field: tuple[str | int, ...] = ()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Within it the validator works, for so much of the processor's time at most; then it raises TooSlow.

    Time on the wall would let a machine that is busy with other things refuse a good gate.
    """
    token = _end.set(time.thread_time() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def _left() -> float:
    left = _end.get() - time.thread_time()
    if left <= 0:
        raise TooSlow
    return left


def _search(pattern: str, text: str) -> bool:
    try:
        return found(pattern, text, seconds=_left())
    except TimeoutError:
        raise TooSlow from None


def _timed(own: Any) -> _Judge:
    def judged(checker: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        _left()
        yield from own(checker, wanted, instance, schema) or ()

    return judged


def _compared(keyword: str) -> _Judge:
    own = DRAFT.VALIDATORS[keyword]

    def judged(checker: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        # Raised, not yielded: "not" and "if" would turn a mere error into consent.
        if isinstance(instance, NotFinite) and (keyword in ORDER or _numbers(wanted)):
            raise NotFiniteCompared(instance, keyword, wanted)
        yield from own(checker, wanted, instance, schema) or ()

    return judged


def _numbers(wanted: Any) -> bool:
    several = wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]
    return any(isinstance(each, int | float) and not isinstance(each, bool) for each in several)


def _pattern(_: Any, wanted: str, instance: Any, __: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not _search(wanted, instance):
        yield exceptions.ValidationError(wanted)


def _properties(checker: Any, wanted: Any, instance: Any, _: Any) -> Iterator[Any]:
    for key, inner in wanted.items() if isinstance(instance, Mapping) else ():
        if key in instance:
            yield from _into(checker, instance, key, inner, at=key)


def _pattern_properties(checker: Any, wanted: Any, instance: Any, _: Any) -> Iterator[Any]:
    for each, inner in wanted.items() if isinstance(instance, Mapping) else ():
        for key in instance:
            if _search(each, key):
                yield from _into(checker, instance, key, inner, at=each)


def _additional_properties(checker: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key in instance if isinstance(instance, Mapping) else ():
        if key not in known and not any(_search(each, key) for each in patterns):
            yield from _into(checker, instance, key, wanted, at=None)


def _into(checker: Any, instance: Any, key: str, inner: Any, *, at: str | None) -> Iterator[Any]:
    if inner is False:  # jsonschema's own error would not say which field it is
        yield exceptions.ValidationError("", path=[key], validator=None)  # type: ignore[arg-type]
    else:
        yield from checker.descend(instance[key], inner, path=key, schema_path=at)


def _required(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[Any]:
    for name in wanted if isinstance(instance, Mapping) else ():
        if name not in instance:
            yield exceptions.ValidationError(name)


def _unique_items(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[Any]:
    # jsonschema's own compares each with each.
    if wanted and isinstance(instance, list) and len({_key(each) for each in instance}) < len(instance):
        yield exceptions.ValidationError("")


def _key(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset((name, _key(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(_key(each) for each in value)
    return (bool, value) if isinstance(value, bool) else value


VALIDATOR: Any = validators.extend(  # type: ignore[no-untyped-call]
    DRAFT,
    {
        name: _timed(own)
        for name, own in {
            **DRAFT.VALIDATORS,
            **{name: _compared(name) for name in (*ORDER, "const", "enum")},
            "pattern": _pattern,
            "properties": _properties,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
            "required": _required,
            "uniqueItems": _unique_items,
        }.items()
    },
)
"""``VALIDATOR(schema, registry=…)``; works within ``time_limit``."""
