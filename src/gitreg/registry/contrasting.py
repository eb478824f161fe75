"""``diff`` by meaning: two versions, or a version, a model or the whole registry at two commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from gitreg.domain.contrast import Contrast, contrast
from gitreg.domain.contrast_model import (
    ModelContrast,
    RegistryContrast,
    contrast_models,
    contrast_settings,
)
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    ModelState,
    ModelTombstone,
    ModelVersion,
    RegisteredModel,
    Versions,
)
from gitreg.domain.names import shown
from gitreg.domain.references import Reference
from gitreg.errors import InvalidInput, NotFound, UsageError
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.trees import Touched
from gitreg.registry.contrasting_rules import rules_between
from gitreg.registry.descent import called_now
from gitreg.registry.indexed import IndexedStates
from gitreg.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a difference.

    Attributes:
        asked: What was asked for there, such as ``churn/Production``; ``""`` for the whole registry.
        commit: Full hex id of the commit that was read.
        time: Its committer time.
    """

    asked: str
    commit: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What ``diff`` found between two sides.

    Attributes:
        before: The earlier side, as a rule.
        after: The other one.
        contrast: How they differ.
        moved: What the model is called now that had this name then; ``""`` where it is the one compared.
    """

    before: Side
    after: Side
    contrast: Contrast | ModelContrast | RegistryContrast
    moved: str = ""

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.contrast.equal


def diff(before: View | None, after: View, first: str | None = None, second: str | None = None) -> Difference:
    """Set two sides beside each other.

    Args:
        before: Where ``first`` is read; None: as ``after``, no other time is meant.
        after: Where ``second`` is read, or ``first`` once more.
        first: A version (``churn/3``, ``churn/Production``, ``churn@champion``) or a model; None: the whole
            registry.
        second: Another version; None: the same at another commit.

    Raises:
        UsageError: The two are of different kinds, two models, or one and the same by the way of asking.
        NotFound: A side is not there.
    """
    alone = before is None and second is None
    before = before or after
    if first is None:
        return _difference(before, after, ("", ""), _registry(before, after))
    new = after.reference(first if second is None else second)
    old = before.reference(first) if second is not None else new
    _check_kinds(old, new, alone=alone)
    if new.selector is None:
        return _models(before, after, new.name)
    asked = str(old), str(new)
    if second is None:
        old = replace(old, name=_former(before, after, new))
    told = before.commit != after.commit
    sides = _version(before, old, told=told), _version(after, new, told=told)
    aliases = before.aliases(sides[0]), after.aliases(sides[1])
    return _difference(before, after, asked, contrast(*sides, aliases=aliases))


def _difference(
    before: View, after: View, asked: tuple[str, str], found: Contrast | ModelContrast | RegistryContrast
) -> Difference:
    return Difference(before=_side(before, asked[0]), after=_side(after, asked[1]), contrast=found)


def _side(view: View, asked: str) -> Side:
    when = view.states.reader.commit(view.commit).committer.when
    return Side(asked=asked, commit=view.commit, time=when)


def _check_kinds(old: Reference, new: Reference, *, alone: bool) -> None:
    kinds = ["a model" if each.selector is None else "a version" for each in (old, new)]
    if kinds[0] != kinds[1]:
        raise UsageError(
            f"{old} is {kinds[0]} and {new} {kinds[1]}: only two of a kind can be compared",
            hint=f"two versions: gitreg diff {old.name}/1 {new.name}/2",
        )
    if new.selector is None and old.name != new.name:
        raise UsageError(
            f"{old} and {new} are models: their versions can be compared",
            hint=f"gitreg diff {old.name}/latest {new.name}/latest",
        )
    if alone:
        other = f"gitreg diff {old} {new.name}/latest" if new.selector else f"gitreg diff {old}/1 {old}/2"
        raise UsageError(
            f"{old} is {kinds[0]}: say what to compare it with",
            hint=f"{other}, or since when: gitreg diff {old} --from 2026-01-15",
        )


def _version(view: View, reference: Reference, *, told: bool) -> ModelVersion:
    try:
        return view.version(str(reference))
    except InvalidInput as error:
        if told and not error.where:
            error.where = f"{reference} in commit {view.commit[:10]}"
        raise


def _registry(before: View, after: View) -> RegistryContrast:
    known = _Names(before, after)
    living = [name for name in known.touched if isinstance(_model_of(after, name), RegisteredModel)]
    formers = {name: known.former(name) for name in living}
    carried = {former for name, former in formers.items() if former != name}
    found = [
        _contrast(before, after, name, formers.get(name, name))
        for name in known.touched
        if name in formers or name not in carried
    ]
    return RegistryContrast(
        settings=contrast_settings(before.settings, after.settings),
        rules=rules_between(before, after),
        models=tuple(each for each in found if not each.equal),
    )


def _models(before: View, after: View, name: str) -> Difference:
    if before.state(name).model is None:
        after.model(name)  # raises when it is on neither side: there never was such a model
    now = _name_now(before, after, name)
    if now != name and not isinstance(after.state(name).model, RegisteredModel):
        return _difference(before, after, (name, now), _contrast(before, after, now, name))
    found = _contrast(before, after, name, _Names(before, after).former(name))
    return replace(_difference(before, after, (name, name), found), moved=now if now != name else "")


def _former(before: View, after: View, new: Reference) -> str:
    """The name in ``before`` of the model that ``new`` names in ``after``."""
    former = _Names(before, after).former(new.name)
    now = _name_now(before, after, new.name)
    if former is None and now != new.name:
        short = before.commit[:10]
        raise NotFound(
            f"the model that was called {shown(new.name)} in commit {short} is now {shown(now)}",
            where=str(new),
            hint=f"gitreg diff {replace(new, name=now)} --from {short}",
        )
    return former or new.name


def _name_now(before: View, after: View, name: str) -> str:
    """What the model called ``name`` in ``before`` is called in ``after``; ``name`` where nobody knows."""
    if not isinstance(after.states, IndexedStates) or not isinstance(
        _model_of(before, name), RegisteredModel
    ):
        return name
    part = after.states.part
    place = part.index.place_of(before.commit)
    return name if place is None or place > part.seq else called_now(part, name, place)


class _Names:
    """Under which names the models of ``after`` stood in ``before``."""

    def __init__(self, before: View, after: View) -> None:
        self.before = before
        self.after = after

    @cached_property
    def touched(self) -> list[str]:
        """The names of the folders that differ, sorted."""
        old, new = dict(self.before.states.folders()), dict(self.after.states.folders())
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))

    def former(self, name: str) -> str | None:
        """The name that the model now called ``name`` had; None where it was not there yet.

        The history tells it where it leads from the one commit to the other: names may be given up and
        taken again. Else the trees have to, by the tombstones that renamings leave.
        """
        called = _name_at(self.after, self.before, name)
        if called is not None:
            return called or None
        # Back in time: which of the later models was called so?
        for later in self.touched:
            if isinstance(_model_of(self.before, later), RegisteredModel):
                called = _name_at(self.before, self.after, later)
                if called is None:
                    break
                if called == name:
                    return later
        if isinstance(_model_of(self.before, name), RegisteredModel):
            return name
        return self._renamed.get(name, name)

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """New name → old name, for the models that were renamed in between, once or more often."""
        links = {}
        for name in self.touched:
            model = _model_of(self.after, name)
            if isinstance(model, ModelTombstone) and model.renamed_to:
                links[name] = model.renamed_to
        found = {}
        for name in links:
            if isinstance(_model_of(self.before, name), RegisteredModel):
                target, seen = name, {name}
                while target in links and links[target] not in seen:
                    target = links[target]
                    seen.add(target)
                found[target] = name
        return found


def _name_at(later: View, earlier: View, name: str) -> str | None:
    """What the model called ``name`` in ``later`` was called in ``earlier``: ``""`` where it was not there.

    None: the history does not lead from the one to the other, or is in no index.
    """
    if not isinstance(later.states, IndexedStates):
        return None
    part = later.states.part
    place = part.index.place_of(earlier.commit)
    if place is None or place > part.seq:
        return None
    spans = part.names(name)
    return next((span.name for span in spans if span.since <= place < span.until), "")


def _model_of(view: View, name: str) -> AnyModel | None:
    try:
        return view.state(name).model
    except InvalidInput:
        return None  # unreadable: _contrast says so where it matters


def _contrast(before: View, after: View, name: str, former: str | None) -> ModelContrast:
    """``former``: the model's name in ``before``; None where it was not there."""
    new = after.state(name)
    old = ModelState(name=name) if former is None else _called(before.state(former), name)
    numbers: list[int] = []
    others: dict[str, tuple[str | None, str | None]] = {}
    trees = None if former is None else _folder(before, former), _folder(after, name)
    for touched in diff_trees(after.states.reader, *trees):
        stem = touched.path.removeprefix("versions/").removesuffix(".yaml")
        if stem.isdigit() and touched.path == f"versions/{stem}.yaml":
            numbers.append(int(stem))
        elif touched.path != "model.yaml":
            others[touched.path] = _oids(touched)
    gone = not isinstance(new.model, RegisteredModel)
    unread = () if gone else tuple(_unread((old, new), numbers))
    return contrast_models(
        _without(old, unread),
        _without(new, unread),
        [] if gone else [number for number in numbers if number not in unread],
        stages=[stage.name for stage in after.settings.stages],
        former=former if former and former != name else "",
        others=others,
        unread=tuple(after.states.layout.version_file(name, number) for number in unread),
    )


