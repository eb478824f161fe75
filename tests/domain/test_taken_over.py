"""What happened elsewhere and is taken over: numbers with gaps, times of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitreg.domain import requests as ask
from gitreg.domain.model import Origin, RegisteredModel
from gitreg.domain.names import MAX_VERSION
from gitreg.domain.references import version_selector
from gitreg.errors import AlreadyExists, Conflict, InvalidInput
from tests.domain.scenario import START, World

THEN = datetime(2020, 5, 4, 3, 2, 1, tzinfo=UTC)
ORIGIN = Origin(source="s3://x")


def test_a_number_may_leave_others_out_which_are_never_used() -> None:
    world = World()
    world.register(version=3, gaps=True)
    world.register(version=7, gaps=True)
    world.register()
    assert sorted(world.states["m"].versions) == [3, 7, 8]
    with pytest.raises(AlreadyExists):
        world.register(version=7, gaps=True)
    with pytest.raises(Conflict):
        world.register(version=5, gaps=True)


def test_without_leave_no_number_is_left_out() -> None:
    with pytest.raises(Conflict, match="not the next version"):
        World().register(version=3)


def test_a_number_that_is_too_long() -> None:
    world = World()
    with pytest.raises(InvalidInput, match="no version number"):
        world.register(version=MAX_VERSION + 1, gaps=True)


def test_a_later_update_than_the_creation() -> None:
    world = World()
    later = START + timedelta(days=3)
    world.do(ask.CreateModel(name="m", updated=later))
    world.register(updated=later)
    model, version = world.states["m"].model, world.states["m"].live(1)
    assert isinstance(model, RegisteredModel)
    assert version is not None
    assert (model.updated, version.updated) == (later, later)
    assert max(model.created, version.created) < later


def test_requests_of_one_edit_have_times_of_their_own() -> None:
    world = World()
    world.do(ask.Dated(request=ask.Register(name="m", origin=ORIGIN), at=THEN))
    moved = ask.Transition(name="m", selector=version_selector(1), stage="Production")
    world.do(ask.Dated(request=moved, at=THEN + timedelta(hours=1)))
    version = world.states["m"].live(1)
    assert version is not None
    assert version.created == THEN
    assert version.updated == version.stages["Production"] == THEN + timedelta(hours=1)
