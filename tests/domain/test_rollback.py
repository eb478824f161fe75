"""Who gets a stage back: from spans of history, with what the others hold then."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.domain import requests as ask
from gitreg.domain.references import version_selector
from gitreg.domain.rollback import Hold, Plan, plan
from gitreg.domain.settings import Settings, Stage
from gitreg.domain.undo import Overtaken
from gitreg.errors import Conflict, GitregError, InvalidInput
from tests.domain.scenario import World
from tests.domain.test_sequences import REQUESTS


class Story:
    """A model whose history of stages is written down as commits go by."""

    def __init__(self, versions: int = 5, **more: object) -> None:
        self.world = World(**more)  # type: ignore[arg-type]
        self.seq = 0
        self.holds: list[Hold] = []
        self.open: dict[tuple[int, str], int] = {}
        for _ in range(versions):
            self.do(ask.Register(name="m", origin=ask.Origin(source="s3://x")))

    def do(self, request: ask.Request) -> None:
        self.world.do(request)
        self.seq += 1
        state = self.world.states["m"]
        now = {(v.version, stage) for v in state.newest_first() for stage in v.stages}
        for key in set(self.open) - now:
            since = self.open.pop(key)
            self.holds.append(Hold(number=key[0], stage=key[1], since=since, until=self.seq))
        for key in now - set(self.open):
            self.open[key] = self.seq

    def move(self, version: int, stage: str = "Production", *, archive: bool = True) -> None:
        archived = archive and stage not in ("Archived", "None")
        selector = version_selector(version)
        self.do(ask.Transition(name="m", selector=selector, stage=stage, archive_existing=archived))

    def plan(self, stage: str = "Production", to: int | None = None) -> Plan:
        still = [Hold(number=n, stage=s, since=at) for (n, s), at in self.open.items()]
        return plan(
            [*self.holds, *still], stage, state=self.world.states["m"], settings=self.world.settings, to=to
        )

    def rollback(self, stage: str = "Production", to: int | None = None) -> Plan:
        found = self.plan(stage, to)
        self.do(found.request)
        return found

    @property
    def stages(self) -> Mapping[int, set[str]]:
        found = {v.version: set(v.stages) for v in self.world.states["m"].newest_first()}
        return {number: held for number, held in sorted(found.items()) if held}


def test_the_previous_holder_gets_it_and_both_are_as_they_were() -> None:
    story = Story()
    story.move(1)
    story.move(2, "Staging")
    before = story.stages
    story.move(2)
    assert story.stages == {1: {"Archived"}, 2: {"Production"}}
    found = story.rollback()
    assert (found.back, found.left, found.later) == ((1,), (2,), None)
    assert story.stages == before == {1: {"Production"}, 2: {"Staging"}}


def test_a_second_rollback_goes_one_further_back_and_never_to_and_fro() -> None:
    story = Story()
    for number in (1, 2, 3):
        story.move(number, "Staging")
        story.move(number)
    assert story.rollback().back == (2,)
    found = story.rollback()
    assert found.back == (1,) and found.later and found.later.number == 3
    assert story.stages == {1: {"Production"}, 2: {"Staging"}, 3: {"Staging"}}
    with pytest.raises(Conflict, match="no version held Production before m/1 did") as caught:
        story.rollback()
    assert caught.value.hint.endswith("gitreg rollback m Production --to 2")
    story.rollback(to=3)
    assert story.stages[3] == {"Production"} and 1 in story.stages


def test_a_promotion_after_a_rollback_goes_back_to_where_the_rollback_had_led() -> None:
    story = Story()
    for number in (1, 2, 3):
        story.move(number)
    story.rollback()
    story.move(4)
    assert story.rollback().back == (2,)
    assert story.rollback().back == (1,)


def test_two_holders_the_one_that_got_it_last_loses_it() -> None:
    story = Story()
    story.move(1)
    story.move(2)
    story.move(3, archive=False)
    assert story.stages == {1: {"Archived"}, 2: {"Production"}, 3: {"Production"}}
    found = story.rollback()
    assert (found.back, found.left) == ((2,), (3,))
    assert story.stages == {1: {"Archived"}, 2: {"Production"}}
    assert story.rollback().back == (1,)


def test_two_that_were_replaced_together_come_back_together() -> None:
    story = Story()
    story.move(1)
    story.move(2, archive=False)
    story.move(3)
    assert story.rollback().back == (1, 2)
    assert story.stages == {1: {"Production"}, 2: {"Production"}}
    assert story.rollback().back == (1,)


def test_a_canary_that_overlapped_goes_back_to_the_one_before() -> None:
    story = Story()
    story.move(1)
    story.move(2, archive=False)
    story.move(1, "None")
    assert story.rollback().back == (1,)
    assert story.stages == {1: {"Production"}}


def test_nobody_holds_it_the_last_one_that_lost_it_gets_it() -> None:
    story = Story()
    story.move(1)
    story.move(2)
    story.move(2, "None")
    assert story.rollback().back == (2,)
    assert story.rollback().back == (1,)


def test_a_deleted_holder_is_passed_over() -> None:
    story = Story()
    for number in (1, 2, 3):
        story.move(number)
    story.do(ask.DeleteVersion(name="m", selector=version_selector(2)))
    found = story.rollback()
    assert (found.back, found.passed_over) == ((1,), (2,))
    story = Story()
    story.move(1)
    story.move(2)
    story.do(ask.DeleteVersion(name="m", selector=version_selector(2)))
    found = story.rollback()
    assert (found.back, found.passed_over, found.left) == ((1,), (2,), ())


def test_a_deprecated_holder_is_refused_unless_it_is_named() -> None:
    story = Story()
    story.move(1)
    story.move(2)
    story.do(ask.Deprecate(name="m", selector=version_selector(1), reason="leaks"))
    with pytest.raises(Conflict, match="version 1, which held Production before, is deprecated: leaks") as no:
        story.rollback()
    assert no.value.hint.endswith("gitreg rollback m Production --to 1")
    assert story.rollback(to=1).back == (1,)


def test_a_version_is_named() -> None:
    story = Story()
    for number in (1, 2, 3):
        story.move(number)
    assert story.rollback(to=1).back == (1,)
    assert story.stages[1] == {"Production"}
    assert not story.plan(to=1).request.following
    with pytest.raises(InvalidInput, match="version 4 never held Production") as no:
        story.plan(to=4)
    assert no.value.hint == "gitreg transition m/4 Production"
    with pytest.raises(InvalidInput, match="there is no version 9"):
        story.plan(to=9)
    story.do(ask.DeleteVersion(name="m", selector=version_selector(2)))
    with pytest.raises(InvalidInput, match="version 2 is deleted") as no:
        story.plan(to=2)
    assert no.value.hint == "gitreg restore m/2"


def test_nothing_ever_held_it() -> None:
    story = Story()
    with pytest.raises(Conflict, match="no version ever held Production") as no:
        story.plan()
    assert no.value.hint == "gitreg transition m/VERSION Production"
    story.move(1)
    with pytest.raises(Conflict, match="no version held Production before m/1 did") as no:
        story.plan()
    assert no.value.hint == "gitreg unassign m/1 Production"


def test_what_was_moved_since_is_not_moved_back() -> None:
    story = Story()
    story.move(1)
    story.move(2, "Staging")
    story.move(2)
    story.move(1, "Staging")
    story.do(ask.Assign(name="m", selector=version_selector(2), stage="Staging"))
    story.rollback()
    assert story.stages == {1: {"Production", "Staging"}, 2: {"Staging"}}


def test_a_stage_for_one_version_that_another_holds_by_now_is_not_given_back() -> None:
    stages = (Stage(name="Staging", exclusive=True), Stage(name="Production"), Stage(name="Archived"))
    story = Story(settings=Settings(stages=stages))
    story.move(1)
    story.move(2, "Staging")
    story.move(2)
    story.move(3, "Staging")
    story.rollback()
    assert story.stages == {1: {"Production"}, 3: {"Staging"}}


def test_two_can_not_come_back_to_a_stage_for_one() -> None:
    story = Story()
    story.move(1)
    story.move(2, archive=False)
    story.move(3)
    story.world.settings = Settings(stages=(Stage(name="Production", exclusive=True), Stage(name="Archived")))
    with pytest.raises(Conflict, match="versions 1 and 2 held Production before"):
        story.rollback()


def test_those_that_held_it_before_are_deleted() -> None:
    story = Story()
    for number in (1, 2, 3):
        story.move(number)
    for number in (1, 2):
        story.do(ask.DeleteVersion(name="m", selector=version_selector(number)))
    with pytest.raises(Conflict) as caught:
        story.rollback()
    assert caught.value.message == "m/2 and m/1, which held Production before m/3 did, are deleted"
    assert caught.value.hint == "gitreg restore m/2, then roll back"
    story.do(ask.DeleteVersion(name="m", selector=version_selector(3)))
    with pytest.raises(Conflict, match="m/3 and m/2 and m/1, which held Production last, are deleted"):
        story.rollback()


def test_a_stage_that_is_left_without_a_holder_is_told() -> None:
    story = Story()
    story.move(1)
    story.move(2)
    story.move(1, "Staging")
    assert story.plan().vacated == {}, "version 1 was moved since and stays in Staging"
    story.move(2, "Staging", archive=False)
    found = story.plan()
    assert (found.back, found.vacated) == ((2,), {}), "version 1 still holds it"
    story.do(ask.DeleteVersion(name="m", selector=version_selector(1)))
    assert story.rollback().vacated == {"Staging": (2,)}
    assert story.stages == {2: {"Production"}}


def test_a_plan_that_was_overtaken_is_refused() -> None:
    story = Story()
    story.move(1)
    story.move(2)
    found = story.plan()
    story.move(3, archive=False)
    with pytest.raises(Overtaken):
        story.do(found.request)


def test_a_hold_in_two_rows_is_one() -> None:
    state = Story(2).world.states["m"]
    holds = [
        Hold(number=1, stage="Production", since=1, until=3),
        Hold(number=2, stage="Production", since=3, until=5),
        Hold(number=2, stage="Production", since=5),
    ]
    found = plan(holds, "Production", state=state, settings=Settings())
    assert (found.back, found.left) == ((1,), (2,))


@given(st.lists(REQUESTS, max_size=25))
@settings(max_examples=200, deadline=None)
def test_rollbacks_end_and_each_leads_to_other_holders(asked: list[ask.Request]) -> None:
    story = Story(3)
    for request in asked:
        request_ = request
        if request.name != "m" and hasattr(request, "selector"):
            from dataclasses import replace

            request_ = replace(request, name="m")  # type: ignore[type-var]
        try:
            story.do(request_)
        except GitregError:
            continue
    seen = set()
    for _ in range(40):
        try:
            found = story.rollback()
        except Conflict:
            break
        holding = {number for number, held in story.stages.items() if "Production" in held}
        assert holding == set(found.back)
        assert frozenset(holding) not in seen, "to and fro"
        seen.add(frozenset(holding))
    else:
        pytest.fail("the rollbacks never end")
