"""Values → the text of manifests: fresh, or as an edit of the text that stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitreg.domain.model import AnyModel, AnyVersion
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.manifest import decode, emit, encode, schema
from gitreg.manifest.codec import checked
from gitreg.manifest.fields import MODEL, SETTINGS, VERSION, Kind
from gitreg.manifest.layout import SETTINGS_FILE, schema_line
from gitreg.manifest.yaml import Document, parse


def render_settings(value: Settings, before: bytes | None, path: str = SETTINGS_FILE) -> bytes:
    """The text of ``gitreg.yaml`` that holds ``value``: see ``render_version``."""
    return _rendered(SETTINGS, encode.encode_settings(value), before, path, _again_settings)


def render_model(value: AnyModel, before: bytes | None, path: str) -> bytes:
    """The text of a ``model.yaml`` that holds ``value``: see ``render_version``."""
    return _rendered(MODEL, encode.encode_model(value), before, path, _again_model)


def render_version(value: AnyVersion, before: bytes | None, path: str) -> bytes:
    """The text of a version manifest that holds ``value``.

    Args:
        value: What the file is to hold.
        before: The file as it stands: only the lines that must change do. None: canonical text.
        path: Where the file lies, relative to the root: its depth decides the modeline.

    Raises:
        InvalidInput: ``value`` breaks the schema, or can't be held in YAML.
        InvalidManifests: ``before`` is not valid.
        IntegrityError: The edit could not be made without touching more than it must.
    """
    return _rendered(VERSION, encode.encode_version(value), before, path, _again_version)


def _again_settings(document: Document) -> dict[str, Any]:
    return encode.encode_settings(checked(SETTINGS, document, decode.settings))


def _again_model(document: Document) -> dict[str, Any]:
    return encode.encode_model(checked(MODEL, document, decode.model))


def _again_version(document: Document) -> dict[str, Any]:
    return encode.encode_version(checked(VERSION, document, lambda data: decode.version(data, "")))


def _rendered(
    kind: Kind,
    data: dict[str, Any],
    before: bytes | None,
    path: str,
    again: Callable[[Document], dict[str, Any]],
) -> bytes:
    _refuse_invalid(kind, data)
    if before is None:
        return (schema_line(path, kind) + emit.document(data)).encode()
    from gitreg.manifest.edit import edited

    return edited(kind, before, data, path, again)


def _refuse_invalid(kind: Kind, data: dict[str, Any]) -> None:
    if schema.accepts(kind, data):
        return
    text = emit.document(data).encode()
    faults = schema.validate(kind, parse(text, "<new>"))
    if faults:
        raise InvalidInput(faults[0].message, hint=faults[0].help)
