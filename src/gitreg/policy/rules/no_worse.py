"""A version is no worse than the one that holds the stage."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import NoWorse
from gitreg.policy.context import Entering, Judgement, Material
from gitreg.policy.wording import allowed_of, command, figure, figures, subject_of, version_of

_NOISE = 1e-9  # of a float's own size: 0.93 - 0.01 is not 0.92 to the last bit


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """One judgement for each metric that the stage compares."""
    for rule in entering.stage.no_worse:
        yield _judge(rule, entering, material)


def _judge(rule: NoWorse, entering: Entering, material: Material) -> Judgement:
    candidate, incumbent = entering.version, entering.incumbent or entering.predecessor()
    new = _value(candidate, rule)
    old = _value(incumbent, rule) if incumbent else None
    name = rule.metric + (f" of {rule.evaluation}" if rule.evaluation else "")
    detail = {"metric": rule.metric, "candidate": _finite(new), "incumbent": _finite(old)}
    if new is None or not _is_finite(new):
        what = "is not known" if new is None else f"is {figure(new)}, which no rule takes"
        return _failed(rule, entering, material, f"{name} {what}", detail)
    if incumbent is None:
        message = f"{name} is {figure(new)}, and nobody held the stage"
    elif old is None or not _is_finite(old):
        message = f"{name} is {figure(new)}, and {version_of(incumbent)} has none to compare"
    elif _good(new, old, rule):
        mine, theirs = figures(new, old)
        message = f"{name} is {mine}, {version_of(incumbent)} has {theirs}"
    else:
        mine, theirs = figures(new, old)
        slack = f" by more than {allowed_of(rule)}" if rule.tolerance or rule.percent else ""
        last = "" if entering.incumbent else ", which held the stage last"
        message = f"{name} is {mine}, worse than the {theirs} of {version_of(incumbent)}{slack}{last}"
        return _failed(rule, entering, material, message, detail)
    return Judgement(
        rule="no_worse", passed=True, message=message, subject=subject_of(entering), detail=detail
    )


def _failed(
    rule: NoWorse, entering: Entering, material: Material, message: str, detail: Mapping[str, object]
) -> Judgement:
    version = entering.version
    return Judgement(
        rule="no_worse",
        passed=False,
        message=message,
        code="GR204",
        subject=subject_of(entering),
        path=material.path(version.name, version.version),
        field=_field(version, rule),
        help=_mend(rule, entering),
        detail=detail,
    )


def _mend(rule: NoWorse, entering: Entering) -> str:
    version, incumbent = entering.version, entering.incumbent or entering.predecessor()
    new = _value(version, rule)
    if new is None and rule.evaluation is not None:
        told = version_of(version), rule.evaluation, "--metric", f"{rule.metric}=VALUE"
        return command("evaluate", *told)
    if new is None or incumbent is None or not _is_finite(new):
        return f"{command('register', version.name, 'SOURCE', '--metric', f'{rule.metric}=VALUE')}"
    # By number: on the branch of a proposal the stage is the candidate's already.
    return f"{command('diff', version_of(incumbent), version_of(version))}, then a better version"


def _value(version: ModelVersion, rule: NoWorse) -> float | None:
    """The metric at registration, or of the newest evaluation with the name that the rule gives."""
    at = _newest(version, rule)
    metrics = version.metrics if rule.evaluation is None else {} if at is None else _metrics(version, at)
    return metrics.get(rule.metric)


def _newest(version: ModelVersion, rule: NoWorse) -> int | None:
    """Where the newest evaluation of that name stands; of two at one time the one added later."""
    named = [at for at, each in enumerate(version.evaluations) if each.name == rule.evaluation]
    return max(named, key=lambda at: (version.evaluations[at].at, at), default=None)


def _metrics(version: ModelVersion, at: int) -> Mapping[str, float]:
    return version.evaluations[at].metrics


def _field(version: ModelVersion, rule: NoWorse) -> tuple[str | int, ...]:
    """The figure in the manifest, or as much of the way there as exists."""
    if rule.evaluation is None:
        return ("metrics", rule.metric) if rule.metric in version.metrics else ()
    at = _newest(version, rule)
    if at is None:
        return ()
    known = rule.metric in _metrics(version, at)
    return ("evaluations", at, "metrics", rule.metric) if known else ("evaluations", at)


def _good(new: float, old: float, rule: NoWorse) -> bool:
    if new >= old if rule.direction == "higher" else new <= old:
        return True
    try:
        allowed = rule.tolerance + rule.percent / 100 * abs(old)
        return abs(old - new) <= allowed + _NOISE * max(abs(old), abs(new), rule.tolerance)
    except OverflowError:  # an integer that no float holds
        return False


def _finite(value: float | None) -> float | None:
    return value if value is not None and _is_finite(value) else None


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)
