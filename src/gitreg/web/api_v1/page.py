"""``/api``: the operations of the API as a page, each with its parameters and a command to try."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from gitreg.web.api_v1 import streaming
from gitreg.web.api_v1.operation import PREFIX, Operation
from gitreg.web.api_v1.table import GROUPS, OPERATIONS
from gitreg.web.pages.look import Page

if TYPE_CHECKING:
    from gitreg.web.pages.look import Look

SAMPLES: Mapping[str, Any] = {
    "name": "churn",
    "version": "12",
    "number": "12",
    "alias": "champion",
    "stage": "Production",
    "proposal": "gitreg%2Fpromote%2Fchurn%2F12%2FProduction",
    "key": "description",
    "uri": "models:/churn@champion",
}
"""A value for each parameter that must be given, as it stands in an address."""
BODIES: Mapping[str, Any] = {
    "createModel": {"name": "churn", "owners": ["ada@example.com"]},
    "updateModel": {"description": "Who is about to leave"},
    "renameModel": {"new_name": "attrition"},
    "setAlias": {"to": 12},
    "rollBack": {"stage": "Production"},
    "registerVersion": {"source": "s3://models/churn/13", "metrics": {"auc": 0.93}},
    "updateVersion": {"tags": {"reviewed": "yes"}},
    "evaluateVersion": {"evaluation": "drift-2026-01", "metrics": {"auc": 0.91}},
    "transitionVersion": {"stage": "Production", "archive_existing": True},
    "assignStage": {"stage": "Staging"},
    "unassignStage": {"stage": "Staging"},
    "deprecateVersion": {"reason": "trained on the wrong month"},
    "propose": {"version": "churn/12", "stage": "Production"},
    "approveProposal": {"head": "4c1f0b5d2a9e8f7061524334251607f8e9dac1b2", "message": "tried it"},
    "setSetting": {"value": "Models of the growth team"},
}
"""A body for each operation that needs one, or is better understood with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter or one field of a body, as the page shows it."""

    name: str
    where: str
    kind: str
    needed: bool
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    role: str
    fields: tuple[Field, ...]
    example: str


def api(look: Look) -> Page:
    """The page."""
    origin = look.origin or "http://127.0.0.1:8080"
    groups = [
        (group, [_shown(each, origin) for each in OPERATIONS if each.group == group]) for group in GROUPS
    ]
    groups.append(("Events", [_stream(origin)]))
    values = {"groups": groups, "prefix": PREFIX, "origin": origin}
    return Page(template="api.html", title="API", section="api", values=values)


def _shown(operation: Operation, origin: str) -> Shown:
    return Shown(
        id=operation.id,
        method=operation.method,
        path=PREFIX + operation.path,
        summary=operation.summary,
        description=operation.description,
        role=operation.role.word,
        fields=tuple(_fields(operation)),
        example=example(operation, origin),
    )


def _stream(origin: str) -> Shown:
    told = (
        Field(name=p.name, where="query", kind="texts", needed=False, description=p.description)
        for p in streaming.PARAMETERS
    )
    return Shown(
        id="streamEvents",
        method="GET",
        path=streaming.PATH,
        summary="What happens, as it happens (server-sent events)",
        description=f"Events: {', '.join(streaming.EVENTS)}.",
        role="reader",
        fields=tuple(told),
        example=f"curl -N {quote(f'{origin}{streaming.PATH}?model=churn')}",
    )


def _fields(operation: Operation) -> Iterator[Field]:
    for each in operation.parameters:
        yield Field(
            name=each.name,
            where=each.where,
            kind=kind_of(each.schema),
            needed=each.needed or each.where == "path",
            description=each.description,
        )
    body = operation.body or {}
    for name, schema in body.get("properties", {}).items():
        yield Field(
            name=name,
            where="body",
            kind=kind_of(schema),
            needed=name in body.get("required", ()),
            description=schema.get("description", ""),
        )


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema in one or two words: ``text``, ``number``, ``list of text``."""
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return "object"
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(kind_of, schema["anyOf"])))
    words = {"string": "text", "integer": "number", "boolean": "true or false", "object": "object"}
    return words.get(kind, kind or "any")


def example(operation: Operation, origin: str) -> str:
    """A command line that asks for an operation.

    Args:
        operation: Which.
        origin: Where the server is: ``http://127.0.0.1:8080``.
    """
    path = operation.path
    for each in operation.parameters:
        if each.where == "path":
            path = path.replace(f"{{{each.name}}}", str(SAMPLES[each.name]))
    needed = [each.name for each in operation.parameters if each.needed]
    query = "&".join(f"{name}={SAMPLES[name]}" for name in needed)
    if operation.id == "compare":
        query = "version=churn/11&version=churn/12"
    address = quote(f"{origin}{PREFIX}{path}" + (f"?{query}" if query else ""))
    parts = ["curl"]
    if operation.write is not None:
        if operation.method != "POST" or operation.id not in BODIES:
            parts.append(f"-X {operation.method}")
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if operation.id in BODIES:
        parts.append(f"--json {quote(json.dumps(BODIES[operation.id]))}")
    return " ".join([*parts, address])
