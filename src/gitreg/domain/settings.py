"""What ``gitreg.yaml`` says: the format, the branch, the stages and how tags are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput

FORMAT = 1
ARCHIVED = "Archived"
NO_STAGE = "None"

Layout = Literal["flat", "sharded"]
TagsFor = Literal["all", "stages", "none"]
TagsStyle = Literal["gitreg", "gto"]


Direction = Literal["higher", "lower"]
Requirement = Literal["lineage", "card", "digest"]
Forge = Literal["auto", "github", "gitlab", "gitea", "gerrit", "gitreg", "none"]

VALID_DAYS = 30
"""Days that an approval is good for, where the settings say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWorse:
    """A metric in which a version must not be worse than the one that holds the stage.

    Attributes:
        metric: Name of the metric.
        direction: Which values are better.
        tolerance: How much worse it may be, in the metric's own unit.
        percent: The same as a share of the other version's figure (``tolerance: 1%``), in hundredths.
        evaluation: Name of the evaluation that tells it, the newest of that name; None: the metrics
            at registration.
    """

    metric: str
    direction: Direction
    tolerance: float = 0.0
    percent: float = 0.0
    evaluation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """How many persons must approve, and who may.

    Attributes:
        count: Persons; one who has two keys counts once, and an author never counts.
        approvers: E-mail addresses, ``@names`` or ``@groups/names``, as ``keys/allowed_signers`` lists them.
        codeowners: The owners that CODEOWNERS names for the manifest may approve, too.
        valid_days: Days that an approval is good for.
        signed_in: Servers that may vouch for an approver who signed in there, as ``keys/allowed_signers``
            lists their keys; empty: every approver signs.
    """

    count: int = 1
    approvers: tuple[str, ...] = ()
    codeowners: bool = False
    valid_days: int = VALID_DAYS
    signed_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of the registry, and what a version must satisfy to enter it.

    Attributes:
        exclusive: One version of a model holds it at a time.
        allowed_from: The stages that a version may come from; ``None`` for a version that holds none.
            None: from anywhere. (``from`` in ``gitreg.yaml``.)
        gate: Path of a JSON Schema over the manifest, below the registry's root.
        no_worse: Metrics compared with those of the version that holds the stage.
        requires: What must be there: lineage (run, code or data sets), the model card, the artifact's digest.
        approvals: Who must approve.
        rollback_approvals: How many of them a rollback needs, which gives the stage back to a version that
            held it before; None: as many as any other version that enters it.
        signed: The commit that makes the change must be signed by its author.
    """

    name: str
    exclusive: bool = False
    description: str = ""
    allowed_from: tuple[str, ...] | None = None
    gate: str | None = None
    no_worse: tuple[NoWorse, ...] = ()
    requires: tuple[Requirement, ...] = ()
    approvals: Approvals | None = None
    rollback_approvals: int | None = None
    signed: bool = False

    @property
    def plain(self) -> bool:
        """Whether there is nothing but the name."""
        return self == Stage(name=self.name)

    @property
    def guarded(self) -> bool:
        """Whether anything but ``exclusive`` is asked of a version that enters it."""
        return self != Stage(name=self.name, exclusive=self.exclusive, description=self.description)


DEFAULT_STAGES = (Stage(name="Staging"), Stage(name="Production"), Stage(name=ARCHIVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSettings:
    """How Git tags are made.

    Attributes:
        prefix: Goes before the model's name.
        made_for: Which are made. (``for`` in ``gitreg.yaml``.)
        style: The form that their names have: gitreg's own, or the one that GTO reads.
    """

    prefix: str = ""
    made_for: TagsFor = "all"
    style: TagsStyle = "gitreg"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """What a change of the rules themselves needs: ``gitreg.yaml``, ``gates/``, ``keys/``, CODEOWNERS."""

    approvals: Approvals | None = None
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSettings:
    """Where proposals go: the remote, and the kind of service that it is (``auto``: told by its address)."""

    remote: str = "origin"
    forge: Forge = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The registry's settings, in the order and words of ``gitreg.yaml``.

    ``merge_keys``: the keys that a hosting service signs its merges with, each an SSH public key or the
    path of an OpenPGP key under ``keys/``.
    """

    format: int = FORMAT
    name: str = ""
    description: str = ""
    branch: str = "main"
    layout: Layout = "flat"
    stages: tuple[Stage, ...] = DEFAULT_STAGES
    tags: TagSettings = field(default_factory=TagSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    merge_keys: tuple[str, ...] = ()
    proposals: ProposalSettings = field(default_factory=ProposalSettings)
    extra: dict[str, Any] = field(default_factory=dict)

    def stage(self, text: str) -> Stage:
        """The stage called ``text``; case does not count, as in MLflow.

        Raises:
            InvalidInput: It is not a stage of this registry; the hint names the nearest.
        """
        wanted = text.casefold()
        for stage in self.stages:
            if stage.name.casefold() == wanted:
                return stage
        names = [stage.name for stage in self.stages]
        raise InvalidInput(
            f"{shown(text)} is not a stage of this registry",
            where="stage",
            hint=did_you_mean(text, names) or f"stages: {', '.join(names)}",
        )

    def has_stage(self, text: str) -> bool:
        """Whether ``text`` names a stage of this registry, whatever its case."""
        return any(stage.name.casefold() == text.casefold() for stage in self.stages)


def did_you_mean(text: str, known: list[str] | tuple[str, ...]) -> str:
    """``did you mean "X"?`` for the nearest of ``known``, or ``""``."""
    import difflib  # only errors need it

    folded = {name.casefold(): name for name in reversed(known)}
    near = difflib.get_close_matches(text.casefold(), list(folded), n=1, cutoff=0.6)
    return f'did you mean "{folded[near[0]]}"?' if near else ""
