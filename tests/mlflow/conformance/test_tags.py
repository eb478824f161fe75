"""Tags of models and of versions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag

from .asking import INVALID, MISSING, refused
from .marks import MLFLOW_3, checks, deviates

KEYS = ["k", "a b", "a/b", "a.b-c_d", "a:b", "ü", "0", "x" * 250]
BAD_CHARACTERS = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( )"
VALUES = ["v", "", " ", "two\nlines", "ü 模型 🙂", "it's", '"', "true", "1.50", "null", "- a: b", "x" * 4000]


@checks("set_registered_model_tag")
@pytest.mark.parametrize("key", KEYS)
def test_keys_of_a_model_s_tag(client: Any, model: str, key: str) -> None:
    assert client.set_registered_model_tag(model, key, "v") is None
    assert client.get_registered_model(model).tags == {key: "v"}
    client.delete_registered_model_tag(model, key)
    assert client.get_registered_model(model).tags == {}


@checks("set_model_version_tag")
@pytest.mark.parametrize("key", KEYS)
def test_keys_of_a_version_s_tag(client: Any, three: str, key: str) -> None:
    assert client.set_model_version_tag(three, "2", key, "v") is None
    assert client.get_model_version(three, "2").tags == {key: "v"}
    client.delete_model_version_tag(three, "2", key)
    assert client.get_model_version(three, "2").tags == {}


@checks("set_registered_model_tag", "set_model_version_tag")
@pytest.mark.parametrize("value", VALUES)
def test_values_come_back_as_they_were(client: Any, three: str, value: str) -> None:
    client.set_registered_model_tag(three, "k", value)
    client.set_model_version_tag(three, "1", "k", value)
    assert client.get_registered_model(three).tags == {"k": value}
    assert client.get_model_version(three, "1").tags == {"k": value}


@checks("set_registered_model_tag", "set_model_version_tag")
@pytest.mark.parametrize("value", [1, 1.5, True, None])
def test_the_client_makes_a_text_of_a_value(client: Any, three: str, value: Any) -> None:
    client.set_registered_model_tag(three, "k", value)
    client.set_model_version_tag(three, "1", "k", value)
    assert client.get_registered_model(three).tags == {"k": str(value)}
    assert client.get_model_version(three, "1").tags == {"k": str(value)}


@checks("set_registered_model_tag", "set_model_version_tag")
def test_a_tag_takes_the_place_of_the_one_before(client: Any, three: str) -> None:
    for value in ("a", "b"):
        client.set_registered_model_tag(three, "k", value)
        client.set_model_version_tag(three, "1", "k", value)
    assert client.get_registered_model(three).tags == {"k": "b"}
    assert client.get_model_version(three, "1").tags == {"k": "b"}


@checks("set_registered_model_tag", "set_model_version_tag")
def test_keys_are_case_sensitive(client: Any, three: str) -> None:
    for key in ("k", "K"):
        client.set_registered_model_tag(three, key, key)
        client.set_model_version_tag(three, "1", key, key)
    assert client.get_registered_model(three).tags == {"k": "k", "K": "K"}
    assert client.get_model_version(three, "1").tags == {"k": "k", "K": "K"}


@checks(
    "set_registered_model_tag",
    "set_model_version_tag",
    "delete_registered_model_tag",
    "delete_model_version_tag",
)
def test_tags_move_no_time(client: Any, three: str) -> None:
    model, version = client.get_registered_model(three), client.get_model_version(three, "1")
    client.set_registered_model_tag(three, "k", "v")
    client.set_model_version_tag(three, "1", "k", "v")
    client.delete_registered_model_tag(three, "k")
    client.delete_model_version_tag(three, "1", "k")
    assert client.get_registered_model(three).last_updated_timestamp == model.last_updated_timestamp
    assert client.get_model_version(three, "1").last_updated_timestamp == version.last_updated_timestamp


@checks(
    "set_registered_model_tag",
    "set_model_version_tag",
    "delete_registered_model_tag",
    "delete_model_version_tag",
)
@pytest.mark.parametrize("key", ["a$b", "a'b", "a\\b", "k;", "<k>", "a\x1bb"])
def test_signs_that_no_key_has(client: Any, three: str, key: str) -> None:
    message = re.compile(
        "^" + re.escape(f"Invalid value {json.dumps(key)} for parameter 'key' supplied: {BAD_CHARACTERS}")
    )
    for call in (
        lambda: client.set_registered_model_tag(three, key, "v"),
        lambda: client.set_model_version_tag(three, "1", key, "v"),
        lambda: client.delete_registered_model_tag(three, key),
        lambda: client.delete_model_version_tag(three, "1", key),
    ):
        with refused(INVALID, message):
            call()


@checks("set_registered_model_tag", "set_model_version_tag")
@pytest.mark.parametrize(
    ("key", "other"), [("", "."), (".", "."), ("..", ".."), ("a//b", "a/b"), ("/a", "/a"), ("a/../b", "b")]
)
def test_keys_that_are_paths(client: Any, three: str, key: str, other: str) -> None:
    message = re.compile(
        "^"
        + re.escape(f"Invalid value {json.dumps(key)} for parameter 'key' supplied: ")
        + ".*"
        + re.escape(f"This name would resolve to {other!r}")
    )
    with refused(INVALID, message):
        client.set_registered_model_tag(three, key, "v")
    with refused(INVALID, message):
        client.set_model_version_tag(three, "1", key, "v")


@checks("set_registered_model_tag", "set_model_version_tag")
def test_a_key_that_is_not_given(store: Any, three: str) -> None:
    with refused(INVALID, "Missing value for required parameter 'key'."):
        store.set_registered_model_tag(three, RegisteredModelTag(None, "v"))
    with refused(INVALID, "Missing value for required parameter 'key'."):
        store.set_model_version_tag(three, "1", ModelVersionTag(None, "v"))


@checks("set_model_version_tag")
def test_a_version_s_tag_has_a_value(store: Any, three: str) -> None:
    with refused(INVALID, "Tag value cannot be None"):
        store.set_model_version_tag(three, "1", ModelVersionTag("k", None))


@checks("set_registered_model_tag", "set_model_version_tag")
def test_a_key_of_251_characters(client: Any, three: str) -> None:
    with refused(INVALID, "'key' exceeds the maximum length of 250 characters"):
        client.set_registered_model_tag(three, "x" * 251, "v")
    with refused(INVALID, "'key' exceeds the maximum length of 250 characters"):
        client.set_model_version_tag(three, "1", "x" * 251, "v")


def longest(is_gitreg: bool) -> int:
    return 100_000 if MLFLOW_3 or is_gitreg else 5000


@checks("set_registered_model_tag", "set_model_version_tag")
@deviates("as-mlflow-3")
def test_the_longest_value(client: Any, is_gitreg: bool, three: str) -> None:
    most = longest(is_gitreg)
    client.set_registered_model_tag(three, "k", "x" * most)
    client.set_model_version_tag(three, "1", "k", "x" * most)
    assert len(client.get_registered_model(three).tags["k"]) == most
    assert len(client.get_model_version(three, "1").tags["k"]) == most


@checks("set_registered_model_tag", "set_model_version_tag")
@deviates("as-mlflow-3")
def test_a_value_that_is_longer(client: Any, is_gitreg: bool, three: str) -> None:
    most = longest(is_gitreg)
    message = f"'value' exceeds the maximum length of {most} characters"
    with refused(INVALID, message):
        client.set_registered_model_tag(three, "k", "x" * (most + 1))
    with refused(INVALID, message):
        client.set_model_version_tag(three, "1", "k", "x" * (most + 1))
    assert client.get_registered_model(three).tags == {}


@checks("delete_registered_model_tag", "delete_model_version_tag")
def test_a_tag_that_is_not_there_is_taken_away(client: Any, three: str) -> None:
    client.set_registered_model_tag(three, "other", "v")
    assert client.delete_registered_model_tag(three, "k") is None
    assert client.delete_model_version_tag(three, "1", "k") is None
    assert client.get_registered_model(three).tags == {"other": "v"}


@checks(
    "set_registered_model_tag",
    "set_model_version_tag",
    "delete_registered_model_tag",
    "delete_model_version_tag",
)
def test_tags_need_what_they_are_on(store: Any) -> None:
    model = "Registered Model with name=fraud not found"
    version = "Model Version (name=fraud, version=1) not found"
    with refused(MISSING, model):
        store.set_registered_model_tag("fraud", RegisteredModelTag("k", "v"))
    with refused(MISSING, model):
        store.delete_registered_model_tag("fraud", "k")
    with refused(MISSING, version):
        store.set_model_version_tag("fraud", 1, ModelVersionTag("k", "v"))
    with refused(MISSING, version):
        store.delete_model_version_tag("fraud", "1", "k")


@checks("set_model_version_tag")
def test_tags_are_of_one_version(client: Any, three: str) -> None:
    client.set_model_version_tag(three, "1", "k", "v")
    assert client.get_model_version(three, "2").tags == {}
    assert client.get_registered_model(three).tags == {}
