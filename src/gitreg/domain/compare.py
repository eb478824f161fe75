"""Compare two states of a registry: the one place where changes get their names.

Commands, hand edits, merges and pull requests all end as two trees, and what happened is what this
module finds between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gitreg.domain.changes import Change, Event
from gitreg.domain.edits import Edit
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    ModelState,
    ModelTombstone,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
    versions_of,
)
from gitreg.domain.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A registry at a commit, or that part of it which may differ from another.

    ``compare`` sees a restricted pair (only the manifests whose blobs differ) and the whole pair alike:
    what is equal on both sides makes no change.
    """

    settings: Settings | None = None
    models: Mapping[str, ModelState] = field(default_factory=dict)


def compare(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """What happened between two states, ordered by model and version.

    A model that was renamed or restored is one change; its versions are compared with those that they
    were, and where they are not at hand they count as carried along.
    """
    changes = [*_settings(before.settings, after.settings)]
    arrivals = _renamed(before, after)
    for name in sorted({*before.models, *after.models}):
        old = before.models.get(name) or ModelState(name=name)
        new = after.models.get(name) or ModelState(name=name)
        if name in arrivals:
            changes += _moved(arrivals[name], new)
        else:
            changes += _model(old, new)
    return tuple(changes)


def compare_edit(edit: Edit) -> tuple[Change, ...]:
    """What an edit changes, looking only at the files that it touches."""
    before, after = {}, {}
    for name, part in edit.items():
        was = part.before
        old = {n: was.versions[n] for n in part.versions if n in was.versions}
        before[name] = ModelState(name=name, model=was.model, versions=versions_of(old))
        after[name] = ModelState(
            name=name, model=part.model or was.model, versions=versions_of(part.versions)
        )
    return compare(Snapshot(models=before), Snapshot(models=after))


def _renamed(before: Snapshot, after: Snapshot) -> dict[str, ModelState]:
    """New name → the state under the old name, for the models renamed between the two."""
    found = {}
    for name, state in after.models.items():
        old = before.models.get(name)
        if isinstance(state.model, ModelTombstone) and state.model.renamed_to and old:
            target = after.models.get(state.model.renamed_to)
            if (
                isinstance(old.model, RegisteredModel)
                and target
                and isinstance(target.model, RegisteredModel)
            ):
                found[state.model.renamed_to] = old
    return found


def _moved(old: ModelState, new: ModelState) -> Iterator[Change]:
    yield from _fields(old.model, new.model, new.name)
    for number in sorted(set(old.versions) & set(new.versions)):
        yield from _version(old.versions[number], new.versions[number], new.name)
    for number in sorted(set(old.versions) - set(new.versions)):
        yield Change(event="vanish", model=new.name, version=number)
    for number in sorted(set(new.versions) - set(old.versions)):
        # With the whole old model at hand a version too many is new; with a part of it, it came along.
        if old.versions and number > max(old.versions):
            yield from _version(None, new.versions[number], new.name)


def _model(old: ModelState, new: ModelState) -> Iterator[Change]:
    name = new.name
    was, now = old.model, new.model
    back = isinstance(was, ModelTombstone) and isinstance(now, RegisteredModel) and _revived(was, now)
    gone = isinstance(was, RegisteredModel) and not isinstance(now, RegisteredModel)
    if back:
        yield Change(event="restore", model=name)
    elif gone:
        yield _departure(name, now)
        if isinstance(now, ModelTombstone) and now.last_version < old.last_version:
            yield Change(event="reuse", model=name, field="last_version", before=old.last_version)
    elif now and not isinstance(was, RegisteredModel) and isinstance(now, RegisteredModel):
        yield Change(event="register", model=name, after=now.description or None)
        if isinstance(was, ModelTombstone) and now.last_version < was.last_version:
            yield Change(event="reuse", model=name, field="last_version", before=was.last_version)
    else:
        yield from _fields(was, now, name)
    for number in sorted({*old.versions, *new.versions}):
        before, after = old.versions.get(number), new.versions.get(number)
        if gone and after is None and isinstance(now, ModelTombstone):
            continue  # the tombstone of the model speaks for all its versions
        if back and before is None and isinstance(was, ModelTombstone) and number <= was.last_version:
            continue  # came back together with the model
        yield from _version(before, after, name)


def _revived(was: ModelTombstone, now: RegisteredModel) -> bool:
    return was.deleted is not None and now.created <= was.deleted.at


def _departure(name: str, now: AnyModel | None) -> Change:
    if isinstance(now, ModelTombstone) and now.renamed_to:
        return Change(event="rename", model=name, after=now.renamed_to)
    if isinstance(now, ModelTombstone):
        return Change(event="delete", model=name, after=now.deleted.reason if now.deleted else None)
    return Change(event="vanish", model=name)


def _fields(was: AnyModel | None, now: AnyModel | None, name: str) -> Iterator[Change]:
    if not isinstance(was, RegisteredModel) or not isinstance(now, RegisteredModel) or was == now:
        if isinstance(was, ModelTombstone) and was != now:
            event: Event = "rewrite" if now else "vanish"
            yield Change(event=event, model=name, field="deleted", before=was, after=now)
        return
    for key in ("description", "owners", "extra"):
        yield from _update(getattr(was, key), getattr(now, key), key, name, None)
    if was.created != now.created:
        yield Change(event="rewrite", model=name, field="created", before=was.created, after=now.created)
    if now.last_version < was.last_version:
        yield Change(event="reuse", model=name, field="last_version", before=was.last_version)
    yield from _entries("alias", "aliases", was.aliases, now.aliases, name, None)
    yield from _entries("tag", "tags", was.tags, now.tags, name, None)


def _version(was: AnyVersion | None, now: AnyVersion | None, name: str) -> Iterator[Change]:
    if was is now or was == now:
        return
    number = (was or now).version  # type: ignore[union-attr]  # one of the two is there
    if now is None:
        yield Change(event="vanish", model=name, version=number)
    elif isinstance(now, VersionTombstone):
        if isinstance(was, VersionTombstone) and was.deleted == now.deleted:
            return  # came along with a rename: only the model's name differs
        event: Event = "rewrite" if isinstance(was, VersionTombstone) else "delete"
        yield Change(event=event, model=name, version=number, after=now.deleted.reason or None)
    elif isinstance(was, ModelVersion):
        yield from _immutable(was, now, name)
        yield from _state(was, now, name)
    else:
        event = "restore" if isinstance(was, VersionTombstone) else "register"
        yield Change(event=event, model=name, version=number, after=now.origin.source)
        yield from _stages({}, now.stages, name, number)


def _immutable(was: ModelVersion, now: ModelVersion, name: str) -> Iterator[Change]:
    def rewrite(path: str, before: Any, after: Any) -> Change:
        return Change(
            event="rewrite", model=name, version=now.version, field=path, before=before, after=after
        )

    if was.created != now.created:
        yield rewrite("created", was.created, now.created)
    if was.origin != now.origin:
        for item in fields(Origin):
            before, after = getattr(was.origin, item.name), getattr(now.origin, item.name)
            if before != after:
                yield rewrite(item.name, before, after)
    kept = len(was.evaluations)
    if now.evaluations[:kept] != was.evaluations:
        yield rewrite("evaluations", was.evaluations, now.evaluations)


def _state(was: ModelVersion, now: ModelVersion, name: str) -> Iterator[Change]:
    number = now.version
    for added in now.evaluations[len(was.evaluations) :]:
        yield Change(event="evaluate", model=name, version=number, field="evaluations", after=added)
    yield from _stages(was.stages, now.stages, name, number)
    if was.deprecated != now.deprecated:
        yield Change(
            event="deprecate",
            model=name,
            version=number,
            field="deprecated",
            before=was.deprecated,
            after=now.deprecated,
        )
    for key in ("description", "status", "status_message", "extra"):
        yield from _update(getattr(was, key), getattr(now, key), key, name, number)
    yield from _entries("tag", "tags", was.tags, now.tags, name, number)


def _stages(was: Mapping[str, Any], now: Mapping[str, Any], name: str, number: int) -> Iterator[Change]:
    """One stage in place of what was held before is a transition; the rest is gained or lost."""
    origin = tuple(sorted(was))
    gained = sorted(set(now) - set(was))
    lost = sorted(set(was) - set(now))

    def moved(event: Event, stage: str | None) -> Change:
        return Change(event=event, model=name, version=number, stage=stage, origin=origin)

    if len(gained) == 1 and len(now) == 1:
        yield moved("transition", gained[0])
    elif not gained and len(now) == 1 and lost:
        # two held, one kept: taking the other away; many held, one kept: a move to it
        kept = next(iter(now))
        yield moved("unassign", lost[0]) if len(lost) == 1 else moved("transition", kept)
    elif lost and not now:
        yield moved("unassign", lost[0]) if len(lost) == 1 else moved("transition", None)
    else:
        for stage in gained:
            yield moved("assign", stage)
        for stage in lost:
            yield moved("unassign", stage)


def _update(before: Any, after: Any, path: str, name: str, version: int | None) -> Iterator[Change]:
    if before != after:
        yield Change(event="update", model=name, version=version, field=path, before=before, after=after)


def _entries(
    event: Event, path: str, was: Mapping[str, Any], now: Mapping[str, Any], name: str, version: int | None
) -> Iterator[Change]:
    for key in sorted({*was, *now}):
        before, after = was.get(key), now.get(key)
        if before != after:
            yield Change(
                event=event, model=name, version=version, field=f"{path}.{key}", before=before, after=after
            )


def _settings(was: Settings | None, now: Settings | None) -> Iterator[Change]:
    if was is None or now is None or was == now:
        return
    for item in fields(Settings):
        before, after = getattr(was, item.name), getattr(now, item.name)
        if before != after:
            yield Change(event="policy", field=item.name, before=before, after=after)
