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
from gitreg.manifest.yaml import MAX_BYTES, Document, parse


def render_settings(value: Settings, before: bytes | None, path: str = SETTINGS_FILE) -> bytes:
    """The text of ``gitreg.yaml`` that holds ``value``: see ``version_text``."""
    return _rendered(SETTINGS, encode.encode_settings(value), before, path, _again_settings)


def render_model(value: AnyModel, before: bytes | None, path: str) -> bytes:
    """The text of a ``model.yaml`` that holds ``value``: see ``version_text``."""
    return model_text(encode.encode_model(value), before, path)


def model_text(
    data: dict[str, Any], before: bytes | None, path: str, *, held: AnyModel | None = None
) -> bytes:
    """The text of a ``model.yaml`` that holds ``data``: see ``version_text``."""
    known = encode.encode_model(held) if before and held else None
    return _rendered(MODEL, data, before, path, _again_model, known)


def render_version(value: AnyVersion, before: bytes | None, path: str) -> bytes:
    """The text of a version manifest that holds ``value``: see ``version_text``."""
    return version_text(encode.encode_version(value), before, path)


def version_text(
    data: dict[str, Any], before: bytes | None, path: str, *, held: AnyVersion | None = None
) -> bytes:
    """The text of a version manifest.

    Args:
        data: What the file is to hold, as ``encode`` gives it.
        before: The file as it stands: only the lines that must change do. None: canonical text.
        path: Where the file lies, relative to the root: its depth decides the modeline.
        held: What ``before`` holds, where that is known. A text that is canonical stays so: to write it
            anew changes the same lines as an edit does, and parses nothing.

    Raises:
        InvalidInput: ``data`` breaks the schema, or can't be held in YAML.
        InvalidManifests: ``before`` is not valid.
        IntegrityError: The edit could not be made without touching more than it must.
    """
    known = encode.encode_version(held) if before and held else None
    return _rendered(VERSION, data, before, path, _again_version, known)


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
    known: dict[str, Any] | None = None,
) -> bytes:
    _refuse_invalid(kind, data)
    if before is None or (known is not None and before == _fresh(kind, known, path)):
        return _readable(_fresh(kind, data, path), path)
    from gitreg.manifest.edit import edited

    return _readable(edited(kind, before, data, path, again), path)


def _readable(text: bytes, path: str) -> bytes:
    # What is larger is refused by every read: it must never be written.
    if len(text) > MAX_BYTES:
        raise InvalidInput(
            f"the manifest would have {len(text):,} bytes: at most {MAX_BYTES:,}",
            where=path,
            hint="shorten descriptions or tags; files belong into artifact storage",
        )
    return text


def _fresh(kind: Kind, data: dict[str, Any], path: str) -> bytes:
    return (schema_line(path, kind) + emit.document(data)).encode()


def _refuse_invalid(kind: Kind, data: dict[str, Any]) -> None:
    if schema.accepts(kind, data):
        return
    text = emit.document(data).encode()
    faults = schema.validate(kind, parse(text, "<new>"))
    if faults:
        raise InvalidInput(faults[0].message, hint=faults[0].help)
