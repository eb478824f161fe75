"""Plain values → canonical YAML text.

Our own emitter: an order of magnitude faster than PyYAML's, and the only place that decides on
quoting. Mappings come out in the order they are in, which ``encode`` makes canonical.
"""

from __future__ import annotations

from typing import Any

from gitreg.errors import InvalidInput
from gitreg.manifest import scalars


def document(data: dict[str, Any]) -> str:
    """The text of a mapping at the top of a file, one final newline."""
    lines: list[str] = []
    _mapping(data, "", lines)
    lines.append("")
    return "\n".join(lines)


def entry(key: str, value: Any, indent: str) -> str:
    """One ``key: value`` of a block mapping with its final newline, all lines indented."""
    lines: list[str] = []
    _entry(scalars.key(key), value, indent, lines)
    lines.append("")
    return "\n".join(lines)


def items(values: list[Any], indent: str) -> str:
    """Items of a block sequence with a final newline, dashes at ``indent``."""
    lines: list[str] = []
    _sequence(values, indent, lines)
    lines.append("")
    return "\n".join(lines)


def scalar(value: Any) -> str:
    """One value on one line: a scalar, or a collection in flow style."""
    if type(value) is str:
        return scalars.word(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return scalars.number(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalars.key(key)}: {scalar(below)}" for key, below in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(scalar, value)) + "]"
    raise InvalidInput(f"a {type(value).__name__} can't be held in a manifest")


def literal_lines(text: str, indent: str) -> list[str]:
    """The lines of ``text`` in a literal block; the first is the header (``|`` or ``|-``)."""
    if text.endswith("\n"):
        return ["|", *(f"{indent}{line}" if line else "" for line in text[:-1].split("\n"))]
    return ["|-", *(f"{indent}{line}" if line else "" for line in text.split("\n"))]


def _mapping(data: dict[str, Any], indent: str, lines: list[str]) -> None:
    for key, value in data.items():
        _entry(scalars.key(key), value, indent, lines)


def _entry(key: str, value: Any, indent: str, lines: list[str]) -> None:
    if type(value) is str:
        if "\n" in value and scalars.literal(value):
            header, *rest = literal_lines(value, indent + "  ")
            lines.append(f"{indent}{key}: {header}")
            lines += rest
        else:
            lines.append(f"{indent}{key}: {scalars.word(value)}")
    elif value and isinstance(value, dict):
        lines.append(f"{indent}{key}:")
        _mapping(value, indent + "  ", lines)
    elif value and isinstance(value, (list, tuple)):
        lines.append(f"{indent}{key}:")
        _sequence(value, indent + "  ", lines)
    else:
        lines.append(f"{indent}{key}: {scalar(value)}")


def _sequence(values: list[Any] | tuple[Any, ...], indent: str, lines: list[str]) -> None:
    for value in values:
        at = len(lines)
        if value and isinstance(value, dict):
            _mapping(value, indent + "  ", lines)
        elif value and isinstance(value, (list, tuple)):
            _sequence(value, indent + "  ", lines)
        else:
            lines.append(f"{indent}- {scalar(value)}")
            continue
        # The first line of the collection stands behind the dash.
        lines[at] = f"{indent}- {lines[at][len(indent) + 2 :]}"
