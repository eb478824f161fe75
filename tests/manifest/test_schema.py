from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput
from gitreg.manifest import encode, schema
from gitreg.manifest.fields import MODEL, ORDER, SETTINGS, VERSION, Kind
from tests.manifest import values

ROOT = Path(__file__).resolve().parents[2]
KINDS = pytest.mark.parametrize("kind", schema.schema_names())


def test_the_compiled_validators_are_those_of_the_schemas() -> None:
    script = ROOT / "scripts/compile_schemas.py"
    command = [sys.executable, script, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_reading_needs_neither_jsonschema_nor_fastjsonschema() -> None:
    script = (
        "import sys; from gitreg.manifest import codec, check\n"
        "codec.decode_settings(b'format: 1\\n')\n"
        "print(sorted({'jsonschema', 'fastjsonschema', 'git', 'rich'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_schema_names_those_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        schema.schema_text("nope")
    assert "model-version.v1" in caught.value.hint


@KINDS
def test_schemas_are_right_in_themselves(kind: Kind) -> None:
    import jsonschema

    text = json.loads(schema.schema_text(kind))
    jsonschema.Draft202012Validator.check_schema(text)
    assert text["$id"] == f"urn:gitreg:schema:{kind}"


@KINDS
def test_every_property_has_a_title_and_a_description(kind: Kind) -> None:
    def bare(part: Any, path: str) -> list[str]:
        if isinstance(part, list):
            return [one for below in part for one in bare(below, path)]
        if not isinstance(part, dict):
            return []
        properties = part.get("properties", {})
        here = [
            f"{path}.{name}"
            for name, one in properties.items()
            if not one.get("title") or not one.get("description")
        ]
        return here + [one for key, below in part.items() for one in bare(below, f"{path}.{key}")]

    assert bare(json.loads(schema.schema_text(kind)), kind) == []


@KINDS
def test_fields_come_in_the_schemas_order(kind: Kind) -> None:
    text = json.loads(schema.schema_text(kind))

    def properties(part: dict[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
        for step in path:
            part = part["properties"][step]
            while "properties" not in part:
                below = [part.get("items"), *part.get("anyOf", ())]
                ref = part.get("$ref", "").rpartition("/")[2]
                part = text["$defs"][ref] if ref else next(one for one in reversed(below) if one)
        return tuple(part["properties"])

    for path, names in ORDER[kind].items():
        assert properties(text, path) == names


def _sorts() -> st.SearchStrategy[tuple[Kind, dict[str, Any]]]:
    return st.one_of(
        st.one_of(values.versions, values.tombstones).map(lambda one: (VERSION, encode.encode_version(one))),
        st.one_of(values.models, values.model_tombstones).map(lambda one: (MODEL, encode.encode_model(one))),
        values.settings_values.map(lambda one: (SETTINGS, encode.encode_settings(one))),
    )


_JUNK = st.sampled_from(
    [None, True, 0, -1, 1.0, 1.5, 10**9, "", "x", "ok\n", "NaN", "sha256:12", "sha256:" + "0" * 64 + "\n", "v3", "latest",
     "2026-11-23T10:00:00.123Z", "2026-11-23T10:00:00.123Z\n", "flat", "READY", [], [1], ["x"], {}, {"x": 1}, {"x-a": 1},
     {"at": "2026-11-23T10:00:00Z"}, {"name": "x"}, [{"name": "x"}], {"": "x"}, {"a" * 251: "x"}, {"latest": 1},
     {"v1": "2026-11-23T10:00:00Z"}, {"a\n": 3}, {"auc": "high"}, {"auc": "Infinity"}, {"auc": True}],
).map(copy.deepcopy)  # fmt: skip
_FIELDS = st.sampled_from(
    [*(name for kind in ORDER.values() for names in kind.values() for name in names), "x-y", "y"]
)


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(one for key, value in below for one in _paths(value, (*path, key)))]


@values.steady(max_examples=200)
@given(_sorts(), st.data())
def test_the_compiled_validator_and_jsonschema_agree(
    start: tuple[Kind, dict[str, Any]], draw: st.DataObject
) -> None:
    kind, data = start[0], copy.deepcopy(start[1])
    assert schema.accepts(kind, data)
    for _ in range(draw.draw(st.integers(min_value=0, max_value=2))):
        data = _broken(data, draw)
    assert schema.accepts(kind, data) == schema.reference_validator(kind).is_valid(data)


def _broken(data: Any, draw: st.DataObject) -> Any:
    path = draw.draw(st.sampled_from(_paths(data)))
    if not path:
        return {**data, draw.draw(_FIELDS): draw.draw(_JUNK)} if isinstance(data, dict) else data
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    action = draw.draw(st.sampled_from(["replace", "remove", "add"]))
    if action == "replace":
        parent[path[-1]] = draw.draw(_JUNK)
    elif action == "remove":
        del parent[path[-1]]
    elif isinstance(parent, dict):
        parent[draw.draw(_FIELDS)] = draw.draw(_JUNK)
    return data


@values.steady(max_examples=200)
@given(_sorts(), st.data())
def test_every_no_is_explained(start: tuple[Kind, dict[str, Any]], draw: st.DataObject) -> None:
    from gitreg.manifest import emit
    from gitreg.manifest.rules import RULES
    from gitreg.manifest.yaml import parse

    data = _broken(copy.deepcopy(start[1]), draw)
    document = parse(emit.document(data).encode() if data else b"{}\n")
    findings = schema.validate(start[0], document)
    assert bool(findings) == (not schema.accepts(start[0], document.data))
    assert all(one.code in RULES and one.line > 0 and one.message for one in findings)


def test_no_reference_is_ever_followed_out_of_a_schema() -> None:
    import referencing.exceptions

    validator = schema.reference_validator(VERSION)
    elsewhere = validator.evolve(schema={"$ref": "http://127.0.0.1:9/x.json"})
    with pytest.raises(referencing.exceptions.Unresolvable):
        elsewhere.is_valid({})
