"""The rule for taking back what one commit did to a model.

Each thing that the commit set is looked at by itself: where it is as the commit left it, it becomes
what it was before; where it is as it was before, nothing is to be done; otherwise it was changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gitreg.domain import requests
from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.decide import models
from gitreg.domain.decide.context import Context
from gitreg.domain.decide.stages import clash
from gitreg.domain.edits import Edit, ModelEdit
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    Mark,
    ModelState,
    ModelTombstone,
    ModelVersion,
    RegisteredModel,
    VersionTombstone,
    versions_of,
)
from gitreg.domain.undo import ChangedSince
from gitreg.errors import Conflict


def take_back(request: requests.TakeBack, context: Context) -> Edit:
    """Undo ``request.changes`` on the state that stands."""
    for change in request.changes:
        rule = _WHOLE.get(change.event) if change.version is None else None
        if rule:
            return rule(request, context)
    return _Parts(request, context).edit()


def _registered(request: requests.TakeBack, context: Context) -> Edit:
    """A model that was registered, alone or with its first versions, is deleted."""
    state = context.lookup(request.name)
    if isinstance(state.model, ModelTombstone) and state.model.deleted:
        return {}
    _same_as_left(request, state)
    came = {change.version for change in request.changes}
    if not came.issuperset(number for number in state.versions if state.live(number)):
        raise Conflict(
            f"the commit that made the model {request.name} registered versions of it too",
            where=request.name,
            hint="take back the whole commit",
        )
    return models.delete(requests.DeleteModel(name=request.name, reason=request.reason), context)


def _restored(request: requests.TakeBack, context: Context) -> Edit:
    """A model that was restored is deleted again, for the reason that it was deleted for."""
    state = context.lookup(request.name)
    stone = request.before.model
    if isinstance(state.model, ModelTombstone) and state.model.deleted:
        return {}
    _same_as_left(request, state)
    reason = stone.deleted.reason if isinstance(stone, ModelTombstone) and stone.deleted else ""
    request_ = requests.DeleteModel(name=request.name, reason=reason or request.reason)
    return models.delete(request_, context)


def _same_as_left(request: requests.TakeBack, state: ModelState) -> None:
    """Refuse to delete a model to which anything happened since."""
    since = _between(replace(request.after, name=request.name), state)
    if since:
        raise ChangedSince(f"{request.name} was changed since", change=since[0])


def _deleted(request: requests.TakeBack, context: Context) -> Edit:
    """A model that was deleted comes back with all that it held."""
    state, past = context.lookup(request.name), request.before.model
    now, left = state.model, request.after.model
    assert isinstance(past, RegisteredModel)  # compare says delete of a registered model alone
    if isinstance(now, RegisteredModel) and now.created == past.created:
        return {}
    if not isinstance(now, ModelTombstone) or not isinstance(left, ModelTombstone):
        raise ChangedSince(
            f"there is another model called {request.name} by now",
            change=Change(event="register", model=request.name),
        )
    if now != left:
        event = "rename" if now.renamed_to else "delete"
        raise ChangedSince(
            f"{request.name} was {event}d again since",
            change=Change(event="rename" if now.renamed_to else "delete", model=request.name),
        )
    revival = requests.RestoreModel(name=request.name, past=request.before, commit=request.commit)
    return models.restore(revival, context)


def _renamed(request: requests.TakeBack, context: Context) -> Edit:
    """A model that was renamed gets its former name."""
    change = next(change for change in request.changes if change.event == "rename")
    old, new = change.model, str(change.after)
    source, target = context.lookup(new).model, context.lookup(old).model
    if isinstance(source, ModelTombstone) and source.renamed_to == old:
        return {}
    if not isinstance(source, RegisteredModel):
        gone = Change(event="rename" if source and source.renamed_to else "delete", model=new)
        raise ChangedSince(f"{new} was {gone.event}d since", change=gone)
    if not isinstance(target, ModelTombstone) or target.renamed_to != new:
        raise ChangedSince(
            f"there is another model called {old} by now", change=Change(event="register", model=old)
        )
    if len(request.changes) > 1:
        raise Conflict(
            f"the commit renamed {old} and changed it too: that can't be taken back in one step",
            where=new,
            hint="take back one change at a time: COMMIT:1, COMMIT:2 …",
        )
    return models.rename(requests.Rename(name=new, new_name=old), context)


_WHOLE: dict[str, Callable[[requests.TakeBack, Context], Edit]] = {
    "register": _registered,
    "restore": _restored,
    "delete": _deleted,
    "rename": _renamed,
}


def _between(old: ModelState, new: ModelState) -> tuple[Change, ...]:
    return compare(Snapshot(models={old.name: old}), Snapshot(models={new.name: new}))


class _Parts:
    """Takes back changes of fields, tags, aliases, stages and single versions, one after the other."""

    def __init__(self, request: requests.TakeBack, context: Context) -> None:
        self.request = request
        self.context = context
        self.state = context.lookup(request.name)
        self.model = self._living(self.state.model)
        self.versions: dict[int, AnyVersion] = {}
        self.texts: dict[int, str] = {}

    def _living(self, now: AnyModel | None) -> RegisteredModel:
        name, left = self.request.name, self.request.after.model
        if isinstance(now, RegisteredModel):
            if isinstance(left, RegisteredModel) and left.created != now.created:
                change = Change(event="register", model=name)
                raise ChangedSince(f"there is another model called {name} by now", change=change)
            return now
        gone = Change(event="rename" if now and now.renamed_to else "delete", model=name)
        raise ChangedSince(f"{name} was {gone.event}d since", change=gone)

    def edit(self) -> Edit:
        """All of it as one edit; empty when everything is as it was before."""
        whole = {c.version for c in self.request.changes if c.version and c.event in _VERSION}
        for change in self.request.changes:
            if change.version is None:
                self._of_model(change)
            elif change.version not in whole or change.event in _VERSION:
                self._of_version(change, change.version)
        model = self.model if self.model != self.state.model else None
        if model is None and not self.versions:
            return {}
        part = ModelEdit(before=self.state, model=model, versions=self.versions, text_from=self.texts)
        self._refuse_clash(part)
        self._refuse_dangling(part)
        return {self.request.name: part}

    # The model's own file

    def _of_model(self, change: Change) -> None:
        was, left = self.request.before.model, self.request.after.model
        assert isinstance(was, RegisteredModel) and isinstance(left, RegisteredModel)
        path, _, key = (change.field or "").partition(".")
        value = self._former(change, path, key, was=was, left=left, now=self.model)
        if value is not _SAME:
            self.model = replace(self.model, **{path: value})
            if not key:
                self.model = replace(self.model, updated=self.context.now)

    # Versions

    def _of_version(self, change: Change, number: int) -> None:
        if change.event in ("register", "restore"):
            self._remove(number)
            return
        if change.event == "delete":
            self._bring_back(number)
            return
        now = self.versions.get(number) or self.state.live(number)
        was, left = self.request.before.live(number), self.request.after.live(number)
        assert was and left
        if not isinstance(now, ModelVersion):
            raise self._gone(number)
        if change.event in ("transition", "assign", "unassign"):
            held = self._former_stages(change, was, left, now)
            if held is not None:
                self.versions[number] = replace(now, stages=held, updated=self.context.now)
            return
        path, _, key = (change.field or "").partition(".")
        value = self._former(change, path, key, was=was, left=left, now=now)
        if value is not _SAME:
            back = replace(now, **{path: value})
            self.versions[number] = back if key else replace(back, updated=self.context.now)

    def _gone(self, number: int) -> ChangedSince:
        change = Change(event="delete", model=self.request.name, version=number)
        return ChangedSince(f"{change.subject} was deleted since", change=change)

    def _remove(self, number: int) -> None:
        """A version that came goes again; its number is not used again."""
        now, left = self.state.live(number), self.request.after.live(number)
        if now is None or left is None:
            return
        name = self.request.name
        since = _between(*(ModelState(name=name, versions=versions_of({number: v})) for v in (left, now)))
        if since:
            raise ChangedSince(f"{name}/{number} was changed since", change=since[0])
        former = self.request.before.versions.get(number)
        reason = former.deleted.reason if isinstance(former, VersionTombstone) else ""
        mark = Mark(at=self.context.now, reason=reason or self.request.reason)
        self.versions[number] = VersionTombstone(name=name, version=number, deleted=mark)

    def _bring_back(self, number: int) -> None:
        """A version that was deleted comes back, with the stages that it held."""
        now, left = self.state.versions.get(number), self.request.after.versions.get(number)
        if isinstance(now, ModelVersion):
            return
        past = self.request.before.live(number)
        assert past and isinstance(left, VersionTombstone)
        if now is None or now.deleted != left.deleted:
            change = Change(event="delete", model=self.request.name, version=number)
            raise ChangedSince(f"{change.subject} was deleted again since", change=change)
        held = {stage: self.context.now for stage in past.stages if self._has(stage, number)}
        self.versions[number] = replace(past, name=self.request.name, stages=held, updated=self.context.now)
        self.texts[number] = self.request.commit

    # What was set, thing by thing

    def _former(self, change: Change, path: str, key: str, *, was: Any, left: Any, now: Any) -> Any:
        """The value that the field ``path`` gets, ``_SAME`` where it is as before already."""
        before, after, stands = (getattr(side, path) for side in (was, left, now))
        if not key:
            return self._turned(change, before, after, stands)
        value = self._turned(change, before.get(key), after.get(key), stands.get(key))
        if value is _SAME:
            return _SAME
        rest = {k: v for k, v in stands.items() if k != key}
        return rest if value is None else {**rest, key: value}

    def _turned(self, change: Change, before: Any, after: Any, stands: Any) -> Any:
        if stands == before:
            return _SAME
        if stands != after:
            here = replace(change, model=self.request.name)
            raise ChangedSince(f"{change.field} of {here.subject} was changed since", change=here)
        return before

    def _former_stages(
        self, change: Change, was: ModelVersion, left: ModelVersion, now: ModelVersion
    ) -> Mapping[str, Any] | None:
        """A move sets all that a version holds; gaining or losing a stage only that one."""
        before, after, stands = set(was.stages), set(left.stages), set(now.stages)
        if change.event != "transition":
            one = {str(change.stage)}
            before, after = stands - one | (before & one), stands - one | (after & one)
        if stands == before:
            return None
        if stands != after:
            here = replace(change, model=self.request.name)
            raise ChangedSince(f"the stages of {here.subject} were changed since", change=here)
        for stage in before:
            self._has(stage, now.version)
        return {stage: now.stages.get(stage, self.context.now) for stage in sorted(before)}

    def _has(self, stage: str, number: int) -> bool:
        if not self.context.settings.has_stage(stage):
            raise Conflict(
                f"{stage} is not a stage of this registry any more",
                where=f"{self.request.name}/{number}",
                hint="gitreg config stages",
            )
        return True

    # What would not fit together

    def _refuse_clash(self, part: ModelEdit) -> None:
        found = clash(part, self.context.settings)
        if found:
            stage, other = found
            raise ChangedSince(
                f"{self.request.name}/{other.version} holds {stage} by now, a stage for one version",
                change=Change(
                    event="transition", model=self.request.name, version=other.version, stage=stage
                ),
            )

    def _refuse_dangling(self, part: ModelEdit) -> None:
        stood = self.state.model.aliases if isinstance(self.state.model, RegisteredModel) else {}
        for alias, number in self.model.aliases.items():
            if isinstance(self.versions.get(number), VersionTombstone):
                change = Change(event="alias", model=self.request.name, field=f"aliases.{alias}")
                raise ChangedSince(
                    f"{self.request.name}@{alias} points to version {number} by now", change=change
                )
            if stood.get(alias) != number and not part.after.live(number):
                raise self._gone(number)


_VERSION = ("register", "restore", "delete")
_SAME: Any = object()
