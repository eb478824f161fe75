from __future__ import annotations

from datetime import timedelta

import pytest

from gitreg.domain import requests as ask
from gitreg.domain.model import Evaluation, ModelTombstone, Origin, RegisteredModel
from gitreg.domain.references import Selector, in_stage, select, version_selector
from gitreg.domain.settings import Settings, Stage
from gitreg.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.domain.scenario import START, World


def events(changes: object) -> list[tuple[str, int | None, str | None]]:
    return [(c.event, c.version, c.stage) for c in changes]  # type: ignore[attr-defined]


def test_first_registration_makes_the_model_too() -> None:
    world = World()
    assert events(world.register()) == [("register", None, None), ("register", 1, None)]
    assert events(world.register()) == [("register", 2, None)]
    assert isinstance(world.states["m"].model, RegisteredModel)


def test_numbers_are_never_used_again() -> None:
    world = World()
    world.register()
    world.register()
    world.do(ask.DeleteVersion(name="m", selector=version_selector(2)))
    assert events(world.register()) == [("register", 3, None)]
    world.do(ask.DeleteModel(name="m"))
    assert isinstance(world.states["m"].model, ModelTombstone)
    assert events(world.register()) == [("register", None, None), ("register", 4, None)]


def test_insisting_on_a_number() -> None:
    world = World()
    world.register(version=1)
    with pytest.raises(AlreadyExists) as caught:
        world.register(version=1)
    assert "2" in caught.value.hint
    with pytest.raises(Conflict) as caught_gap:
        world.register(version=5)
    assert caught_gap.value.exit_code == 4


def test_twins_are_refused_naming_the_twin() -> None:
    world = World()
    world.register("fraud")
    with pytest.raises(AlreadyExists) as caught:
        world.register("Fraud")
    assert '"fraud"' in str(caught.value)
    assert caught.value.exit_code == 4


def test_transition_takes_all_other_stages() -> None:
    world = World()
    world.register()
    world.transition(1, "Staging")
    world.do(ask.Assign(name="m", selector=version_selector(1), stage="Production"))
    assert world.stages(1) == {"Staging", "Production"}
    assert events(world.transition(1, "production")) == [("unassign", 1, "Staging")]
    assert world.stages(1) == {"Production"}
    assert world.transition(1, "Production") == ()
    world.transition(1, "None")
    assert world.stages(1) == set()


def test_archive_existing() -> None:
    world = World()
    for _ in range(3):
        world.register()
    world.transition(1, "Production")
    world.transition(2, "Staging")
    world.do(ask.Assign(name="m", selector=version_selector(2), stage="Production"))
    changes = world.transition(3, "Production", archive=True)
    assert events(changes) == [
        ("transition", 1, "Archived"),
        ("unassign", 2, "Production"),
        ("transition", 3, "Production"),
    ]
    assert world.stages(1) == {"Archived"}
    assert world.stages(2) == {"Staging"}
    for stage in ("Archived", "None"):
        with pytest.raises(InvalidInput):
            world.transition(3, stage, archive=True)


def test_an_exclusive_stage_is_taken() -> None:
    world = World(settings=Settings(stages=(Stage(name="Live", exclusive=True), Stage(name="Archived"))))
    world.register()
    world.register()
    world.transition(1, "Live")
    changes = world.do(ask.Assign(name="m", selector=version_selector(2), stage="Live"))
    assert events(changes) == [("unassign", 1, "Live"), ("transition", 2, "Live")]


def test_selectors() -> None:
    world = World()
    for _ in range(3):
        world.register()
    world.transition(1, "Staging")
    world.transition(2, "Staging")
    world.do(ask.SetAlias(name="m", alias="champ", selector=version_selector(1)))
    state, settings = world.states["m"], world.settings

    def chosen(**what: object) -> int:
        return select(state, Selector(**what), settings).version  # type: ignore[arg-type]

    assert chosen(kind="latest") == 3
    assert chosen(kind="stage", text="staging") == 2
    assert chosen(kind="alias", text="champ") == 1
    none = in_stage(state, "None", settings)
    assert none and none.version == 3
    for missing in (
        version_selector(9),
        Selector(kind="stage", text="Production"),
        Selector(kind="alias", text="x"),
    ):
        with pytest.raises(NotFound):
            select(state, missing, settings)
    with pytest.raises(InvalidInput) as caught:
        select(state, Selector(kind="stage", text="Prodction"), settings)
    assert 'did you mean "Production"?' in caught.value.hint


