"""Which names a model can have: what MLflow refuses, what is carried by encoding, and what gitreg refuses."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

import pytest

from .asking import INVALID, MISSING, names, numbers, refused
from .marks import MLFLOW_3, checks, deviates

ODD = [
    "Fraud Detection",
    "Zürich",
    "模型",
    "🙂",
    "a@b",
    "100%",
    "a%2Fb",
    "~^?*[\\",
    "a..b",
    "a.lock",
    ".hidden",
    "a.",
    "CON",
    "aux",
    "NUL.yaml",
    ".git",
    "git~1",
    ".gitattributes",
    "-x",
    "--upload-pack=touch x",
    "HEAD",
    "@",
    "a@{1}",
    "it's",
    'say "hi"',
    "a`b",
    "$(id)",
    "a;b|c&d",
    "<b>",
    " leading",
    "trailing ",
]


@checks("create_registered_model", "get_registered_model")
@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_comes_back_as_it_was(client: Any, name: str) -> None:
    client.create_registered_model(name, tags={"k": "v"})
    client.create_model_version(name, "s3://bucket/1")
    client.set_registered_model_alias(name, "champion", "1")
    assert client.get_registered_model(name).name == name
    assert client.get_model_version(name, "1").name == name
    assert client.get_model_version_by_alias(name, "champion").name == name
    assert names(client.search_registered_models()) == [name]
    assert numbers(client.search_model_versions()) == [(name, 1)]


@checks("create_registered_model")
@deviates("as-mlflow-3")
@pytest.mark.parametrize("name", ["a/b", "/a", "a/", "a:b", ":", "models:/a", "a/../b"])
def test_slashes_and_colons(client: Any, is_gitreg: bool, name: str) -> None:
    if MLFLOW_3 or is_gitreg:
        with refused(INVALID, f"Invalid model name '{name}'. Names cannot contain '/' or ':'."):
            client.create_registered_model(name)
        assert client.search_registered_models() == []
    else:  # what MLflow 2 takes; gitreg keeps to MLflow 3's rule with both
        assert client.create_registered_model(name).name == name


@checks("create_registered_model")
@deviates("as-mlflow-3")
@pytest.mark.parametrize("name", [".", "..", "..a"])
def test_names_that_are_paths(client: Any, is_gitreg: bool, name: str) -> None:
    if MLFLOW_3 or is_gitreg:
        path = (
            f"Invalid value {json.dumps(name)} for parameter 'name' supplied: Names may be treated as files in "
            f"certain cases, and must not resolve to other names when treated as such. This name would resolve "
            f"to {posixpath.normpath(name)!r}"
        )
        with refused(INVALID, path):
            client.create_registered_model(name)
        assert client.search_registered_models() == []
    else:
        assert client.create_registered_model(name).name == name


@checks("rename_registered_model")
@deviates("as-mlflow-3")
@pytest.mark.parametrize("name", ["a/b", "a:b", ".", ".."])
def test_a_rename_to_such_a_name(client: Any, store: Any, is_gitreg: bool, model: str, name: str) -> None:
    if MLFLOW_3 or is_gitreg:
        with refused(INVALID, re.compile(re.escape(name))):
            client.rename_registered_model(model, name)
        assert names(client.search_registered_models()) == [model]
    else:
        assert store.rename_registered_model(model, name).name == name


@checks(
    "get_registered_model",
    "update_registered_model",
    "delete_registered_model",
    "get_latest_versions",
    "set_registered_model_tag",
    "delete_registered_model_tag",
    "set_registered_model_alias",
    "delete_registered_model_alias",
    "get_model_version_by_alias",
    "create_model_version",
    "get_model_version",
    "update_model_version",
    "delete_model_version",
    "get_model_version_download_uri",
    "set_model_version_tag",
    "delete_model_version_tag",
)
@pytest.mark.parametrize("name", ["", "a/b", "a:b", ".."])
def test_every_method_checks_the_name(client: Any, is_gitreg: bool, name: str) -> None:
    calls = [
        lambda: client.get_registered_model(name),
        lambda: client.update_registered_model(name, "text"),
        lambda: client.delete_registered_model(name),
        lambda: client.get_latest_versions(name),
        lambda: client.set_registered_model_tag(name, "k", "v"),
        lambda: client.delete_registered_model_tag(name, "k"),
        lambda: client.set_registered_model_alias(name, "champion", "1"),
        lambda: client.delete_registered_model_alias(name, "champion"),
        lambda: client.get_model_version_by_alias(name, "champion"),
        lambda: client.create_model_version(name, "s3://bucket/1"),
        lambda: client.get_model_version(name, "1"),
        lambda: client.update_model_version(name, "1", "text"),
        lambda: client.delete_model_version(name, "1"),
        lambda: client.get_model_version_download_uri(name, "1"),
        lambda: client.set_model_version_tag(name, "1", "k", "v"),
        lambda: client.delete_model_version_tag(name, "1", "k"),
    ]
    for call in calls:
        if name == "" or MLFLOW_3 or is_gitreg:
            with refused(INVALID, re.compile("name")):
                call()
        else:
            with pytest.raises(Exception, match="not found"):
                call()


@checks("create_registered_model")
@deviates("control-characters")
@pytest.mark.parametrize("name", ["a\nupdate refs", "a\x00b", "a\x1b[31m", "a\x7f", "a\tb"])
def test_control_characters(client: Any, is_gitreg: bool, told: Any, name: str) -> None:
    if is_gitreg:
        with refused(INVALID, re.compile("invisible character")) as messages:
            client.create_registered_model(name)
        told(messages)
        assert client.search_registered_models() == []
    else:
        assert client.create_registered_model(name).name == name


@checks("create_registered_model")
@deviates("long-names")
def test_a_name_of_ten_thousand_characters(client: Any, is_gitreg: bool, told: Any) -> None:
    name = "x" * 10_000
    if is_gitreg:
        with refused(INVALID, re.compile("long|bytes")) as messages:
            client.create_registered_model(name)
        told(messages)
        assert client.search_registered_models() == []
    else:
        assert client.create_registered_model(name).name == name


@checks("create_registered_model", "rename_registered_model")
@deviates("twins")
def test_twins_by_case(client: Any, store: Any, is_gitreg: bool, told: Any) -> None:
    client.create_registered_model("Fraud")
    client.create_registered_model("other")
    if is_gitreg:
        with refused(INVALID, re.compile('"Fraud"')) as messages:
            client.create_registered_model("fraud")
        told(messages)
        with refused(INVALID, re.compile('"Fraud"')):
            client.rename_registered_model("other", "FRAUD")
        with refused("RESOURCE_CONFLICT", re.compile("case")):
            client.rename_registered_model("Fraud", "fraud")
        assert names(client.search_registered_models()) == ["Fraud", "other"]
        with refused(MISSING, "Registered Model with name=fraud not found"):
            client.get_registered_model("fraud")
    else:
        assert client.create_registered_model("fraud").name == "fraud"
        assert store.rename_registered_model("other", "FRAUD").name == "FRAUD"
        assert store.rename_registered_model("Fraud", "fRAUD").name == "fRAUD"
        assert names(client.search_registered_models()) == ["FRAUD", "fRAUD", "fraud"]


@checks("delete_registered_model", "create_model_version")
@deviates("numbers-go-on")
def test_numbers_after_a_model_is_made_again(client: Any, is_gitreg: bool, three: str) -> None:
    client.delete_registered_model(three)
    client.create_registered_model(three)
    version = client.create_model_version(three, "s3://bucket/again")
    assert int(version.version) == (4 if is_gitreg else 1)


@checks("rename_registered_model")
def test_a_rename_back(client: Any, store: Any, three: str) -> None:
    client.rename_registered_model(three, "other")
    assert store.rename_registered_model("other", three).name == three
    assert int(client.create_model_version(three, "s3://bucket/4").version) == 4


@checks("rename_registered_model")
@deviates("used-names")
@pytest.mark.parametrize("how", ["renamed", "deleted"])
def test_a_rename_to_a_name_that_had_versions(
    client: Any, store: Any, is_gitreg: bool, told: Any, three: str, how: str
) -> None:
    client.create_registered_model("other")
    if how == "renamed":
        client.rename_registered_model(three, "new")
    else:
        client.delete_registered_model(three)
    if is_gitreg:
        with refused("RESOURCE_CONFLICT", re.compile(f'a model called "{three}" had versions')) as messages:
            client.rename_registered_model("other", three)
        told(messages)
        assert client.get_registered_model("other").name == "other"
    else:
        assert store.rename_registered_model("other", three).name == three


@checks("create_registered_model", "update_registered_model")
@deviates("manifest-size")
def test_a_description_of_two_million_characters(client: Any, is_gitreg: bool, told: Any) -> None:
    text = "x" * 2_000_000
    client.create_registered_model("small")
    if is_gitreg:
        with refused(INVALID, re.compile("at most 1,048,576")) as messages:
            client.create_registered_model("large", description=text)
        told(messages)
        with refused(INVALID, re.compile("at most 1,048,576")):
            client.update_registered_model("small", text)
        assert names(client.search_registered_models()) == ["small"]
    else:
        assert len(client.create_registered_model("large", description=text).description) == 2_000_000


@checks("set_model_version_tag", "set_registered_model_tag")
@deviates("manifest-size")
def test_tags_of_more_than_a_million_characters(client: Any, is_gitreg: bool, three: str) -> None:
    value = "x" * (90_000 if MLFLOW_3 else 4_900)
    most = 1_048_576 // len(value)
    for number in range(most):
        client.set_model_version_tag(three, "1", f"k{number}", value)
    if is_gitreg:
        with refused(INVALID, re.compile("at most 1,048,576")):
            client.set_model_version_tag(three, "1", "last", value)
    else:
        client.set_model_version_tag(three, "1", "last", value)
    assert len(client.get_model_version(three, "1").tags) == most + (not is_gitreg)


@checks("rename_registered_model")
@deviates("rename-times")
def test_times_of_versions_after_a_rename(client: Any, is_gitreg: bool, three: str) -> None:
    before = client.get_model_version(three, "1")
    client.rename_registered_model(three, "scoring")
    after = client.get_model_version("scoring", "1")
    assert after.creation_timestamp == before.creation_timestamp
    assert (after.last_updated_timestamp == before.last_updated_timestamp) is is_gitreg


@checks("create_registered_model", "update_registered_model", "create_model_version", "update_model_version")
@deviates("empty-description")
def test_empty_descriptions(client: Any, store: Any, is_gitreg: bool) -> None:
    client.create_registered_model("fraud", description="")
    client.create_model_version("fraud", "s3://bucket/1", description="")
    empty = None if is_gitreg else ""
    assert client.get_registered_model("fraud").description == empty
    assert client.get_model_version("fraud", "1").description == empty
