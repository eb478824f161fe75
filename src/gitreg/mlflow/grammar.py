"""MLflow's search language: filters that are clauses joined by AND, and orders.

Source: MLflow's documentation, *Search registered models and model versions*, and its store's answers.
The plugin hands in MLflow's own parser (``Parser``); ``parse`` here reads the same language without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gitreg.domain.names import is_utf8
from gitreg.errors import InvalidFilter
from gitreg.index.filter.grammar import And, Clause
from gitreg.index.filter.grammar import parse as parse_tree
from gitreg.index.filter.source import Source, Token
from gitreg.mlflow.errors import MlflowError, invalid

Kind = Literal["models", "versions"]
Value = str | int | float | tuple[str, ...]

IS_PROMPT = "mlflow.prompt.is_prompt"


@dataclass(frozen=True, slots=True)
class Condition:
    """One clause of a filter.

    Attributes:
        type: ``attribute`` or ``tag``.
        key: Name of the attribute, or key of the tag.
        comparator: In capitals: ``=``, ``!=``, ``<``, ``LIKE``, ``ILIKE``, ``IN``, ``NOT IN`` …
        value: A text, a number, or the texts of a list.
    """

    type: str
    key: str
    comparator: str
    value: Value


Parser = Callable[[str, Kind], list[Condition]]
"""A filter and what it is for → its conditions; raises MlflowError with INVALID_PARAMETER_VALUE."""

_ATTRIBUTES: dict[Kind, tuple[str, ...]] = {
    "models": ("name",),
    "versions": ("name", "version_number", "run_id", "source_path"),
}
_LISTED: dict[Kind, tuple[str, ...]] = {"models": ("name",), "versions": ("name", "run_id")}
_NUMERIC = ("version_number", "creation_timestamp", "last_updated_timestamp")
_TEXT_COMPARATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
_NUMBER_COMPARATORS = ("=", "!=", "<", "<=", ">", ">=")
_TAG_COMPARATORS = ("=", "!=", "LIKE", "ILIKE")


def parse(text: str, kind: Kind) -> list[Condition]:
    """The conditions of a filter; none of an empty one.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE; the message names the column.
    """
    if not text:
        return []
    try:
        tree = parse_tree(Source(text=text))
    except InvalidFilter as error:
        raise invalid(f"Invalid clause(s) in filter string: {text} ({error})") from None
    if tree is None:
        raise invalid(f"Invalid filter '{text}'. Could not be parsed.")
    clauses = tree.parts if isinstance(tree, And) else (tree,)
    found = []
    for clause in clauses:
        if not isinstance(clause, Clause):
            raise invalid(f"Invalid clause(s) in filter string: {text} (clauses are joined by AND alone)")
        found.append(_condition(clause, kind))
    return found


def _condition(clause: Clause, kind: Kind) -> Condition:
    type_, key = _field(clause.field, kind)
    if clause.operator.endswith("NULL"):
        raise invalid("Invalid comparison clause. Expected 3 tokens found 2")
    if clause.operator.startswith("NOT ") and clause.operator != "NOT IN":
        raise invalid(f"Invalid clause(s) in filter string: {clause.operator}")
    return Condition(type_, key, clause.operator, _value(clause, type_, key, kind))


def _field(token: Token, kind: Kind) -> tuple[str, str]:
    if token.key is None:
        type_, key = "attribute", token.value
    elif token.value in ("tag", "tags"):
        return "tag", token.key
    elif token.value == "attribute":
        type_, key = "attribute", token.key
    else:
        raise invalid(
            f"Invalid entity type '{token.value}'. Valid entity types are ('attribute', 'tag', 'tags')"
        )
    if key not in _ATTRIBUTES[kind]:
        raise invalid(f"Invalid attribute key '{key}' specified. Valid keys are '{set(_ATTRIBUTES[kind])}'")
    return type_, key


def _value(clause: Clause, type_: str, key: str, kind: Kind) -> Value:
    if clause.operator in ("IN", "NOT IN"):
        if type_ == "tag":
            raise invalid(
                f"Expected a quoted string value for tag (e.g. 'my-value'). Got value {_written(clause)}"
            )
        if key not in _LISTED[kind]:
            raise invalid(
                f"Only {sorted(_LISTED[kind])} attributes support comparison with a list of quoted string "
                "values."
            )
        if any(token.kind != "text" for token in clause.values):
            raise invalid(
                "While parsing a list in the query, expected string value, punctuation, or whitespace"
            )
        return tuple(token.value for token in clause.values)
    (token,) = clause.values
    if token.kind == "text":
        return token.value
    if type_ == "tag":
        raise invalid(f"Expected a quoted string value for tag (e.g. 'my-value'). Got value {token.text}")
    if kind == "models":
        raise invalid(
            "Expected a quoted string value or a list of quoted string values for attributes. "
            f"Got value {token.text}"
        )
    if key not in _NUMERIC:
        raise invalid(f"Only the '{set(_NUMERIC)}' attributes support comparison with numeric values.")
    try:
        return int(token.value) if re.fullmatch(r"[+-]?\d+", token.value) else float(token.value)
    except ValueError:  # Python reads no number of more than 4,300 digits
        raise invalid(f"Invalid value for numeric attribute '{key}': it is too long") from None


def _written(clause: Clause) -> str:
    return "(" + ", ".join(token.text for token in clause.values) + ")"


def check(condition: Condition, kind: Kind) -> Condition:
    """What MLflow's store checks of a parsed condition; numbers come back as numbers.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE.
    """
    key, comparator, value = condition.key, condition.comparator, condition.value
    if not all(is_utf8(each) for each in (key, *(value if isinstance(value, tuple) else (str(value),)))):
        raise invalid("Invalid filter: it is not UTF-8.")
    if condition.type == "tag":
        if comparator not in _TAG_COMPARATORS:
            raise invalid(f"Invalid comparator for tag: {comparator}")
        return condition
    if condition.type != "attribute":
        raise invalid(f"Invalid token type: {condition.type}")
    if key not in _ATTRIBUTES[kind]:
        raise invalid(f"Invalid attribute name: {key}")
    if key == "version_number":
        if comparator not in _NUMBER_COMPARATORS:
            raise invalid(f"Invalid comparator for attribute {key}: {comparator}")
        try:
            if isinstance(value, float | tuple):
                raise TypeError
            return Condition("attribute", key, comparator, int(value))
        except (TypeError, ValueError):
            raise invalid(f"Invalid value for numeric attribute '{key}': {value!r}") from None
    if comparator not in _TEXT_COMPARATORS or (comparator.endswith("IN") and key not in _LISTED[kind]):
        raise invalid(f"Invalid comparator for attribute: {comparator}")
    return condition


_KEY = r"[A-Za-z_][\w.]*|(?:[A-Za-z_]\w*\.)?(?:`[^`]+`|\"[^\"]+\")"
_ORDER = re.compile(rf"({_KEY})(?:\s+([A-Za-z_]\w*))?")
_ENTITIES = ("attribute", "tag", "tags")
_ORDERED: dict[Kind, dict[str, str]] = {
    "models": {"name": "name", "timestamp": "updated", "last_updated_timestamp": "updated"},
    "versions": {
        "name": "name",
        "version_number": "number",
        "creation_timestamp": "created",
        "last_updated_timestamp": "updated",
    },
}


def order(texts: Sequence[str], kind: Kind) -> list[tuple[str, bool]]:
    """What an order names (``name``, ``number``, ``created``, ``updated``), and whether it ascends.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE; a key that comes twice is MLflow's INTERNAL_ERROR.
    """
    found: list[tuple[str, bool]] = []
    for text in texts:
        column, ascending = _ordering(text, kind)
        if column in (name for name, _ in found):
            raise MlflowError(f"`order_by` contains duplicate fields: {list(texts)}")
        found.append((column, ascending))
    return found


def _ordering(text: str, kind: Kind) -> tuple[str, bool]:
    match = _ORDER.fullmatch(text)
    if match is None or (match[1] != "timestamp" and match[1].lower() == "timestamp"):
        raise invalid(f"Invalid order_by clause '{text}'. Could not be parsed.")
    key, word = match.groups()
    direction = (word or "asc").lower()
    if direction not in ("asc", "desc"):
        raise invalid(f"Invalid ordering key in order_by clause '{text}'.")
    if word:
        key = key.replace("`", "").replace(
            '"', ""
        )  # a key alone keeps its quotes, and models have no such key
    return _column(key, kind), direction == "asc"


def _column(key: str, kind: Kind) -> str:
    if kind == "models":
        if key not in _ORDERED[kind]:
            raise invalid(f"Invalid order by key '{key}' specified. Valid keys are '{{'name', 'timestamp'}}'")
        return _ORDERED[kind][key]
    entity, dot, rest = key.partition(".")
    if dot and entity not in _ENTITIES:
        raise invalid(f"Invalid entity type '{entity}'. Valid entity types are {_ENTITIES}")
    key = (rest if dot else key).strip('`"')
    if key not in _ORDERED[kind]:
        raise invalid(f"Invalid attribute key '{key}' specified. Valid keys are '{set(_ORDERED[kind])}'")
    return _ORDERED[kind][key]
