"""What takes changes back: there and back is as before, and what was changed since is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.domain import requests as ask
from gitreg.domain.changes import Change
from gitreg.domain.edits import Draft
from gitreg.domain.model import Evaluation, ModelState, ModelVersion, RegisteredModel
from gitreg.domain.references import version_selector
from gitreg.domain.settings import Settings, Stage, TagSettings
from gitreg.domain.undo import ChangedSince, requests_for, settings_back
from gitreg.errors import Conflict, GitregError
from tests.domain.scenario import START, World
from tests.domain.test_sequences import REQUESTS, _decided

ONE, TWO = version_selector(1), version_selector(2)


def back(world: World, changes: tuple[Change, ...], before: dict[str, ModelState], **more: Any) -> None:
    """Take ``changes``, which led from ``before`` to the state as it is, back in one edit."""
    now = dict(world.states)
    take_back(world, requests(changes, before, now, **more))


def requests(
    changes: tuple[Change, ...], before: dict[str, ModelState], after: dict[str, ModelState], **more: Any
) -> list[ask.TakeBack]:
    def of(states: dict[str, ModelState]) -> Any:
        return lambda name: states.get(name) or ModelState(name=name)

    return requests_for(changes, before=of(before), after=of(after), commit="0" * 40, **more)


def take_back(world: World, asked: list[ask.TakeBack]) -> None:
    world.ticks += 1
    draft = Draft(world.lookup, world.twin)
    for request in asked:
        draft.add(_decided(world, draft, request))
    for name, part in draft.edit.items():
        world.states[name] = part.after


def living(world: World) -> dict[str, Any]:
    """What stands, without tombstones and the times at which things were changed."""
    found: dict[str, Any] = {}
    for name, state in world.states.items():
        if isinstance(state.model, RegisteredModel):
            found[name] = replace(state.model, updated=START, last_version=0)
        for number, version in state.versions.items():
            if isinstance(version, ModelVersion):
                stages = dict.fromkeys(version.stages, START)
                found[f"{name}/{number}"] = replace(version, updated=START, stages=stages)
    return found


_NAMES = st.sampled_from(["a", "b", "c"])
_NUMBERS = st.integers(1, 4).map(version_selector)
_TEXTS = st.sampled_from(["", "x", "y"])
MORE = st.one_of(
    REQUESTS,
    st.builds(lambda n, t: ask.UpdateModel(name=n, description=t, owners=(t,)), _NAMES, _TEXTS),
    st.builds(lambda n, v, t: ask.UpdateVersion(name=n, selector=v, description=t), _NAMES, _NUMBERS, _TEXTS),
    st.builds(
        lambda n, v, t: ask.Tag(name=n, selector=v, put={"k": t}), _NAMES, st.none() | _NUMBERS, _TEXTS
    ),
    st.builds(lambda n, v: ask.Tag(name=n, selector=v, remove=("k",)), _NAMES, _NUMBERS),
    st.builds(lambda n, v, t: ask.Deprecate(name=n, selector=v, reason=t), _NAMES, _NUMBERS, _TEXTS),
    st.builds(lambda n, v: ask.Undeprecate(name=n, selector=v), _NAMES, _NUMBERS),
    st.builds(lambda n: ask.RemoveAlias(name=n, alias="x"), _NAMES),
)


@given(st.lists(MORE, max_size=20), st.booleans())
@settings(max_examples=300, deadline=None)
def test_there_and_back_and_there_again(asked: list[ask.Request], exclusive: bool) -> None:
    stages = (Stage(name="Staging"), Stage(name="Production", exclusive=exclusive), Stage(name="Archived"))
    world = World(settings=Settings(stages=stages))
    for request in asked:
        before, was = dict(world.states), living(world)
        try:
            changes = world.do(request)
        except GitregError:
            continue
        there, is_ = dict(world.states), living(world)
        back(world, changes, before)
        assert living(world) == was
        take_back(world, requests(changes, before, there))
        assert living(world) == was, "taken back twice is taken back once"
        # The commit that took it back is taken back, too.
        world.states, former = there, dict(world.states)
        world.states = dict(there)
        undone = _compared(there, former)
        world.states = dict(former)
        take_back(world, requests(undone, there, former))
        assert living(world) == is_
        world.states = there


def _compared(before: dict[str, ModelState], after: dict[str, ModelState]) -> tuple[Change, ...]:
    from gitreg.domain.compare import Snapshot, compare

    return compare(Snapshot(models=before), Snapshot(models=after))


@given(st.lists(MORE, min_size=1, max_size=6), st.lists(MORE, max_size=6))
@settings(max_examples=300, deadline=None)
def test_what_came_since_is_never_lost(first: list[ask.Request], since: list[ask.Request]) -> None:
    """A revert is refused, or it undoes that commit alone: what others changed stays."""
    world = World()
    for _ in range(2):
        world.register("a")
    for request in first[:-1]:
        _try(world, request)
    before = dict(world.states)
    changes = _try(world, first[-1])
    after = dict(world.states)
    for request in since:
        _try(world, request)
    stood = dict(world.states)
    later = {
        _about(change) for change in _compared(after, stood)
    }  # what went there and back counts for nothing
    try:
        take_back(world, requests(changes, before, after))
    except Conflict:
        assert world.states == stood
        return
    touched = {_about(change) for change in _compared(stood, world.states)}
    asked = {_about(change) for change in changes}
    if not any(change.version is None and change.field is None for change in changes):
        assert touched <= asked, "only what that commit set is set back"
        assert not touched & later or all(c.event == "alias" for c in changes)


def _about(change: Change) -> tuple[str, Any, Any]:
    staged = change.event in ("transition", "assign", "unassign")
    return change.model, change.version, "stages" if staged else change.field


def _try(world: World, request: ask.Request) -> tuple[Change, ...]:
    try:
        return world.do(request)
    except GitregError:
        return ()


def a_model(versions: int = 2) -> World:
    world = World()
    for _ in range(versions):
        world.register()
    return world


def test_what_was_changed_since_is_told_by_field() -> None:
    world = a_model()
    before = dict(world.states)
    changes = world.do(ask.UpdateVersion(name="m", selector=ONE, description="one"))
    after = dict(world.states)
    world.do(ask.UpdateVersion(name="m", selector=ONE, description="two"))
    with pytest.raises(ChangedSince, match="description of m/1 was changed since") as caught:
        take_back(world, requests(changes, before, after))
    assert (caught.value.change.version, caught.value.change.field) == (1, "description")


def test_other_fields_do_not_stand_in_the_way() -> None:
    world = a_model()
    before = dict(world.states)
    changes = world.do(ask.UpdateVersion(name="m", selector=ONE, description="one"))
    after = dict(world.states)
    world.do(ask.Tag(name="m", selector=ONE, put={"k": "v"}))
    world.transition(1, "Production")
    take_back(world, requests(changes, before, after))
    version = world.states["m"].live(1)
    assert version and (version.description, version.tags) == ("", {"k": "v"})
    assert world.stages(1) == {"Production"}


def test_an_assignment_leaves_other_stages_alone_and_a_move_does_not() -> None:
    world = a_model()
    before = dict(world.states)
    changes = world.do(ask.Assign(name="m", selector=ONE, stage="Staging"))
    after = dict(world.states)
    world.do(ask.Assign(name="m", selector=ONE, stage="Production"))
    assert changes[0].event == "transition"  # the first stage is a move: it set all that was held
    with pytest.raises(ChangedSince):
        take_back(world, requests(changes, before, after))
    before = dict(world.states)
    changes = world.do(ask.Unassign(name="m", selector=ONE, stage="Staging"))
    assert changes[0].event == "unassign"
    after = dict(world.states)
    world.do(ask.Assign(name="m", selector=ONE, stage="Archived"))
    take_back(world, requests(changes, before, after))
    assert world.stages(1) == {"Staging", "Production", "Archived"}


def test_a_version_that_is_used_is_not_unregistered() -> None:
    world = a_model(1)
    before = dict(world.states)
    changes = world.register()
    after = dict(world.states)
    world.transition(2, "Production")
    with pytest.raises(ChangedSince) as caught:
        take_back(world, requests(changes, before, after))
    assert caught.value.change.event == "transition"
    world.transition(2, "None")
    world.do(ask.SetAlias(name="m", alias="champion", selector=TWO))
    with pytest.raises(ChangedSince, match="m@champion points to version 2 by now"):
        take_back(world, requests(changes, before, after))
    world.do(ask.RemoveAlias(name="m", alias="champion"))
    take_back(world, requests(changes, before, after, reason="revert of abc"))
    stone = world.states["m"].versions[2]
    assert not isinstance(stone, ModelVersion) and stone.deleted.reason == "revert of abc"
    assert world.register()[0].version == 3


def test_a_new_model_goes_only_with_all_that_came_with_it() -> None:
    world = World()
    changes = world.register()
    model = tuple(change for change in changes if change.version is None)
    after = dict(world.states)
    with pytest.raises(Conflict, match="registered versions of it too"):
        take_back(world, requests(model, {}, after))
    world.register()
    with pytest.raises(ChangedSince):
        take_back(world, requests(changes, {}, after))
    world = World(states=dict(after))
    take_back(world, requests(changes, {}, after))
    assert living(world) == {}


def test_an_exclusive_stage_is_not_given_to_two() -> None:
    world = a_model()
    world.settings = Settings(stages=(Stage(name="Production", exclusive=True), Stage(name="Archived")))
    world.transition(1, "Production")
    before = dict(world.states)
    changes = world.do(ask.DeleteVersion(name="m", selector=ONE))
    after = dict(world.states)
    world.transition(2, "Production")
    with pytest.raises(ChangedSince, match="m/2 holds Production by now") as caught:
        take_back(world, requests(changes, before, after))
    assert caught.value.change.version == 2


def test_a_deleted_version_comes_back_with_its_stages_and_aliases() -> None:
    world = a_model()
    world.transition(1, "Production")
    world.do(ask.SetAlias(name="m", alias="champion", selector=ONE))
    was, before = living(world), dict(world.states)
    changes = world.do(ask.DeleteVersion(name="m", selector=ONE))
    assert {change.event for change in changes} == {"delete", "alias"}
    after = dict(world.states)
    alias = tuple(change for change in changes if change.event == "alias")
    with pytest.raises(ChangedSince, match="m/1 was deleted since"):
        take_back(world, requests(alias, before, after))
    back(world, changes, before)
    assert living(world) == was


def test_evaluations_stay() -> None:
    world = a_model()
    changes = world.do(ask.Evaluate(name="m", selector=ONE, evaluation=Evaluation(name="e", at=START)))
    with pytest.raises(Conflict, match="evaluations are only ever added to"):
        back(world, changes, {})


@pytest.mark.parametrize("event", ["rewrite", "vanish", "reuse", "approve"])
def test_what_no_command_makes_no_command_takes_back(event: Any) -> None:
    with pytest.raises(Conflict, match="m/1"):
        requests((Change(event=event, model="m", version=1, field="source"),), {}, {})


def test_settings_become_what_they_were() -> None:
    old = Settings(name="a", tags=TagSettings(prefix="p/"))
    new = replace(old, name="b", tags=TagSettings(), description="d")
    changes = tuple(
        Change(event="policy", field=key, before=getattr(old, key), after=getattr(new, key))
        for key in ("name", "tags")
    )
    assert settings_back(new, changes) == replace(old, description="d")
    assert settings_back(old, changes) == old
    with pytest.raises(ChangedSince, match="the setting name was changed since"):
        settings_back(replace(new, name="c"), changes)
    with pytest.raises(Conflict, match="chosen when the registry was made"):
        settings_back(new, (Change(event="policy", field="layout", before="flat", after="sharded"),))
