"""What was registered, as rows of a page: files, and the columns of a signature."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gitreg.domain.model import Artifact
from gitreg.domain.natural import natural

MOST_ROWS = 200
"""Parameters, tags, files or columns that are shown; the JSON answers have all."""
LONGEST = 500
"""Characters of one value that are shown."""

_SIDES = (("inputs", "Inputs"), ("outputs", "Outputs"), ("params", "Parameters"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The first of some keys and values, and how many there are in all."""

    items: tuple[tuple[str, str], ...]
    total: int

    @property
    def more(self) -> int:
        """How many are left out."""
        return self.total - len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a signature."""

    name: str
    kind: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The columns of one side of a signature; ``more`` are left out."""

    title: str
    columns: tuple[Column, ...]
    more: int


def rows(entries: Mapping[str, Any]) -> Rows:
    """The first keys and values of a mapping, sorted; a value that is no text as JSON."""
    chosen = sorted(entries, key=natural)[:MOST_ROWS]
    return Rows(items=tuple((key, _text(entries[key])) for key in chosen), total=len(entries))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def sides(artifact: Artifact | None) -> list[Side]:
    """The tables of a signature; none for an artifact without one."""
    signature = artifact.signature if artifact else {}
    return [_side(title, signature[key]) for key, title in _SIDES if signature.get(key)]


def _side(title: str, given: Any) -> Side:
    columns: Iterable[Any] = given if isinstance(given, list | tuple) else [given]
    listed = list(columns)
    shown = tuple(_column(each) for each in listed[:MOST_ROWS])
    return Side(title=title, columns=shown, more=len(listed) - len(shown))


def _column(given: Any) -> Column:
    """One column as MLflow writes it; what has another form is shown as it stands."""
    if not isinstance(given, Mapping):
        return Column(name="", kind=_text(given), note="")
    kind = given.get("type", "")
    spec = given.get("tensor-spec")
    if kind == "tensor" and isinstance(spec, Mapping):
        kind = f"{spec.get('dtype', '')} {_text(spec.get('shape', ''))}".strip()
    notes = ["optional"] if given.get("required") is False else []
    if given.get("default") is not None:
        notes.append(f"default {_text(given['default'])}")
    if given.get("shape") is not None:
        notes.append(f"shape {_text(given['shape'])}")
    return Column(name=_text(given.get("name", "")), kind=_text(kind), note=", ".join(notes))


def web_address(uri: str | None) -> str:
    """``uri`` where a browser may be sent there: ``http`` and ``https`` alone; else ``""``."""
    if not uri or not uri.isascii() or not uri.isprintable():
        return ""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return uri if parts.scheme.lower() in ("http", "https") and parts.netloc else ""
