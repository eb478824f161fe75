"""Rules for requests about one model version."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from gitreg.domain import names, references, requests
from gitreg.domain.decide.context import Context, check_tags, check_text
from gitreg.domain.edits import Edit, ModelEdit
from gitreg.domain.model import (
    STATUSES,
    AnyModel,
    Evaluation,
    Mark,
    ModelState,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.errors import AlreadyExists, Conflict, InvalidInput

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def register(request: requests.Register, context: Context) -> Edit:
    """The next version, and the model where it is new.

    A registration into a model that exists touches no file but its own, so that two of them merge.
    """
    state = context.lookup(names.check_model_name(request.name))
    model: AnyModel | None = state.model
    created = not isinstance(model, RegisteredModel)
    if not isinstance(model, RegisteredModel):
        context.free(request.name)
        model = RegisteredModel(
            name=request.name, created=context.now, updated=context.now, last_version=state.last_version
        )
    number = _free_number(request, state, context)
    version = ModelVersion(
        name=request.name,
        version=number,
        created=context.now,
        updated=request.updated or context.now,
        origin=check_origin(request.origin),
        status=check_status(request.status),
        status_message=check_text(request.status_message, "status_message"),
        description=check_text(request.description, "description"),
        tags=check_tags(request.tags),
    )
    if request.aliases:
        named = {names.check_alias(alias): number for alias in request.aliases}
        model = replace(model, aliases={**model.aliases, **named})
    touched = model if created or request.aliases else None
    return {request.name: ModelEdit(before=state, model=touched, versions={number: version})}


def _free_number(request: requests.Register, state: ModelState, context: Context) -> int:
    following = state.last_version + 1
    while context.used(request.name, following):
        following += 1
    if request.version is None or request.version == following:
        return following
    if request.gaps and request.version > following and not context.used(request.name, request.version):
        return _checked_number(request.version)
    if request.version in state.versions:
        raise AlreadyExists(
            f"{request.name}/{request.version} exists", hint=f"the next free number is {following}"
        )
    raise Conflict(
        f"{request.version} is not the next version of {request.name}",
        hint=f"the next free number is {following}",
    )


def _checked_number(number: int) -> int:
    if number > names.MAX_VERSION:
        raise InvalidInput(f"{number} is no version number", where="version", hint="at most 9 digits")
    return number


def check_origin(origin: Origin) -> Origin:
    """Return ``origin`` when a manifest can hold it."""
    if not origin.source.strip():
        raise InvalidInput("the source is blank", where="source", hint="gitreg register NAME SOURCE")
    if _CONTROL.search(origin.source):
        raise InvalidInput("the source holds a control character", where="source")
    check_text(origin.source, "source")
    metrics = check_metrics(origin.metrics, "metrics")
    for key, value in origin.params.items():
        _check_key(key, "params")
        check_text(value, f"params.{key}")
    for parent in origin.parents:
        _check_key(parent, "parents")
    return replace(origin, metrics=metrics)


def check_metrics(metrics: Mapping[str, float], where: str) -> Mapping[str, float]:
    """Return ``metrics`` with names that a manifest can hold, and with one NaN for all.

    NaN is unlike itself; the one object ``math.nan`` lets values that hold it be compared.
    """
    checked = {}
    for key, value in metrics.items():
        _check_key(key, where)
        try:
            number = float(value)
        except (OverflowError, TypeError, ValueError):
            raise InvalidInput("not a number that a float can hold", where=f"{where}.{key}") from None
        checked[key] = math.nan if math.isnan(number) else number
    return checked


def _check_key(key: str, where: str) -> None:
    if not key.strip() or len(key) > 250 or _CONTROL.search(key):
        raise InvalidInput(
            f"{names.shown(key)} is no name for one of the {where}",
            where=where,
            hint="1 to 250 characters, none of them a control character",
        )
    check_text(key, where)


def check_status(status: str) -> str:
    """Return ``status`` when it is one of MLflow's."""
    if status not in STATUSES:
        raise InvalidInput(
            f"{names.shown(status)} is no status", where="status", hint=f"one of {', '.join(STATUSES)}"
        )
    return status


def evaluate(request: requests.Evaluate, context: Context) -> Edit:
    """Append an evaluation; results are never changed, only added to."""
    state, version = context.version(request.name, request.selector)
    given: Evaluation = request.evaluation
    if not given.name.strip():
        raise InvalidInput("the evaluation has no name", where="evaluations.name")
    check_text(given.name, "evaluations.name")
    added = replace(given, metrics=check_metrics(given.metrics, "evaluations.metrics"))
    following = replace(version, evaluations=(*version.evaluations, added), updated=context.now)
    return _edit(state, following)


def update(request: requests.UpdateVersion, context: Context) -> Edit:
    """Set description and status."""
    state, version = context.version(request.name, request.selector)
    following = version
    if request.description is not None:
        following = replace(following, description=check_text(request.description, "description"))
    if request.status is not None:
        following = replace(following, status=check_status(request.status))
    if request.status_message is not None:
        message = check_text(request.status_message, "status_message")
        following = replace(following, status_message=message)
    if following == version:
        return {}
    return _edit(state, replace(following, updated=context.now))


def deprecate(request: requests.Deprecate, context: Context) -> Edit:
    """Mark a version; a second mark with another reason replaces the reason alone."""
    state, version = context.version(request.name, request.selector)
    reason = check_text(request.reason, "reason")
    if version.deprecated and version.deprecated.reason == reason:
        return {}
    mark = Mark(at=version.deprecated.at if version.deprecated else context.now, reason=reason)
    return _edit(state, replace(version, deprecated=mark, updated=context.now))


def undeprecate(request: requests.Undeprecate, context: Context) -> Edit:
    """Take the mark off."""
    state, version = context.version(request.name, request.selector)
    if version.deprecated is None:
        return {}
    return _edit(state, replace(version, deprecated=None, updated=context.now))


def delete(request: requests.DeleteVersion, context: Context) -> Edit:
    """Leave a tombstone, and take away the aliases that point to the version."""
    state, version = context.version(request.name, request.selector)
    model = references.living(state)
    aliases = {alias: to for alias, to in model.aliases.items() if to != version.version}
    stone = VersionTombstone(
        name=version.name,
        version=version.version,
        deleted=Mark(at=context.now, reason=check_text(request.reason, "reason")),
    )
    return {
        request.name: ModelEdit(
            before=state,
            model=replace(model, aliases=aliases) if aliases != model.aliases else None,
            versions={version.version: stone},
        )
    }


def restore(request: requests.RestoreVersion, context: Context) -> Edit:
    """Bring a deleted version back, without the stages and aliases that others may hold by now."""
    state, _ = context.living(request.name)
    if isinstance(state.versions.get(request.version), ModelVersion):
        raise Conflict(f"{request.name}/{request.version} is not deleted")
    past = references.select(request.past, references.version_selector(request.version), context.settings)
    version = replace(past, stages={}, name=request.name, updated=context.now)
    edit = ModelEdit(
        before=state, versions={version.version: version}, text_from={past.version: request.commit}
    )
    return {state.name: edit}


def _edit(state: ModelState, version: ModelVersion) -> Edit:
    return {state.name: ModelEdit(before=state, versions={version.version: version})}
