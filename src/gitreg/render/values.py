"""Domain values → plain data for JSON, under the manifests' own field names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from gitreg.domain.changes import Change, phrase
from gitreg.domain.model import AnyModel, AnyVersion, ModelTombstone, RegisteredModel, VersionTombstone
from gitreg.manifest import encode

Document = dict[str, Any]

_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def version_document(version: AnyVersion, aliases: Iterable[str] = ()) -> Document:
    """A version as JSON data: ``name``, the manifest's fields, and ``aliases``.

    ``stages`` and ``aliases`` are always there, empty where the version has none, so that a reader
    need not ask.
    """
    document = {"name": version.name, **encode.encode_version(version)}
    if not isinstance(version, VersionTombstone):
        document.setdefault("stages", {})
        document["status"] = version.status
        document["aliases"] = sorted(aliases)
    return document


def model_document(model: AnyModel) -> Document:
    """A registered model as JSON data; ``aliases`` is always there but in a tombstone."""
    document = encode.encode_model(model)
    if not isinstance(model, ModelTombstone):
        document.setdefault("aliases", {})
    return document


def change_document(change: Change) -> Document:
    """One change as JSON data, in the words of the commit trailers, with ``summary`` as a sentence."""
    document: Document = {"event": change.event}
    if change.model:
        document["model"] = change.model
    if change.version is not None:
        document["version"] = change.version
    if change.stage is not None:
        document["stage"] = change.stage
    if change.origin:
        document["from"] = list(change.origin)
    if change.field is not None:
        document["field"] = change.field
        document["before"] = plain(change.before)
        document["after"] = plain(change.after)
    elif change.after is not None:
        document["after"] = plain(change.after)
    document["summary"] = phrase(change)
    return document


def plain(value: Any) -> Any:
    """Any value of the domain as JSON data; NaN and the infinities as the manifests' texts."""
    match value:
        case RegisteredModel() | ModelTombstone():
            return model_document(value)
        case datetime():
            return encode.time_text(value)
        case float():
            return value if isfinite(value) else _FLOATS[str(value)]
        case Mapping():
            return {str(key): plain(below) for key, below in value.items()}
        case tuple() | list():
            return [plain(below) for below in value]
    if is_dataclass(value) and not isinstance(value, type):
        found = {item.name: plain(getattr(value, item.name)) for item in fields(value)}
        return {key: below for key, below in found.items() if below not in (None, "", [], {})}
    return value
