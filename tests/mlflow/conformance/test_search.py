"""Searches: order, pages, and what they show."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from .asking import INTERNAL, INVALID, names, numbers, pages, refused
from .marks import checks, deviates


@pytest.fixture
def five(client: Any) -> list[str]:
    made = ["c", "a", "e", "b", "d"]
    for name in made:
        client.create_registered_model(name)
        client.create_model_version(name, f"s3://bucket/{name}")
    client.create_model_version("a", "s3://bucket/a2")
    return made


@checks("search_registered_models")
def test_models_are_ordered_by_name(client: Any, five: list[str]) -> None:
    assert names(client.search_registered_models()) == ["a", "b", "c", "d", "e"]


MODEL_ORDERS = [
    (["name"], "abcde"),
    (["name ASC"], "abcde"),
    (["name DESC"], "edcba"),
    (["name desc"], "edcba"),
    (["name   DESC"], "edcba"),
    (["last_updated_timestamp"], "cebda"),
    (["last_updated_timestamp DESC"], "adbec"),
    (["timestamp DESC"], "adbec"),
    (["timestamp"], "cebda"),
    (["last_updated_timestamp DESC", "name ASC"], "adbec"),
    (["name DESC", "last_updated_timestamp"], "edcba"),
    ([], "abcde"),
]


@checks("search_registered_models")
@pytest.mark.parametrize(("order_by", "expected"), MODEL_ORDERS)
def test_orders_of_models(client: Any, five: list[str], order_by: list[str], expected: str) -> None:
    assert names(client.search_registered_models(order_by=order_by)) == list(expected)


VERSION_ORDERS = [
    (None, [("a", 2), ("d", 1), ("b", 1), ("e", 1), ("a", 1), ("c", 1)]),
    (["name"], [("a", 2), ("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]),
    (["name ASC", "version_number ASC"], [("a", 1), ("a", 2), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]),
    (["name DESC"], [("e", 1), ("d", 1), ("c", 1), ("b", 1), ("a", 2), ("a", 1)]),
    (["version_number"], [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("a", 2)]),
    (["version_number DESC", "name DESC"], [("a", 2), ("e", 1), ("d", 1), ("c", 1), ("b", 1), ("a", 1)]),
    (["creation_timestamp"], [("c", 1), ("a", 1), ("e", 1), ("b", 1), ("d", 1), ("a", 2)]),
    (["last_updated_timestamp DESC"], [("a", 2), ("d", 1), ("b", 1), ("e", 1), ("a", 1), ("c", 1)]),
]


@checks("search_model_versions")
@pytest.mark.parametrize(("order_by", "expected"), VERSION_ORDERS)
def test_orders_of_versions(
    client: Any, five: list[str], order_by: list[str] | None, expected: list[tuple[str, int]]
) -> None:
    assert numbers(client.search_model_versions(order_by=order_by)) == expected


@checks("search_model_versions")
def test_the_order_by_default_is_newest_first(client: Any, five: list[str]) -> None:
    client.update_model_version("c", "1", "text")
    assert numbers(client.search_model_versions())[0] == ("c", 1)


@checks("search_registered_models")
@pytest.mark.parametrize(
    "order_by",
    [
        "nothing",
        "name SIDEWAYS",
        "  name",
        "description",
        "tags.team",
        "name; DROP TABLE x",
        "",
        "1",
        "name, timestamp",
    ],
)
def test_orders_of_models_that_are_refused(client: Any, five: list[str], order_by: str) -> None:
    with refused(INVALID, re.compile(".")):
        client.search_registered_models(order_by=[order_by])


@checks("search_model_versions")
@pytest.mark.parametrize(
    "order_by",
    ["nothing", "name SIDEWAYS", "run_id", "source_path", "timestamp", "name; DROP TABLE x", "", "version"],
)
def test_orders_of_versions_that_are_refused(client: Any, five: list[str], order_by: str) -> None:
    with refused(INVALID, re.compile(".")):
        client.search_model_versions(order_by=[order_by])


@checks("search_registered_models", "search_model_versions")
def test_a_field_stands_in_an_order_once(client: Any, five: list[str]) -> None:
    message = "`order_by` contains duplicate fields: ['name', 'name DESC']"
    with refused(INTERNAL, message):
        client.search_registered_models(order_by=["name", "name DESC"])
    with refused(INTERNAL, message):
        client.search_model_versions(order_by=["name", "name DESC"])
    with refused(INTERNAL, re.compile("^`order_by` contains duplicate fields")):
        client.search_registered_models(order_by=["timestamp", "last_updated_timestamp"])


@checks("search_registered_models")
@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 1000])
def test_pages_of_models(client: Any, five: list[str], size: int) -> None:
    found = pages(client.search_registered_models, max_results=size)
    assert [model.name for page in found for model in page] == ["a", "b", "c", "d", "e"]
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert len(found) == -(-5 // size)


@checks("search_model_versions")
@pytest.mark.parametrize("size", [1, 2, 4, 6, 7, 200_000])
def test_pages_of_versions(client: Any, five: list[str], size: int) -> None:
    found = pages(client.search_model_versions, max_results=size, order_by=["name", "version_number"])
    assert [(v.name, int(v.version)) for page in found for v in page] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("c", 1),
        ("d", 1),
        ("e", 1),
    ]
    assert len(found) == -(-6 // size)


@checks("search_registered_models", "search_model_versions")
def test_pages_of_a_filter(client: Any, five: list[str]) -> None:
    asked = {"filter_string": "name != 'c'", "max_results": 2}
    assert [len(page) for page in pages(client.search_registered_models, **asked)] == [2, 2]
    assert [len(page) for page in pages(client.search_model_versions, **asked)] == [2, 2, 1]


@checks("search_registered_models", "search_model_versions")
def test_the_last_page_has_no_token(client: Any, five: list[str]) -> None:
    assert not client.search_registered_models().token
    assert not client.search_model_versions().token
    assert not client.search_registered_models("name = 'nothing'", max_results=1).token


@checks("search_registered_models", "search_model_versions")
def test_one_hundred_models_and_ten_thousand_versions_by_default(store: Any, client: Any) -> None:
    for number in range(101):
        store.create_registered_model(f"m{number:03}")
    first = client.search_registered_models()
    assert (len(first), bool(first.token)) == (100, True)
    assert names(client.search_registered_models(page_token=first.token)) == ["m100"]


@checks("search_registered_models")
@pytest.mark.parametrize("size", [1001, 10**9])
def test_too_large_a_page_of_models(client: Any, size: int) -> None:
    with refused(
        INVALID,
        f"Invalid value for request parameter max_results. It must be at most 1000, but got value {size}",
    ):
        client.search_registered_models(max_results=size)


@checks("search_model_versions")
@pytest.mark.parametrize("size", [200_001, 10**9])
def test_too_large_a_page_of_versions(client: Any, size: int) -> None:
    with refused(
        INVALID,
        f"Invalid value for request parameter max_results. It must be at most 200000, but got value {size}",
    ):
        client.search_model_versions(max_results=size)


@checks("search_model_versions")
@pytest.mark.parametrize("size", [0, -1, "5", 1.5])
def test_a_page_of_versions_that_is_no_page(client: Any, size: Any) -> None:
    with refused(INVALID, f"Invalid value for max_results. It must be a positive integer, but got {size}"):
        client.search_model_versions(max_results=size)


@checks("search_registered_models")
@deviates("page-size")
@pytest.mark.parametrize("size", [-1, -(10**9)])
def test_a_page_of_models_that_is_no_page(
    client: Any, is_gitreg: bool, told: Any, five: list[str], size: int
) -> None:
    if is_gitreg:
        with refused(
            INVALID, f"Invalid value for max_results. It must be a positive integer, but got {size}"
        ) as said:
            client.search_registered_models(max_results=size)
        told(said)
    else:
        assert len(client.search_registered_models(max_results=size)) < 5


def token(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


FORGED = [
    ("not base64!", re.compile("^Invalid page token")),
    ("abc", "Invalid page token, could not base64-decode"),
    (base64.b64encode(b"garbage").decode(), "Invalid page token, decoded value=b'garbage'"),
    (token({}), "Invalid page token, parsed value={}"),
    (token({"offset": 0}), "Invalid page token, parsed value={'offset': 0}"),
    (token({"offset": "x"}), "Invalid page token, not stringable x"),
    (token({"offset": "1; DROP TABLE x"}), "Invalid page token, not stringable 1; DROP TABLE x"),
]


@checks("search_registered_models", "search_model_versions")
@pytest.mark.parametrize(("forged", "message"), FORGED)
def test_forged_tokens(client: Any, five: list[str], forged: str, message: str | re.Pattern[str]) -> None:
    with refused(INVALID, message):
        client.search_registered_models(page_token=forged)
    with refused(INVALID, message):
        client.search_model_versions(page_token=forged)


@checks("search_registered_models", "search_model_versions")
def test_a_token_beyond_the_end(client: Any, five: list[str]) -> None:
    found = client.search_registered_models(page_token=token({"offset": 1000}))
    assert (list(found), bool(found.token)) == ([], False)
    found = client.search_model_versions(page_token=token({"offset": 1000}))
    assert (list(found), bool(found.token)) == ([], False)


@checks("search_registered_models")
def test_a_found_model_is_whole(client: Any, three: str) -> None:
    client.set_registered_model_tag(three, "k", "v")
    client.set_registered_model_alias(three, "champion", "2")
    client.transition_model_version_stage(three, "1", "Production")
    (found,) = client.search_registered_models()
    assert found.tags == {"k": "v"}
    assert {alias: int(number) for alias, number in found.aliases.items()} == {"champion": 2}
    assert {(v.current_stage, int(v.version)) for v in found.latest_versions} == {
        ("None", 3),
        ("Production", 1),
    }


@checks("search_model_versions")
def test_a_found_version_is_whole(client: Any, three: str) -> None:
    client.set_model_version_tag(three, "2", "k", "v")
    client.update_model_version(three, "2", "Second.")
    client.transition_model_version_stage(three, "2", "Staging")
    (found,) = client.search_model_versions("version_number = 2")
    expected = client.get_model_version(three, "2")
    assert dict(found) == dict(expected)


@checks("search_model_versions")
def test_found_versions_show_no_aliases(client: Any, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "2")
    (found,) = client.search_model_versions("version_number = 2")
    assert list(found.aliases) == []


@checks("search_registered_models", "search_model_versions")
def test_an_empty_registry(client: Any) -> None:
    assert list(client.search_registered_models()) == []
    assert list(client.search_model_versions()) == []
