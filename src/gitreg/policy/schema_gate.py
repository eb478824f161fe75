"""Gates: JSON Schemas over manifests, whoever wrote them. What can't be read or applied passes nobody.

References lead nowhere but inside the gate: nothing is fetched and no file is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema
import referencing
from jsonschema import exceptions

from gitreg.domain.model import ModelVersion
from gitreg.domain.names import shown
from gitreg.manifest.encode import encode_version
from gitreg.policy.patterns import MOST_STEPS, BadPattern, compiled, steps
from gitreg.policy.schema_keywords import (
    DRAFT,
    ORDER,
    VALIDATOR,
    NotFinite,
    NotFiniteCompared,
    TooSlow,
    time_limit,
)
from gitreg.policy.schema_parts import astray, doubts
from gitreg.policy.wording import figures

_MOST_BYTES = 1024 * 1024
_MOST_PARTS = 10_000  # checking a schema takes a second then
_DEEPEST = 64  # as for manifests
_SECONDS = 0.25  # of the processor, for one manifest: five thousand times what a common gate takes
_NO_FORMATS = jsonschema.FormatChecker(formats=())  # it would take expressions to be Python's
_URI = "https://json-schema.org/draft/2020-12/schema"
_ASKED = dict(zip(ORDER, ("at least", "at most", "more than", "less than", "a multiple of"), strict=True))


class BrokenGate(Exception):
    """The gate can't be read, or can't be applied; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that the gate asks for and the manifest lacks: in words, and at which field."""

    message: str
    field: tuple[str | int, ...]


def faults(gate: bytes | None, version: ModelVersion) -> list[Fault]:
    """What a manifest lacks of what a gate asks for.

    Args:
        gate: The schema's bytes; None where the file is not there.
        version: The version as its manifest tells it.

    Raises:
        BrokenGate: The gate can't be read or applied.
    """
    if gate is None:
        raise BrokenGate("the file is not there")
    found = _applied(_checker(gate), _document(version))
    return sorted(found, key=lambda each: list(map(str, each.field)))


def _applied(checker: Any, document: dict[str, Any]) -> list[Fault]:
    try:
        with time_limit(_SECONDS):
            return list(_judge(checker, document))
    except TooSlow:
        raise BrokenGate(f"it takes more than {_SECONDS:g} s") from None
    except RecursionError:
        raise BrokenGate("it refers to itself without an end") from None
    except Exception as error:  # noqa: BLE001 (a schema can ask for anything: what fails passes nobody)
        raise BrokenGate(f"it can't be applied ({type(error).__name__})") from None


def check_gate(gate: bytes) -> tuple[str, ...]:
    """Look at a gate before any manifest meets it.

    Args:
        gate: The schema's bytes.

    Returns:
        What is likely a slip: words and fields that ask nothing of any manifest.

    Raises:
        BrokenGate: It passes nobody.
    """
    checker = _checker(gate)
    _applied(checker, {})  # a reference that goes round in circles shows now
    return tuple(doubts(checker.schema))


def _checker(gate: bytes) -> Any:
    found = _read(gate)
    if isinstance(found, str):
        raise BrokenGate(found)
    return found


def _judge(checker: Any, document: dict[str, Any]) -> Iterator[Fault]:
    try:
        for error in checker.iter_errors(document):
            yield Fault(message=_told(error), field=tuple(error.absolute_path))
    except NotFiniteCompared as odd:
        name = "NaN" if math.isnan(odd.value) else "Infinity" if odd.value > 0 else "-Infinity"
        asked = f"{_ASKED.get(odd.keyword, 'a certain value:')} {_short(odd.wanted)}"
        field = odd.value.field
        yield Fault(message=f"{_dotted(field)} is {name}, the gate asks for {asked}", field=field)


@lru_cache(maxsize=32)
def _read(gate: bytes) -> Any:
    """A validator; a text that says why there is none."""
    if len(gate) > _MOST_BYTES:
        return f"it has more than {_MOST_BYTES} bytes"
    try:
        schema = json.loads(
            gate.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {str(error)[:100]}"
    try:
        _check_parts(schema)
        if isinstance(schema, dict):
            schema = _without_dialect(schema)
        DRAFT.check_schema(schema, format_checker=_NO_FORMATS)
        lost = astray(schema)
        if lost:
            return f"it refers to {shown(lost)}, which is no schema inside of it"
        return VALIDATOR(schema, registry=referencing.Registry())
    except BrokenGate as error:
        return str(error)
    except BadPattern as error:
        return str(error)
    except exceptions.SchemaError as error:
        place = ".".join(map(str, error.absolute_path)) or "the top"
        return f"it is no JSON Schema: {shown(place)[1:-1]}: {shown(error.message)[1:-1]}"
    except Exception as error:  # noqa: BLE001 (as above)
        return f"it is no JSON Schema ({type(error).__name__})"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shown(key)} stands twice")
        found[key] = value
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON's")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    told = schema.get("$schema", _URI)
    if not isinstance(told, str) or told.rstrip("#") != _URI:
        raise BrokenGate(f"its $schema is {shown(str(told))}; gates are of draft 2020-12")
    return {key: value for key, value in schema.items() if key != "$schema"}


def _check_parts(schema: Any) -> None:
    """Refuse what would take too long to check, and what leads out of the validator that is safe."""
    level, depth, parts, size = [schema], 0, 0, 0
    keys: set[str] = set()
    while level:
        depth, parts = depth + 1, parts + len(level)
        if depth > _DEEPEST or parts > _MOST_PARTS:
            raise BrokenGate(f"it is nested deeper than {_DEEPEST}, or has more than {_MOST_PARTS} parts")
        objects = [each for each in level if isinstance(each, dict)]
        for each in objects:
            if "$schema" in each and each is not schema:
                raise BrokenGate("$schema stands below the top")
            keys |= each.keys()
            for pattern in _patterns(each):
                compiled(pattern)
                size += steps(pattern)
                if size > MOST_STEPS:
                    raise BrokenGate("its patterns repeat too much")
        lists = [each for each in level if isinstance(each, list)]
        level = [inner for each in objects for inner in each.values()]
        level += [inner for each in lists for inner in each]
    if {"unevaluatedProperties", "patternProperties"} <= keys:
        raise BrokenGate("unevaluatedProperties beside patternProperties is not supported")


def _patterns(part: dict[str, Any]) -> Iterator[str]:
    if isinstance(part.get("pattern"), str):
        yield part["pattern"]
    if isinstance(part.get("patternProperties"), dict):
        yield from part["patternProperties"]


def _document(version: ModelVersion) -> dict[str, Any]:
    """The manifest as plain data; metrics that are no finite numbers as ``NotFinite``."""
    data = encode_version(version)
    _mark(data, dict(version.metrics), ())
    for at, one in enumerate(version.evaluations):
        _mark(data["evaluations"][at], dict(one.metrics), ("evaluations", at))
    return data


def _mark(data: dict[str, Any], metrics: dict[str, float], at: tuple[str | int, ...]) -> None:
    for key, value in metrics.items():
        if not isinstance(value, int) and not math.isfinite(value):
            odd = data["metrics"][key] = NotFinite(value)
            odd.field = (*at, "metrics", key)


def _told(error: Any) -> str:
    """One error as a sentence that names the field."""
    field = tuple(error.absolute_path)
    name = _dotted(field) or "the manifest"
    keyword, wanted, value = str(error.validator), error.validator_value, error.instance
    if keyword in _ASKED and isinstance(value, int | float):
        mine, asked = figures(value, wanted)
        return f"{name} is {mine}, the gate asks for {_ASKED[keyword]} {asked}"
    if keyword == "required":
        return f"{_dotted((*field, error.message))} is missing"
    if keyword == "unevaluatedProperties":
        return f"a field of {name} is not allowed"
    if error.validator is None:  # the schema is false
        return f"{name} is not allowed"
    if keyword in ("anyOf", "oneOf") and error.context:
        return " or ".join(_first_of_each(error))
    if keyword == "not":
        return f"{name} is what the gate excludes"
    return f"{name} is {_short(value)}, the gate asks for {_WORDS.get(keyword, keyword)} {_short(wanted)}"


_WORDS = {
    "const": "exactly",
    "enum": "one of",
    "type": "the type",
    "pattern": "the pattern",
}


def _first_of_each(error: Any) -> list[str]:
    """What the first fault in each alternative is."""
    firsts: dict[Any, str] = {}
    for each in error.context:
        firsts.setdefault(each.relative_schema_path[0], _told(each))
    return list(dict.fromkeys(firsts.values()))[:3]


def _dotted(field: tuple[str | int, ...]) -> str:
    return shown(".".join(map(str, field)))[1:-1]


def _short(value: Any) -> str:
    """A value of JSON's in few characters."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return figures(value)[0]
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        return f"a list of {len(value)}"
    if isinstance(value, list):
        return ", ".join(map(_short, value[:8])) + (" …" if len(value) > 8 else "")
    return shown(value) if isinstance(value, str) else json.dumps(value)
