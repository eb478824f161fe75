"""Shapes of JSON data, of which the API's schemas are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to one of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Mapping[str, Any]) -> Schema:
    """What ``schema`` takes, or null."""
    if isinstance(kind := schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(
    properties: Mapping[str, Any], *, optional: tuple[str, ...] = (), open_: bool = False, about: str = ""
) -> Schema:
    """An object that has these fields, and no others.

    Args:
        properties: Field → schema.
        optional: The fields that may be left out.
        open_: Whether it may have others.
        about: One sentence.
    """
    made: Schema = {"type": "object", "description": about} if about else {"type": "object"}
    needed = [name for name in properties if name not in optional]
    made["properties"] = dict(properties)
    if needed:
        made["required"] = needed
    return made if open_ else made | {"additionalProperties": False}


def many(schema: Mapping[str, Any]) -> Schema:
    """A list of those."""
    return {"type": "array", "items": dict(schema)}


def keyed(schema: Mapping[str, Any]) -> Schema:
    """A map from texts to those."""
    return {"type": "object", "additionalProperties": dict(schema)}


TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
COMMIT: Schema = {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}
ANY: Schema = {}
