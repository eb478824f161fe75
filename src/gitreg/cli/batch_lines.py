"""JSON lines → requests to register; the keys are those of the manifests."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gitreg.artifacts.origin import merge
from gitreg.cli.origins import Look
from gitreg.domain.model import ModelVersion
from gitreg.domain.names import shown
from gitreg.domain.requests import Register
from gitreg.domain.settings import did_you_mean
from gitreg.errors import GitregError, InvalidInput
from gitreg.manifest import decode, emit, schema
from gitreg.manifest.fields import VERSION
from gitreg.manifest.yaml import parse
from gitreg.render.values import plain

MAX_LINE_BYTES = 1 << 20  # as for a manifest

_OF_LINE = ("name", "aliases")
_OF_MANIFEST = (
    "version", "source", "run_id", "run_link", "experiment", "model_id", "code", "datasets", "parents",
    "artifact", "params", "metrics", "description", "tags", "status", "status_message",
)  # fmt: skip
_KEYS = (*_OF_LINE, *_OF_MANIFEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: what it asks for, what the user should know, and where it stood (from 1)."""

    number: int
    request: Register
    warnings: tuple[str, ...] = ()


def read(lines: Iterable[bytes], look: Look) -> Iterator[Line]:
    """The requests of a stream of JSON lines; blank lines are skipped.

    Raises:
        InvalidInput: A line is no JSON object, has an unknown key or a value that breaks the schema;
            ``where`` names its number.
    """
    for number, data in enumerate(lines, start=1):
        if not data.strip():
            continue
        try:
            request, warnings = _request(_object(data), look)
        except GitregError as error:
            error.where = f"line {number}" + (f", {error.where}" if error.where else "")
            raise
        yield Line(number=number, request=request, warnings=warnings)


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_LINE_BYTES:
        raise InvalidInput(f"the line is {len(data):,} bytes long, over {MAX_LINE_BYTES:,}")
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the line is not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise InvalidInput(f"the line is no JSON: {error.msg} at column {error.colno}") from error
    except (RecursionError, ValueError) as error:  # nested too deep, or an integer of 5,000 digits
        raise InvalidInput(f"the line can't be read: {str(error).partition(';')[0]}") from error
    if not isinstance(found, dict):
        raise InvalidInput("the line is no JSON object", hint='{"name": "churn", "source": "s3://…"}')
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # the literals Infinity and NaN don't come this way
        raise InvalidInput(f"{text} is too large for a number")
    return value


def _no_duplicates(found: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(found)
    if len(result) != len(found):
        keys = [key for key, _ in found]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInput(f"the key {shown(twice)} comes twice")
    return result


def _request(data: dict[str, Any], look: Look) -> tuple[Register, tuple[str, ...]]:
    for key in data:
        if key not in _KEYS:
            raise InvalidInput(
                f"there is no key {shown(key)}", hint=did_you_mean(key, _KEYS) or f"keys: {', '.join(_KEYS)}"
            )
    name = data.get("name")
    if not isinstance(name, str):
        raise InvalidInput("a model's name is due", where="name")
    aliases = data.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise InvalidInput("a list of texts is due", where="aliases")
    given = _decoded({key: value for key, value in data.items() if key in _OF_MANIFEST})
    found = look(given.source, given.run_id)
    origin = given.origin
    merged = merge(
        found.origin,
        **{key: getattr(origin, key) for key in ("run_id", "run_link", "experiment", "model_id", "code")},
        **{key: getattr(origin, key) for key in ("datasets", "parents", "params", "metrics")},
    )
    request = Register(
        name=name,
        origin=replace(merged, artifact=origin.artifact or merged.artifact),
        version=given.version if "version" in data else None,
        description=given.description,
        tags=given.tags,
        aliases=tuple(aliases),
        status=given.status,
        status_message=given.status_message,
    )
    return request, found.warnings


def _decoded(fields: dict[str, Any]) -> ModelVersion:
    """The fields as a version manifest would hold them, by the manifests' own schema."""
    time = "2000-01-01T00:00:00.000Z"  # due in a manifest; the write puts the real one
    data = {"version": 1, "created": time, "updated": time, **fields}
    if isinstance(fields.get("params"), dict):
        data["params"] = {key: _text(value) for key, value in fields["params"].items()}
    if isinstance(fields.get("metrics"), dict):
        data["metrics"] = {key: _metric(value, key) for key, value in fields["metrics"].items()}
    if not schema.accepts(VERSION, data):
        faults = schema.validate(VERSION, parse(emit.document(data).encode(), "<line>"))
        raise InvalidInput(faults[0].message, hint=faults[0].help)
    found = decode.version(data, "")
    assert isinstance(found, ModelVersion)  # no key of a tombstone is let through
    return found


def _metric(value: Any, key: str) -> Any:
    if type(value) is int and abs(value) > sys.float_info.max:
        raise InvalidInput(f"the number of {len(str(value))} digits is too large", where=f"metrics.{key}")
    return plain(value)  # NaN and the infinities as the texts that manifests hold


def _text(value: Any) -> Any:
    # As MLflow does when a run logs them.
    return str(value) if isinstance(value, int | float) else value
