from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.contrast import Contrast, Row, Section, contrast, measured
from gitreg.domain.contrast_model import contrast_models, contrast_settings
from gitreg.domain.model import (
    Artifact,
    Code,
    Dataset,
    Evaluation,
    Mark,
    ModelState,
    ModelTombstone,
    ModelVersion,
    Origin,
    RegisteredModel,
    Versions,
    VersionTombstone,
    versions_of,
)
from gitreg.domain.settings import Settings, Stage, TagSettings

AT = datetime(2026, 1, 1, tzinfo=UTC)
STAGES = ("Staging", "Production", "Archived")


def version(number: int = 1, name: str = "m", **more: Any) -> ModelVersion:
    state = {key: more.pop(key) for key in list(more) if key not in Origin.__slots__}
    origin = Origin(**{"source": "s3://x", **more})
    when = AT + timedelta(days=number)
    return ModelVersion(name=name, version=number, created=when, updated=when, origin=origin, **state)


def rows(found: Contrast | tuple[Section, ...], kind: str, of: str = "") -> dict[str, Row]:
    sections = found.sections if isinstance(found, Contrast) else found
    return {
        row.key: row
        for section in sections
        if section.kind == kind and section.of == of
        for row in section.rows
    }


class TestMeasured:
    def test_change_is_what_a_reader_reckons(self) -> None:
        row = measured("auc", 0.91, 0.93)
        assert row.change == 0.02 and row.percent == pytest.approx(2.1978, abs=1e-4)

    def test_percent_follows_the_sign_of_the_change(self) -> None:
        assert measured("loss", -2.0, -1.0).percent == 50
        assert measured("loss", 2, 1).percent == -50

    def test_no_percent_of_zero(self) -> None:
        row = measured("x", 0.0, 2.0)
        assert row.change == 2 and row.percent is None
        assert measured("x", -0.0, 0.0).same

    @pytest.mark.parametrize(("before", "after"), [(nan, 1.0), (1.0, inf), (-inf, inf), (inf, nan)])
    def test_no_change_of_what_is_no_number(self, before: float, after: float) -> None:
        row = measured("x", before, after)
        assert (row.change, row.percent, row.same) == (None, None, False)

    def test_nan_is_the_same_as_nan(self) -> None:
        assert measured("x", nan, nan).same and measured("x", inf, inf).same

    def test_a_side_that_lacks_it(self) -> None:
        row = measured("x", None, nan)
        assert row.before is None and row.after is not None and not row.same
        assert measured("x", 1.0, None) == Row(key="x", before=1.0, after=None, same=False)

    def test_beyond_what_a_double_holds(self) -> None:
        assert measured("x", -1.7e308, 1.7e308).change is None
        assert measured("x", 5e-324, 1.7e308).percent is None
        assert measured("x", 10**17, 10**17 + 1).change == 1

    @given(st.floats(), st.floats())
    def test_any_two_numbers(self, before: float, after: float) -> None:
        row, back = measured("x", before, after), measured("x", after, before)
        assert row.same == back.same
        if row.change is not None:
            assert back.change == -row.change
            assert (row.change > 0) == (after > before) or row.change == 0


