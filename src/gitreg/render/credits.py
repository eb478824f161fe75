"""The value of one field of a manifest, in a few words."""

from __future__ import annotations

import json
from typing import Any

from gitreg.render.text import number, safe, size

_LONGEST = 80


def value_text(field: str, value: Any) -> str:
    """``value`` (as the manifest's data holds it) on one short line.

    Args:
        field: Name of the field at the manifest's top: the parts of a structured one are told in words.
        value: Text, number, list or mapping.
    """
    return _short(safe(_told(field, value)))


def _told(field: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return number(value)
        case list():
            return ", ".join(one["name"] if field == "datasets" else _told("", one) for one in value)
        case {"at": at} if field in ("deprecated", "deleted"):
            return ": ".join(filter(None, (at, value.get("reason"))))
        case dict() if field == "evaluations":
            return ", ".join(f"{key} {_told('', one)}" for key, one in value.get("metrics", {}).items())
        case dict() if field == "code":
            said = [value.get("repository"), value.get("path"), (value.get("commit") or "")[:10]]
            return " ".join(filter(None, (*said, "(with uncommitted changes)" if value.get("dirty") else "")))
        case dict() if field == "artifact":
            told = size(value["size"]) if "size" in value else ""
            return ", ".join(filter(None, (value.get("digest") or value.get("uri"), told)))
    return json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
