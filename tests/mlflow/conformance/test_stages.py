"""Stages: a version is moved from one to another, and what is newest in each."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .asking import INTERNAL, INVALID, MISSING, numbers, refused
from .marks import checks, deviates

STAGES = ["None", "Staging", "Production", "Archived"]
INVALID_STAGE = "Invalid Model Version stage: {}. Value must be one of None, Staging, Production, Archived."


@checks("transition_model_version_stage")
@pytest.mark.parametrize("stage", STAGES)
def test_a_version_is_moved(client: Any, three: str, stage: str) -> None:
    client.transition_model_version_stage(three, "2", "Production" if stage != "Production" else "Staging")
    before = client.get_registered_model(three)
    moved = client.transition_model_version_stage(three, "2", stage)
    assert (int(moved.version), moved.current_stage) == (2, stage)
    assert moved.last_updated_timestamp > moved.creation_timestamp
    assert client.get_model_version(three, "2").current_stage == stage
    if stage != "None":  # see the deviation model-times
        after = client.get_registered_model(three)
        assert after.last_updated_timestamp == moved.last_updated_timestamp > before.last_updated_timestamp
    assert {v.current_stage for v in client.search_model_versions("version_number != 2")} == {"None"}


@checks("transition_model_version_stage")
@pytest.mark.parametrize("stage", ["staging", "PRODUCTION", "aRCHIVED", "none"])
def test_case_does_not_count(client: Any, three: str, stage: str) -> None:
    moved = client.transition_model_version_stage(three, "1", stage)
    assert moved.current_stage.lower() == stage.lower()
    assert moved.current_stage in STAGES


@checks("transition_model_version_stage")
@pytest.mark.parametrize("stage", ["v1", "latest", "a/b", "Prod", "Deleted_Internal", " Staging"])
def test_a_stage_that_is_none(client: Any, three: str, stage: str) -> None:
    with refused(INVALID, INVALID_STAGE.format(stage)):
        client.transition_model_version_stage(three, "1", stage)


@checks("transition_model_version_stage")
def test_the_stage_is_checked_before_the_version(store: Any) -> None:
    with refused(INVALID, INVALID_STAGE.format("Prod")):
        store.transition_model_version_stage("fraud", 1, "Prod", False)


@checks("transition_model_version_stage")
def test_a_model_that_is_not_there(store: Any) -> None:
    with refused(MISSING, "Model Version (name=fraud, version=1) not found"):
        store.transition_model_version_stage("fraud", 1, "Staging", False)


@checks("transition_model_version_stage")
@deviates("no-change")
def test_a_move_to_where_it_is(client: Any, is_gitreg: bool, three: str) -> None:
    first = client.transition_model_version_stage(three, "1", "Staging")
    second = client.transition_model_version_stage(three, "1", "Staging")
    assert second.current_stage == "Staging"
    assert (second.last_updated_timestamp == first.last_updated_timestamp) is is_gitreg
    assert client.get_registered_model(three).last_updated_timestamp == second.last_updated_timestamp


@checks("transition_model_version_stage")
def test_a_stage_can_be_held_by_two(client: Any, three: str) -> None:
    client.transition_model_version_stage(three, "1", "Production")
    client.transition_model_version_stage(three, "2", "Production")
    assert client.get_model_version(three, "1").current_stage == "Production"
    assert numbers(client.get_latest_versions(three, ["Production"])) == [(three, 2)]


@checks("transition_model_version_stage")
@pytest.mark.parametrize("stage", ["Staging", "production"])
def test_the_versions_that_were_there_can_be_archived(client: Any, three: str, stage: str) -> None:
    client.transition_model_version_stage(three, "1", stage)
    client.transition_model_version_stage(three, "2", stage)
    moved = client.transition_model_version_stage(three, "3", stage, archive_existing_versions=True)
    found = {number: client.get_model_version(three, str(number)) for number in (1, 2, 3)}
    assert [found[n].current_stage for n in (1, 2)] == ["Archived", "Archived"]
    assert found[3].current_stage == moved.current_stage == stage.capitalize()
    assert {v.last_updated_timestamp for v in found.values()} == {moved.last_updated_timestamp}


@checks("transition_model_version_stage")
def test_archiving_leaves_the_other_stages_and_models(client: Any, three: str) -> None:
    client.create_registered_model("other")
    client.create_model_version("other", "s3://bucket/1")
    client.transition_model_version_stage("other", "1", "Production")
    client.transition_model_version_stage(three, "1", "Staging")
    client.transition_model_version_stage(three, "2", "Production", archive_existing_versions=True)
    assert client.get_model_version(three, "1").current_stage == "Staging"
    assert client.get_model_version(three, "3").current_stage == "None"
    assert client.get_model_version("other", "1").current_stage == "Production"


@checks("transition_model_version_stage")
def test_a_version_does_not_archive_itself(client: Any, three: str) -> None:
    client.transition_model_version_stage(three, "1", "Production")
    moved = client.transition_model_version_stage(three, "1", "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production"


@checks("transition_model_version_stage")
@pytest.mark.parametrize("stage", ["None", "Archived", "archived"])
def test_nothing_is_archived_for_a_stage_that_is_not_active(client: Any, three: str, stage: str) -> None:
    message = (
        "Model version transition cannot archive existing model versions because "
        f"'{stage}' is not an Active stage. Valid stages are ['Staging', 'Production']"
    )
    with refused(INTERNAL, message):
        client.transition_model_version_stage(three, "1", stage, archive_existing_versions=True)


@checks("get_latest_versions")
def test_the_newest_of_every_stage(client: Any, three: str) -> None:
    client.create_model_version(three, "s3://bucket/4")
    client.transition_model_version_stage(three, "1", "Production")
    client.transition_model_version_stage(three, "2", "Production")
    client.transition_model_version_stage(three, "3", "Archived")
    found = client.get_latest_versions(three)
    assert {(v.current_stage, int(v.version)) for v in found} == {
        ("Production", 2),
        ("Archived", 3),
        ("None", 4),
    }


@checks("get_latest_versions")
@pytest.mark.parametrize("stages", [["Production"], ["production"], ["PRODUCTION", "production"]])
def test_the_newest_of_one_stage(client: Any, three: str, stages: list[str]) -> None:
    client.transition_model_version_stage(three, "1", "Production")
    assert numbers(client.get_latest_versions(three, stages)) == [(three, 1)]


@checks("get_latest_versions")
def test_an_empty_list_of_stages_is_all(client: Any, three: str) -> None:
    client.transition_model_version_stage(three, "1", "Staging")
    assert {int(v.version) for v in client.get_latest_versions(three, [])} == {1, 3}


@checks("get_latest_versions")
def test_a_stage_without_a_version(client: Any, three: str) -> None:
    assert client.get_latest_versions(three, ["Staging"]) == []


@checks("get_latest_versions")
def test_a_model_without_versions(client: Any, model: str) -> None:
    assert client.get_latest_versions(model) == []


@checks("get_latest_versions")
def test_latest_of_a_stage_that_is_none(client: Any, three: str) -> None:
    with refused(INVALID, INVALID_STAGE.format("Prod")):
        client.get_latest_versions(three, ["Staging", "Prod"])


@checks("get_latest_versions")
def test_latest_of_a_model_that_is_not_there(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.get_latest_versions("fraud", ["Staging"])


@checks("get_latest_versions")
def test_latest_versions_are_whole(client: Any, three: str) -> None:
    client.set_model_version_tag(three, "3", "k", "v")
    client.set_registered_model_alias(three, "champion", "3")
    (found,) = client.get_latest_versions(three, ["None"])
    assert (found.tags, list(found.aliases), found.source) == ({"k": "v"}, ["champion"], "s3://bucket/3")


@checks("set_model_version_tag", "delete_model_version_tag")
def test_a_tag_by_stage(client: Any, three: str) -> None:
    client.transition_model_version_stage(three, "2", "Production")
    client.set_model_version_tag(three, key="k", value="v", stage="Production")
    assert client.get_model_version(three, "2").tags == {"k": "v"}
    client.delete_model_version_tag(three, key="k", stage="Production")
    assert client.get_model_version(three, "2").tags == {}
    with refused(INTERNAL, re.compile("Could not find any model version for Staging stage")):
        client.set_model_version_tag(three, key="k", value="v", stage="Staging")
