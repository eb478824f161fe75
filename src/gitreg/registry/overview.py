"""All models at a glance: how many versions each has and which hold a stage, from one pass over the blobs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gitreg.domain.model import AnyModel, ModelState, ModelVersion, RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.gitstore.trees import FILE
from gitreg.manifest import decode
from gitreg.registry.indexed import IndexedStates, moment_of
from gitreg.registry.states import state_of, version_files
from gitreg.registry.view import View

# A version that is deleted or holds a stage says so in its text; a backslash may spell a key in escapes.
_TELLING = re.compile(rb"stages|deleted|\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One registered model at a glance.

    Attributes:
        model: The model itself.
        count: Versions that are not deleted.
        latest: The highest of them; None where there is none.
        stages: Stage → the versions that hold it, highest first; stages in the order of the settings.
        updated: The latest of its file, its newest version and its stage changes.
    """

    model: RegisteredModel
    count: int
    latest: int | None
    stages: Mapping[str, tuple[int, ...]]
    updated: datetime


@dataclass(slots=True, kw_only=True)
class _Folder:
    state: ModelState
    files: dict[int, str]
    telling: set[int] = field(default_factory=set)


def overview(view: View) -> Iterator[Summary]:
    """Every registered model of ``view``, by name. Of most versions only the text is looked at."""
    if isinstance(view.states, IndexedStates):
        yield from _indexed(view.states, None)
        return
    folders = [_folder(view, name, tree) for name, tree in view.states.folders()]
    living = [each for each in folders if isinstance(each.state.model, RegisteredModel)]
    _sieve(view, living)
    for each in sorted(living, key=lambda one: one.state.name):
        yield _summary(view, each)


def holders(view: View, stage: str) -> Iterator[ModelVersion]:
    """Every version of every model that holds ``stage``, by name and then highest first.

    Raises:
        InvalidInput: It is not a stage of this registry.
    """
    name = view.settings.stage(stage).name
    if isinstance(view.states, IndexedStates):
        for model, _, data in view.states.holders(name):
            version = decode.version(data, model)
            assert isinstance(version, ModelVersion)  # nothing else holds a stage
            yield version
        return
    for each in overview(view):
        held = each.stages.get(name)
        if held:
            state = view.state(each.model.name)
            yield from (version for version in map(state.live, held) if version)


def summary(view: View, name: str) -> Summary:
    """One model at a glance.

    Raises:
        NotFound: There is no such model.
    """
    view.model(name)
    if isinstance(view.states, IndexedStates):
        return next(_indexed(view.states, name))
    entry = view.states.reader.entry(view.states.root, view.states.layout.model_dir(name))
    assert entry is not None  # the model was read from it
    found = _folder(view, name, entry)
    _sieve(view, [found])
    return _summary(view, found)


def updated(view: View, name: str) -> datetime:
    """When a model was changed last: the latest of its file, its newest version and its stage changes.

    Raises:
        NotFound: There is no such model.
    """
    model = view.model(name)
    if isinstance(view.states, IndexedStates):
        return view.states.changed(model)
    return summary(view, name).updated


def tombstones(view: View) -> Iterator[AnyModel]:
    """What is left of deleted and renamed models, by name."""
    for state in sorted(view.states.states(), key=lambda one: one.name):
        if state.model is not None and not isinstance(state.model, RegisteredModel):
            yield state.model


def _indexed(states: IndexedStates, name: str | None) -> Iterator[Summary]:
    """The same from the index; what can't be read is left out (``View.faults`` tells of it)."""
    held: dict[str, dict[str, list[int]]] = {}
    times: dict[str, int] = {}
    for holder, stage, number, at in states.held(name):
        held.setdefault(holder, {}).setdefault(stage, []).append(number)
        times[holder] = max(times.get(holder, at), at)
    for model, count, latest, newest in states.counted(name):
        moments = [model.updated]
        if newest is not None:
            moments.append(moment_of(newest))
        if model.name in times:
            moments.append(moment_of(times[model.name]))
        yield Summary(
            model=model,
            count=count,
            latest=latest,
            stages=_in_order(states.settings, held.get(model.name, {})),
            updated=max(moments),
        )


def _folder(view: View, name: str, tree: tuple[str, str]) -> _Folder:
    reader = view.states.reader
    content = reader.tree(tree[1])
    versions = content.get("versions")
    files = version_files(reader.tree(versions.oid)) if versions else {}
    state = state_of(view.states.decoder, content, name=name, layout=view.states.layout)
    odd = {number for number, entry in files.items() if entry.mode != FILE}
    return _Folder(state=state, files={number: entry.oid for number, entry in files.items()}, telling=odd)


def _sieve(view: View, folders: Iterable[_Folder]) -> None:
    """Note which versions must be decoded to know what they hold."""
    users: dict[str, list[tuple[_Folder, int]]] = {}
    for each in folders:
        for number, oid in each.files.items():
            if number not in each.telling:
                users.setdefault(oid, []).append((each, number))
    for oid, data in view.states.reader.blobs(users):
        if _TELLING.search(data):
            for each, number in users[oid]:
                each.telling.add(number)


def _summary(view: View, folder: _Folder) -> Summary:
    state = folder.state
    assert isinstance(state.model, RegisteredModel)
    told = {number: state.live(number) for number in folder.telling}
    live = [number for number in folder.files if number not in told or told[number]]
    latest = max(live, default=None)
    newest = state.live(latest) if latest else None
    holders = [version for version in told.values() if version]
    return Summary(
        model=state.model,
        count=len(live),
        latest=latest,
        stages=_stages(view, holders),
        updated=max(_moments(state.model, newest, holders)),
    )


def _stages(view: View, holders: list[ModelVersion]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for version in sorted(holders, key=lambda one: -one.version):
        for stage in version.stages:
            found.setdefault(stage, []).append(version.version)
    return _in_order(view.settings, found)


def _in_order(settings: Settings, found: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    order = [stage.name for stage in settings.stages]
    known = [stage for stage in order if stage in found]
    return {stage: tuple(found[stage]) for stage in (*known, *sorted(set(found) - set(known)))}


def _moments(
    model: RegisteredModel, newest: ModelVersion | None, holders: list[ModelVersion]
) -> Iterator[datetime]:
    yield model.updated
    if newest:
        yield newest.created
    for version in holders:
        yield from version.stages.values()
