"""Why data breaks its schema, as findings in the words of a person: slow, for every *no*."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from gitreg.domain.findings import Finding
from gitreg.domain.names import shown
from gitreg.domain.settings import did_you_mean
from gitreg.manifest import scalars, schema
from gitreg.manifest.fields import ORDER, Kind
from gitreg.manifest.profile import MAX_FINDINGS
from gitreg.manifest.yaml import Document

_ARTICLES = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "object": "a mapping", "array": "a list",
}  # fmt: skip
_TOMBSTONE = frozenset({"deleted", "renamed_to"})


def field_text(path: tuple[str | int, ...]) -> str:
    """A field path as people write it: ``datasets[0].uri``; ``""`` for the top."""
    out = ""
    for step in path:
        if isinstance(step, int):
            out += f"[{step}]"
        else:
            out += ("." if out else "") + (step if re.fullmatch(r"[\w-]+", step) else scalars.quoted(step))
    return out


def explain(kind: Kind, document: Document) -> list[Finding]:
    """Findings for every fault of the schema in ``document``, in the order of the file."""
    if not isinstance(document.data, dict):
        return [_not_a_mapping(document)]
    errors = schema.reference_validator(kind).iter_errors(document.data)
    found: dict[tuple[Any, ...], Finding] = {}
    # Bounded, since placing a finding looks through the file: a file of unknown fields must stay cheap.
    for finding in islice(
        (one for error in errors for one in _findings(kind, document, error)), MAX_FINDINGS
    ):
        found.setdefault((finding.line, finding.column, finding.message), finding)
    return sorted(found.values(), key=lambda one: (one.line, one.column))


def _not_a_mapping(document: Document) -> Finding:
    mend = "see gitreg explain GR017"
    if document.node is None:
        return document.source.finding("GR017", "the file is empty", 0, 1, help=mend)
    return document.finding("GR017", "the file must hold a mapping", help=mend)


def _findings(kind: Kind, document: Document, error: Any) -> Iterator[Finding]:
    rule = error.validator
    if rule in ("if", "anyOf") and error.context:
        yield from _of_branches(kind, document, error)
        return
    path = tuple(error.absolute_path)
    if rule == "additionalProperties":
        yield from _unknown(kind, document, path, error)
    elif rule == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        yield _bad_key(document, path, error)
    elif rule == "required":
        yield from _missing(document, path, error)
    else:
        yield _value_finding(document, path, error)


def _of_branches(kind: Kind, document: Document, error: Any) -> Iterator[Finding]:
    if error.validator == "if":
        for below in error.context:
            yield from _findings(kind, document, below)
        return
    path = tuple(error.absolute_path)
    # A stage is a name or a mapping, a metric a number or one of three texts.
    mapping = [
        below for below in error.context if below.schema_path[0] == 1 and isinstance(error.instance, dict)
    ]
    if mapping:
        for below in mapping:
            yield from _findings(kind, document, below)
    elif any(below.validator == "enum" for below in error.context):
        mend = 'other values can only be the quoted texts "NaN", "Infinity" and "-Infinity"'
        yield document.finding(
            "GR014", f"{field_text(path)}: {_is(error.instance)}, not a number", path, help=mend
        )
    else:
        yield _value_finding(document, path, error.context[0])


def _unknown(kind: Kind, document: Document, path: tuple[Any, ...], error: Any) -> Iterator[Finding]:
    known = list(error.schema.get("properties", ()))
    for key in error.instance:
        if key in known or (key.startswith("x-") and not path):
            continue
        place = (*path, key)
        elsewhere = next((at for at, names in ORDER[kind].items() if key in names and at), None)
        mend = did_you_mean(key, known)
        if not mend and elsewhere:
            mend = f"{key} belongs under {'.'.join(elsewhere)}"
        if not mend:
            mend = (
                "a field of your own needs a name that begins with x-"
                if not path
                else f"fields: {', '.join(known)}"
            )
        yield document.key_finding("GR011", f"{field_text(place)}: unknown field", place, help=mend)


def _bad_key(document: Document, path: tuple[Any, ...], error: Any) -> Finding:
    key = error.instance if isinstance(error.instance, str) else ""
    place = (*path, key)
    if error.validator == "enum":
        mend = "take it away, or take the tombstone away to keep the rest"
        return document.key_finding("GR019", f"{field_text(place)}: not in a tombstone", place, help=mend)
    where = field_text(path)
    if error.validator == "pattern":
        what = "stage" if path[:1] == ("stages",) else "alias"
        mend = "letters, digits, _ and -; latest and v with digits are reserved"
        return document.key_finding(
            "GR020", f"{where}: {shown(key)} can't name {_an(what)}", place, help=mend
        )
    limit = (
        "is blank" if error.validator == "minLength" else f"is longer than {error.validator_value} characters"
    )
    return document.key_finding("GR015", f"{where}: the key {shown(key)} {limit}", place)


def _an(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def _missing(document: Document, path: tuple[Any, ...], error: Any) -> Iterator[Finding]:
    for key in error.validator_value:
        if key not in error.instance and f"'{key}'" in error.message:
            where = field_text((*path, key))
            yield document.finding("GR013", f"{where}: the field is missing", path, help=f"add {where}")


def _value_finding(document: Document, path: tuple[Any, ...], error: Any) -> Finding:
    where, value, rule, limit = field_text(path), error.instance, error.validator, error.validator_value
    begin = f"{where}: " if where else ""
    if rule == "type":
        kinds = [limit] if isinstance(limit, str) else limit
        want = " or ".join(_ARTICLES[kind] for kind in kinds)
        return document.finding(
            "GR014", f"{begin}{_is(value)}, not {want}", path, help=_type_help(document, path, kinds[0])
        )
    if rule == "enum":
        mend = did_you_mean(str(value), [str(one) for one in limit])
        allowed = ", ".join(map(str, limit))
        return document.finding("GR015", f"{begin}{_brief(value)} is none of {allowed}", path, help=mend)
    if rule == "pattern":
        return _pattern_finding(document, path, begin, error)
    if rule == "not":
        return document.key_finding("GR019", "deleted and renamed_to exclude each other", ("deleted",))
    limits = {
        "minLength": "is blank", "minItems": "is an empty list",
        "maxLength": f"is longer than {limit} characters",
        "minimum": f"is less than {limit}", "maximum": f"is more than {limit}",
    }  # fmt: skip
    return document.finding("GR015", f"{begin}{_brief(value)} {limits.get(rule, error.message)}", path)


def _pattern_finding(document: Document, path: tuple[Any, ...], begin: str, error: Any) -> Finding:
    value = _brief(error.instance)
    if error.schema.get("examples"):
        mend = f'write RFC 3339 with a zone, in quotes: "{error.schema["examples"][0]}"'
        return document.finding("GR018", f"{begin}{value} is not a time", path, help=mend)
    if "sha256" in error.validator_value:
        mend = "sha256: and 64 hex digits in lower case"
        return document.finding("GR015", f"{begin}{value} is not a digest", path, help=mend)
    if path[-1:] == ("gate",):
        mend = "a file of its own under gates/, such as gates/production.json"
        return document.finding("GR015", f"{begin}{value} is no path of a gate", path, help=mend)
    if path[-1:] == ("tolerance",):
        mend = "a number in the metric's own unit, or a share of the other version's figure such as 1%"
        return document.finding("GR015", f"{begin}{value} is no tolerance", path, help=mend)
    if path[:1] == ("stages",):
        mend = "letters, digits, _ and -; None, latest and v with digits are reserved"
        return document.finding("GR020", f"{begin}{value} can't name a stage", path, help=mend)
    return document.finding("GR015", f"{begin}{value} has characters that are not allowed there", path)


def _type_help(document: Document, path: tuple[Any, ...], wanted: str) -> str:
    node = document.node_at(path)
    if wanted == "string" and node is not None and isinstance(node.value, str):
        return f"write {scalars.quoted(node.value)}" if node.value else "take the field away, or write a text"
    if wanted in ("integer", "number") and node is not None and isinstance(node.value, str):
        return "take the quotes away" if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", node.value) else ""
    return ""


def _is(value: Any) -> str:
    if value is None:
        return "nothing stands here"
    if isinstance(value, bool):
        return f"{str(value).lower()} is true-or-false"
    names = {str: "a text", int: "a number", float: "a number", dict: "a mapping", list: "a list"}
    return (
        f"this is {names[type(value)]}"
        if isinstance(value, (dict, list))
        else f"{_brief(value)} is {names[type(value)]}"
    )


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return scalars.number(value)
    return {dict: "this mapping", list: "this list", bool: str(value).lower()}.get(type(value), "nothing")
