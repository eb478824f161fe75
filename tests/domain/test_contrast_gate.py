"""What a gate asks for otherwise: said only where every schema that could be written bears it out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gitreg.domain.contrast_gate import demands


def auc(**more: Any) -> dict[str, Any]:
    return {"properties": {"metrics": {"properties": {"auc": more}}}}


@pytest.mark.parametrize(
    ("weak", "strict", "told"),
    [
        (auc(minimum=0.1), auc(minimum=0.8), ("metrics.auc.minimum", 0.1, 0.8)),
        (auc(), auc(minimum=0.8), ("metrics.auc.minimum", None, 0.8)),
        ({}, auc(minimum=0.8), ("metrics.auc.minimum", None, 0.8)),
        (auc(exclusiveMaximum=2), auc(exclusiveMaximum=1), ("metrics.auc.exclusiveMaximum", 2, 1)),
        ({}, {"required": ["run"]}, ("required", None, "run")),
        ({"required": ["a"]}, {"required": ["b", "a"]}, ("required", None, "b")),
        ({"enum": [1, 2]}, {"enum": [1]}, ("enum", "2", None)),
        ({"allOf": [auc(minimum=1)]}, {"allOf": [auc(minimum=2)]}, ("metrics.auc.minimum", 1, 2)),
        ({"items": {"maxLength": 9}}, {"items": {"maxLength": 3}}, ("[].maxLength", 9, 3)),
        ({"title": "a", "required": []}, {"title": "b", "required": ["x"]}, ("required", None, "x")),
    ],
)
def test_what_is_sure(weak: Any, strict: Any, told: tuple[Any, ...]) -> None:
    for sides, effect, order in (((weak, strict), "raises", 1), ((strict, weak), "lowers", -1)):
        (found,) = demands(*sides) or ()
        assert (found.field, *(found.before, found.after)[::order], found.effect) == (*told, effect)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"not": {"minimum": 1}}, {"not": {"minimum": 2}}),
        ({"anyOf": [{"minimum": 1}]}, {"anyOf": [{"minimum": 2}]}),
        ({"minimum": 1, "$ref": "#/x"}, {"minimum": 2, "$ref": "#/x"}),
        ({"minimum": 1, "not": {"$ref": "#"}}, {"minimum": 2, "not": {"$ref": "#"}}),
        ({"additionalProperties": False}, {"additionalProperties": False, "properties": {"a": {}}}),
        ({"minimum": True}, {"minimum": 2}),
        ({"minimum": float("nan")}, {"minimum": 2}),
        ({"enum": [1]}, {}),
        ({"pattern": "a"}, {"pattern": "b"}),
        (True, {}),
        ({"allOf": []}, {"allOf": [{}]}),
        ({"$defs": {"a": {"minimum": 1}}}, {"$defs": {"a": {"minimum": 2}}}),
        ({"properties": 3}, {"properties": {}}),
        ({"required": "a"}, {"required": ["a"]}),
    ],
)
def test_what_is_not(before: Any, after: Any) -> None:
    assert demands(before, after) is None
    assert demands(after, before) is None


def test_remarks_ask_for_nothing() -> None:
    assert demands({"title": "a"}, {"title": "b", "description": "c"}) == ()


_BOUNDS = st.dictionaries(st.sampled_from(["minimum", "maximum", "exclusiveMinimum"]), st.integers(-2, 2))
_SCHEMAS = st.recursive(
    _BOUNDS | st.fixed_dictionaries({"enum": st.lists(st.integers(-1, 1), unique=True)}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "required": st.lists(st.sampled_from("ab"), unique=True),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "additionalProperties": st.booleans(),
        },
    ),
    max_leaves=4,
)
_VALUES = st.recursive(
    st.integers(-3, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner), max_leaves=4
)


@settings(max_examples=300, deadline=None)
@given(_SCHEMAS, _SCHEMAS, st.lists(_VALUES, max_size=8))
def test_what_is_said_is_true(before: Any, after: Any, values: list[Any]) -> None:
    """Where all goes one way, no value passes the stricter schema that does not pass the other."""
    found = demands(before, after)
    effects = {each.effect for each in found or ()}
    if found is None or len(effects) > 1:
        return
    strict, weak = (after, before) if effects == {"raises"} else (before, after)
    for value in values:
        if Draft202012Validator(strict).is_valid(value):
            assert Draft202012Validator(weak).is_valid(value)
