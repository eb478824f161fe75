"""The manifest satisfies the stage's gate, a JSON Schema (draft 2020-12)."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.policy.context import Entering, Judgement, Material
from gitreg.policy.wording import command, subject_of, version_of

_MOST_TOLD = 3


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """Whether the manifest satisfies the gate as BASE holds it."""
    name = entering.stage.gate
    if name is None:
        return
    from gitreg.policy.schema_gate import BrokenGate, faults  # jsonschema takes a tenth of a second to import

    version = entering.version
    path = material.path(version.name, version.version)
    try:
        found = faults(material.gate(name), version)
    except BrokenGate as error:
        yield Judgement(
            rule="gate",
            passed=False,
            message=f"{name} can't be read, and passes nobody: {error}",
            code="GR203",
            subject=subject_of(entering),
            path=name,
            help=f"mend {name}; a change of the rules is proposed on a branch of its own",
        )
        return
    if not found:
        yield Judgement(
            rule="gate", passed=True, message=f"{name} is satisfied", subject=subject_of(entering)
        )
        return
    told = "; ".join(each.message for each in found[:_MOST_TOLD])
    more = f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
    yield Judgement(
        rule="gate",
        passed=False,
        message=f"{name}: {told}{more}",
        code="GR203",
        subject=subject_of(entering),
        path=path,
        field=found[0].field,
        help=_mend(found[0].field, version_of(version)),
    )


def _mend(field: tuple[str | int, ...], subject: str) -> str:
    """What could change the field that is at fault: most never change after registration."""
    match field[:1]:
        case ("tags",):
            return command("tag", subject, "KEY=VALUE")
        case ("evaluations",):
            return command("evaluate", subject, "NAME", "--metric", "KEY=NUMBER")
        case ("description" | "status" | "status_message",):
            return command("update", subject, f"--{str(field[0]).replace('_', '-')}", "TEXT")
        case ():
            return f"what can be added: {command('evaluate', subject)}, tag or update; else another version"
    return "register a version that satisfies it"
