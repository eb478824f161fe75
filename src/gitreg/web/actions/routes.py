"""The forms of the pages, in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.web import numbers  # noqa: F401 (routes say {number:version})
from gitreg.web.actions import (
    aliasing,
    deciding,
    deleting,
    deprecating,
    editing,
    going_back,
    registering,
    staging,
)
from gitreg.web.actions.answering import Actions
from gitreg.web.registries import Registries
from gitreg.web.settings import Settings

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def routes(registries: Registries, settings: Settings) -> list[BaseRoute]:
    """Where the forms are shown and sent; they come before the pages, whose addresses are wider."""
    return Actions(registries, settings).routes(
        (
            *registering.FORMS,
            *editing.FORMS,
            *aliasing.FORMS,
            *staging.FORMS,
            *going_back.FORMS,
            *deprecating.FORMS,
            *deleting.FORMS,
            *deciding.forms(settings.signing_key),
        )
    )
