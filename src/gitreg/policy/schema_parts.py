"""What the parts of a gate say: where references lead, and words that mean nothing though they look it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from gitreg.domain.names import shown
from gitreg.domain.settings import did_you_mean
from gitreg.manifest.fields import ORDER, VERSION
from gitreg.policy.schema_keywords import DRAFT

_REFERENCES = ("$ref", "$dynamicRef")
_WORDS = (
    *DRAFT.VALIDATORS,
    *("$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "$comment", "$vocabulary"),
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
    *("then", "else", "minContains", "maxContains"),
    *("contentEncoding", "contentMediaType", "contentSchema"),
)
_NEAR = 0.8  # "minimun" is near minimum; "unit" is somebody's own word


def astray(schema: Any) -> str:
    """The first reference that leads out of the gate, or nowhere in it; ``""``: none does."""
    top = DRAFT202012.create_resource(schema)
    resolver = Registry().with_resource("", top).crawl().resolver()
    return next(_lost(top, resolver), "")


def _lost(part: Resource[Any], resolver: Any) -> Iterator[str]:
    inside = resolver.in_subresource(part)
    for ref in _texts(part.contents):
        try:
            found = inside.lookup(ref).contents
        except (Unresolvable, ValueError, LookupError, TypeError):  # by odd pointers, too
            found = None
        if not isinstance(found, dict | bool):
            yield ref
    for each in part.subresources():
        yield from _lost(each, inside)


def _texts(part: Any) -> Iterator[str]:
    for word in _REFERENCES if isinstance(part, dict) else ():
        if isinstance(part.get(word), str):
            yield part[word]


def doubts(schema: Any) -> Iterator[str]:
    """What is allowed in a schema, and likely a slip: it would let everybody pass where it should not."""
    fields = ORDER[VERSION][()]
    named = schema.get("properties") if isinstance(schema, dict) else None
    for name in named if isinstance(named, dict) else ():
        if name not in fields and not name.startswith("x-"):
            mend = did_you_mean(name, fields)
            yield f"no manifest has the field {shown(name)}" + (f"; {mend}" if mend else "")
    yield from dict.fromkeys(_slips(DRAFT202012.create_resource(schema)))


def _slips(part: Resource[Any]) -> Iterator[str]:
    for word in part.contents if isinstance(part.contents, dict) else ():
        near = [] if word in _WORDS else get_close_matches(word, _WORDS, n=1, cutoff=_NEAR)
        if near:
            yield f'{shown(word)} is no word of JSON Schema\'s, and asks nothing; did you mean "{near[0]}"?'
    for each in part.subresources():
        yield from _slips(each)
