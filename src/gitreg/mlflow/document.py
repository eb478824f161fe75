"""Models and versions as the JSON of MLflow's registry API: what is empty is left out, as its server does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitreg.registry.entities import ModelVersionDetails, RegisteredModelDetails

Document = dict[str, Any]


def version_document(version: ModelVersionDetails) -> Document:
    """A ``ModelVersion``; its number is a text there, its times are numbers."""
    made: Document = {
        "name": version.name,
        "version": str(version.version),
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
        "current_stage": version.current_stage,
        "description": version.description or "",
        "source": version.source,
        "run_id": version.run_id or "",
        "status": version.status,
    }
    if version.status_message:
        made["status_message"] = version.status_message
    if version.tags:
        made["tags"] = _tags(version.tags)
    made["run_link"] = version.run_link or ""
    if version.aliases:
        made["aliases"] = list(version.aliases)
    return made


def model_document(model: RegisteredModelDetails) -> Document:
    """A ``RegisteredModel`` with its latest version in each stage."""
    made: Document = {
        "name": model.name,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
    }
    if model.description:
        made["description"] = model.description
    if model.latest_versions:
        made["latest_versions"] = [version_document(version) for version in model.latest_versions]
    if model.tags:
        made["tags"] = _tags(model.tags)
    if model.aliases:
        made["aliases"] = [
            {"alias": alias, "version": str(version)} for alias, version in model.aliases.items()
        ]
    return made


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
