"""The list of models, from the index: what each row says, and which models are on which page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.domain.settings import NoWorse, Settings, Stage
from gitreg.errors import InvalidInput
from gitreg.registry.catalog import Catalog, Wanted, catalog
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create_bare
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry

STAGES = (
    Stage(name="Staging"),
    Stage(name="Production", no_worse=(NoWorse(metric="loss", direction="lower"),)),
    Stage(name="Archived"),
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    place = tmp_path / "registry"
    create_bare(place, settings=Settings(stages=STAGES), branch=None, env=os.environ, now=utc_now())
    with open_registry(place) as opened:
        yield opened


def asked(
    registry: Registry, *, page: int = 1, size: int = 50, at: str | None = None, **wanted: str
) -> Catalog:
    view = registry.at(at)
    part = registry.store.index.slice(view.commit)
    return catalog(part, view.settings, Wanted(**wanted), page=page, size=size)


def names(found: Catalog) -> list[str]:
    return [row.model.name for row in found.rows]


def test_a_row_says_what_matters(registry: Registry) -> None:
    for number in range(1, 4):
        registry.register("churn", f"s3://m/{number}", metrics={"auc": 0.9, "loss": 0.5 - number / 10})
    registry.transition("churn/1", "Production", message="first")
    registry.transition("churn/2", "Staging")
    registry.transition("churn/3", "Staging")
    registry.delete("churn/2")
    (row,) = asked(registry).rows
    assert (row.count, row.latest) == (2, 3)
    assert row.stages == {"Staging": (3,), "Production": (1,)}
    # A rule asks for the loss, so it is told before the auc.
    assert row.metric == "loss"
    assert row.values == ((1, 0.4), (3, pytest.approx(0.2)))
    assert row.author
    assert row.updated == max(registry.version("churn/3").stages.values())


def test_what_is_no_number_is_left_out_of_the_curve(registry: Registry) -> None:
    registry.register("churn", "s3://m/1", metrics={"auc": float("nan")})
    registry.register("churn", "s3://m/2", metrics={"auc": 0.5})
    (row,) = asked(registry).rows
    assert row.values == ((2, 0.5),)


def test_models_without_versions_or_metrics(registry: Registry) -> None:
    registry.create_model("empty", owners=["ada@example.com"])
    registry.register("bare", "s3://m/1")
    bare, empty = asked(registry).rows
    assert (bare.count, bare.metric, bare.values, bare.stages) == (1, None, (), {})
    assert (empty.count, empty.latest, empty.metric) == (0, None, None)


def test_what_is_typed_is_looked_for_everywhere(registry: Registry) -> None:
    registry.create_model("churn", description="Who leaves us", owners=["ada@example.com"])
    registry.create_model("fraud", tags={"team": "risk_eu"})
    registry.create_model("50%_off", description="prices")
    assert names(asked(registry, text="CHU")) == ["churn"]
    assert names(asked(registry, text="leaves")) == ["churn"]
    assert names(asked(registry, text="ada")) == ["churn"]
    assert names(asked(registry, text="team=risk")) == ["fraud"]
    assert names(asked(registry, text="us who")) == ["churn"]
    # What means something to LIKE means itself here.
    assert names(asked(registry, text="%")) == ["50%_off"]
    assert names(asked(registry, text="_")) == ["50%_off", "fraud"]
    assert names(asked(registry, text="' OR 1=1 --")) == []


def test_stage_and_owner_narrow_it(registry: Registry) -> None:
    registry.register("a", "s3://m/1")
    registry.register("b", "s3://m/1")
    registry.update("b", owners=["ada", "bob"])
    registry.transition("a/1", "Staging")
    assert names(asked(registry, stage="Staging")) == ["a"]
    assert names(asked(registry, owner="bob")) == ["b"]
    assert names(asked(registry, owner="bo")) == []


def test_pages_hold_every_model_once(registry: Registry) -> None:
    with registry.batch("many"):
        for number in range(7):
            registry.create_model(f"m{number}")
    seen = []
    for page in (1, 2, 3):
        found = asked(registry, page=page, size=3)
        assert (found.total, found.pages, found.page) == (7, 3, page)
        seen += names(found)
    assert seen == [f"m{number}" for number in range(7)]
    assert asked(registry, page=99, size=3).page == 3
    assert asked(registry, size=3, text="nothing").pages == 1


def test_the_last_changed_comes_first(registry: Registry) -> None:
    for name in ("a", "b", "c"):
        registry.register(name, "s3://m/1")
    registry.transition("a/1", "Staging")
    assert names(asked(registry, order="updated")) == ["a", "c", "b"]
    with pytest.raises(InvalidInput, match="ordered by 'size'"):
        asked(registry, order="size")


def test_the_past_is_told_as_it_was(registry: Registry) -> None:
    registry.register("churn", "s3://m/1", metrics={"loss": 0.4})
    before = registry.at().commit
    registry.register("churn", "s3://m/2", metrics={"loss": 0.3})
    registry.transition("churn/2", "Production")
    registry.create_model("later")
    found = asked(registry, at=before)
    assert names(found) == ["churn"] and found.total == 1
    (row,) = found.rows
    assert (row.count, row.latest, row.values, row.stages) == (1, 1, ((1, 0.4),), {})


def test_deleted_and_renamed_models_are_gone(registry: Registry) -> None:
    registry.register("a", "s3://m/1")
    registry.register("b", "s3://m/1")
    registry.delete("a")
    registry.rename("b", "c")
    assert names(asked(registry)) == ["c"]
