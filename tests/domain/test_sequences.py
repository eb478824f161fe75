"""Whatever is asked in whatever order: the events say all that the states say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.domain import requests as ask
from gitreg.domain.edits import Draft
from gitreg.domain.model import ModelState, ModelVersion, Origin, RegisteredModel
from gitreg.domain.references import version_selector
from gitreg.errors import GitregError
from tests.domain.scenario import World

_NAMES = st.sampled_from(["a", "b", "c"])
_NUMBERS = st.integers(1, 4).map(version_selector)
_STAGES = st.sampled_from(["Staging", "Production", "Archived", "None"])

REQUESTS = st.one_of(
    st.builds(lambda n: ask.Register(name=n, origin=Origin(source="s3://x")), _NAMES),
    st.builds(
        lambda n, v, s, a: ask.Transition(name=n, selector=v, stage=s, archive_existing=a),
        _NAMES,
        _NUMBERS,
        _STAGES,
        st.booleans(),
    ),
    st.builds(lambda n, v, s: ask.Assign(name=n, selector=v, stage=s), _NAMES, _NUMBERS, _STAGES),
    st.builds(lambda n, v, s: ask.Unassign(name=n, selector=v, stage=s), _NAMES, _NUMBERS, _STAGES),
    st.builds(lambda n, v: ask.SetAlias(name=n, alias="x", selector=v), _NAMES, _NUMBERS),
    st.builds(lambda n, v: ask.DeleteVersion(name=n, selector=v), _NAMES, _NUMBERS),
    st.builds(lambda n: ask.DeleteModel(name=n), _NAMES),
    st.builds(lambda n, m: ask.Rename(name=n, new_name=m), _NAMES, _NAMES),
)


@given(st.lists(REQUESTS, max_size=25))
@settings(max_examples=150, deadline=None)
def test_events_sum_up_to_the_stages_and_aliases(asked: list[ask.Request]) -> None:
    world = World()
    stages: dict[tuple[str, int], set[str]] = {}
    aliases: dict[tuple[str, str], int] = {}
    used: dict[str, set[int]] = {}
    for request in asked:
        try:
            changes = world.do(request)
        except GitregError:
            continue
        for change in changes:
            name, number = change.model, change.version
            match change.event:
                case "register" if number:
                    assert number not in used.setdefault(name, set()), "a number was used twice"
                    used[name].add(number)
                    stages[name, number] = set()
                case "transition" if number:
                    assert stages[name, number] == set(change.origin)
                    stages[name, number] = {change.stage} if change.stage else set()
                case "assign" if number and change.stage:
                    stages[name, number].add(change.stage)
                case "unassign" if number and change.stage:
                    stages[name, number].discard(change.stage)
                case "alias":
                    key = (name, str(change.field))
                    aliases.pop(key, None)
                    if change.after:
                        aliases[key] = change.after
                case "delete" if number:
                    stages.pop((name, number))
                case "delete":
                    stages = {k: v for k, v in stages.items() if k[0] != name}
                    aliases = {k: v for k, v in aliases.items() if k[0] != name}
                case "rename":
                    stages = {(change.after if k[0] == name else k[0], k[1]): v for k, v in stages.items()}
                    aliases = {(change.after if k[0] == name else k[0], k[1]): v for k, v in aliases.items()}
                    used[change.after] = used.get(change.after, set()) | used[name]
    assert stages == {
        (name, number): set(version.stages)
        for name, state in world.states.items()
        for number, version in state.versions.items()
        if isinstance(version, ModelVersion)
    }
    assert aliases == {
        (name, f"aliases.{alias}"): number
        for name, state in world.states.items()
        if isinstance(state.model, RegisteredModel)
        for alias, number in state.model.aliases.items()
    }


@given(st.lists(REQUESTS, max_size=25))
@settings(max_examples=150, deadline=None)
def test_a_draft_of_many_requests_ends_where_the_single_ones_end(asked: list[ask.Request]) -> None:
    world, once = World(), World()
    draft = Draft(once.lookup, once.twin)
    for request in asked:
        single = joint = None
        try:
            world.do(request)
        except GitregError as error:
            single = str(error)
        once.ticks += 1
        try:
            draft.add(_decided(once, draft, request))
        except GitregError as error:
            joint = str(error)
        if joint and "together with other changes" in joint:
            return  # a draft refuses what one commit can't hold; up to there both are alike
        assert single == joint
    for name, part in draft.edit.items():
        assert _plain(part.after) == _plain(world.states[name])


def _decided(world: World, draft: Draft, request: ask.Request):  # type: ignore[no-untyped-def]
    from datetime import timedelta

    from gitreg.domain.decide import decide
    from tests.domain.scenario import START

    now = START + timedelta(minutes=world.ticks)
    return decide(request, lookup=draft.state, twin=draft.twin, settings=world.settings, now=now)


def _plain(state: ModelState) -> tuple[object, ...]:
    return state.name, state.model, dict(state.versions)
