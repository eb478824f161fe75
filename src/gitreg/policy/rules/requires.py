"""What a stage requires is there: lineage, the model card, the artifact's digest."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.domain.model import Code
from gitreg.domain.settings import Requirement
from gitreg.policy.context import Entering, Judgement, Material
from gitreg.policy.wording import subject_of, version_of


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """One judgement for each thing that is required."""
    for what in entering.stage.requires:
        yield _judge(what, entering, material)


def _judge(what: Requirement, entering: Entering, material: Material) -> Judgement:
    passed, message, mend = _FOUND[what](entering, material)
    version = entering.version
    card = material.path(version.name, None).removesuffix("model.yaml") + "README.md"
    return Judgement(
        rule="requires",
        passed=passed,
        message=message,
        code="" if passed else "GR205",
        subject=subject_of(entering),
        path="" if passed else card if what == "card" else material.path(version.name, version.version),
        help="" if passed else mend,
        detail={"requires": what},
    )


def _lineage(entering: Entering, material: Material) -> tuple[bool, str, str]:
    origin = entering.version.origin
    known = [
        name
        for name, value in (
            ("run", origin.run_id),
            ("code", _told(origin.code)),
            ("data sets", origin.datasets),
        )
        if value
    ]
    if known:
        told = known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}"
        return True, f"{told} {'is' if len(known) == 1 and known != ['data sets'] else 'are'} known", ""
    name = entering.version.name
    return (
        False,
        "neither run nor code nor data sets are known",
        f"gitreg register {name} SOURCE with --run-id, --code-commit or --dataset, as a new version",
    )


def _told(code: Code | None) -> str:
    """What is known of the code; that it was dirty tells nothing of where it is."""
    return (code.repository or code.commit or code.path or "") if code else ""


def _card(entering: Entering, material: Material) -> tuple[bool, str, str]:
    name = entering.version.name
    if material.card(name):
        return True, "the model has a card", ""
    path = material.path(name, None).removesuffix("model.yaml") + "README.md"
    return False, "the model has no card", f"write {path}, and commit it"


def _digest(entering: Entering, material: Material) -> tuple[bool, str, str]:
    artifact = entering.version.origin.artifact
    if artifact is not None and artifact.digest:
        return True, f"the artifact's digest is {artifact.digest[:19]}…", ""
    subject = version_of(entering.version)
    return (
        False,
        "the artifact's digest is not known",
        f"register the model's folder, which is hashed then; {subject} keeps what it was registered with",
    )


_FOUND = {"lineage": _lineage, "card": _card, "digest": _digest}
