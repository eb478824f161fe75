"""What a form is about, as it stands: a model or a version."""

from __future__ import annotations

from gitreg.domain import references
from gitreg.domain.model import ModelState, ModelVersion, RegisteredModel
from gitreg.errors import NotFound
from gitreg.registry.view import View


def model_in(view: View, name: str) -> tuple[ModelState, RegisteredModel]:
    """A model; NotFound where there is none."""
    model = view.model(name)
    return view.state(name), model


def version_in(view: View, name: str, number: int) -> tuple[ModelState, ModelVersion]:
    """A version; NotFound where there is none, or it is deleted."""
    state, _ = model_in(view, name)
    return state, references.select(state, references.version_selector(number), view.settings)


def version_if_there(view: View, name: str, number: int) -> ModelVersion | None:
    """A version; None where there is none."""
    try:
        return version_in(view, name, number)[1]
    except NotFound:
        return None
