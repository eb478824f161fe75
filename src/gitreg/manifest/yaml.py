"""The strict YAML profile: one small language, the same verdict with and without libyaml.

UTF-8 without BOM, one document, mappings with string keys; no anchors, aliases, merge keys, tags,
directives, explicit keys, duplicate keys, NaN or infinities; no plain scalar that YAML 1.1 and 1.2
read differently; bounded size, depth and integers. A text of only the common line shapes is known
to be in the profile by one regular expression; any other is judged token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitreg.domain.findings import Finding
from gitreg.domain.names import shown
from gitreg.errors import InvalidManifests
from gitreg.manifest import profile, scalars
from gitreg.manifest.engine import ENGINE, Engine
from gitreg.manifest.source import Source

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

FieldPath = Sequence[str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One parsed file.

    Attributes:
        data: Plain Python value: dict, list, str, int, float, bool, None.
        source: Its text, with LF line ends, and positions in it.
        node: The root of the node tree, with marks in characters; None for an empty file.
        warnings: What was accepted but should be mended (CRLF).
    """

    data: Any
    source: Source
    node: Node | None
    warnings: tuple[Finding, ...] = ()

    def node_at(self, path: FieldPath) -> Node | None:
        """The value node at ``path``, or the deepest one above it that exists."""
        node = self.node
        for step in path:
            below = child(node, step)
            if below is None:
                return node
            node = below
        return node

    def finding(self, code: str, message: str, path: FieldPath = (), *, help: str = "") -> Finding:
        """A finding at the value of the field ``path``, or at the nearest one above it."""
        node = self.node_at(path)
        if node is None:
            return Finding(code=code, message=message, path=self.source.path, help=help)
        return self.source.finding(code, message, node.start_mark.index, node.end_mark.index, help=help)

    def key_finding(self, code: str, message: str, path: FieldPath, *, help: str = "") -> Finding:
        """A finding at the key that ends ``path``; at its value where it has no key of its own."""
        parent = self.node_at(path[:-1])
        if isinstance(parent, MappingNode):
            for key, _ in parent.value:
                if key.value == path[-1]:
                    marks = key.start_mark.index, key.end_mark.index
                    return self.source.finding(code, message, *marks, help=help)
        return self.finding(code, message, path, help=help)

    def locate(self, path: FieldPath) -> tuple[int, int, int, str]:
        """Line, column, length and excerpt of the value at ``path`` (or the nearest above it)."""
        place = self.finding("", "", path)
        return place.line, place.column, place.length, place.excerpt


def child(node: Node | None, step: str | int) -> Node | None:
    """The node under ``node`` at one step of a field path, or None."""
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: Node = node.value[step]
        return found
    return None


def load(data: bytes, path: str = "<text>") -> Any:
    """The plain Python value of a file.

    Raises:
        InvalidManifests: The text is outside of the profile.
    """
    return parse(data, path).data


def parse(data: bytes, path: str = "<text>", engine: Engine = ENGINE) -> Document:
    """Read a file under the strict profile.

    Args:
        data: The file's bytes.
        path: How findings name it.
        engine: Which of PyYAML's parsers reads it; both give the same verdict.

    Raises:
        InvalidManifests: With every fault that was cheap to find, at file:line:column.
    """
    text, warnings = profile.decode(data, path, max_bytes=MAX_BYTES)
    source = Source(text, path)
    if not profile.surely_fine(text):
        profile.judge(source, engine, max_depth=MAX_DEPTH)
    try:
        node = engine.compose(text)
    except yaml.YAMLError as error:
        profile.judge(source, engine, max_depth=MAX_DEPTH)  # the same findings, whichever way it came
        raise InvalidManifests([profile.syntax_finding(source, error)]) from None
    faults = _Faults(source)
    value = None if node is None else _build(node, faults, 1)
    if faults.found:
        raise InvalidManifests(sorted(faults.found, key=lambda one: (one.line, one.column)))
    return Document(data=value, source=source, node=node, warnings=warnings)


class _Faults:
    """Findings of one file, up to as many as a person reads: placing each costs a look at the text."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.found: list[Finding] = []

    def add(self, code: str, message: str, node: Node, help: str) -> None:
        if len(self.found) < profile.MAX_FINDINGS:
            start, end = node.start_mark.index, node.end_mark.index
            self.found.append(self._source.finding(code, message, start, end, help=help))


def _build(node: Node, faults: _Faults, depth: int) -> Any:
    if type(node) is ScalarNode:
        return node.value if node.tag == scalars.STR else scalars.value_of(node.tag, node.value)
    if depth > MAX_DEPTH:
        faults.add("GR002", f"nested more than {MAX_DEPTH} deep", node, "")
        return None
    if type(node) is SequenceNode:
        return [_build(item, faults, depth + 1) for item in node.value]
    out: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value
        if key.tag != scalars.STR:
            faults.add("GR009", "a key must be text", key, "put the key in double quotes")
        elif name in out:
            first = next(other for other, _ in node.value if other.value == name).start_mark.line + 1
            message = f"{shown(name)}: the key stands on line {first} already"
            faults.add("GR005", message, key, "keep one of the two")
        else:
            # Nine of ten values are text: one call saved for each.
            plain = type(value) is ScalarNode and value.tag == scalars.STR
            out[name] = value.value if plain else _build(value, faults, depth + 1)
    return out
