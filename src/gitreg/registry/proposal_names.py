"""The branch that a proposal has: told by what is asked for alone, so that asking again finds it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from gitreg.domain import requests as ask
from gitreg.domain.branches import IN, OURS, home, short_digest
from gitreg.domain.names import folder, from_folder
from gitreg.domain.references import Selector
from gitreg.domain.settings import NO_STAGE, Settings

_WHOLE = "model"  # stands where a version's number stands: no branch can be another one's folder
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A version that is proposed for a stage, as its branch tells."""

    name: str
    version: int
    stage: str

    @property
    def subject(self) -> str:
        """``churn/12``."""
        return f"{self.name}/{self.version}"


def promotion(name: str, version: int, stage: str, *, prefix: str) -> str:
    """The branch on which a version is proposed for a stage, given by its exact name."""
    return f"{home(prefix)}promote/{folder(name)}/{version}/{stage}"


def words_of(branch: str) -> tuple[str, ...]:
    """The kind of a proposal, and what else its branch tells, of whichever registry; empty: no command's."""
    rest = branch.removeprefix(IN).partition("/")[2] if branch.startswith(IN) else branch.removeprefix(OURS)
    return tuple(rest.split("/")) if branch.startswith(OURS) else ()


def promoted(branch: str) -> Promotion | None:
    """What a branch proposes, of whichever registry; None where it is no promotion."""
    parts = words_of(branch)
    if len(parts) != 4 or parts[0] != "promote":
        return None
    name, number = from_folder(parts[1]), parts[2]
    if name is None or not (number.isascii() and number.isdigit()) or len(number) > _MOST_DIGITS:
        return None
    return Promotion(name=name, version=int(number), stage=parts[3])


def setting(key: str, *, prefix: str) -> str:
    """The branch on which a setting is proposed."""
    return f"{home(prefix)}config/{key}"


def branch_of(requests: Sequence[ask.Request], settings: Settings, *, prefix: str) -> str:
    """The branch on which some requests are proposed; no number that is to be given out counts.

    Args:
        requests: At least one.
        settings: Of the registry, which know a stage by its exact name.
        prefix: See ``branches.home``.
    """
    undone = [each for each in requests if isinstance(each, ask.TakeBack)]
    if undone:
        told = [[each.name, each.commit, each.changes] for each in undone]
        return f"{home(prefix)}revert/{_digest(told)}"
    if len(requests) != 1:
        return f"{home(prefix)}batch/{_digest(requests)}"
    request = requests[0].request if isinstance(requests[0], ask.Dated) else requests[0]
    words = _words(request)
    stage = getattr(request, "stage", None)
    if stage is not None:
        words = (*words, settings.stage(stage).name if settings.has_stage(stage) else NO_STAGE)
    return home(prefix) + "/".join(words)


def _words(request: ask.Undated) -> tuple[str, ...]:
    kind = _KINDS.get(type(request).__name__, type(request).__name__.lower())
    words = (kind, folder(request.name))
    match request:
        case ask.Register():
            return *words, _digest(request.origin.source)
        case ask.Evaluate():
            return *words, _version(request.selector), _digest(request.evaluation.name)
        case ask.SetAlias() | ask.RemoveAlias():
            return *words, folder(request.alias)
        case ask.Tag():
            return *words, _version(request.selector), _digest([*request.put, *request.remove])
        case ask.UpdateModel() | ask.DeleteModel() | ask.RestoreModel():
            return *words, _WHOLE
        case ask.RestoreVersion():
            return *words, str(request.version)
        case ask.CreateModel() | ask.Rename() | ask.Rollback():
            return words
        case ask.TakeBack():
            return *words, request.commit[:10]
        case _:
            return *words, _version(request.selector)


_KINDS = {
    "CreateModel": "create",
    "SetAlias": "alias",
    "RemoveAlias": "alias",
    "UpdateModel": "update",
    "UpdateVersion": "update",
    "Undeprecate": "deprecate",
    "DeleteVersion": "delete",
    "DeleteModel": "delete",
    "RestoreVersion": "restore",
    "RestoreModel": "restore",
}


def _version(selector: Selector | None) -> str:
    if selector is None:
        return _WHOLE
    return str(selector.version) if selector.kind == "version" else _digest(str(selector))


def _digest(value: Any) -> str:
    """Eight hex digits of the SHA-256 of a text, or of what values hold in a fixed order."""
    text = value if isinstance(value, str) else json.dumps(_plain(value), sort_keys=True)
    return short_digest(text)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, each.name)) for each in fields(value))]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    items = [_plain(item) for item in value]
    return sorted(items, key=str) if isinstance(value, set | frozenset) else items
