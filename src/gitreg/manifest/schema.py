"""The schemas, and whether data keeps to them: a compiled validator says yes, jsonschema explains a no."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.domain.findings import Finding
from gitreg.errors import EnvironmentFailure, InvalidInput
from gitreg.manifest.fields import MODEL, SETTINGS, VERSION, Kind

if TYPE_CHECKING:
    from gitreg.manifest.yaml import Document

_NAMES: tuple[Kind, ...] = (SETTINGS, MODEL, VERSION)


def schema_names() -> tuple[Kind, ...]:
    """Names of the schemas: ``registry.v1``, ``registered-model.v1``, ``model-version.v1``."""
    return _NAMES


def file_name(name: str) -> str:
    """Name of a schema's file, in this package and in the ``schemas/`` folder of a registry."""
    return f"{name}.schema.json"


def schema_text(name: str) -> str:
    """The schema ``name`` as JSON text, from the wheel or from the source checkout.

    Raises:
        InvalidInput: There is no such schema.
        EnvironmentFailure: The installation lacks its schemas.
    """
    if name not in _NAMES:
        raise InvalidInput(f"there is no schema {name}", hint=f"schemas: {', '.join(_NAMES)}")
    from importlib import resources  # slow to import, and only this function needs it

    shipped = resources.files("gitreg").joinpath("_data", "schemas", file_name(name))
    if shipped.is_file():
        return shipped.read_text("utf-8")
    # An editable install has no _data: hatchling's force-include works for wheels alone.
    source = Path(__file__).resolve().parents[3] / "schemas" / file_name(name)
    if source.is_file():
        return source.read_text("utf-8")
    raise EnvironmentFailure(
        "the installation lacks its schemas", where=str(source), hint="install gitreg again"
    )


def accepts(kind: Kind, data: Any) -> bool:
    """Whether ``data`` keeps to the schema, by the compiled validator."""
    from gitreg.manifest import _compiled

    try:
        _validators()[kind](data)
    except _compiled.Invalid:
        return False
    return True


@lru_cache(maxsize=1)
def _validators() -> dict[Kind, Callable[[Any], Any]]:
    from gitreg.manifest import _compiled

    return {
        SETTINGS: _compiled.registry,
        MODEL: _compiled.registered_model,
        VERSION: _compiled.model_version,
    }


def validate(kind: Kind, document: Document) -> list[Finding]:
    """Findings for whatever in ``document`` breaks its schema; empty when nothing does."""
    if accepts(kind, document.data):
        return []
    from gitreg.manifest.explain import explain

    return explain(kind, document)


@lru_cache(maxsize=8)
def reference_validator(kind: Kind) -> Any:
    """The validator that explains: no look-ups outside of the schema, ``$`` is the true end of a text."""
    import jsonschema
    from referencing import Registry

    def pattern(validator: Any, patrn: str, instance: Any, schema: Any) -> Any:
        if validator.is_type(instance, "string") and not re.search(true_end(patrn), instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {patrn!r}")

    extend: Any = jsonschema.validators.extend  # has no annotations
    extended = extend(jsonschema.Draft202012Validator, {"pattern": pattern})
    registry: Registry[Any] = Registry()
    return extended(json.loads(schema_text(kind)), registry=registry)


def true_end(pattern: str) -> str:
    """``pattern`` with ``$`` for the end of the text; Python's also matches before a last newline."""
    return re.sub(r"(?<!\\)\$", r"\\Z", pattern)