class TestVersions:
    def test_a_version_is_equal_to_itself(self) -> None:
        one = version(metrics={"auc": nan}, stages={"Staging": AT}, tags={"a": "b"}, description="x")
        assert contrast(one, one).equal and contrast(one, one).shown() == ()

    def test_numbers_times_and_names_are_no_difference(self) -> None:
        one = version(1, stages={"Staging": AT})
        other = version(2, name="other", stages={"Staging": AT + timedelta(days=3)})
        assert contrast(one, other).equal

    def test_created_counts_for_one_and_the_same(self) -> None:
        one = version(1)
        assert not contrast(one, replace(one, created=AT)).equal

    def test_stages_gained_and_lost(self) -> None:
        found = contrast(version(stages={"Staging": AT}), version(2, stages={"Production": AT}))
        held = rows(found, "stages")
        assert held["Staging"].after is None and held["Production"].before is None
        assert held["Production"].after == AT

    def test_aliases(self) -> None:
        found = contrast(version(), version(2), aliases=(["old", "both"], ["both", "new"]))
        assert [(key, row.same) for key, row in rows(found, "aliases").items()] == [
            ("both", True),
            ("new", False),
            ("old", False),
        ]

    def test_equal_rows_are_kept_and_left_out_on_demand(self) -> None:
        found = contrast(version(params={"a": "1", "b": "2"}), version(params={"a": "1", "b": "3"}))
        assert set(rows(found, "params")) == {"a", "b"}
        assert set(rows(found.shown(), "params")) == {"b"}
        assert set(rows(found.shown(everything=True), "params")) == {"a", "b"}

    def test_the_latest_evaluation_of_each_name_counts(self) -> None:
        old = Evaluation(name="holdout", at=AT, metrics={"auc": 0.1})
        new = Evaluation(name="holdout", at=AT + timedelta(days=1), metrics={"auc": 0.9})
        found = contrast(version(evaluations=(new, old)), version(evaluations=(old,)))
        row = rows(found, "evaluations", "holdout")["auc"]
        assert (row.before, row.after, row.change) == (0.9, 0.1, -0.8)

    def test_an_evaluation_of_one_side_only(self) -> None:
        found = contrast(version(), version(evaluations=(Evaluation(name="e", at=AT, metrics={"f1": 1.0}),)))
        assert rows(found, "evaluations", "e")["f1"].before is None

    def test_evaluations_on_different_data_are_told(self) -> None:
        one = Evaluation(name="e", at=AT, dataset=Dataset(name="a", digest="1"), metrics={"f1": 1.0})
        two = replace(one, dataset=Dataset(name="a", digest="2"))
        found = contrast(version(evaluations=(one,)), version(evaluations=(two,)))
        row = rows(found, "evaluation_data")["e"]
        assert (row.before, row.after) == ("a 1", "a 2")

    def test_signature(self) -> None:
        old = {"inputs": [{"name": "a", "type": "long"}, {"name": "gone", "type": "string"}]}
        new = {
            "inputs": [{"name": "new", "type": "string", "required": False}, {"name": "a", "type": "double"}]
        }
        found = contrast(version(artifact=Artifact(signature=old)), version(artifact=Artifact(signature=new)))
        told = {key: (row.before, row.after) for key, row in rows(found, "signature", "inputs").items()}
        assert told == {"a": ("long", "double"), "gone": ("string", None), "new": (None, "string, optional")}

    def test_the_order_of_named_columns_is_no_difference(self) -> None:
        columns = [{"name": "a", "type": "long"}, {"name": "b", "type": "long"}]
        one, two = ({"inputs": order} for order in (columns, columns[::-1]))
        assert contrast(
            version(artifact=Artifact(signature=one)), version(artifact=Artifact(signature=two))
        ).equal

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            (
                {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}},
                {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}},
                ("int64 [-1]", "int64 [-1, 2]"),
            ),
            (
                {"type": "long", "x": 1},
                {"type": "long", "x": 2},
                ('{"type": "long", "x": 1}', '{"type": "long", "x": 2}'),
            ),
            ("anything", ["at all"], ('"anything"', '["at all"]')),
            (
                {"type": {"object": "v"}, "default": 1},
                {"type": "long", "default": 2},
                ('{"object": "v"}, default 1', "long, default 2"),
            ),
        ],
    )
    def test_columns_of_any_form(self, old: Any, new: Any, told: tuple[str, str]) -> None:
        found = contrast(
            version(artifact=Artifact(signature={"outputs": [old]})),
            version(artifact=Artifact(signature={"outputs": [new]})),
        )
        row = rows(found, "signature", "outputs")["#1"]
        assert (row.before, row.after) == told and not row.same

    def test_columns_of_the_same_name_are_all_there(self) -> None:
        two = [{"name": "a", "type": "long"}, {"name": "a", "type": "string"}]
        found = contrast(version(), version(artifact=Artifact(signature={"params": two})))
        assert [row.after for row in rows(found, "signature", "params").values()] == ["long", "string"]

    def test_artifact_files_and_flavors(self) -> None:
        old = Artifact(digest="sha256:1", size=100, files={"a": "1", "b": "2"}, flavors={"sklearn": "1.4"})
        new = Artifact(digest="sha256:2", size=150, files={"b": "3", "c": "4"}, flavors={"sklearn": "1.5"})
        found = contrast(version(artifact=old), version(artifact=new))
        files = {key: (row.before, row.after) for key, row in rows(found, "files").items()}
        assert files == {"a": ("1", None), "b": ("2", "3"), "c": (None, "4")}
        assert rows(found, "artifact")["size"].percent == 50
        assert rows(found, "flavors")["sklearn"].after == "1.5"

    def test_lineage(self) -> None:
        old = version(
            run_id="r1", code=Code(commit="1a", dirty=False), datasets=(Dataset(name="d", digest="1"),)
        )
        new = version(
            run_id="r2",
            code=Code(commit="1a", dirty=True),
            datasets=(Dataset(name="d", digest="2"), Dataset(name="e")),
            parents=("models:/m/1",),
        )
        found = contrast(old, new)
        assert {key for key, row in rows(found, "lineage").items() if not row.same} == {
            "run_id",
            "code.dirty",
        }
        data = {key: (row.before, row.after) for key, row in rows(found, "datasets").items()}
        assert data == {"d": ("1", "2"), "e": (None, True)}
        assert rows(found, "parents")["models:/m/1"].after is True

    def test_status_and_deprecation(self) -> None:
        found = contrast(
            version(deprecated=Mark(at=AT, reason="drift")), version(status="FAILED_REGISTRATION")
        )
        told = rows(found.shown(), "status")
        assert told["deprecated"].before == "drift" and told["status"].after == "FAILED_REGISTRATION"

    def test_free_fields_that_hold_null(self) -> None:
        found = contrast(version(extra={"x-a": None}), version(extra={}))
        assert not rows(found, "extra")["x-a"].same
        assert contrast(version(extra={"x-a": {"b": 1}}), version(extra={"x-a": {"b": 1}})).equal

    def test_sections_in_a_reviewers_order(self) -> None:
        full = version(
            2,
            stages={"Production": AT},
            metrics={"a": 1.0},
            evaluations=(Evaluation(name="e", at=AT, metrics={"a": 1.0}),),
            params={"p": "1"},
            artifact=Artifact(digest="d", files={"f": "1"}, signature={"inputs": [{"name": "a"}]}),
            run_id="r",
            tags={"t": "1"},
            description="d",
        )
        order = [section.kind for section in contrast(version(), full).shown()]
        assert order == [
            "stages",
            "metrics",
            "evaluations",
            "params",
            "signature",
            "artifact",
            "files",
            "lineage",
            "tags",
            "description",
        ]


