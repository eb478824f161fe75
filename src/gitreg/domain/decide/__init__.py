"""Decide what a request changes, given the state that it meets. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gitreg.domain import requests
from gitreg.domain.decide import models, stages, undo, versions
from gitreg.domain.decide.context import Context
from gitreg.domain.edits import Edit, Lookup
from gitreg.domain.settings import Settings

__all__ = ["Context", "decide"]

_RULES: dict[type, Callable[[Any, Context], Edit]] = {
    requests.CreateModel: models.create,
    requests.UpdateModel: models.update,
    requests.DeleteModel: models.delete,
    requests.RestoreModel: models.restore,
    requests.Rename: models.rename,
    requests.Tag: models.tag,
    requests.SetAlias: models.set_alias,
    requests.RemoveAlias: models.remove_alias,
    requests.Register: versions.register,
    requests.Evaluate: versions.evaluate,
    requests.UpdateVersion: versions.update,
    requests.Deprecate: versions.deprecate,
    requests.Undeprecate: versions.undeprecate,
    requests.DeleteVersion: versions.delete,
    requests.RestoreVersion: versions.restore,
    requests.Transition: stages.transition,
    requests.Assign: stages.assign,
    requests.Unassign: stages.unassign,
    requests.Rollback: stages.rollback,
    requests.TakeBack: undo.take_back,
}


def decide(
    request: requests.Request,
    *,
    lookup: Lookup,
    twin: Callable[[str], str | None],
    settings: Settings,
    now: datetime,
    used: Callable[[str, int], bool] = lambda name, version: False,
) -> Edit:
    """What ``request`` changes, as the next values of the manifests that it touches.

    Args:
        request: What is asked for.
        lookup: The state that the request meets.
        twin: A name → the model of the registry that differs from it in case or Unicode form alone.
        settings: The registry's settings.
        now: Time of the change, aware, UTC.
        used: Whether a version's number is known to have been given out though no file tells of it
            (its Git tag is there): it is passed over.

    Returns:
        The edit; empty when everything is already as asked.

    Raises:
        GitregError: NotFound, InvalidInput, AlreadyExists or Conflict, by the rules of each request.
    """
    if isinstance(request, requests.Dated):
        now = request.at
        request = request.request
    rule = _RULES[type(request)]
    return rule(request, Context(lookup=lookup, twin=twin, settings=settings, now=now, used=used))
