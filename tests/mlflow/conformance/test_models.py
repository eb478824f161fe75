"""Registered models: made, read, described, renamed, deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from mlflow.entities.model_registry import RegisteredModelTag

from .asking import EXISTS, INVALID, MISSING, names, refused
from .marks import MLFLOW_3, checks, deviates


@checks("create_registered_model")
def test_a_new_model_is_empty(client: Any) -> None:
    made = client.create_registered_model("fraud")
    assert (made.name, made.tags, made.aliases, made.latest_versions) == ("fraud", {}, {}, [])
    assert not made.description
    assert isinstance(made.creation_timestamp, int)
    assert made.creation_timestamp == made.last_updated_timestamp


@checks("create_registered_model")
def test_a_model_is_made_with_tags_and_a_description(client: Any) -> None:
    client.create_registered_model("fraud", tags={"team": "risk", "tier": 1}, description="Finds fraud.")
    found = client.get_registered_model("fraud")
    assert found.tags == {"team": "risk", "tier": "1"}
    assert found.description == "Finds fraud."


@checks("create_registered_model")
def test_the_last_of_two_tags_with_one_key_counts(store: Any) -> None:
    made = store.create_registered_model(
        "fraud", tags=[RegisteredModelTag("team", "a"), RegisteredModelTag("team", "b")]
    )
    assert made.tags == {"team": "b"}


@checks("create_registered_model")
def test_a_description_keeps_its_lines_and_signs(client: Any) -> None:
    text = "First line\n\n| a | b |\n\t— „ü“ 模型 🙂\n"
    client.create_registered_model("fraud", description=text)
    assert client.get_registered_model("fraud").description == text


@checks("create_registered_model")
def test_a_model_that_exists_is_not_made_again(client: Any, model: str) -> None:
    with refused(EXISTS, f"Registered Model (name={model}) already exists."):
        client.create_registered_model(model)


@checks("create_registered_model")
@pytest.mark.parametrize("name", ["", None] + (["  ", "\t"] if MLFLOW_3 else []))
def test_a_blank_name_is_refused(client: Any, name: Any) -> None:
    with refused(INVALID, "Missing value for required parameter 'name'."):
        client.create_registered_model(name)


@checks("create_registered_model")
def test_a_tag_of_the_new_model_is_checked(client: Any) -> None:
    with refused(INVALID, re.compile("^Invalid value .* for parameter 'key' supplied")):
        client.create_registered_model("fraud", tags={"a$b": "1"})
    assert client.search_registered_models() == []


@checks("get_registered_model")
def test_a_model_that_is_not_there(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.get_registered_model("fraud")


@checks("get_registered_model")
def test_names_are_case_sensitive(client: Any, model: str) -> None:
    with refused(MISSING, f"Registered Model with name={model.upper()} not found"):
        client.get_registered_model(model.upper())


@checks("get_registered_model")
@pytest.mark.parametrize("name", ["", None])
def test_get_needs_a_name(client: Any, name: Any) -> None:
    with refused(INVALID, "Missing value for required parameter 'name'."):
        client.get_registered_model(name)


@checks("get_registered_model")
def test_a_model_shows_the_newest_version_of_each_stage(client: Any, three: str) -> None:
    client.transition_model_version_stage(three, "1", "Production")
    client.transition_model_version_stage(three, "2", "Production")
    shown = client.get_registered_model(three).latest_versions
    assert {(v.current_stage, int(v.version)) for v in shown} == {("Production", 2), ("None", 3)}


@checks("get_registered_model")
def test_a_model_shows_its_aliases(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "1")
    client.set_registered_model_alias(three, "Challenger", "3")
    aliases = client.get_registered_model(three).aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"champion": 1, "Challenger": 3}


@checks("get_registered_model")
def test_a_new_version_moves_the_model_s_time(client: Any, model: str) -> None:
    before = client.get_registered_model(model)
    version = client.create_model_version(model, "s3://bucket/1")
    after = client.get_registered_model(model)
    assert after.creation_timestamp == before.creation_timestamp
    assert after.last_updated_timestamp == version.creation_timestamp > before.last_updated_timestamp


@checks("update_registered_model")
def test_a_new_description_moves_the_model_s_time_alone(client: Any, three: str) -> None:
    before = client.get_registered_model(three)
    version = client.get_model_version(three, "3")
    changed = client.update_registered_model(three, "Finds fraud.")
    assert changed.description == "Finds fraud."
    assert changed.creation_timestamp == before.creation_timestamp
    assert changed.last_updated_timestamp > before.last_updated_timestamp
    assert client.get_registered_model(three).last_updated_timestamp == changed.last_updated_timestamp
    assert client.get_model_version(three, "3").last_updated_timestamp == version.last_updated_timestamp


@checks("update_registered_model")
@deviates("no-change")
def test_the_same_description_again(client: Any, is_gitreg: bool, model: str) -> None:
    first = client.update_registered_model(model, "Finds fraud.")
    second = client.update_registered_model(model, "Finds fraud.")
    assert second.description == "Finds fraud."
    assert (second.last_updated_timestamp == first.last_updated_timestamp) is is_gitreg


@checks("update_registered_model")
def test_a_description_can_be_taken_away(client: Any, store: Any, model: str) -> None:
    client.update_registered_model(model, "Finds fraud.")
    store.update_registered_model(model, None)
    assert not client.get_registered_model(model).description


@checks("update_registered_model")
def test_update_needs_a_model(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.update_registered_model("fraud", "Finds fraud.")


@checks("rename_registered_model")
def test_a_rename_takes_everything_along(client: Any, store: Any, three: str) -> None:
    client.set_registered_model_tag(three, "team", "risk")
    client.set_model_version_tag(three, "1", "checked", "yes")
    client.set_registered_model_alias(three, "champion", "2")
    client.transition_model_version_stage(three, "3", "Staging")
    renamed = store.rename_registered_model(three, "scoring")
    assert renamed.name == "scoring"
    found = client.get_registered_model("scoring")
    assert found.tags == {"team": "risk"}
    assert int(found.aliases["champion"]) == 2
    assert {(v.name, int(v.version), v.current_stage) for v in found.latest_versions} == {
        ("scoring", 3, "Staging"),
        ("scoring", 2, "None"),
    }
    assert client.get_model_version("scoring", "1").tags == {"checked": "yes"}
    assert client.get_model_version("scoring", "1").name == "scoring"


@checks("rename_registered_model")
def test_the_old_name_is_free_after_a_rename(client: Any, three: str) -> None:
    client.rename_registered_model(three, "scoring")
    with refused(MISSING, f"Registered Model with name={three} not found"):
        client.get_registered_model(three)
    with refused(MISSING, f"Model Version (name={three}, version=1) not found"):
        client.get_model_version(three, "1")
    assert names(client.search_registered_models()) == ["scoring"]
    client.create_registered_model(three)
    assert client.search_model_versions(f"name = '{three}'") == []


@checks("rename_registered_model")
def test_a_rename_moves_the_model_s_time(client: Any, three: str) -> None:
    before = client.get_registered_model(three)
    client.rename_registered_model(three, "scoring")
    after = client.get_registered_model("scoring")
    assert after.creation_timestamp == before.creation_timestamp
    assert after.last_updated_timestamp > before.last_updated_timestamp


@checks("rename_registered_model")
def test_a_rename_to_a_name_that_is_taken(client: Any, model: str) -> None:
    client.create_registered_model("scoring")
    with refused(EXISTS, re.compile(r"^Registered Model \(name=scoring\) already exists\.")):
        client.rename_registered_model(model, "scoring")
    assert names(client.search_registered_models()) == [model, "scoring"]


@checks("rename_registered_model")
def test_a_rename_of_a_model_that_is_not_there(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.rename_registered_model("fraud", "scoring")


@checks("rename_registered_model")
@pytest.mark.parametrize("name", ["", None] + (["  "] if MLFLOW_3 else []))
def test_a_rename_needs_a_name(store: Any, model: str, name: Any) -> None:
    with refused(INVALID, "Missing value for required parameter 'new_name'."):
        store.rename_registered_model(model, name)


@checks("rename_registered_model")
@deviates("no-change")
def test_a_rename_to_its_own_name(client: Any, store: Any, is_gitreg: bool, three: str) -> None:
    before = client.get_registered_model(three)
    renamed = store.rename_registered_model(three, three)
    assert renamed.name == three
    assert (renamed.last_updated_timestamp == before.last_updated_timestamp) is is_gitreg
    assert len(client.search_model_versions(f"name = '{three}'")) == 3


@checks("delete_registered_model")
def test_a_deleted_model_is_gone_with_its_versions(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "1")
    assert client.delete_registered_model(three) is None
    with refused(MISSING, f"Registered Model with name={three} not found"):
        client.get_registered_model(three)
    with refused(MISSING, f"Model Version (name={three}, version=1) not found"):
        client.get_model_version(three, "1")
    assert client.search_registered_models() == []
    assert client.search_model_versions() == []


@checks("delete_registered_model")
def test_delete_needs_a_model(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.delete_registered_model("fraud")


@checks("delete_registered_model")
def test_a_model_that_is_made_again_is_empty(client: Any) -> None:
    client.create_registered_model("fraud", tags={"team": "risk"}, description="Finds fraud.")
    client.create_model_version("fraud", "s3://bucket/1", tags={"checked": "yes"})
    client.set_registered_model_alias("fraud", "champion", "1")
    client.delete_registered_model("fraud")
    again = client.create_registered_model("fraud")
    assert (again.tags, again.aliases, again.latest_versions) == ({}, {}, [])
    assert not again.description
    assert client.search_model_versions("name = 'fraud'") == []


@checks("delete_registered_model")
def test_other_models_stay(client: Any, three: str) -> None:
    client.create_registered_model("fraud2")
    client.create_model_version("fraud2", "s3://bucket/1")
    client.delete_registered_model(three)
    assert names(client.search_registered_models()) == ["fraud2"]
    assert len(client.search_model_versions()) == 1


@checks("create_registered_model", "update_registered_model")
def test_deployment_jobs_are_databricks(store: Any) -> None:
    if MLFLOW_3:  # an argument that open-source stores take and forget
        store.create_registered_model("fraud", deployment_job_id="7")
        store.update_registered_model("fraud", "text", deployment_job_id="7")
    else:
        store.create_registered_model("fraud")
    assert store.get_registered_model("fraud").name == "fraud"
