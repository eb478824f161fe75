"""All operations of the API, and which of them a path and a method mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gitreg.web.api_v1 import proposals, reads, reads_past, writes_models, writes_versions
from gitreg.web.api_v1.operation import Operation

GROUPS = ("Registry", "Models", "Versions", "History", "Proposals")
"""The headings under which operations are listed, in their order."""

OPERATIONS: tuple[Operation, ...] = (
    *reads.OPERATIONS,
    *reads_past.OPERATIONS,
    *writes_models.OPERATIONS,
    *writes_versions.OPERATIONS,
    *proposals.OPERATIONS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A path that the API has.

    Attributes:
        template: As the table writes it.
        path: The parameters in it, decoded.
        methods: Method → operation.
    """

    template: str
    path: Mapping[str, str]
    methods: Mapping[str, Operation]


def _templates() -> dict[str, dict[str, Operation]]:
    """Those with fixed words before those with parameters in the same place."""
    found: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        found.setdefault(operation.path, {})[operation.method] = operation
    return found


_TEMPLATES = _templates()
_PATTERNS: tuple[tuple[int, re.Pattern[str], str], ...] = tuple(
    (path.count("/"), next(iter(methods.values())).pattern, path) for path, methods in _TEMPLATES.items()
)


def match(path: str) -> list[Match]:
    """What a path means: most often one thing, none where the API has no such path.

    Args:
        path: Below the prefix, still percent-encoded, bytes as Latin-1: a name is one segment whatever
            it holds.
    """
    depth = path.count("/")
    found: dict[str, Match] = {}
    for deep, pattern, template in _PATTERNS:
        hit = pattern.fullmatch(path) if deep == depth else None
        if hit is not None:
            decoded = {key: _decoded(text) for key, text in hit.groupdict().items()}
            found[template] = Match(template=template, path=decoded, methods=_TEMPLATES[template])
    return sorted(found.values(), key=lambda each: len(each.path))


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8", "surrogateescape")
