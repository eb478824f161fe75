"""What changes a version: register, update, evaluate, its stages, deprecate, delete, restore."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gitreg.artifacts.origin import as_given
from gitreg.artifacts.uris import has_scheme
from gitreg.domain import requests as ask
from gitreg.domain.model import READY, Dataset, Evaluation
from gitreg.domain.names import shown
from gitreg.domain.references import Selector, version_selector
from gitreg.errors import InvalidInput
from gitreg.manifest import decode
from gitreg.registry.clock import utc_now
from gitreg.web.api_v1.acting import carried_out, named, version_of
from gitreg.web.api_v1.operation import Act, Found, Operation, Parameter, Schema, Values
from gitreg.web.api_v1.parameters import (
    FLAG,
    MESSAGE,
    NAME,
    NUMBER,
    REASON,
    SOME_TEXT,
    TEXT,
    TEXTS,
    VERSION,
)
from gitreg.web.api_v1.schemas import fields
from gitreg.web.api_v1.shapes import record, ref
from gitreg.web.api_v1.writes_models import TAG_CHANGES, WHY, tag_request
from gitreg.web.identity import Role

_ORIGIN = (
    "source",
    "run_id",
    "run_link",
    "experiment",
    "model_id",
    "code",
    "datasets",
    "parents",
    "artifact",
    "params",
    "metrics",
)


def _register(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    given = as_given(asked["source"])
    _refuse_local(asked["source"])
    origin = decode.origin({key: asked[key] for key in _ORIGIN if key in asked})
    parents = tuple(act.registry.parent_uri(uri) for uri in origin.parents)
    request = ask.Register(
        name=name,
        origin=replace(origin, parents=parents),
        version=int(asked["version"]) if "version" in asked else None,
        description=asked.get("description", ""),
        tags=asked.get("tags", {}),
        aliases=tuple(asked.get("aliases", ())),
        status=asked.get("status", READY),
        status_message=asked.get("status_message", ""),
    )
    return carried_out(act, asked, request, name=name, made=True, warnings=given.warnings)


def _refuse_local(source: str) -> None:
    """Refuse what means a file of one machine: whoever reads the registry has another one."""
    if not has_scheme(source) or source.lower().startswith("file:"):
        raise InvalidInput(
            f"the source {shown(source)} is a path of one machine",
            where="body.source",
            hint="put the model where others reach it, and register its URI: s3://…, runs:/RUN_ID/PATH",
        )


def _update(act: Act, asked: Values) -> Found:
    version = version_of(act, asked)
    name, number = version.name, version.version
    told = {key: asked[key] for key in ("description", "status", "status_message") if key in asked}
    requests: list[ask.Request] = []
    if told:
        requests.append(ask.UpdateVersion(name=name, selector=version_selector(number), **told))
    requests += tag_request(asked, name, number)
    return carried_out(act, asked, *requests, name=name, number=number)


def _evaluate(act: Act, asked: Values) -> Found:
    dataset = asked.get("dataset")
    results = Evaluation(
        name=asked["evaluation"],
        at=utc_now(),
        run_id=asked.get("run_id"),
        dataset=None if dataset is None else Dataset(**dataset),
        metrics=decode.metrics(asked["metrics"]),
    )
    return _changed(act, asked, lambda n, s: ask.Evaluate(name=n, selector=s, evaluation=results))


def _changed(act: Act, asked: Values, request: Callable[[str, Selector], ask.Request]) -> Found:
    version = version_of(act, asked)
    wanted = request(version.name, version_selector(version.version))
    return carried_out(act, asked, wanted, name=version.name, number=version.version)


def _transition(act: Act, asked: Values) -> Found:
    archive = asked.get("archive_existing", False)
    stage = asked["stage"]
    return _changed(
        act,
        asked,
        lambda n, s: ask.Transition(name=n, selector=s, stage=stage, archive_existing=archive),
    )


def _assign(act: Act, asked: Values) -> Found:
    return _changed(act, asked, lambda n, s: ask.Assign(name=n, selector=s, stage=asked["stage"]))


def _unassign(act: Act, asked: Values) -> Found:
    return _changed(act, asked, lambda n, s: ask.Unassign(name=n, selector=s, stage=asked["stage"]))


def _deprecate(act: Act, asked: Values) -> Found:
    reason = asked.get("reason", "")
    return _changed(act, asked, lambda n, s: ask.Deprecate(name=n, selector=s, reason=reason))


def _undeprecate(act: Act, asked: Values) -> Found:
    return _changed(act, asked, lambda n, s: ask.Undeprecate(name=n, selector=s))


def _delete(act: Act, asked: Values) -> Found:
    reason = asked.get("reason", "")
    return _changed(act, asked, lambda n, s: ask.DeleteVersion(name=n, selector=s, reason=reason))


def _restore(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    number = asked["number"]
    request = act.registry.restoration(f"models:/{name}/{number}")
    return carried_out(act, asked, request, name=name, number=number)


_STAGE = {"stage": {**SOME_TEXT, "description": "A stage of the registry."}}
_NUMBER_IN_PATH = Parameter(name="number", where="path", schema=NUMBER, description="The version's number.")


def _operation(
    id: str,
    method: str,
    below: str,
    summary: str,
    write: Callable[[Act, Values], Found],
    body: Schema | None,
    *,
    description: str = "",
    body_needed: bool = True,
    parameters: tuple[Parameter, ...] = (NAME, VERSION),
    at: str = "/models/{name}/versions/{version}",
    status: int = 200,
) -> Operation:
    return Operation(
        id=id,
        method=method,
        path=at + below,
        group="Versions",
        summary=summary,
        description=description,
        parameters=parameters,
        body=body,
        body_needed=body_needed,
        answer=ref("Written"),
        status=status,
        failures=(404, 409),
        write=write,
        role=Role.WRITER,
        models=named,
    )


OPERATIONS = (
    _operation(
        "registerVersion",
        "POST",
        "",
        "Register a version, and the model where it is new",
        _register,
        record(
            {
                **fields("Manifest", *_ORIGIN, "description", "tags", "status", "status_message"),
                "version": {**NUMBER, "description": "Insist on this number: it must be the next one."},
                "aliases": {**TEXTS, "description": "Aliases that shall point to it."},
                **WHY,
            },
            optional=(
                *_ORIGIN[1:],
                *("description", "tags", "status", "status_message", "version", "aliases", "message"),
            ),
        ),
        description="The source is taken as it is given: the server opens no file and no connection for it.",
        parameters=(NAME,),
        at="/models/{name}/versions",
        status=201,
    ),
    _operation(
        "updateVersion",
        "PATCH",
        "",
        "Change a version's description, status or tags",
        _update,
        record(
            {**fields("Manifest", "description", "status", "status_message"), "tags": TAG_CHANGES, **WHY},
            optional=("description", "status", "status_message", "tags", "message"),
        ),
    ),
    _operation(
        "evaluateVersion",
        "POST",
        "/evaluations",
        "Add results to a version",
        _evaluate,
        record(
            {
                "evaluation": {**SOME_TEXT, "description": "What the results are called."},
                **fields("Manifest", "metrics", "run_id"),
                "dataset": ref("Manifest.dataset"),
                **WHY,
            },
            optional=("run_id", "dataset", "message"),
        ),
    ),
    _operation(
        "transitionVersion",
        "POST",
        "/transition",
        "Make a version hold one stage alone; None takes all its stages",
        _transition,
        record(
            {
                **_STAGE,
                "archive_existing": {
                    **FLAG,
                    "description": "Take the stage from the versions that hold it, and archive those.",
                },
                **WHY,
            },
            optional=("archive_existing", "message"),
        ),
        description="403 where the rules ask for approvals first: then propose it (POST /proposals).",
    ),
    _operation(
        "assignStage",
        "POST",
        "/assign",
        "Add a stage to those that a version holds",
        _assign,
        record({**_STAGE, **WHY}, optional=("message",)),
    ),
    _operation(
        "unassignStage",
        "POST",
        "/unassign",
        "Take a stage from a version",
        _unassign,
        record({**_STAGE, **WHY}, optional=("message",)),
    ),
    _operation(
        "deprecateVersion",
        "POST",
        "/deprecate",
        "Mark a version as not to be used any more",
        _deprecate,
        record({"reason": TEXT, **WHY}, optional=("reason", "message")),
        body_needed=False,
    ),
    _operation(
        "undeprecateVersion",
        "POST",
        "/undeprecate",
        "Take that mark off",
        _undeprecate,
        record(WHY, optional=("message",)),
        body_needed=False,
    ),
    _operation(
        "deleteVersion",
        "DELETE",
        "",
        "Delete a version; restoring brings it back",
        _delete,
        None,
        parameters=(NAME, VERSION, REASON, MESSAGE),
    ),
    _operation(
        "restoreVersion",
        "POST",
        "/restore",
        "Bring a deleted version back, without its stages",
        _restore,
        record(WHY, optional=("message",)),
        body_needed=False,
        parameters=(NAME, _NUMBER_IN_PATH),
        at="/models/{name}/versions/{number}",
    ),
)
