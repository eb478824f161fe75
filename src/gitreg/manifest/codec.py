"""Files → domain values: bytes are checked on the way in."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from gitreg.domain.findings import Finding
from gitreg.domain.model import AnyModel, AnyVersion
from gitreg.domain.names import shown
from gitreg.domain.settings import FORMAT, Settings
from gitreg.domain.tags_gto import fault_of_settings
from gitreg.errors import InvalidManifests
from gitreg.manifest import decode, schema
from gitreg.manifest.fields import MODEL, SETTINGS, VERSION, Kind
from gitreg.manifest.layout import SETTINGS_FILE
from gitreg.manifest.profile import MAX_FINDINGS
from gitreg.manifest.yaml import Document, parse

Value = TypeVar("Value")


@lru_cache(maxsize=16)  # a walk along the history asks for the same one at every commit
def decode_settings(data: bytes, path: str = SETTINGS_FILE) -> Settings:
    """Read ``gitreg.yaml``.

    Raises:
        InvalidManifests: With every finding, at file:line:column.
    """
    return settings_of(parse(data, path))


def decode_model(data: bytes, *, name: str, path: str) -> AnyModel:
    """Read a ``model.yaml``.

    Args:
        data: The file's bytes.
        name: The model's name, from its folder; the file must hold the same.
        path: How findings name the file.

    Raises:
        InvalidManifests: With every finding, at file:line:column.
    """
    return model_of(parse(data, path), name)


def decode_version(data: bytes, *, name: str, version: int, path: str) -> AnyVersion:
    """Read a version manifest.

    Args:
        data: The file's bytes.
        name: The model's name, from the folder.
        version: The number, from the file's name; the file must hold the same.
        path: How findings name the file.

    Raises:
        InvalidManifests: With every finding, at file:line:column.
    """
    return version_of(parse(data, path), name, version)


def settings_of(document: Document) -> Settings:
    """The settings in a parsed ``gitreg.yaml``; raises InvalidManifests.

    A newer format is read where it means nothing new; ``format`` then says that it is newer.
    """
    try:
        value = checked(SETTINGS, document, decode.settings)
    except InvalidManifests:
        newer = format_finding(document)
        if newer:
            raise InvalidManifests([newer]) from None
        raise
    seen: dict[str, str] = {}
    for at, stage in enumerate(value.stages):
        folded = stage.name.casefold()
        if folded in seen:
            message = f"stages[{at}]: {shown(stage.name)} is the same as {shown(seen[folded])}"
            raise InvalidManifests(
                [document.finding("GR020", message, ("stages", at), help="keep one of the two")]
            )
        seen[folded] = stage.name
    field, reason = fault_of_settings(value)
    if reason:
        raise InvalidManifests([document.finding("GR023", f"{field}: {reason}", tuple(field.split(".")))])
    return value


def format_finding(document: Document) -> Finding | None:
    """GR022 when ``gitreg.yaml`` is of a format that this gitreg does not know."""
    number = document.data.get("format") if isinstance(document.data, dict) else None
    if not isinstance(number, int) or number <= FORMAT:
        return None
    message = f"format: {number} is newer than this gitreg, which knows {FORMAT}"
    return document.finding("GR022", message, ("format",), help="install a newer gitreg")


def model_of(document: Document, name: str) -> AnyModel:
    """The model in a parsed ``model.yaml`` of the model ``name``; raises InvalidManifests."""
    value = checked(MODEL, document, decode.model)
    if value.name != name:
        message = f"name: {shown(value.name)} stands in the folder of {shown(name)}"
        from gitreg.manifest import emit  # only writing needs it, and this fault

        mend = f"write name: {emit.scalar(name)}; to rename a model: gitreg rename"
        raise InvalidManifests([document.finding("GR016", message, ("name",), help=mend)])
    return value


def version_of(document: Document, name: str, version: int) -> AnyVersion:
    """The version in a parsed manifest that is called ``version``.yaml; raises InvalidManifests."""
    value = checked(VERSION, document, lambda data: decode.version(data, name))
    if value.version != version:
        message = f"version: {value.version} stands in the file of version {version}"
        mend = f"write version: {version}"
        raise InvalidManifests([document.finding("GR016", message, ("version",), help=mend)])
    return value


def checked(kind: Kind, document: Document, build: Callable[[Any], Value]) -> Value:
    """The value of a document that keeps to its schema; raises InvalidManifests for one that does not."""
    faults = schema.validate(kind, document)
    if faults:
        raise InvalidManifests(faults)
    try:
        return build(document.data)
    except decode.BadTime:
        raise InvalidManifests(_bad_times(document)) from None


def _bad_times(document: Document) -> list[Finding]:
    from gitreg.manifest.explain import field_text

    out: list[Finding] = []
    for path, value in _texts(document.data, ()):
        timed = path[-1] in ("created", "updated", "at") or path[0] == "stages"
        if timed and len(out) < MAX_FINDINGS and not _is_time(value):
            message = f"{field_text(path)}: no calendar has the time {shown(value)}"
            out.append(document.finding("GR018", message, path, help="RFC 3339: year-month-day, hours to 23"))
    return out


def _is_time(text: str) -> bool:
    try:
        decode.time(text)
    except decode.BadTime:
        return False
    return True


def _texts(data: Any, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    if isinstance(data, str):
        return [(path, data)]
    if path and isinstance(path[0], str) and path[0].startswith("x-"):
        return []
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in below for found in _texts(value, (*path, key))]
