"""Where things are in the API: paths below its prefix."""

from __future__ import annotations

from urllib.parse import quote

from gitreg.domain.references import PREFIX


def model_path(name: str) -> str:
    """Of a registered model."""
    return f"/models/{quote(name, safe='')}"


def version_path(name: str, number: int) -> str:
    """Of a version."""
    return f"{model_path(name)}/versions/{number}"


def uri(name: str, number: int) -> str:
    """MLflow's URI of a version: ``models:/churn/12``."""
    return f"{PREFIX}{name}/{number}"