def state(*versions: Any, name: str = "m", model: Any = True, **more: Any) -> ModelState:
    if model is True:
        model = RegisteredModel(name=name, created=AT, updated=AT, **more)
    return ModelState(name=name, model=model, versions=versions_of({one.version: one for one in versions}))


class TestModels:
    def test_added_deleted_and_changed_versions(self) -> None:
        gone = VersionTombstone(name="m", version=2, deleted=Mark(at=AT, reason="bad"))
        before = state(version(1), version(2), version(3))
        after = state(version(1, tags={"a": "b"}), gone, version(3), version(4))
        found = contrast_models(before, after, [1, 2, 4], stages=STAGES)
        told = [(one.number, one.event, one.reason) for one in found.versions]
        assert told == [(1, "change", ""), (2, "delete", "bad"), (4, "register", "")]
        assert found.versions[0].contrast and rows(found.versions[0].contrast, "tags")["a"].after == "b"
        assert [change.event for change in found.changes] == ["tag", "delete", "register"]

    def test_a_stage_that_moved_shows_both_holders(self) -> None:
        before = state(version(1, stages={"Production": AT}, metrics={"auc": 0.9}), version(2), version(9))
        after = state(version(1), version(2, stages={"Production": AT}, metrics={"auc": 0.8}), version(9))
        found = contrast_models(before, after, [1, 2], stages=STAGES)
        row = rows(found.sections, "stages")["Production"]
        assert (row.before, row.after) == ((1,), (2,))
        (holder,) = found.holders
        assert (holder.contrast.before.version, holder.contrast.after.version) == (1, 2)
        assert rows(holder.contrast, "metrics")["auc"].change == -0.1

    def test_holders_that_did_not_change_are_told_beside_those_that_did(self) -> None:
        staging = {"Staging": AT}
        before = state(version(1, stages=staging), version(2))
        after = state(version(1, stages=staging), version(2, stages=staging))
        found = contrast_models(before, after, [2], stages=STAGES)
        row = rows(found.sections, "stages")["Staging"]
        assert (row.before, row.after) == ((1,), (1, 2))
        assert [holder.stage for holder in found.holders] == ["Staging"]

    def test_a_lower_holder_that_went_leaves_the_stage_with_the_same_version(self) -> None:
        staging = {"Staging": AT}
        before = state(version(1, stages=staging), version(2, stages=staging))
        after = state(version(1), version(2, stages=staging, tags={"a": "b"}))
        found = contrast_models(before, after, [1, 2], stages=STAGES)
        row = rows(found.sections, "stages")["Staging"]
        assert (row.before, row.after) == ((1, 2), (2,)) and found.holders == ()

    def test_the_models_own_fields(self) -> None:
        before = state(version(1), aliases={"champion": 1}, owners=("ada",), description="a")
        after = state(version(1), aliases={"champion": 2}, owners=("bob",), tags={"k": "v"})
        found = contrast_models(before, after, [], stages=STAGES)
        assert [section.kind for section in found.sections] == ["aliases", "owners", "tags", "description"]
        row = rows(found.sections, "aliases")["champion"]
        assert (row.before, row.after, row.change) == (1, 2, None)

    def test_nothing_differs(self) -> None:
        one = state(version(1))
        assert contrast_models(one, one, [], stages=STAGES).equal
        assert contrast_models(one, one, [1], stages=STAGES).equal

    @pytest.mark.parametrize(
        ("model", "fate", "told"),
        [
            (ModelTombstone(name="m", last_version=1, deleted=Mark(at=AT, reason="old")), "delete", "old"),
            (ModelTombstone(name="m", last_version=1, renamed_to="n"), "rename", "n"),
            (None, "vanish", ""),
        ],
    )
    def test_a_model_that_went_tells_what_it_held(self, model: Any, fate: str, told: str) -> None:
        before = state(version(1, stages={"Production": AT}))
        found = contrast_models(before, state(model=model), [], stages=STAGES)
        assert (found.fate, found.told) == (fate, told) and not found.equal
        assert rows(found.sections, "stages")["Production"].before == (1,)
        assert found.versions == () and not found.holders

    def test_a_new_model(self) -> None:
        found = contrast_models(
            state(model=None),
            state(version(1, stages={"Staging": AT}), description="x"),
            [1],
            stages=STAGES,
        )
        assert found.fate == "register" and found.versions[0].event == "register"
        assert rows(found.sections, "stages")["Staging"].after == (1,)
        assert rows(found.sections, "description")["description"].after == "x"

    def test_a_model_that_came_back(self) -> None:
        tombstone = ModelTombstone(name="m", last_version=1, deleted=Mark(at=AT + timedelta(days=9)))
        found = contrast_models(state(model=tombstone), state(version(1), version(2)), [1, 2], stages=STAGES)
        assert found.fate == "restore"
        assert [one.event for one in found.versions] == ["restore", "register"]

    def test_a_version_that_vanished(self) -> None:
        found = contrast_models(state(version(1)), state(), [1], stages=STAGES)
        assert [one.event for one in found.versions] == ["vanish"]

    def test_what_contrast_leaves_out_is_no_silence(self) -> None:
        """A rewritten older evaluation changes no latest result, yet the version did change."""
        old, new = (Evaluation(name="e", at=AT + timedelta(days=day), metrics={"a": 1.0}) for day in (0, 5))
        before = state(version(1, evaluations=(old, new)))
        after = state(version(1, evaluations=(replace(old, run_id="forged"), new)))
        found = contrast_models(before, after, [1], stages=STAGES)
        assert [change.event for change in found.changes] == ["rewrite"] and not found.equal
        assert [one.number for one in found.versions] == [1]

    def test_only_the_versions_named_are_read(self) -> None:
        def never(number: int) -> Any:
            raise AssertionError(number)

        model = RegisteredModel(name="m", created=AT, updated=AT)
        before = ModelState(name="m", model=model, versions=Versions(range(1, 1000), never))
        after = ModelState(name="m", model=model, versions=Versions(range(1, 1000), never))
        assert contrast_models(before, after, [], stages=STAGES).equal


def test_settings() -> None:
    before = Settings(stages=(Stage(name="A"), Stage(name="B")))
    after = Settings(
        stages=(Stage(name="A", exclusive=True),), tags=TagSettings(prefix="reg/"), extra={"x-a": 1}
    )
    (settings, extra) = contrast_settings(before, after)
    told = {row.key: (row.before, row.after) for row in settings.rows}
    assert told["stages"] == ("A, B", "A"), "rules are told apart: test_contrast_rules"
    assert told["tags.prefix"] == (None, "reg/") and [row.key for row in extra.rows] == ["x-a"]
    assert contrast_settings(before, before) == ()
