"""One version of a model holds an exclusive stage."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.policy.context import Entering, Judgement, Material
from gitreg.policy.wording import at_stage, command, subject_of, version_of, written


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """Whether every other version has left the stage."""
    stage, version = entering.stage, entering.version
    if not stage.exclusive:
        return
    others = {
        each.version: each
        for name in dict.fromkeys([stage.name, written(entering)])
        for each in entering.after.holders(name)
        if each.version != version.version
    }
    if not others:
        yield Judgement(
            rule="exclusive", passed=True, message="no other version holds it", subject=subject_of(entering)
        )
        return
    told = " and ".join(version_of(each) for each in others.values())
    path, field = at_stage(entering, material)
    yield Judgement(
        rule="exclusive",
        passed=False,
        message=f"the stage is exclusive, and {told} {'holds' if len(others) == 1 else 'hold'} it too",
        code="GR201",
        subject=subject_of(entering),
        path=path,
        field=field,
        help=f"{command('promote', version_of(version), stage.name)} again: it begins on what is there now",
    )
