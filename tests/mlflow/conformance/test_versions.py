"""Model versions: made, read, described, deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersionTag

from .asking import INVALID, MISSING, numbers, refused
from .marks import MLFLOW_3, checks, deviates

RUN = "0123456789abcdef0123456789abcdef"


def not_found(name: str, version: int) -> str:
    return f"Model Version (name={name}, version={version}) not found"


@checks("create_model_version")
def test_a_new_version(client: Any, model: str) -> None:
    made = client.create_model_version(model, "s3://bucket/1")
    assert (made.name, int(made.version), made.source) == (model, 1, "s3://bucket/1")
    assert (made.current_stage, made.status) == ("None", "READY")
    assert (made.tags, list(made.aliases)) == ({}, [])
    assert not made.run_id and not made.run_link and not made.description and not made.user_id
    assert made.creation_timestamp == made.last_updated_timestamp


@checks("create_model_version")
def test_a_version_with_everything(client: Any, model: str) -> None:
    client.create_model_version(
        model,
        "s3://bucket/1",
        run_id=RUN,
        tags={"checked": "yes", "tier": 1},
        run_link="https://mlflow.example.com/#/runs/1",
        description="First.",
    )
    found = client.get_model_version(model, "1")
    assert found.run_id == RUN
    assert found.tags == {"checked": "yes", "tier": "1"}
    assert found.run_link == "https://mlflow.example.com/#/runs/1"
    assert found.description == "First."


@checks("create_model_version")
def test_numbers_count_from_one_for_each_model(client: Any, three: str) -> None:
    client.create_registered_model("other")
    assert int(client.create_model_version("other", "s3://bucket/1").version) == 1
    assert int(client.create_model_version(three, "s3://bucket/4").version) == 4


@checks("create_model_version", "delete_model_version")
def test_the_number_of_a_deleted_version_is_not_given_again(client: Any, three: str) -> None:
    client.delete_model_version(three, "3")
    assert int(client.create_model_version(three, "s3://bucket/4").version) == 4


@checks("create_model_version")
def test_a_version_needs_a_model(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.create_model_version("fraud", "s3://bucket/1")


@checks("create_model_version")
def test_the_last_of_two_tags_with_one_key_counts(store: Any, model: str) -> None:
    made = store.create_model_version(
        model, "s3://bucket/1", tags=[ModelVersionTag("k", "a"), ModelVersionTag("k", "b")]
    )
    assert made.tags == {"k": "b"}


@checks("create_model_version")
def test_a_tag_of_the_new_version_is_checked(client: Any, model: str) -> None:
    with refused(INVALID, re.compile("^Invalid value .* for parameter 'key' supplied")):
        client.create_model_version(model, "s3://bucket/1", tags={"a$b": "1"})
    assert client.search_model_versions() == []


@checks("create_model_version", "get_model_version_download_uri")
@pytest.mark.parametrize(
    "source",
    [
        "s3://bucket/a b/ü",
        "mlflow-artifacts:/0/abc/artifacts/model",
        "/srv/mlruns/0/model",
        "file:///srv/mlruns/0/model",
        "runs:/0123456789abcdef0123456789abcdef/model",
        "dbfs:/mlflow/model",
        "hdfs://host:9000/model",
        "relative/model",
    ],
)
def test_a_source_comes_back_as_it_was(store: Any, model: str, source: str) -> None:
    assert store.create_model_version(model, source).source == source
    assert store.get_model_version(model, "1").source == source
    assert store.get_model_version_download_uri(model, "1") == source


@checks("get_model_version")
def test_a_version_as_it_was_made(client: Any, three: str) -> None:
    made = client.create_model_version(three, "s3://bucket/4")
    found = client.get_model_version(three, "4")
    assert dict(found) == dict(made)


@checks("get_model_version")
def test_a_version_is_found_by_text_and_by_number(client: Any, store: Any, three: str) -> None:
    assert int(client.get_model_version(three, "2").version) == 2
    assert int(store.get_model_version(three, 2).version) == 2
    assert int(store.get_model_version(three, "02").version) == 2


@checks("get_model_version")
@pytest.mark.parametrize("version", ["4", "0", "-1", "99999999999"])
def test_a_version_that_is_not_there(client: Any, three: str, version: str) -> None:
    with refused(MISSING, not_found(three, int(version))):
        client.get_model_version(three, version)


@checks("get_model_version")
def test_a_version_of_a_model_that_is_not_there(client: Any) -> None:
    with refused(MISSING, not_found("fraud", 1)):
        client.get_model_version("fraud", "1")


@checks(
    "get_model_version",
    "update_model_version",
    "delete_model_version",
    "get_model_version_download_uri",
    "set_model_version_tag",
    "delete_model_version_tag",
    "set_registered_model_alias",
    "transition_model_version_stage",
)
@pytest.mark.parametrize("version", ["v1", "latest", "1.0", "", "one", "1; DROP TABLE model_versions"])
def test_every_method_wants_an_integer(client: Any, three: str, version: str) -> None:
    calls = [
        lambda: client.get_model_version(three, version),
        lambda: client.update_model_version(three, version, "text"),
        lambda: client.delete_model_version(three, version),
        lambda: client.get_model_version_download_uri(three, version),
        lambda: client._get_registry_client().set_model_version_tag(three, version, "k", "v"),
        lambda: client._get_registry_client().delete_model_version_tag(three, version, "k"),
        lambda: client.set_registered_model_alias(three, "champion", version),
        lambda: client.transition_model_version_stage(three, version, "Staging"),
    ]
    for call in calls:
        with refused(INVALID, f"Parameter 'version' must be an integer, got '{version}'."):
            call()
    assert len(client.search_model_versions(f"name = '{three}'")) == 3


@checks(
    "update_model_version",
    "delete_model_version",
    "get_model_version_download_uri",
    "set_model_version_tag",
    "delete_model_version_tag",
    "set_registered_model_alias",
    "transition_model_version_stage",
)
def test_every_method_wants_a_version_that_is_there(client: Any, three: str) -> None:
    calls = [
        lambda: client.update_model_version(three, "9", "text"),
        lambda: client.delete_model_version(three, "9"),
        lambda: client.get_model_version_download_uri(three, "9"),
        lambda: client.set_model_version_tag(three, "9", "k", "v"),
        lambda: client.delete_model_version_tag(three, "9", "k"),
        lambda: client.set_registered_model_alias(three, "champion", "9"),
        lambda: client.transition_model_version_stage(three, "9", "Staging"),
    ]
    for call in calls:
        with refused(MISSING, not_found(three, 9)):
            call()


@checks("update_model_version")
def test_a_new_description_moves_the_version_s_time_alone(client: Any, three: str) -> None:
    model = client.get_registered_model(three)
    before = client.get_model_version(three, "2")
    changed = client.update_model_version(three, "2", "Better.")
    assert changed.description == "Better."
    assert changed.creation_timestamp == before.creation_timestamp
    assert changed.last_updated_timestamp > before.last_updated_timestamp
    assert client.get_registered_model(three).last_updated_timestamp == model.last_updated_timestamp
    others = [client.get_model_version(three, number) for number in ("1", "3")]
    assert all(other.last_updated_timestamp == other.creation_timestamp for other in others)


@checks("update_model_version")
@deviates("no-change")
def test_the_same_description_again(client: Any, is_gitreg: bool, three: str) -> None:
    first = client.update_model_version(three, "1", "Better.")
    second = client.update_model_version(three, "1", "Better.")
    assert second.description == "Better."
    assert (second.last_updated_timestamp == first.last_updated_timestamp) is is_gitreg


@checks("update_model_version")
def test_a_description_can_be_taken_away(store: Any, three: str) -> None:
    store.update_model_version(three, "1", "Better.")
    store.update_model_version(three, "1", None)
    assert not store.get_model_version(three, "1").description


@checks("delete_model_version")
def test_a_deleted_version_is_gone(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "2")
    client.set_registered_model_alias(three, "other", "1")
    # MLflow 2's SQL store finds no alias by a text, and leaves it behind.
    assert client.delete_model_version(three, "2" if MLFLOW_3 else 2) is None
    with refused(MISSING, not_found(three, 2)):
        client.get_model_version(three, "2")
    assert sorted(numbers(client.search_model_versions(f"name = '{three}'"))) == [(three, 1), (three, 3)]
    assert list(client.get_registered_model(three).aliases) == ["other"]


@checks("delete_model_version", "transition_model_version_stage")
@deviates("model-times")
def test_the_model_s_time_after_a_version_has_gone(client: Any, is_gitreg: bool, three: str) -> None:
    start = client.get_registered_model(three).last_updated_timestamp
    moved = client.transition_model_version_stage(three, "1", "Staging").last_updated_timestamp
    assert client.get_registered_model(three).last_updated_timestamp == moved
    client.transition_model_version_stage(three, "1", "None")
    left = client.get_registered_model(three).last_updated_timestamp
    client.delete_model_version(three, "2")
    deleted = client.get_registered_model(three).last_updated_timestamp
    if is_gitreg:
        assert left == deleted == start
    else:
        assert deleted > left > moved


@checks("delete_model_version")
def test_a_version_is_deleted_once(client: Any, three: str) -> None:
    client.delete_model_version(three, "2")
    with refused(MISSING, not_found(three, 2)):
        client.delete_model_version(three, "2")


@checks("delete_model_version", "get_latest_versions")
def test_the_version_before_it_is_the_newest_then(client: Any, store: Any, three: str) -> None:
    client.delete_model_version(three, "3")
    assert numbers(store.get_latest_versions(three, ["None"])) == [(three, 2)]


@checks("delete_model_version")
def test_a_version_in_production_can_be_deleted(client: Any, three: str) -> None:
    client.transition_model_version_stage(three, "1", "Production")
    client.delete_model_version(three, "1")
    assert client.get_latest_versions(three, ["Production"]) == []


@checks("delete_model_version", "set_model_version_tag", "transition_model_version_stage")
def test_nothing_can_be_done_to_a_deleted_version(client: Any, three: str) -> None:
    client.delete_model_version(three, "2")
    for call in (
        lambda: client.set_model_version_tag(three, "2", "k", "v"),
        lambda: client.transition_model_version_stage(three, "2", "Staging"),
        lambda: client.update_model_version(three, "2", "text"),
        lambda: client.set_registered_model_alias(three, "champion", "2"),
    ):
        with refused(MISSING, not_found(three, 2)):
            call()


@checks("get_model_version_download_uri")
def test_the_download_uri_is_the_source(client: Any, three: str) -> None:
    assert client.get_model_version_download_uri(three, "2") == "s3://bucket/2"


@checks("MlflowClient.get_model_version_stages")
def test_the_stages_of_a_version(client: Any, three: str) -> None:
    assert client.get_model_version_stages(three, "1") == ["None", "Staging", "Production", "Archived"]


@checks("create_model_version")
@deviates("passwords")
@pytest.mark.parametrize("field", ["source", "run_link"])
def test_passwords_in_addresses(client: Any, is_gitreg: bool, model: str, field: str) -> None:
    given = {"source": "s3://models/1", field: "https://ann:secret1@host/x"}
    if is_gitreg:
        with refused(INVALID, re.compile("carried a user name or password")):
            client.create_model_version(model, **given)
        assert client.search_model_versions() == []
    else:
        assert getattr(client.create_model_version(model, **given), field) == given[field]
