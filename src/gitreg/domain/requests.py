"""What a caller can ask of the registry: one value for each kind of change.

A request says what is wanted, never how the files look afterwards: ``decide`` finds that out against
the state at the moment of writing, so that a request can be tried again when the branch has moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gitreg.domain.changes import Change
from gitreg.domain.model import READY, Evaluation, ModelState, Origin
from gitreg.domain.references import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModel:
    """Create a registered model without versions.

    ``updated`` is given where it was changed later than now: of one taken over from elsewhere.
    """

    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Register a version, and the model too where it is new.

    ``version`` insists on a number: the request fails when it is not the next free one. With ``gaps`` it
    may be a higher one, and those in between are never used: they were deleted where the version comes
    from. ``updated`` is given where the version was changed later than now, as of ``CreateModel``.
    """

    name: str
    origin: Origin
    version: int | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    status: str = READY
    status_message: str = ""
    gaps: bool = False
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """Append results to a version."""

    name: str
    selector: Selector
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateModel:
    """Set fields of a registered model; None leaves a field as it is."""

    name: str
    description: str | None = None
    owners: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateVersion:
    """Set fields of a version; None leaves a field as it is."""

    name: str
    selector: Selector
    description: str | None = None
    status: str | None = None
    status_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Set and remove tags of a model, or of one version when ``selector`` is given."""

    name: str
    selector: Selector | None = None
    put: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAlias:
    """Point an alias at a version, wherever it pointed before."""

    name: str
    alias: str
    selector: Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAlias:
    """Remove an alias; removing a missing one changes nothing, as in MLflow."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Make a version hold ``stage`` alone; ``None`` takes all its stages."""

    name: str
    selector: Selector
    stage: str
    archive_existing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Add a stage to those that a version holds."""

    name: str
    selector: Selector
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassign:
    """Take one stage from a version."""

    name: str
    selector: Selector
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecate:
    """Mark a version as not to be used any more."""

    name: str
    selector: Selector
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeprecate:
    """Take the mark off again."""

    name: str
    selector: Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteVersion:
    """Delete a version, leaving a tombstone; aliases that point to it go too."""

    name: str
    selector: Selector
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteModel:
    """Delete a model with all its versions, leaving a tombstone."""

    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreVersion:
    """Bring a deleted version back as ``past``, the state at ``commit``, holds it, but for its stages."""

    name: str
    version: int
    past: ModelState
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreModel:
    """Bring a deleted model back as ``past`` holds it; ``commit`` is where its files are."""

    name: str
    past: ModelState
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Give a model another name; its versions, numbers and card come along."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """Give a stage back to versions that held it, and put those back that hold it now.

    Attributes:
        name: The model.
        stage: The stage, by its exact name.
        expected: Version → the stages that it holds as the plan was made, for every version that is
            concerned; those with ``stage`` are all that hold it.
        following: Version → the stages that it is to hold.
    """

    name: str
    stage: str
    expected: Mapping[int, frozenset[str]]
    following: Mapping[int, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """Take back what one commit did to a model: Conflict where that was changed since.

    Attributes:
        name: What the model is called now.
        changes: What to take back, all or some of what that commit did to this model.
        before: The model before the commit, under the name that it had.
        after: The model after it.
        commit: Id of the commit that holds ``before``: texts come back from there.
        reason: Why, for the tombstones that this leaves.
    """

    name: str
    changes: tuple[Change, ...]
    before: ModelState
    after: ModelState
    commit: str
    reason: str = ""


Undated = (
    CreateModel
    | Register
    | Evaluate
    | UpdateModel
    | UpdateVersion
    | Tag
    | SetAlias
    | RemoveAlias
    | Transition
    | Assign
    | Unassign
    | Deprecate
    | Undeprecate
    | DeleteVersion
    | DeleteModel
    | RestoreVersion
    | RestoreModel
    | Rename
    | Rollback
    | TakeBack
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A request that is decided as of its own time: of what happened elsewhere and is taken over now."""

    request: Undated
    at: datetime


Request = Undated | Dated