def test_delete_takes_aliases_and_restore_brings_the_version_without_its_stages() -> None:
    world = World()
    world.register(aliases=("champ",))
    world.transition(1, "Production")
    past = world.states["m"]
    changes = world.do(ask.DeleteVersion(name="m", selector=version_selector(1), reason="bad data"))
    assert events(changes) == [("alias", None, None), ("delete", 1, None)]
    with pytest.raises(NotFound) as caught:
        world.transition(1, "Staging")
    assert "restore" in caught.value.hint
    assert events(world.do(ask.RestoreVersion(name="m", version=1, past=past, commit="c"))) == [
        ("restore", 1, None)
    ]
    assert world.stages(1) == set()


def test_rename_and_back() -> None:
    world = World()
    world.register("old", aliases=("champ",))
    changes = world.do(ask.Rename(name="old", new_name="new"))
    assert [(c.event, c.model, c.after) for c in changes] == [("rename", "old", "new")]
    with pytest.raises(NotFound) as caught:
        world.transition(1, "Staging", name="old")
    assert "new" in caught.value.message
    assert events(world.register("new")) == [("register", 2, None)]
    world.do(ask.Rename(name="new", new_name="old"))
    assert events(world.register("old")) == [("register", 3, None)]
    world.register("other")
    with pytest.raises(AlreadyExists):
        world.do(ask.Rename(name="other", new_name="old"))
    with pytest.raises(Conflict):
        world.do(ask.Rename(name="other", new_name="Other"))
    with pytest.raises(Conflict):
        world.do(ask.Rename(name="other", new_name="new"))


def test_restored_model_comes_back_as_one_change() -> None:
    world = World()
    world.register()
    world.transition(1, "Production")
    past = world.states["m"]
    assert events(world.do(ask.DeleteModel(name="m"))) == [("delete", None, None)]
    assert events(world.do(ask.RestoreModel(name="m", past=past, commit="c"))) == [("restore", None, None)]
    assert world.stages(1) == {"Production"}


def test_nothing_to_change_is_no_change() -> None:
    world = World()
    world.register(tags={"a": "1"}, aliases=("champ",))
    for request in (
        ask.Tag(name="m", selector=version_selector(1), put={"a": "1"}),
        ask.Tag(name="m", remove=("missing",)),
        ask.SetAlias(name="m", alias="champ", selector=version_selector(1)),
        ask.RemoveAlias(name="m", alias="missing"),
        ask.Unassign(name="m", selector=version_selector(1), stage="Staging"),
        ask.UpdateModel(name="m", description=""),
        ask.Undeprecate(name="m", selector=version_selector(1)),
        ask.Rename(name="m", new_name="m"),
    ):
        assert world.decide(request) == {}


def test_evaluations_are_appended() -> None:
    world = World()
    world.register()
    for name in ("holdout", "drift"):
        evaluation = Evaluation(name=name, at=START + timedelta(days=1), metrics={"auc": 0.9})
        changes = world.do(ask.Evaluate(name="m", selector=version_selector(1), evaluation=evaluation))
        assert events(changes) == [("evaluate", 1, None)]
    found = world.states["m"].live(1)
    assert found and [e.name for e in found.evaluations] == ["holdout", "drift"]


@pytest.mark.parametrize(
    "request_",
    [
        ask.Register(name="m", origin=Origin(source="  ")),
        ask.Register(name="m", origin=Origin(source="a\nb")),
        ask.Register(name="m", origin=Origin(source="x"), tags={"": "1"}),
        ask.Register(name="m", origin=Origin(source="x"), tags={"k": "v" * 100_001}),
        ask.Register(name="m", origin=Origin(source="x", metrics={"a\nb": 1.0})),
        ask.Register(name="m", origin=Origin(source="x"), aliases=("latest",)),
        ask.Register(name="m", origin=Origin(source="x"), status="DONE"),
        ask.Register(name="m", origin=Origin(source="x"), description="\udcff"),
    ],
)
def test_bad_values_are_refused(request_: ask.Request) -> None:
    with pytest.raises(InvalidInput) as caught:
        World().do(request_)
    assert caught.value.exit_code == 3
    assert caught.value.where
