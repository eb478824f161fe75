"""A version comes from one of the stages that the rules allow (``from`` in gitreg.yaml)."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.domain.settings import NO_STAGE
from gitreg.policy.context import Entering, Judgement, Material
from gitreg.policy.wording import at_stage, command, subject_of, version_of


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """Whether one of the stages that the version held before is allowed; None stands for none."""
    allowed = entering.stage.allowed_from
    if allowed is None:
        return
    held = entering.change.origin or (NO_STAGE,)
    known = {each.casefold() for each in allowed}
    fitting = [each for each in held if each.casefold() in known]
    came = "held no stage" if held == (NO_STAGE,) else f"comes from {', '.join(held)}"
    if fitting:
        yield Judgement(rule="from", passed=True, message=f"it {came}", subject=subject_of(entering))
        return
    path, field = at_stage(entering, material)
    first = next((each for each in allowed if each.casefold() != NO_STAGE.casefold()), NO_STAGE)
    verb = "promote" if material.asks_approvals(first) else "transition"
    yield Judgement(
        rule="from",
        passed=False,
        message=f"it {came}; only {', '.join(allowed)} may go to {entering.stage.name}",
        code="GR202",
        subject=subject_of(entering),
        path=path,
        field=field,
        help=f"{command(verb, version_of(entering.version), first)} first",
    )
