"""The description: valid, complete, the same each time, and what its page shows."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from gitreg.web.api_v1 import openapi
from gitreg.web.api_v1.page import example
from gitreg.web.api_v1.table import GROUPS, OPERATIONS
from tests.web.api_v1.conftest import Api
from tests.web.conftest import Asking


def test_it_is_valid(api: Api) -> None:
    found = api("GET", "/openapi.json")
    assert found.headers["content-type"] == "application/json"
    validate(found.json())
    assert found.json()["openapi"] == "3.1.0"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for below in value.values():
            yield from references(below)
    elif isinstance(value, list):
        for below in value:
            yield from references(below)


def test_it_stands_alone() -> None:
    """Every reference leads into the document itself."""
    document = openapi.document()
    found = set(references(document))
    assert "#/components/schemas/Manifest.time" in found
    for each in found:
        assert each.startswith("#/")
        here = document
        for step in each[2:].split("/"):
            here = here[step]


def test_it_is_the_same_in_every_process() -> None:
    script = "import sys; from gitreg.web.api_v1 import openapi; sys.stdout.buffer.write(openapi.text())"
    digests = set()
    for seed in ("0", "1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        made = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, check=True)
        digests.add(hashlib.sha256(made.stdout).hexdigest())
    assert len(digests) == 1


def test_ids_and_groups() -> None:
    ids = [each.id for each in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert {each.group for each in OPERATIONS} == set(GROUPS)
    for each in OPERATIONS:
        assert (each.read is None) != (each.write is None), each.id
        assert (each.method == "GET") == (each.read is not None), each.id
        in_path = [one.name for one in each.parameters if one.where == "path"]
        assert all(f"{{{name}}}" in each.path for name in in_path), each.id
        assert each.path.count("{") == len(in_path), each.id


def test_manifests_are_described_by_their_own_schemas() -> None:
    from gitreg.manifest.schema import schema_text

    found = openapi.document()["components"]["schemas"]["ModelVersion"]["properties"]
    own = json.loads(schema_text("model-version.v1"))["properties"]
    for name in own.keys() - {"deleted"}:
        mine, theirs = dict(found[name]), dict(own[name])
        assert mine.get("description") == theirs.get("description"), name
        assert mine.get("type") == theirs.get("type"), name


def test_the_description_has_a_tag(api: Api) -> None:
    tag = api("GET", "/openapi.json").headers["etag"]
    assert api("GET", "/openapi.json", headers={"If-None-Match": tag}).status_code == 304


def test_the_page_lists_every_operation(asking: Callable[..., Asking]) -> None:
    found = asking()("GET", "/api")
    assert found.status_code == 200, found.text
    assert found.headers["content-type"].startswith("text/html")
    for each in OPERATIONS:
        assert f'id="{each.id}"' in found.text
        assert f"/api/v1{each.path}" in found.text
    assert "<script>" not in found.text and " style=" not in found.text and " onclick" not in found.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_examples_fit_their_description(operation: Any) -> None:
    """The body of each command on the page keeps to the schema that stands above it."""
    import shlex

    from gitreg.web.api_v1.request import read
    from gitreg.web.api_v1.table import match

    words = shlex.split(example(operation, "http://127.0.0.1:8080"))
    assert words[0] == "curl"
    address = words[-1].removeprefix("http://127.0.0.1:8080/api/v1")
    path, _, query = address.partition("?")
    found = [each for each in match(path) if operation.method in each.methods]
    assert found and found[0].methods[operation.method] is operation
    body = words[words.index("--json") + 1].encode() if "--json" in words else b""
    pairs = [tuple(each.split("=", 1)) for each in query.split("&") if each]
    values = read(operation, found[0].path, pairs, body)
    assert values.keys() >= found[0].path.keys()
    if operation.body_needed and operation.body is not None:
        assert values.keys() - found[0].path.keys(), "a body that says nothing shows nothing"
