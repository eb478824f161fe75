"""A registered model, or a whole registry, at two commits: what differs, by meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.contrast import (
    Contrast,
    Row,
    Section,
    Value,
    contrast,
    described,
    differing,
    entries,
    free,
    members,
    row,
)
from gitreg.domain.contrast_rules import RuleChange
from gitreg.domain.model import (
    AnyVersion,
    ModelState,
    ModelTombstone,
    ModelVersion,
    RegisteredModel,
    VersionTombstone,
    versions_of,
)
from gitreg.domain.settings import Settings

Fate = Literal["change", "register", "restore", "rename", "delete", "vanish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """What became of one version.

    Attributes:
        number: Its number.
        event: ``change`` where it was there before and is there after.
        contrast: For ``change``: it before and after.
        version: The version as it is after, or as it was where it is gone; None where neither is known.
        reason: For ``delete``: why.
    """

    number: int
    event: Fate
    contrast: Contrast | None = None
    version: ModelVersion | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderChange:
    """That ``NAME/STAGE`` means another version than before; ``contrast`` sets the two beside each other."""

    stage: str
    contrast: Contrast


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContrast:
    """A registered model at two commits.

    Attributes:
        name: The name that it has after.
        former: The name that it had before, where that was another, else ``""``.
        fate: What became of the model as a whole.
        told: For ``delete`` the reason, for ``rename`` away from ``name`` the new name.
        sections: What differs in the model itself: holders of stages, aliases, owners, tags, description.
        versions: What became of its versions, by number; of a model that is gone, none.
        holders: The stages whose version is another one now.
        changes: All of it as ``compare`` names it.
        unread: Paths of changed manifests that can't be read on one side or both.
    """

    name: str
    former: str = ""
    fate: Fate = "change"
    told: str = ""
    sections: tuple[Section, ...] = ()
    versions: tuple[VersionChange, ...] = ()
    holders: tuple[HolderChange, ...] = ()
    changes: tuple[Change, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        told = self.sections or self.versions or self.changes or self.unread
        return self.fate == "change" and not told


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryContrast:
    """A whole registry at two commits: its settings, its rules, and the models that differ, by name."""

    settings: tuple[Section, ...] = ()
    rules: tuple[RuleChange, ...] = ()
    models: tuple[ModelContrast, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.settings or self.rules or self.models)


def contrast_models(
    before: ModelState,
    after: ModelState,
    numbers: Sequence[int],
    *,
    stages: Sequence[str],
    former: str = "",
    others: Mapping[str, tuple[str | None, str | None]] | None = None,
    unread: tuple[str, ...] = (),
) -> ModelContrast:
    """Set a model's two states beside each other.

    Args:
        before: The earlier; after a renaming as if the model had been called then as it is now.
        after: The later.
        numbers: Those of the versions whose manifests may differ; no others are read but for holders.
        stages: The registry's stages, in order.
        former: The earlier name, where it was another.
        others: Files of the folder that are no manifests → their blobs' ids, where these differ.
        unread: Paths of manifests that can't be read.
    """
    old, new = _part(before, numbers), _part(after, numbers)
    changes = compare(Snapshot(models={after.name: old}), Snapshot(models={after.name: new}))
    fate, told = _fate(before, after, former)
    gone = fate in ("delete", "vanish") or (fate == "rename" and not former)
    versions = () if gone else tuple(_versions(old, new, changes, revived=fate == "restore"))
    moved = _moved(versions, stages, everything=gone)
    sections = (_stages(before, after, moved), *(() if gone else _model(before, after, others or {})))
    return ModelContrast(
        name=after.name,
        former=former,
        fate=fate,
        told=told,
        sections=differing(sections),
        versions=versions,
        holders=tuple(_holders(before, after, moved)),
        changes=changes,
        unread=unread,
    )


def contrast_settings(before: Settings, after: Settings) -> tuple[Section, ...]:
    """What differs in ``gitreg.yaml`` but for the rules (``contrast_rules``)."""
    was, now = _said(before), _said(after)
    section = Section(kind="settings", rows=entries(was, now))
    return differing((section, Section(kind="extra", rows=free(before.extra, after.extra))))


def _said(settings: Settings) -> dict[str, Value]:
    plain = ("format", "name", "description", "branch", "layout")
    said: dict[str, Value] = {key: getattr(settings, key) or None for key in plain}
    for item in fields(settings.tags):
        said[f"tags.{item.name}"] = getattr(settings.tags, item.name) or None
    for key in ("remote", "forge"):
        said[f"proposals.{key}"] = getattr(settings.proposals, key)
    said["stages"] = ", ".join(stage.name for stage in settings.stages)
    for stage in settings.stages:
        said[f"stages.{stage.name}.description"] = stage.description or None
    return said


def _part(state: ModelState, numbers: Iterable[int]) -> ModelState:
    known = {number: state.versions[number] for number in numbers if number in state.versions}
    return ModelState(name=state.name, model=state.model, versions=versions_of(known))


def _fate(before: ModelState, after: ModelState, former: str) -> tuple[Fate, str]:
    was, now = before.model, after.model
    if not isinstance(was, RegisteredModel):
        if not isinstance(now, RegisteredModel):
            return "change", ""
        back = isinstance(was, ModelTombstone) and was.deleted and now.created <= was.deleted.at
        return ("restore" if back else "register"), ""
    if isinstance(now, RegisteredModel):
        return ("rename" if former else "change"), ""
    if now is None:
        return "vanish", ""
    if now.renamed_to:
        return "rename", now.renamed_to
    return "delete", now.deleted.reason if now.deleted else ""


def _versions(
    old: ModelState, new: ModelState, changes: Iterable[Change], *, revived: bool
) -> Iterator[VersionChange]:
    touched = {change.version for change in changes}
    back = old.model.last_version if revived and old.model else 0  # up to it they came with the model
    for number in sorted({*old.versions, *new.versions}):
        was, now = old.versions.get(number), new.versions.get(number)
        if isinstance(was, ModelVersion) and isinstance(now, ModelVersion):
            found = contrast(was, now)
            if number in touched or not found.equal:
                yield VersionChange(number=number, event="change", contrast=found, version=now)
        elif isinstance(now, ModelVersion):
            event: Fate = "restore" if was or number <= back else "register"
            yield VersionChange(number=number, event=event, version=now)
        elif not isinstance(was, VersionTombstone) or was != now:
            yield _departed(number, was, now)


def _departed(number: int, was: AnyVersion | None, now: AnyVersion | None) -> VersionChange:
    lost = was if isinstance(was, ModelVersion) else None
    if isinstance(now, VersionTombstone):
        return VersionChange(number=number, event="delete", version=lost, reason=now.deleted.reason)
    return VersionChange(number=number, event="vanish", version=lost)


def _moved(versions: Iterable[VersionChange], stages: Sequence[str], *, everything: bool) -> tuple[str, ...]:
    """The stages that may have other holders than before; those of the settings first."""
    if everything:
        return tuple(stages)
    found: set[str] = set()
    for each in versions:
        if each.contrast:
            found |= set(each.contrast.before.stages) ^ set(each.contrast.after.stages)
        elif each.version:
            found |= set(each.version.stages)
    return (*(stage for stage in stages if stage in found), *sorted(found - set(stages)))


def _stages(before: ModelState, after: ModelState, stages: Iterable[str]) -> Section:
    def held(state: ModelState, stage: str) -> tuple[int, ...] | None:
        return tuple(sorted(version.version for version in _living(state, stage))) or None

    rows = tuple(row(stage, held(before, stage), held(after, stage)) for stage in stages)
    return Section(kind="stages", rows=rows)


def _living(state: ModelState, stage: str) -> Iterator[ModelVersion]:
    if isinstance(state.model, RegisteredModel):
        yield from state.holders(stage)


def _holders(before: ModelState, after: ModelState, stages: Iterable[str]) -> Iterator[HolderChange]:
    for stage in stages:
        was, now = next(_living(before, stage), None), next(_living(after, stage), None)
        if was and now and was.version != now.version:
            yield HolderChange(stage=stage, contrast=contrast(was, now))


def _model(
    before: ModelState, after: ModelState, others: Mapping[str, tuple[str | None, str | None]]
) -> Iterator[Section]:
    was, now = before.model, after.model
    nothing: tuple[Mapping[str, int], tuple[str, ...], Mapping[str, str], str] = ({}, (), {}, "")
    old = _fields(was) if isinstance(was, RegisteredModel) else nothing
    new = _fields(now) if isinstance(now, RegisteredModel) else nothing
    yield Section(kind="aliases", rows=entries(old[0], new[0]))
    yield Section(kind="owners", rows=members(old[1], new[1]))
    yield Section(kind="tags", rows=entries(old[2], new[2]))
    yield Section(kind="description", rows=described(old[3], new[3]))
    if isinstance(was, RegisteredModel) and isinstance(now, RegisteredModel):
        yield Section(kind="extra", rows=free(was.extra, now.extra))
    files = tuple(Row(key=path, before=ids[0], after=ids[1], same=False) for path, ids in others.items())
    yield Section(kind="other_files", rows=files)


def _fields(model: RegisteredModel) -> tuple[Mapping[str, int], tuple[str, ...], Mapping[str, str], str]:
    return model.aliases, model.owners, model.tags, model.description
