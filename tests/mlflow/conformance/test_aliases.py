"""Aliases: names of one version of a model."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .asking import INVALID, MISSING, refused
from .marks import MLFLOW_3, checks, deviates

BAD = "Names may only contain alphanumerics, underscores (_), and dashes (-)."


@checks("set_registered_model_alias", "get_model_version_by_alias")
@pytest.mark.parametrize(
    "alias", ["champion", "Champion", "a-b_c", "1", "v1a", "V", "latest1", "ü", "x" * 255]
)
def test_a_version_is_found_by_its_alias(client: Any, three: str, alias: str) -> None:
    assert client.set_registered_model_alias(three, alias, "2") is None
    found = client.get_model_version_by_alias(three, alias)
    assert (int(found.version), list(found.aliases)) == (2, [alias])
    assert list(client.get_model_version(three, "2").aliases) == [alias]
    assert {k: int(v) for k, v in client.get_registered_model(three).aliases.items()} == {alias: 2}


@checks("set_registered_model_alias")
def test_an_alias_moves_from_version_to_version(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "1")
    client.set_registered_model_alias(three, "champion", "3")
    assert int(client.get_model_version_by_alias(three, "champion").version) == 3
    assert list(client.get_model_version(three, "1").aliases) == []


@checks("set_registered_model_alias")
def test_a_version_can_have_two(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "b", "1")
    client.set_registered_model_alias(three, "a", "1")
    assert sorted(client.get_model_version(three, "1").aliases) == ["a", "b"]


@checks("set_registered_model_alias")
def test_an_alias_that_is_set_again_to_the_same(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "1")
    client.set_registered_model_alias(three, "champion", "1")
    assert int(client.get_model_version_by_alias(three, "champion").version) == 1


@checks("set_registered_model_alias", "delete_registered_model_alias")
def test_aliases_move_no_time(client: Any, three: str) -> None:
    model, version = client.get_registered_model(three), client.get_model_version(three, "1")
    client.set_registered_model_alias(three, "champion", "1")
    client.delete_registered_model_alias(three, "champion")
    assert client.get_registered_model(three).last_updated_timestamp == model.last_updated_timestamp
    assert client.get_model_version(three, "1").last_updated_timestamp == version.last_updated_timestamp


@checks("set_registered_model_alias")
@pytest.mark.parametrize("alias", ["a b", "a/b", "a.b", "a@b", "a:b", "--upload-pack=x;", "a'b", "%"])
def test_signs_that_no_alias_has(client: Any, three: str, alias: str) -> None:
    with refused(INVALID, f"Invalid alias name: '{alias}'. {BAD}"):
        client.set_registered_model_alias(three, alias, "1")


@checks("set_registered_model_alias")
@pytest.mark.parametrize("alias", ["latest", "Latest", "LATEST"])
def test_latest_is_reserved(client: Any, three: str, alias: str) -> None:
    with refused(INVALID, "'latest' alias name (case insensitive) is reserved."):
        client.set_registered_model_alias(three, alias, "1")


@checks("set_registered_model_alias")
@pytest.mark.parametrize("alias", ["v1", "V2", "v007"])
def test_names_like_versions_are_reserved(client: Any, three: str, alias: str) -> None:
    with refused(INVALID, f"Version alias name '{alias}' is reserved."):
        client.set_registered_model_alias(three, alias, "1")


@checks("set_registered_model_alias", "get_model_version_by_alias", "delete_registered_model_alias")
@pytest.mark.parametrize("alias", ["", None])
def test_a_blank_alias(client: Any, three: str, alias: Any) -> None:
    for call in (
        lambda: client.set_registered_model_alias(three, alias, "1"),
        lambda: client.get_model_version_by_alias(three, alias),
        lambda: client.delete_registered_model_alias(three, alias),
    ):
        with refused(INVALID, "Registered model alias name cannot be empty."):
            call()


@checks("set_registered_model_alias")
def test_an_alias_of_256_characters(client: Any, three: str) -> None:
    with refused(INVALID, "'Registered model alias name' exceeds the maximum length of 255 characters"):
        client.set_registered_model_alias(three, "x" * 256, "1")


@checks("set_registered_model_alias")
def test_an_alias_needs_its_model(store: Any) -> None:
    with refused(MISSING, "Model Version (name=fraud, version=1) not found"):
        store.set_registered_model_alias("fraud", "champion", "1")


@checks("get_model_version_by_alias")
def test_an_alias_that_is_not_there(client: Any, three: str) -> None:
    with refused(INVALID, "Registered model alias champion not found."):
        client.get_model_version_by_alias(three, "champion")


@checks("get_model_version_by_alias")
def test_aliases_are_case_sensitive(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "1")
    with refused(INVALID, "Registered model alias Champion not found."):
        client.get_model_version_by_alias(three, "Champion")


@checks("get_model_version_by_alias")
@deviates("as-mlflow-3")
def test_an_alias_of_a_model_that_is_not_there(client: Any, is_gitreg: bool) -> None:
    if MLFLOW_3 or is_gitreg:
        with refused(MISSING, "Registered Model with name=fraud not found"):
            client.get_model_version_by_alias("fraud", "champion")
    else:
        with refused(INVALID, "Registered model alias champion not found."):
            client.get_model_version_by_alias("fraud", "champion")


@checks("get_model_version_by_alias")
@deviates("as-mlflow-3")
@pytest.mark.parametrize("alias", ["latest", "Latest"])
def test_latest_is_the_highest_version(client: Any, is_gitreg: bool, three: str, alias: str) -> None:
    if MLFLOW_3 or is_gitreg:
        client.transition_model_version_stage(three, "2", "Production")
        assert int(client.get_model_version_by_alias(three, alias).version) == 3
    else:  # reserved, and therefore never there
        with refused(INVALID, re.compile("latest", re.IGNORECASE)):
            client.get_model_version_by_alias(three, alias)


@checks("get_model_version_by_alias")
@deviates("as-mlflow-3")
def test_latest_of_a_model_without_versions(client: Any, is_gitreg: bool, model: str) -> None:
    if MLFLOW_3 or is_gitreg:
        with refused(MISSING, "Latest version not found for model fraud."):
            client.get_model_version_by_alias(model, "latest")
    else:
        with refused(INVALID, re.compile("latest")):
            client.get_model_version_by_alias(model, "latest")


@checks("delete_registered_model_alias")
def test_an_alias_is_taken_away(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "1")
    client.set_registered_model_alias(three, "other", "1")
    assert client.delete_registered_model_alias(three, "champion") is None
    assert list(client.get_model_version(three, "1").aliases) == ["other"]
    with refused(INVALID, "Registered model alias champion not found."):
        client.get_model_version_by_alias(three, "champion")


@checks("delete_registered_model_alias")
def test_an_alias_that_is_not_there_is_taken_away(client: Any, three: str) -> None:
    assert client.delete_registered_model_alias(three, "champion") is None


@checks("delete_registered_model_alias")
def test_taking_away_needs_the_model(client: Any) -> None:
    with refused(MISSING, "Registered Model with name=fraud not found"):
        client.delete_registered_model_alias("fraud", "champion")