def _folder(view: View, name: str) -> str | None:
    entry = view.states.reader.entry(view.states.root, view.states.layout.model_dir(name))
    return entry.oid if entry else None


def _oids(touched: Touched) -> tuple[str | None, str | None]:
    return touched.old.oid if touched.old else None, touched.new.oid if touched.new else None


def _unread(states: tuple[ModelState, ModelState], numbers: list[int]) -> Iterator[int]:
    for number in sorted(numbers):
        try:
            for state in states:
                state.versions.get(number)
        except InvalidInput:
            yield number


def _without(state: ModelState, numbers: tuple[int, ...]) -> ModelState:
    if not numbers:
        return state
    versions, left_out = state.versions, {*numbers}
    kept = Versions(
        [number for number in versions if number not in left_out],
        versions.__getitem__,
        lambda stage: {*versions.mentioning(stage)} - left_out,
    )
    return replace(state, versions=kept)


def _called(state: ModelState, name: str) -> ModelState:
    """``state`` as if its model had been called ``name``: no manifest of a version holds the name."""
    if state.name == name:
        return state
    versions = state.versions

    def load(number: int) -> AnyVersion:
        return replace(versions[number], name=name)

    model = replace(state.model, name=name) if state.model else None
    return ModelState(name=name, model=model, versions=Versions(versions, load, versions.mentioning))
