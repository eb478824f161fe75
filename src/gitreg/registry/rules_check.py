"""What is wrong with the rules themselves, told before somebody runs into it.

What they name is there, what they ask for can be had, and they can be changed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from gitreg.domain.approval import address_key
from gitreg.domain.findings import Finding
from gitreg.domain.names import shown
from gitreg.domain.settings import NO_STAGE, Approvals, Settings, did_you_mean
from gitreg.errors import InvalidInput, InvalidManifests
from gitreg.manifest import codec
from gitreg.manifest.check import check_mode
from gitreg.manifest.explain import field_text
from gitreg.manifest.layout import KEYS_DIR, SETTINGS_FILE, SIGNERS_FILE, is_policy_file
from gitreg.manifest.yaml import Document, parse
from gitreg.policy.enforce import asked_of_policy
from gitreg.signing.signers import Signers

Read = Callable[[str], bytes | None]
"""Path below the registry's root → the bytes of a plain file there; None where there is none."""


def check_rules(modes: Mapping[str, str], read: Read) -> Iterator[Finding]:
    """What is wrong with the rules of one state of a registry.

    What can't be read of ``gitreg.yaml`` itself is not told here: it is a manifest like the others.

    Args:
        modes: Path below the registry's root → mode, as a tree holds it; others than the rules' don't count.
        read: Reads one of them.
    """
    for path, mode in sorted(modes.items()):
        fault = check_mode(path, mode) if is_policy_file(path) and path != SETTINGS_FILE else None
        if fault is not None:
            yield fault
    try:
        document = parse(read(SETTINGS_FILE) or b"", SETTINGS_FILE)
        settings = codec.settings_of(document)
    except InvalidInput:
        return
    yield from _origins(settings, document)
    yield from _rollbacks(settings, document)
    yield from _gates(settings, document, modes, read)
    yield from _merge_keys(settings, document, read)
    try:
        signers = Signers.parse(read(SIGNERS_FILE) or b"", path=SIGNERS_FILE)
    except InvalidManifests as error:
        yield from error.findings
        return
    yield from _approvers(settings, document, signers)


def _origins(settings: Settings, document: Document) -> Iterator[Finding]:
    """Stages that ``from`` names and the registry does not have: nobody could come from there."""
    names = [stage.name for stage in settings.stages]
    for at, stage in enumerate(settings.stages):
        for index, name in enumerate(stage.allowed_from or ()):
            if settings.has_stage(name) or name.casefold() == NO_STAGE.casefold():
                continue
            place = ("stages", at, "from", index)
            message = f"{field_text(place)}: {shown(name)} is not a stage of this registry"
            mend = did_you_mean(name, [*names, NO_STAGE]) or f"stages: {', '.join(names)}, or {NO_STAGE}"
            yield document.finding("GR211", message, place, help=mend)


def _rollbacks(settings: Settings, document: Document) -> Iterator[Finding]:
    """Approvals of rollbacks that can't be asked for."""
    for at, stage in enumerate(settings.stages):
        asked, needed = stage.approvals, stage.rollback_approvals
        if needed is None or (asked is not None and needed <= asked.count):
            continue
        place = ("stages", at, "rollback_approvals")
        why = f"{stage.name} asks for no approvals" if asked is None else f"others need {asked.count}"
        message = f"{field_text(place)}: {needed}, and {why}"
        mend = (
            "leave it out" if asked is None else f"rollback_approvals: {asked.count} at most, or leave it out"
        )
        yield document.finding("GR211", message, place, help=mend)


def _gates(settings: Settings, document: Document, there: Iterable[str], read: Read) -> Iterator[Finding]:
    told = set()
    for at, stage in enumerate(settings.stages):
        if stage.gate is None:
            continue
        place = ("stages", at, "gate")
        if stage.gate not in there:
            found = [path for path in there if path.startswith("gates/")]
            mend = did_you_mean(stage.gate, found) or f"write {stage.gate}, a JSON Schema; {{}} lets all pass"
            message = f"{field_text(place)}: there is no file {stage.gate}: {stage.name} could not be entered"
            yield document.finding("GR211", message, place, help=mend)
        elif stage.gate not in told and (gate := read(stage.gate)) is not None:
            told.add(stage.gate)
            from gitreg.policy.schema_gate import BrokenGate, check_gate  # a tenth of a second to import

            try:
                doubts = check_gate(gate)
            except BrokenGate as error:
                message = f"the gate can't be read, and passes nobody: {error}"
                yield Finding(code="GR211", message=message, path=stage.gate, help=f"mend {stage.gate}")
                continue
            for doubt in doubts:
                yield Finding(code="GR213", message=doubt, path=stage.gate, severity="warning")


def _merge_keys(settings: Settings, document: Document, read: Read) -> Iterator[Finding]:
    for at, key in enumerate(settings.merge_keys):
        data = read(key) if key.startswith(f"{KEYS_DIR}/") else key.encode()
        fault = f"there is no file {key}" if data is None else _merge_key_fault(data)
        if fault:
            place = ("merge_keys", at)
            mend = f"an SSH public key (ssh-ed25519 AAAA…), or {KEYS_DIR}/NAME.asc with an OpenPGP key"
            yield document.finding("GR211", f"{field_text(place)}: {fault}", place, help=mend)


def _merge_key_fault(data: bytes) -> str:
    if data.startswith(b"-----BEGIN PGP "):
        return ""
    try:
        Signers.parse(b"merges " + data.strip())  # the same words as in a line of the signers' file
    except InvalidManifests as error:
        return error.findings[0].message
    return ""


def _approvers(settings: Settings, document: Document, signers: Signers) -> Iterator[Finding]:
    """Approvals that too few can give; an error where the rules could never be changed again."""
    last = asked_of_policy(settings)
    cases = [(("stages", at, "approvals"), each.approvals) for at, each in enumerate(settings.stages)]
    for place, asked in [*cases, (("policy", "approvals"), settings.policy.approvals)]:
        able = _able(asked, signers) if asked is not None else None
        if asked is None or able is None or len(able) >= asked.count:
            continue
        final = last is not None and asked == replace(last, signed_in=asked.signed_in)
        who = f"only {', '.join(sorted(able))} can" if able else "nobody can"
        persons = "1 person" if asked.count == 1 else f"{asked.count} persons"
        end = "; the rules could never be changed again" if final else ""
        yield replace(
            document.finding(
                "GR212",
                f"{field_text(place)}: {persons} must approve, and {who}{end}",
                place,
                help=f"list approvers here, and the key of each in {SIGNERS_FILE}, in one commit",
            ),
            severity="error" if final else "warning",
        )


def _able(asked: Approvals, signers: Signers) -> set[str] | None:
    """Those who have what it takes to approve, one name each; None where CODEOWNERS says who may."""
    if asked.codeowners:
        return None
    vouched = any(signers.person_of(each) for each in asked.signed_in)
    able = set()
    for name in asked.approvers:
        if "/" in name:
            wanted = address_key(name)
            lines = (line for line in signers.lines if wanted in map(address_key, line.principals))
            found = [signers.person_of_key(line.key) for line in lines]
        else:
            found = [signers.person_of(name)]
            if vouched and found == [None] and "@" in name[1:]:
                able.add(name)
        able |= {_name(each.principals) for each in found if each is not None}
    return able


def _name(principals: frozenset[str]) -> str:
    return min(principals, key=lambda each: ("/" in each, each))
