"""Words that the rules share."""

from __future__ import annotations

from decimal import Decimal
from shlex import join

from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import Approvals, NoWorse
from gitreg.policy.context import Entering, Material


def version_of(version: ModelVersion) -> str:
    """``churn/12``."""
    return f"{version.name}/{version.version}"


def subject_of(entering: Entering) -> str:
    """``churn/12 → Production``."""
    return f"{version_of(entering.version)} → {entering.stage.name}"


def command(verb: str, *words: str) -> str:
    """``gitreg approve churn/12 Production``, to be typed as it stands; no name is read as an option."""
    options = any(word.startswith("--") for word in words)  # where such come, too, a name can't be kept apart
    dash = ["--"] if words[0].startswith("-") and not options else []
    return join(["gitreg", verb, *dash, *words])


def at_stage(entering: Entering, material: Material) -> tuple[str, tuple[str | int, ...]]:
    """The manifest, and the field in it, where the version says that it holds the stage."""
    version = entering.version
    return material.path(version.name, version.version), ("stages", written(entering))


def written(entering: Entering) -> str:
    """The stage's name as manifests have it: the rules may spell it otherwise but for case."""
    return entering.change.stage or entering.stage.name


def who_may(asked: Approvals) -> str:
    """``ann@example.com or the owners in CODEOWNERS``."""
    people = [*asked.approvers, *(["the owners in CODEOWNERS"] if asked.codeowners else [])]
    return " or ".join(people) or "nobody: the rules name no approvers"


def figures(*values: float) -> tuple[str, ...]:
    """Numbers as people write them, with as many digits as it takes to tell them apart."""
    told: tuple[str, ...] = ()
    for digits in (6, 9, 12, 17):
        told = tuple(_written(value, digits) for value in values)
        if len(set(told)) == len(set(values)):
            break
    return told


def allowed_of(rule: NoWorse) -> str:
    """How much worse a version may be: ``0.01``, or ``1%`` of the other's figure."""
    return f"{figure(rule.percent)}%" if rule.percent else figure(rule.tolerance)


def _written(value: float, digits: int) -> str:
    if not isinstance(value, int):
        return f"{value:.{digits}g}"
    # No float holds every integer.
    return str(value) if abs(value) < 10**digits else f"{Decimal(value).normalize():.{digits}g}"


def figure(value: float) -> str:
    """A number as people write it."""
    return figures(value)[0]
