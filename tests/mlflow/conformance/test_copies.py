"""Versions whose source is another version: copies, and where they are downloaded from."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .asking import INTERNAL, refused
from .marks import checks


@pytest.fixture
def source(client: Any) -> Any:
    client.create_registered_model("staging")
    return client.create_model_version(
        "staging",
        "s3://bucket/1",
        run_id="1" * 32,
        tags={"k": "v"},
        description="First.",
        run_link="https://a/1",
    )


@checks("copy_model_version")
def test_a_copy_into_a_new_model(client: Any, source: Any) -> None:
    made = client.copy_model_version("models:/staging/1", "production")
    assert (made.name, int(made.version), made.source) == ("production", 1, "models:/staging/1")
    assert (made.run_id, made.tags, made.description, made.run_link) == (
        source.run_id,
        {"k": "v"},
        "First.",
        "https://a/1",
    )
    assert made.current_stage == "None"
    assert client.get_registered_model("production").name == "production"


@checks("copy_model_version", "get_model_version_download_uri")
def test_a_copy_is_downloaded_from_where_the_first_is(client: Any, source: Any) -> None:
    client.copy_model_version("models:/staging/1", "production")
    client.copy_model_version("models:/production/1", "archive")
    assert client.get_model_version("archive", "1").source == "models:/production/1"
    assert client.get_model_version_download_uri("archive", "1") == "s3://bucket/1"


@checks("copy_model_version")
def test_a_copy_into_a_model_that_exists(client: Any, source: Any) -> None:
    client.copy_model_version("models:/staging/1", "production")
    assert int(client.copy_model_version("models:/staging/1", "production").version) == 2
    assert int(client.copy_model_version("models:/staging/1", "staging").version) == 2


@checks("copy_model_version")
def test_a_copy_by_alias_names_the_version(client: Any, source: Any) -> None:
    client.set_registered_model_alias("staging", "champion", "1")
    made = client.copy_model_version("models:/staging@champion", "production")
    assert made.source == "models:/staging/1"
    assert list(made.aliases) == []


@checks("copy_model_version")
def test_a_copy_does_not_take_the_stage_along(client: Any, source: Any) -> None:
    client.transition_model_version_stage("staging", "1", "Production")
    assert client.copy_model_version("models:/staging/Production", "production").current_stage == "None"


@checks("copy_model_version")
@pytest.mark.parametrize("uri", ["models:/staging/9", "models:/nothing/1", "models:/staging@nobody"])
def test_a_copy_of_what_is_not_there(client: Any, source: Any, uri: str) -> None:
    with refused(
        INTERNAL,
        re.compile("^" + re.escape(f"Failed to fetch model version from source model URI: '{uri}'.")),
    ):
        client.copy_model_version(uri, "production")


@checks("copy_model_version")
def test_a_copy_of_what_is_no_model(client: Any, source: Any) -> None:
    with refused(
        INTERNAL,
        "Unsupported source model URI: 's3://bucket/1'. The `copy_model_version` API only copies models stored in "
        "the 'models:/' scheme.",
    ):
        client.copy_model_version("s3://bucket/1", "production")


@checks("create_model_version", "get_model_version_download_uri")
def test_a_source_that_is_a_version(client: Any, source: Any) -> None:
    client.create_registered_model("production")
    made = client.create_model_version("production", "models:/staging/1")
    assert made.source == "models:/staging/1"
    assert client.get_model_version_download_uri("production", "1") == "s3://bucket/1"
    client.delete_registered_model("staging")
    assert client.get_model_version_download_uri("production", "1") == "s3://bucket/1"


@checks("create_model_version")
@pytest.mark.parametrize("uri", ["models:/staging/9", "models:/nothing/1"])
def test_a_source_that_is_a_version_which_is_not_there(client: Any, source: Any, uri: str) -> None:
    client.create_registered_model("production")
    with refused(
        INTERNAL,
        re.compile(
            "^" + re.escape(f"Unable to fetch model from model URI source artifact location '{uri}'.Error: ")
        ),
    ):
        client.create_model_version("production", uri)
    assert client.search_model_versions("name = 'production'") == []
