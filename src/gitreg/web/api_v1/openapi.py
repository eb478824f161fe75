"""The OpenAPI 3.1 document of the API, made of the table of operations and of the schemas."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from gitreg import __version__
from gitreg.web.api_v1.operation import PREFIX, Operation, Parameter
from gitreg.web.api_v1.problem import CONTENT_TYPE
from gitreg.web.api_v1.schemas import components
from gitreg.web.api_v1.shapes import ref
from gitreg.web.api_v1.table import GROUPS, OPERATIONS
from gitreg.web.identity import Role

Schema = dict[str, Any]

_PROBLEMS = {
    400: ("BadRequest", "A parameter or the body is not as it is described here."),
    401: ("Unauthenticated", "Nobody has said who they are: send a bearer token."),
    403: ("Forbidden", "The caller may not, or the rules of the registry refuse it."),
    404: ("NotFound", "There is no such model, version, stage, alias or revision."),
    408: ("TooSlow", "The body did not come in time."),
    409: ("Conflict", "The state of the registry stands in the way."),
    412: ("HeadMoved", "The registry is not at the commit of If-Match any more."),
    413: ("TooLong", "The body has too many bytes."),
    415: ("WrongType", "The body is of another media type than JSON."),
    500: ("Failure", "The registry contradicts itself, the outcome is unknown, or gitreg met a bug."),
    503: ("Unavailable", "Git, the disk or another server failed; the request can be sent again."),
}
_ALWAYS = (400, 401, 403, 408, 413, 500, 503)
_CONDITIONS: dict[str, Schema] = {
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of an answer that is at hand: 304 where it still stands.",
        "schema": {"type": "string"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "Only where the registry is still at the commit of this ETag: 412 where it moved on.",
        "schema": {"type": "string"},
    },
}
_ETAG: Schema = {
    "description": "Stands for the commit that was read or made.",
    "schema": {"type": "string"},
}


@cache
def text() -> bytes:
    """The document as bytes: the same ones each time."""
    return json.dumps(document(), indent=1, ensure_ascii=False).encode()


@cache
def tag() -> str:
    """Its entity tag."""
    return f'"{hashlib.sha256(text()).hexdigest()[:32]}"'


def document() -> Schema:
    """The document as data."""
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths["/events"] = {"get": _events()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gitreg",
            "version": __version__,
            "summary": "A model registry whose database is a Git repository.",
            "description": (
                "Every write is one commit; every read can be asked of the past with at. "
                "Errors are problem details (RFC 9457)."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "tags": [{"name": name} for name in (*GROUPS, "Events")],
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": dict(components()),
            "parameters": _CONDITIONS,
            "responses": {name: _problem(why, status) for status, (name, why) in _PROBLEMS.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "From gitreg token create."}
            },
        },
    }


def _problem(why: str, status: int) -> Schema:
    made: Schema = {"description": why, "content": {CONTENT_TYPE: {"schema": ref("Problem")}}}
    if status == 401:
        made["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return made


def _operation(operation: Operation) -> Schema:
    made: Schema = {"operationId": operation.id, "tags": [operation.group], "summary": operation.summary}
    needs = f"Needs the role {operation.role.word}." if operation.role > Role.READER else ""
    said = " ".join(filter(None, (operation.description, needs)))
    if said:
        made["description"] = said
    parameters = [_parameter(each) for each in operation.parameters]
    if operation.write is not None:
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
    elif operation.steady:
        parameters.append({"$ref": "#/components/parameters/IfNoneMatch"})
    if parameters:
        made["parameters"] = parameters
    if operation.body is not None:
        made["requestBody"] = {
            "required": operation.body_needed,
            "content": {"application/json": {"schema": operation.body}},
        }
    made["responses"] = _responses(operation)
    return made


def _parameter(parameter: Parameter) -> Schema:
    made: Schema = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    if parameter.where == "path" or parameter.needed:
        made["required"] = True
    if parameter.many:
        made |= {"style": "form", "explode": True}
    return made


def _responses(operation: Operation) -> Schema:
    statuses = {*_ALWAYS, *operation.failures}
    good = {operation.status, 200}
    found: dict[int, Schema] = {}
    for status in sorted(good):
        found[status] = _good(operation, status)
    if operation.read is not None and operation.steady:
        found[304] = {"description": "What is at hand still stands.", "headers": {"ETag": _ETAG}}
    if operation.write is not None:
        statuses.add(412)
    if operation.body is not None:
        statuses.add(415)
    if any(each.name == "at" for each in operation.parameters):
        statuses.add(404)
    for status in statuses:
        found[status] = {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
    return {str(status): found[status] for status in sorted(found)}


def _good(operation: Operation, status: int) -> Schema:
    says = {200: "Done, or found.", 201: "Made."}[status]
    made: Schema = {"description": says, "content": {"application/json": {"schema": operation.answer}}}
    headers: Schema = {}
    if operation.steady:
        headers["ETag"] = _ETAG
    if status == 201:
        headers["Location"] = {"description": "Where it is.", "schema": {"type": "string"}}
    if headers:
        made["headers"] = headers
    return made


def _events() -> Schema:
    from gitreg.web.api_v1.streaming import PARAMETERS

    return {
        "operationId": "streamEvents",
        "tags": ["Events"],
        "summary": "What happens, as it happens (server-sent events)",
        "description": (
            "Each event's data is a change as JSON with its commit; its id is the commit and the place of "
            "the change in it. With Last-Event-ID or since nothing is lost and nothing comes twice."
        ),
        "parameters": [
            *map(_parameter, PARAMETERS),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "The id of the last event that came.",
                "schema": {"type": "string"},
            },
        ],
        "responses": {
            "200": {
                "description": "A stream that does not end.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **{
                str(status): {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
                for status in (400, 401, 403, 404, 500, 503)
            },
        },
    }
