"""Enough persons have approved, none of them an author."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.errors import InvalidManifests
from gitreg.policy.approvals import count
from gitreg.policy.context import Entering, Judgement, Material
from gitreg.policy.digests import origin_digest, rule_digest
from gitreg.policy.wording import at_stage, command, subject_of, version_of, who_may


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """Count the approvals of this assignment of the stage."""
    asked = entering.stage.approvals
    if asked is None:
        return
    stage, version = entering.stage, entering.version
    authors = material.authors(version.name, version.version)
    manifest = material.path(version.name, version.version)
    path, field = at_stage(entering, material)
    try:
        found = count(
            asked,
            material.approvals(version.name, version.version, stage.name, entering.numbers()),
            material,
            fits=_Fits(entering, material),
            authors=authors.version | authors.promotion,
            paths=[manifest],
        )
    except InvalidManifests as error:
        first = error.findings[0]
        yield Judgement(
            rule="approvals",
            passed=False,
            message=f"the keys can't be read ({first.location}: {first.message})",
            code="GR206",
            subject=subject_of(entering),
            path=first.path,
            help=first.help,
        )
        return
    if not found.enough:
        needed = _eased(entering)
        found = found if needed is None else replace(found, needed=needed)
    enough = found.enough
    yield Judgement(
        rule="approvals",
        passed=enough,
        message=found.said,
        code="" if enough else "GR206",
        subject=subject_of(entering),
        path="" if enough else path,
        field=() if enough else field,
        help="" if enough else f"{command('approve', version_of(version), stage.name)}, by {who_may(asked)}",
        detail={**found.detail, "authors": sorted(authors.version | authors.promotion)},
    )


def _eased(entering: Entering) -> int | None:
    """How many approvals are needed where the version does not enter the stage anew; None: as ever."""
    match entering.returning():
        case "aside":
            return 0
        case "back":
            return entering.stage.rollback_approvals
        case _:
            return None


class _Fits:
    """Whether a statement is about this version, stage, assignment, origin and rule."""

    def __init__(self, entering: Entering, material: Material) -> None:
        stage, version = entering.stage, entering.version
        self._about = (version.name, version.version, stage.name)
        self._number = entering.number()
        # In an exclusive stage whoever came between is the one that this version would take the place of now.
        self._numbers = range(self._number, self._number + 1) if stage.exclusive else entering.numbers()
        self._origin = origin_digest(version)
        self._rule = rule_digest(stage, material.gate(stage.gate) if stage.gate else None)

    def __call__(self, approval: Approval | PolicyApproval) -> str:
        if not isinstance(approval, Approval):
            return "it is for a change of the rules"
        if (approval.model, approval.version, approval.stage) != self._about:
            return f"it is for {approval.model}/{approval.version} in {approval.stage}"
        if approval.number not in self._numbers:
            return f"it is for assignment {approval.number} of the stage, and this is number {self._number}"
        if approval.origin != self._origin:
            return "the version, or its evaluations, were others when it was signed"
        return "" if approval.rule == self._rule else "the rules of the stage were others when it was signed"
