from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitreg.domain.timeline import Timeline, packed
from gitreg.errors import InvalidInput, NotFound
from gitreg.gitstore.repository import Repository
from gitreg.registry.indexing import slice_of
from gitreg.registry.lineage import lineage_of_dataset, lineage_of_experiment, lineage_of_run
from gitreg.registry.registry import Registry
from gitreg.registry.series import main_metrics, series
from gitreg.registry.store import Store
from gitreg.registry.timeline import timeline

Git = Callable[..., str]
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Clock:
    """Goes on by a day with each commit, unless it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(days=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(place: Path, clock: Clock) -> Iterator[Registry]:
    with Registry(Store(Repository.discover(place)), clock=clock) as opened:
        yield opened


def of(registry: Registry, name: str = "churn", commit: str | None = None) -> Timeline:
    return timeline(registry.store, slice_of(registry.store, commit), name)


def told(found: Timeline) -> dict[str, list[tuple[int, int, int | None]]]:
    """Stage → version and the days from the start between which it was held."""
    return {
        lane.stage: [
            (bar.version, (bar.since - START).days, (bar.until - START).days if bar.until else None)
            for bar in lane.bars
        ]
        for lane in found.lanes
    }


def promote(registry: Registry, count: int, name: str = "churn") -> None:
    for number in range(1, count + 1):
        registry.register(name, f"s3://b/{number}", metrics={"auc": 0.9 + number / 100})
        registry.transition(f"{name}/{number}", "Production", archive_existing=True)


def test_each_holder_has_a_bar_from_the_commit_that_gave_to_the_one_that_took(registry: Registry) -> None:
    promote(registry, 2)
    found = of(registry)
    assert told(found) == {"Production": [(1, 2, 4), (2, 4, None)], "Archived": [(1, 4, None)]}
    first, second = found.lanes[0].bars
    assert first.commit_until == second.commit_since == found.commit
    assert (first.given_by, first.ended_by, second.ended_by) == ("Ada Lovelace", "Ada Lovelace", None)


def test_lanes_stand_in_the_configured_order_and_bars_come_newest_first(registry: Registry) -> None:
    registry.register("churn", "s3://b/1")
    for stage in ("Archived", "Production", "Staging"):
        registry.assign("churn/1", stage)
    found = of(registry)
    assert [lane.stage for lane in found.lanes] == ["Staging", "Production", "Archived"]
    assert [stage for stage, _ in found.bars()] == ["Staging", "Production", "Archived"]


def test_the_past_knows_nothing_of_what_came_later(registry: Registry) -> None:
    promote(registry, 1)
    commit = registry.store.head()
    registry.transition("churn/1", "Archived")
    assert told(of(registry, commit=commit)) == {"Production": [(1, 2, None)]}
    assert told(of(registry)) == {"Production": [(1, 2, 3)], "Archived": [(1, 3, None)]}


def test_a_rename_ends_no_bar_and_the_old_name_says_where_the_model_went(registry: Registry) -> None:
    promote(registry, 1)
    registry.rename("churn", "leavers")
    registry.rename("leavers", "attrition")
    registry.transition("attrition/1", "Archived")
    assert told(of(registry, "attrition")) == {"Production": [(1, 2, 5)], "Archived": [(1, 5, None)]}
    with pytest.raises(NotFound, match="churn"):
        of(registry, "churn")


def test_a_name_that_was_given_up_and_taken_again_has_a_past_of_its_own(registry: Registry) -> None:
    promote(registry, 1)
    registry.rename("churn", "attrition")
    registry.register("churn", "s3://other/2")
    registry.transition("churn/2", "Staging")
    assert told(of(registry)) == {"Staging": [(2, 5, None)]}
    assert told(of(registry, "attrition")) == {"Production": [(1, 2, None)]}


def test_deleting_ends_bars_and_a_deleted_model_still_tells_its_past(registry: Registry) -> None:
    promote(registry, 2)
    registry.delete("churn/1")
    assert told(of(registry))["Archived"] == [(1, 4, 5)]
    registry.delete("churn")
    assert told(of(registry)) == {"Production": [(1, 2, 4), (2, 4, 6)], "Archived": [(1, 4, 5)]}


def test_to_give_a_stage_again_begins_a_new_bar(registry: Registry) -> None:
    registry.register("churn", "s3://b/1")
    for _ in range(2):
        registry.assign("churn/1", "Production")
        registry.unassign("churn/1", "Production")
    assert told(of(registry)) == {"Production": [(1, 2, 3), (1, 4, 5)]}


def test_order_is_that_of_history_when_the_clock_runs_backwards(registry: Registry, clock: Clock) -> None:
    promote(registry, 1)  # day 2
    registry.register("churn", "s3://b/2")
    clock.now = START - timedelta(days=10)
    registry.transition("churn/2", "Production", archive_existing=True)  # day -9
    clock.now = START + timedelta(days=20)
    registry.transition("churn/2", "Staging")
    found = of(registry)
    assert told(found)["Production"] == [(1, 2, -9), (2, -9, 21)]
    times = found.effect
    assert [times[place] for place in sorted(times)] == sorted(times.values())
    # As --at DATE has it: version 1 was never in Production at any date.
    assert [times[bar.first] == times[bar.last or 0] for bar in found.lanes[1].bars] == [True, False]


def test_the_picture_agrees_with_at_date(registry: Registry, clock: Clock) -> None:
    registry.register("churn", "s3://b/1")
    for number, hours in enumerate((0, 40, -90, 10, 200), 2):
        clock.now += timedelta(hours=hours)
        registry.register("churn", f"s3://b/{number}")
        registry.transition(f"churn/{number - 1}", "Production", archive_existing=True)
    found = of(registry)
    times = found.effect
    (production,) = (lane for lane in found.lanes if lane.stage == "Production")
    for hour in range(0, 24 * 30, 7):
        when = START + timedelta(days=-3, hours=hour, seconds=5)
        drawn = {
            bar.version
            for bar in production.bars
            if times[bar.first] <= when and (bar.last is None or when < times[bar.last])
        }
        try:
            view = registry.at(when)
        except NotFound:
            assert drawn == set()
            continue
        assert drawn == {version.version for version in view.state("churn").holders("Production")}, when


def test_a_hand_edit_and_a_merge_are_seen_like_commands(
    worktree: Path, git: Git, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Registry(Store(Repository.discover(worktree)), clock=clock) as registry:
        registry.register("churn", "s3://b/1")
        git(worktree, "switch", "-q", "-c", "side")
        file = worktree / "models/churn/versions/1.yaml"
        file.write_text(file.read_text() + 'stages:\n  Production: "2026-01-07T00:00:00.000Z"\n')
        git(worktree, "commit", "-qam", "by hand")
        git(worktree, "switch", "-q", "main")
        git(worktree, "merge", "-q", "--no-ff", "-m", "merged", "side")
        (lane,) = of(registry).lanes
        assert lane.bars[0].commit_since == git(worktree, "rev-parse", "HEAD")


def test_a_shallow_clone_says_what_it_cannot_know(
    worktree: Path, tmp_path: Path, git: Git, clock: Clock
) -> None:
    with Registry(Store(Repository.discover(worktree)), clock=clock) as registry:
        promote(registry, 2)
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{worktree}", "shallow")
    with Registry(Store(Repository.discover(tmp_path / "shallow"))) as registry:
        found = {
            (lane.stage, bar.version): bar.began_before for lane in of(registry).lanes for bar in lane.bars
        }
    assert found == {("Production", 1): True, ("Production", 2): False, ("Archived", 1): False}


def test_a_model_that_never_was_is_not_found(registry: Registry) -> None:
    promote(registry, 1)
    with pytest.raises(NotFound, match="churm") as caught:
        of(registry, "churm")
    assert "churn" in caught.value.hint


def test_a_window_keeps_what_touches_it(registry: Registry) -> None:
    promote(registry, 3)
    found = of(registry).within(START + timedelta(days=5), START + timedelta(days=5, hours=12))
    assert {stage: [bar[0] for bar in bars] for stage, bars in told(found).items()} == {
        "Production": [2],
        "Archived": [1],
    }


def test_bars_that_are_held_together_get_rows_of_their_own(registry: Registry) -> None:
    promote(registry, 5)
    production, archived = of(registry).lanes
    assert [[bar.version for bar in row] for row in packed(production.bars, 3)[0]] == [[1, 2, 3, 4, 5]]
    rows, rest = packed(archived.bars, 3)
    assert [[bar.version for bar in row] for row in rows] == [[4], [3], [2]]
    assert [bar.version for bar in rest] == [1]


# Series


def points(registry: Registry, *metrics: str, **how: str) -> list[tuple[object, ...]]:
    found = series(registry.store, slice_of(registry.store), "churn", metrics, **how)
    return [(point.version, *point.values, point.stages, point.promoted) for point in found.points]


def test_a_series_has_the_versions_their_values_and_their_promotions(registry: Registry) -> None:
    promote(registry, 2)
    registry.register("churn", "s3://b/3", metrics={"f1": 0.5})
    registry.register("churn", "s3://b/4", metrics={"auc": math.nan})
    registry.register("churn", "s3://b/5", metrics={"auc": -math.inf})
    registry.delete("churn/1")
    registry.deprecate("churn/3")
    assert points(registry, "auc", "f1") == [
        (2, 0.92, None, ("Production",), True),
        (3, None, 0.5, (), False),
        (4, pytest.approx(math.nan, nan_ok=True), None, (), False),
        (5, -math.inf, None, (), False),
    ]
    found = series(registry.store, slice_of(registry.store), "churn", ["auc"])
    assert [point.deprecated for point in found.points] == [False, True, False, False]


def test_a_tag_called_deprecated_deprecates_nothing(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", metrics={"auc": 1.0}, tags={"deprecated": "no"})
    found = series(registry.store, slice_of(registry.store), "churn", ["auc"])
    assert [point.deprecated for point in found.points] == [False]


def test_promotions_under_a_former_name_count(registry: Registry) -> None:
    promote(registry, 1, "leavers")
    registry.transition("leavers/1", "Archived")
    registry.rename("leavers", "churn")
    assert points(registry, "auc") == [(1, 0.91, ("Archived",), True)]
    assert points(registry, "auc", stage="staging") == [(1, 0.91, ("Archived",), False)]


def test_metrics_of_an_evaluation_are_those_of_its_newest_run(registry: Registry) -> None:
    promote(registry, 2)
    registry.evaluate("churn/1", "holdout", metrics={"auc": 0.5})
    registry.evaluate("churn/1", "holdout", metrics={"auc": 0.6})
    registry.evaluate("churn/2", "other", metrics={"auc": 0.7})
    assert [row[:2] for row in points(registry, "auc", evaluation="holdout")] == [(1, 0.6), (2, None)]


def test_an_unknown_metric_is_answered_with_the_names_that_exist(registry: Registry) -> None:
    promote(registry, 1)
    registry.evaluate("churn/1", "holdout", metrics={"f1": 0.5})
    for how, hint in (
        (("acu",), 'did you mean "auc"? metrics: "auc"'),
        (("zzz",), 'metrics: "auc"'),
    ):
        with pytest.raises(InvalidInput) as caught:
            points(registry, *how)
        assert caught.value.hint == hint
    with pytest.raises(InvalidInput, match="has no metric") as caught:
        points(registry, "auc", evaluation="holdout")
    assert caught.value.hint == 'metrics: "f1"'
    with pytest.raises(InvalidInput) as caught:
        points(registry, "auc", evaluation="holdotu")
    assert 'did you mean "holdout"?' in caught.value.hint


def test_the_main_metrics_are_those_of_the_newest_version_that_has_any(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", metrics={"old": 1.0})
    registry.register("churn", "s3://b/2", metrics={"d": 1.0, "a": 1.0, "c": 2.0, "b": 2.0})
    registry.register("churn", "s3://b/3")
    assert main_metrics(registry.store, slice_of(registry.store), "churn") == ("a", "b", "c")


def test_a_model_without_metrics_says_how_to_give_it_some(registry: Registry) -> None:
    registry.register("churn", "s3://b/1")
    with pytest.raises(InvalidInput, match="has a metric"):
        main_metrics(registry.store, slice_of(registry.store), "churn")


def test_the_registry_answers_directly(registry: Registry) -> None:
    promote(registry, 1)
    assert registry.timeline("churn") == of(registry)
    found = registry.series("churn")
    assert (found.metrics, found.stage, [point.values for point in found.points]) == (
        ("auc",),
        "Production",
        [(0.91,)],
    )
    assert registry.series("churn", "auc", stage="Staging").stage == "Staging"


@pytest.mark.parametrize("text", ["\ud800", "churn\udcff"])
def test_what_is_not_utf_8_is_refused(registry: Registry, text: str) -> None:
    promote(registry, 1)
    for ask in (
        lambda: registry.timeline(text),
        lambda: registry.series(text),
        lambda: registry.series("churn", text),
        lambda: registry.series("churn", evaluation=text),
        lambda: registry.search(text),
        lambda: registry.search(f"name = '{text}'"),
        lambda: registry.search(order_by=[f"params.{text}"]),
        lambda: registry.search_models(f"tags.{text} = 'x'"),
        lambda: registry.search(page_token=text),
        lambda: registry.revert(text),
    ):
        with pytest.raises(InvalidInput):
            ask()
    part = registry.store.index.slice()
    for lead in (lineage_of_run, lineage_of_experiment, lineage_of_dataset):
        with pytest.raises(NotFound):
            lead(part, text)
