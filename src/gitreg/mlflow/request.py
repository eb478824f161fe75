"""What an HTTP request asks of MLflow's registry API: JSON or a query, read as MLflow's server reads it.

Source of the fields, of their order and of what is required: MLflow's REST API, *Registered models* and
*Model versions*. Source of the sentences: the answers of its server. JSON is read by the rules of protobuf's
own mapping: names in snake or camel case, integers as numbers or texts, ``null`` as not given, unknown
names passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitreg.mlflow.checks import missing
from gitreg.mlflow.errors import MlflowError, invalid

Kind = Literal["text", "integer", "flag", "texts", "tags"]
Message = dict[str, Any]
"""The fields that were given, with their values: texts, numbers, lists of texts, pairs of key and value."""

JSON_TYPE = "application/json"
_SEE = " See the API docs for more information about request parameters."
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_INT64 = range(-(2**63), 2**63)


class _Unreadable(ValueError):
    """A value that can't be one of its field's kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter of an endpoint.

    Args:
        name: In snake case.
        kind: What it holds.
        required: Whether it must be there and not empty.
        most: The largest integer that is taken.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    most: int | None = None


class Fields(tuple[Field, ...]):
    """The parameters of an endpoint, in MLflow's order, under both their names."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.doubles = [(field.name, camel) for field in self if (camel := _camel(field.name)) != field.name]
        self.by_name = {field.name: field for field in self}
        self.by_name |= {camel: self.by_name[name] for name, camel in self.doubles}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def read(
    fields: Fields,
    method: str,
    query: Iterable[tuple[str, str]],
    body: bytes,
    content_type: str | None,
) -> Message:
    """The parameters of a request.

    Args:
        fields: Those of the endpoint.
        method: ``GET`` takes the query where there is one; all else is JSON in the body.
        query: Names and values, decoded.
        body: What was sent; what is not JSON counts as nothing.
        content_type: The header; a POST must say ``application/json``.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE.
    """
    pairs = list(query) if method == "GET" else []
    given = _of_query(fields, pairs) if pairs else _of_body(method, body, content_type)
    for name, camel in fields.doubles:
        if name in given and camel in given:
            raise invalid(f"Request specifies both '{name}' and '{camel}'; provide only one of them.")
    message, unread = _parsed(fields, given)
    for field in fields:
        if field.required or field.name in given:
            _check(field, given.get(field.name), read=unread is None)
    if unread is not None:
        # MLflow's server carries on here with what it read before the fault: half of a request.
        raise invalid(_invalid_value(unread, given[unread]))
    return message


def _of_query(fields: Fields, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {
        field.name: values[field.name] if field.kind in {"texts", "tags"} else values[field.name][0]
        for field in fields
        if field.name in values
    }


def _of_body(method: str, body: bytes, content_type: str | None) -> Mapping[str, Any]:
    if method == "POST":
        if content_type is None:
            raise invalid("Bad Request. Content-Type header is missing.")
        if content_type.split(";")[0] != JSON_TYPE:
            raise invalid(f"Bad Request. Content-Type must be one of {[JSON_TYPE]}.")
    found = _json(body)
    if isinstance(found, str):  # old clients send JSON within JSON
        found = _json(found)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise invalid(f"Bad Request. The body is not a JSON object but of type '{type(found).__name__}'.")
    return found


def _json(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parsed(fields: Fields, given: Mapping[str, Any]) -> tuple[Message, str | None]:
    """What can be read, and the name of the first value that can't."""
    message: Message = {}
    for name, value in given.items():
        field = fields.by_name.get(name)
        if field is None or value is None:
            continue
        try:
            message[field.name] = _value(field.kind, value)
        except _Unreadable:
            return message, name
    return message, None


def _value(kind: Kind, value: Any) -> Any:
    if kind == "text":
        return _text(value)
    if kind == "integer":
        return _integer(value)
    if kind == "flag":
        if not isinstance(value, bool):
            raise _Unreadable
        return value
    if not isinstance(value, list):
        raise _Unreadable
    return [_text(item) if kind == "texts" else _tag(item) for item in value]


def _text(value: Any) -> str:
    if not isinstance(value, str) or (not value.isascii() and _LONE_SURROGATE.search(value)):
        raise _Unreadable
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Unreadable
    if isinstance(value, str) and " " in value:
        raise _Unreadable
    try:
        found = int(value) if isinstance(value, int | str) else _whole(value)
    except ValueError:
        found = _whole(value)
    if found not in _INT64:
        raise _Unreadable
    return found


def _whole(value: float | str) -> int:
    """``3.0`` and ``"1e2"``, as protobuf takes them."""
    try:
        number = float(value)
    except ValueError:
        raise _Unreadable from None
    if not number.is_integer():
        raise _Unreadable
    return int(number)


def _tag(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict):
        raise _Unreadable
    key, value = item.get("key"), item.get("value")
    return "" if key is None else _text(key), "" if value is None else _text(value)


def _check(field: Field, value: Any, *, read: bool) -> None:
    """What MLflow's server asserts of a value, in its order.

    Args:
        field: The parameter.
        value: As given; None: it was not.
        read: Whether the request could be read; then the types are right.
    """
    if not read and not _of_kind(field.kind, value):
        raise _refused(_invalid_value(field.name, value))
    if field.required and (value is None or value == ""):
        raise _refused(missing(field.name))
    if field.most is not None and value is not None:
        try:
            fits = int(value) <= field.most
        except (TypeError, ValueError, OverflowError):
            fits = False
        if not fits:
            raise _refused(_invalid_value(field.name, value))


def _of_kind(kind: Kind, value: Any) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "integer":
        try:
            int(value)
        except (TypeError, ValueError, OverflowError):
            return False
        return True
    return isinstance(value, list) and (kind == "tags" or all(isinstance(item, str) for item in value))


def _invalid_value(name: str, value: Any) -> str:
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
    hint = f" Hint: Value was of type '{type(value).__name__}'."
    return f"Invalid value {shown} for parameter '{name}' supplied: {hint}"


def _refused(message: str) -> MlflowError:
    return invalid(message + _SEE)
