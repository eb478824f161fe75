"""The ``MLmodel`` file that MLflow writes beside each model: read as text, nothing in it is run."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FILE_NAME = "MLmodel"
MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_SIGNATURE_CHARACTERS = 200_000

_NULLS = ("", "null", "~", "None")


@dataclass(frozen=True, slots=True, kw_only=True)
class MLmodel:
    """What an ``MLmodel`` file says, in the words of MLflow 2 and 3.

    Attributes:
        flavors: Flavor → version of the library that wrote it, ``""`` where the file has none.
        signature: ``inputs``, ``outputs``, ``params``: each a list of columns; those present only.
        run_id: The run that logged it.
        model_id: MLflow 3's id of the logged model (``m-…``).
        size: Bytes, as MLflow counted them.
        created: MLflow's text for the time in UTC.
    """

    flavors: Mapping[str, str] = field(default_factory=dict)
    signature: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    model_id: str | None = None
    size: int | None = None
    created: str | None = None


def read_mlmodel(folder: Path) -> tuple[MLmodel | None, tuple[str, ...]]:
    """Read the ``MLmodel`` file of a model folder.

    Returns:
        The file's values and warnings. ``(None, ())`` when there is no such file; a broken one
        gives a warning, never an error: it is an extra, the model can be registered without.
    """
    path = folder / FILE_NAME
    try:
        text = _read(path)
        return (None, ()) if text is None else parse_mlmodel(text, where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        return None, (f"{path}: can't be read, so flavors and signature are not recorded: {reason}",)


def _read(path: Path) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a regular file")
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise OSError(f"over {MAX_BYTES} bytes")
    return raw.decode("utf-8")


def parse_mlmodel(text: str, *, where: str) -> tuple[MLmodel | None, tuple[str, ...]]:
    """Parse an ``MLmodel`` file's text; ``where`` names it in the warnings.

    Every scalar is read as text: a version ``1.10`` must not become the number 1.1.
    """
    try:
        top = _load(text)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return None, (f"{where}: broken, so flavors and signature are not recorded: {reason}",)
    if not isinstance(top, dict):
        return None, (f"{where}: not a map, so flavors and signature are not recorded",)
    signature, fault = _signature(top.get("signature"))
    size = _text(top.get("model_size_bytes")) or ""
    model = MLmodel(
        flavors=_flavors(top.get("flavors")),
        signature=signature,
        run_id=_text(top.get("run_id")),
        model_id=_text(top.get("model_id")),
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None,
        created=_text(top.get("utc_time_created")),
    )
    return model, ((f"{where}: the signature is not recorded: {fault}",) if fault else ())


def _load(text: str) -> Any:
    # The composer recurses in C and would take the process down; the scanner below it does not.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CBaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
    # The base loader makes text, lists and maps, and knows no tag.
    return yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value not in _NULLS else None


def _flavors(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {
        name: _version(name, value[name]) for name in sorted(key for key in value if isinstance(key, str))
    }


def _version(flavor: str, settings: object) -> str:
    if not isinstance(settings, dict):
        return ""
    # xgboost writes xgb_version, lightgbm lgb_version; the serializer's and Python's own are others.
    likely = sorted(key for key in settings if isinstance(key, str) and key.endswith("_version"))
    others = [key for key in likely if key not in ("cloudpickle_version", "python_version")]
    exact = "python_version" if flavor == "python_function" else f"{flavor}_version"
    names = [exact, *others]
    return next((text for name in names if (text := _text(settings.get(name)))), "")


def _signature(value: object) -> tuple[dict[str, Any], str]:
    if not isinstance(value, dict):
        return {}, ""
    found: dict[str, Any] = {}
    for part in ("inputs", "outputs", "params"):
        text = _text(value.get(part))
        if text is None:
            continue
        if len(text) > MAX_SIGNATURE_CHARACTERS:
            return (
                {},
                f"{part} takes {len(text)} characters, over {MAX_SIGNATURE_CHARACTERS}",
            )
        try:
            # NaN is a legal default of a parameter there, but no legal value in a manifest.
            columns = json.loads(text, parse_constant=str)
        except (ValueError, RecursionError) as error:
            return {}, f"{part} is no JSON: {error}"
        if not isinstance(columns, list) or _depth(columns) > MAX_DEPTH:
            return {}, f"{part} is not a list of columns"
        if columns:
            found[part] = columns
    return found, ""


def _depth(value: object) -> int:
    deepest = 0
    pending: list[tuple[object, int]] = [(value, 1)]
    while pending:
        item, level = pending.pop()
        deepest = max(deepest, level)
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        pending += [(child, level + 1) for child in children]
    return deepest
