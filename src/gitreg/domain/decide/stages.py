"""Rules for stages: transition, assign, unassign. A version may hold one or many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gitreg.domain import requests
from gitreg.domain.decide.context import Context
from gitreg.domain.edits import Edit, ModelEdit
from gitreg.domain.model import ModelState, ModelVersion
from gitreg.domain.settings import ARCHIVED, NO_STAGE, Settings, Stage
from gitreg.domain.undo import Overtaken
from gitreg.errors import InvalidInput


def transition(request: requests.Transition, context: Context) -> Edit:
    """Make a version hold one stage alone, or none.

    With ``archive_existing`` every other holder of the stage loses it and, if it then holds none,
    gets Archived (MLflow's ``archive_existing_versions``, for many stages).
    """
    state, version = context.version(request.name, request.selector)
    if request.stage.casefold() == NO_STAGE.casefold():
        _refuse_archiving(request, NO_STAGE)
        return _edit(state, [(version, {})], context.now)
    stage = context.settings.stage(request.stage)
    if stage.name == ARCHIVED:
        _refuse_archiving(request, ARCHIVED)
    since = version.stages.get(stage.name, context.now)
    following: list[tuple[ModelVersion, Mapping[str, datetime]]] = [(version, {stage.name: since})]
    if request.archive_existing or stage.exclusive:
        rest = Stage(name=ARCHIVED) if request.archive_existing else None
        following += _without(state, version, stage, rest, context)
    return _edit(state, following, context.now)


def _refuse_archiving(request: requests.Transition, stage: str) -> None:
    if request.archive_existing:
        raise InvalidInput(
            f"versions can't be archived by a transition to {stage}",
            where="archive_existing",
            hint="leave --archive-existing out",
        )


def assign(request: requests.Assign, context: Context) -> Edit:
    """Add a stage; an exclusive one is taken from its holder."""
    state, version = context.version(request.name, request.selector)
    stage = context.settings.stage(request.stage)
    if stage.name in version.stages:
        held: Mapping[str, datetime] = version.stages
    else:
        held = {**version.stages, stage.name: context.now}
    following: list[tuple[ModelVersion, Mapping[str, datetime]]] = [(version, held)]
    if stage.exclusive:
        following += _without(state, version, stage, None, context)
    return _edit(state, following, context.now)


def unassign(request: requests.Unassign, context: Context) -> Edit:
    """Take one stage; taking one that is not held changes nothing."""
    state, version = context.version(request.name, request.selector)
    stage = context.settings.stage(request.stage)
    held = {name: since for name, since in version.stages.items() if name != stage.name}
    return _edit(state, [(version, held)], context.now)


def rollback(request: requests.Rollback, context: Context) -> Edit:
    """Give a stage back as planned; Overtaken when the stages are not those that were planned for."""
    state, _ = context.living(request.name)
    following: list[tuple[ModelVersion, Mapping[str, datetime]]] = []
    holding = {version.version for version in state.holders(request.stage)}
    if holding != {number for number, held in request.expected.items() if request.stage in held}:
        raise Overtaken(f"another writer changed who holds {request.stage}", where=request.name)
    for number, expected in request.expected.items():
        version = state.live(number)
        if version is None or set(version.stages) != expected:
            raise Overtaken("another writer changed its stages", where=f"{request.name}/{number}")
        held = request.following.get(number, expected)
        following.append((version, {name: version.stages.get(name, context.now) for name in sorted(held)}))
    edit = _edit(state, following, context.now)
    if edit and clash(edit[state.name], context.settings):
        raise Overtaken("another writer took a stage that one version holds at a time", where=request.name)
    return edit


def clash(part: ModelEdit, settings: Settings) -> tuple[str, ModelVersion] | None:
    """An exclusive stage that a changed version gains though another holds it, and that other one."""
    after = part.after
    for number in part.versions:
        now, was = after.live(number), part.before.live(number)
        for name in sorted(set(now.stages if now else ()) - set(was.stages if was else ())):
            if settings.has_stage(name) and settings.stage(name).exclusive:
                other = next((v for v in after.holders(name) if v.version != number), None)
                if other:
                    return name, other
    return None


def _without(
    state: ModelState, keeper: ModelVersion, stage: Stage, rest: Stage | None, context: Context
) -> Iterator[tuple[ModelVersion, Mapping[str, datetime]]]:
    """The other holders of ``stage`` with what they hold afterwards; ``rest`` when it would be none."""
    for other in state.holders(stage.name):
        if other.version == keeper.version:
            continue
        held = {name: since for name, since in other.stages.items() if name != stage.name}
        if not held and rest and context.settings.has_stage(rest.name):
            held = {rest.name: context.now}
        yield other, held


def _edit(
    state: ModelState, following: Sequence[tuple[ModelVersion, Mapping[str, datetime]]], now: datetime
) -> Edit:
    changed = {
        version.version: replace(version, stages=stages, updated=now)
        for version, stages in following
        if stages != version.stages
    }
    return {state.name: ModelEdit(before=state, versions=changed)} if changed else {}
