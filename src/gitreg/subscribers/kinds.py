"""What a webhook can be told of: the types of events, and which of them a change is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitreg.domain.changes import Change
from gitreg.domain.names import shown
from gitreg.domain.settings import did_you_mean
from gitreg.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type of event.

    Attributes:
        entity: What it happens to: ``model_version``.
        verb: What happens: ``registered``.
        told: When it is sent, in a few words.
    """

    entity: str
    verb: str
    told: str

    @property
    def type(self) -> str:
        """The attribute ``type`` of a CloudEvent: ``gitreg.model_version.registered``."""
        return f"gitreg.{self.entity}.{self.verb}"

    @property
    def names(self) -> tuple[str, str, str]:
        """What it may be called where webhooks are set up: the verb, with its entity, the whole type."""
        return self.verb, f"{self.entity}.{self.verb}", self.type


def _kinds(entity: str, *rows: tuple[str, str]) -> tuple[Kind, ...]:
    return tuple(Kind(entity=entity, verb=verb, told=told) for verb, told in rows)


PING = Kind(entity="webhook", verb="ping", told="`gitreg webhooks test`, whatever the webhook waits for")

KINDS = (
    *_kinds(
        "model_version",
        ("registered", "a version is there that was not"),
        ("transitioned", "a version holds one stage alone (`stage`), or none any more (`stage` is null)"),
        ("assigned", "a version holds one more stage"),
        ("unassigned", "a version holds one stage less"),
        ("evaluated", "results were added"),
        ("updated", "a description, status or `x-` field was changed"),
        ("tag_set", "a tag has a new value"),
        ("tag_removed", "a tag is gone"),
        ("deprecated", "a version is not to be used any more"),
        ("undeprecated", "that was taken back"),
        ("approved", "an approval arrived in the registry's branch"),
        ("deleted", "a version was deleted"),
        ("restored", "a version was brought back"),
        ("rewritten", "a part that never changes was edited: see `gitreg verify --all`"),
        ("vanished", "a manifest is gone without a tombstone: see `gitreg verify --all`"),
    ),
    *_kinds(
        "model",
        ("created", "a model is there that was not"),
        ("alias_moved", "an alias points to `version`; `previous` says where it pointed before"),
        ("alias_removed", "an alias is gone"),
        ("updated", "a description, owner or `x-` field was changed"),
        ("tag_set", "a tag has a new value"),
        ("tag_removed", "a tag is gone"),
        ("renamed", "a model has another name; `former_name` is the one before"),
        ("deleted", "a model was deleted, with its versions"),
        ("restored", "a model was brought back"),
        ("rewritten", "a part that never changes was edited: see `gitreg verify --all`"),
        ("vanished", "a manifest is gone without a tombstone: see `gitreg verify --all`"),
        ("number_reused", "numbers of versions begin again: see `gitreg verify --all`"),
    ),
    *_kinds(
        "registry",
        ("settings_changed", "`gitreg.yaml`, a gate, a key or CODEOWNERS says something else"),
        ("approved", "an approval of a change of the rules arrived in the registry's branch"),
    ),
    *_kinds(
        "proposal",
        ("proposed", "a proposal was opened"),
        ("updated", "a proposal has other commits"),
        ("approved", "an approval was added to a proposal"),
        ("merged", "what was proposed is in the registry's branch"),
        ("withdrawn", "a proposal was taken back"),
    ),
)
"""All that a webhook can wait for."""

BY_TYPE = {kind.type: kind for kind in (*KINDS, PING)}

_VERBS = {
    "transition": "transitioned",
    "assign": "assigned",
    "unassign": "unassigned",
    "evaluate": "evaluated",
    "update": "updated",
    "delete": "deleted",
    "restore": "restored",
    "rename": "renamed",
    "approve": "approved",
    "policy": "settings_changed",
    "rewrite": "rewritten",
    "vanish": "vanished",
    "reuse": "number_reused",
}


def kind_of(change: Change) -> Kind:
    """The type of event that a change is."""
    entity = "model" if change.version is None else "model_version"
    if not change.model:
        entity = "registry"
    match change.event:
        case "register":
            verb = "created" if change.version is None else "registered"
        case "alias":
            verb = "alias_moved" if change.after else "alias_removed"
        case "tag":
            verb = "tag_set" if change.after is not None else "tag_removed"
        case "deprecate":
            verb = "deprecated" if change.after else "undeprecated"
        case event:
            verb = _VERBS[event]
    return BY_TYPE[f"gitreg.{entity}.{verb}"]


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of events as a person gives them, each once.

    Raises:
        InvalidInput: One names no event; the hint names the nearest.
    """
    known = [name for kind in KINDS for name in kind.names]
    for name in names:
        if name not in known:
            verbs = ", ".join(dict.fromkeys(kind.verb for kind in KINDS))
            raise InvalidInput(
                f"{shown(name)} is no event",
                where="--events",
                hint=did_you_mean(name, known) or f"events: {verbs}",
            )
    return tuple(dict.fromkeys(names))
