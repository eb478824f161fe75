"""A request's parameters and body, read and checked by what the table says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from math import isfinite
from typing import Any

from gitreg.domain.names import is_utf8, shown
from gitreg.domain.settings import did_you_mean
from gitreg.manifest.explain import field_text
from gitreg.manifest.schema import true_end
from gitreg.web.api_v1.operation import Operation, Parameter, Values
from gitreg.web.api_v1.problem import BadRequest
from gitreg.web.api_v1.schemas import components

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_FLAGS = {"true": True, "false": False}
_MOST_ERRORS = 10
_DEEPEST = 64


def read(
    operation: Operation, path: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes
) -> Values:
    """The parameters and the body's fields of a request.

    Args:
        operation: Says which there are.
        path: Those in the path, decoded.
        query: Names and values, decoded.
        body: What was sent.

    Raises:
        BadRequest: One of them is not as it is described.
    """
    values: dict[str, Any] = {}
    known = {parameter.name: parameter for parameter in operation.parameters}
    for name, text in path.items():
        values[name] = _one(known[name], text)
    given: dict[str, list[str]] = {}
    for name, text in query:
        given.setdefault(name, []).append(text)
    for name, texts in given.items():
        parameter = known.get(name)
        if parameter is None or parameter.where != "query":
            asked = sorted(each.name for each in operation.parameters if each.where == "query")
            raise BadRequest(
                f"there is no parameter {shown(name)} here",
                where=f"query.{name}" if name.isidentifier() else "query",
                hint=did_you_mean(name, asked) or f"parameters: {', '.join(asked) or 'none'}",
            )
        values[name] = _several(parameter, texts)
    for parameter in operation.parameters:
        if parameter.needed and parameter.name not in values:
            raise _bad(parameter, f"{parameter.name} is missing")
    if operation.body is not None:
        values |= _body(operation, body)
    elif body.strip():
        raise BadRequest("this takes no body", where="body", hint="leave it out")
    return values


def _several(parameter: Parameter, texts: list[str]) -> Any:
    if not parameter.many:
        if len(texts) > 1:
            raise BadRequest(
                f"{parameter.name} is given {len(texts)} times",
                where=f"query.{parameter.name}",
                hint="give it once",
            )
        return _one(parameter, texts[0])
    return _checked(parameter, [_text(parameter, text) for text in texts])


def _one(parameter: Parameter, text: str) -> Any:
    kind = parameter.schema.get("type")
    if kind == "integer":
        if not _INTEGER.fullmatch(text):
            raise _bad(parameter, f"{shown(text)} is no whole number")
        return _checked(parameter, int(text))
    if kind == "boolean":
        if text not in _FLAGS:
            raise _bad(parameter, f"{shown(text)} is neither true nor false")
        return _FLAGS[text]
    return _checked(parameter, _text(parameter, text))


def _text(parameter: Parameter, text: str) -> str:
    if not is_utf8(text):
        raise _bad(parameter, "the text is not UTF-8")
    return text


def _checked(parameter: Parameter, value: Any) -> Any:
    """``value`` where the parameter's schema takes it."""
    schema = parameter.schema
    if isinstance(value, int):
        least, most = schema.get("minimum"), schema.get("maximum")
        if (least is not None and value < least) or (most is not None and value > most):
            raise _bad(parameter, f"{value} is not from {least} to {most}")
    elif isinstance(value, list):
        most = schema.get("maxItems")
        if most is not None and len(value) > most:
            raise _bad(parameter, f"it is given {len(value)} times, at most {most}")
        for one in value:
            _check_text(parameter, schema["items"], one)
    else:
        _check_text(parameter, schema, value)
    return value


def _check_text(parameter: Parameter, schema: Mapping[str, Any], text: str) -> None:
    if not text and schema.get("minLength"):
        raise _bad(parameter, "it is empty")
    if "enum" in schema and text not in schema["enum"]:
        raise _bad(parameter, f"{shown(text)} is none of {', '.join(schema['enum'])}")


def _bad(parameter: Parameter, message: str) -> BadRequest:
    return BadRequest(message, where=f"{parameter.where}.{parameter.name}", hint=parameter.description)


# Bodies


def _body(operation: Operation, body: bytes) -> dict[str, Any]:
    if not body.strip():
        if operation.body_needed:
            raise BadRequest("a body is needed", where="body", hint="send a JSON object")
        return {}
    found = _json(body)
    errors = list(_errors(operation.id, operation, found))
    if errors:
        first = errors[0]
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise BadRequest(f"{first['message']}{more}", where=first["where"], errors=errors)
    assert isinstance(found, dict)  # every body's schema says so
    return found


def _json(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        found = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unlike)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 (byte {error.start + 1})", where="body") from None
    except json.JSONDecodeError as error:
        where = f"body:{error.lineno}:{error.colno}"
        raise BadRequest(f"the body is no JSON: {error.msg}", where=where) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadRequest):
            raise
        raise BadRequest("the body holds a number or a depth that can't be read", where="body") from None
    _refuse_odd(found, (), 0)
    return found


def _refuse_constant(text: str) -> Any:
    raise BadRequest(f"{text} is no JSON", where="body", hint=f'write it as a text: "{text}"')


def _unlike(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadRequest(f"the field {shown(twice)} is there twice", where="body")
    return found


def _refuse_odd(value: Any, path: tuple[str | int, ...], depth: int) -> None:
    """Refuse what no file can hold: half characters, numbers without end, a depth without end."""
    if depth > _DEEPEST:
        raise BadRequest(f"the body is more than {_DEEPEST} levels deep", where="body")
    if isinstance(value, str):
        if not is_utf8(value):
            raise BadRequest("the text is not UTF-8", where=_where(path))
    elif isinstance(value, float):
        if not isfinite(value):
            raise BadRequest("the number is too large", where=_where(path))
    elif isinstance(value, dict):
        for key, below in value.items():
            _refuse_odd(key, path, depth)
            _refuse_odd(below, (*path, key), depth + 1)
    elif isinstance(value, list):
        for at, below in enumerate(value):
            _refuse_odd(below, (*path, at), depth + 1)


def _where(path: Iterable[str | int]) -> str:
    text = field_text(tuple(path))
    return f"body.{text}" if text else "body"


def _errors(key: str, operation: Operation, found: Any) -> Iterator[dict[str, str]]:
    validator = _validator(key, json.dumps(operation.body))
    for at, error in enumerate(validator.iter_errors(found)):
        if at >= _MOST_ERRORS:
            return
        message = error.message if len(error.message) <= 200 else f"{error.message[:200]}…"
        yield {"where": _where(error.absolute_path), "message": message}


@cache
def _validator(key: str, schema: str) -> Any:
    """A validator for one operation's bodies; ``$`` in its patterns is the true end of a text."""
    import jsonschema
    from referencing import Registry

    def pattern(validator: Any, patrn: str, instance: Any, schema: Any) -> Any:
        if validator.is_type(instance, "string") and not re.search(true_end(patrn), instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {patrn!r}")

    extend: Any = jsonschema.validators.extend  # has no annotations
    extended = extend(jsonschema.Draft202012Validator, {"pattern": pattern})
    registry: Registry[Any] = Registry()
    whole = {**json.loads(schema), "components": {"schemas": components()}}
    return extended(whole, registry=registry)
