"""What is wrong with the rules themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gitreg.domain.findings import Finding
from gitreg.registry.rules_check import check_rules
from tests.servers.people import Person, person

GATE = "gates/production.json"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "{}" * 42 + "A"


def line(principals: str, letter: str) -> str:
    return f"{principals} {KEY.replace('{}', letter)}\n"


def found(stage: str = "", rest: str = "", **files: str) -> list[Finding]:
    """Of a registry with one rule for Production; files by path, with ``__`` for a slash."""
    text = f"format: 1\nstages:\n  - Staging\n  - name: Production\n{stage}{rest}"
    held = {"gitreg.yaml": text, **{path.replace("__", "/"): data for path, data in files.items()}}
    modes = dict.fromkeys(held, "100644")
    data = {path: text.encode() for path, text in held.items()}
    return list(check_rules(modes, data.get))


def told(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(each.code, each.severity, each.message) for each in findings]


@pytest.mark.parametrize("name", ["Staging", "staging", "None", "none", "Production"])
def test_a_stage_that_is_there(name: str) -> None:
    assert found(f"    from: [{name}]\n") == []


def test_a_stage_that_is_none() -> None:
    (one,) = found("    from: [None, Stagin]\n")
    assert told([one]) == [
        ("GR211", "error", 'stages[1].from[1]: "Stagin" is not a stage of this registry'),
    ]
    assert (one.location, one.help) == ("gitreg.yaml:5:18", 'did you mean "Staging"?')


def test_a_gate_that_is_not_there() -> None:
    (one,) = found(f"    gate: {GATE}\n", **{"gates/Production.json": "{}"})
    assert one.code == "GR211" and one.location == "gitreg.yaml:5:11"
    assert one.help == 'did you mean "gates/Production.json"?'
    (other,) = found(f"    gate: {GATE}\n")
    assert other.help.startswith(f"write {GATE}")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{", "it is no JSON"),
        ("", "it is no JSON"),
        ('{"type": "objekt"}', "it is no JSON Schema: type"),
        ('{"properties": {"run_id": {"$ref": "https://example.com/x"}}}', "it refers to"),
        ('{"$ref": "#"}', "it refers to itself"),
        ('{"properties": {"run_id": {"pattern": "("}}}', "can't be read"),
    ],
)
def test_a_gate_that_passes_nobody(gate: str, said: str) -> None:
    (one,) = found(f"    gate: {GATE}\n", **{GATE: gate})
    assert (one.code, one.path, one.severity) == ("GR211", GATE, "error") and said in one.message


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"properties": {"metric": {}}}, 'no manifest has the field "metric"; did you mean "metrics"?'),
        ({"properties": {"metrics": {"minimun": 1}}}, 'did you mean "minimum"?'),
        ({"allOf": [{"requierd": ["metrics"]}]}, 'did you mean "required"?'),
    ],
)
def test_a_gate_with_a_slip(gate: object, said: str) -> None:
    (one,) = found(f"    gate: {GATE}\n", **{GATE: json.dumps(gate)})
    assert (one.code, one.severity) == ("GR213", "warning") and one.message.endswith(said)


@pytest.mark.parametrize(
    "gate",
    [
        {"$comment": "ours", "x-team": "ml", "properties": {"x-own": {"title": "t"}}},
        {"properties": {"tags": {"properties": {"minimun": {"const": {"requierd": 1}}}}}},
        {"properties": {"metrics": {"unit": "percent"}}},
    ],
)
def test_what_is_no_slip(gate: object) -> None:
    assert found(f"    gate: {GATE}\n", **{GATE: json.dumps(gate)}) == []


ANN, BOB = line("ann@example.com", "a"), line("bob@example.com", "b")


@pytest.mark.parametrize(
    ("asked", "keys", "said"),
    [
        ("{approvers: [ann@example.com]}", ANN, ""),
        ("{approvers: [ANN@example.com]}", ANN, ""),
        ("{count: 2, approvers: [ann@example.com, bob@example.com]}", ANN + BOB, ""),
        ('{count: 2, approvers: ["@ml/all"]}', line("ann@x,@ml/all", "a") + line("bob@x,@ml/all", "b"), ""),
        ("{codeowners: true}", "", ""),
        (
            "{approvers: [eve@example.com], signed_in: [web@example.com]}",
            line("web@example.com", "c"),
            "",
        ),
        ("{approvers: [ann@example.com]}", "", "1 person must approve, and nobody can"),
        ("{}", ANN, "1 person must approve, and nobody can"),
        (
            "{count: 2, approvers: [ann@example.com, bob@example.com]}",
            ANN,
            "2 persons must approve, and only ann@example.com can",
        ),
        (
            "{count: 2, approvers: [ann@example.com, a@example.com]}",
            line("ann@example.com,a@example.com", "a"),
            "2 persons must approve, and only a@example.com can",
        ),
        ("{approvers: [eve@example.com], signed_in: [web@example.com]}", ANN, "and nobody can"),
    ],
)
def test_approvals_that_too_few_can_give(asked: str, keys: str, said: str) -> None:
    rest = f"policy:\n  approvals: {asked}\n"
    both = found(f"    approvals: {asked}\n", **{"keys/allowed_signers": keys})
    alone = found("", rest, **{"keys/allowed_signers": keys})
    if not said:
        assert both == alone == []
        return
    # Where the rules don't say who changes them, those of the stage do.
    for one in (*both, *alone):
        assert (one.code, one.severity) == ("GR212", "error")
        assert said in one.message and one.message.endswith("the rules could never be changed again")
    assert len(both) == len(alone) == 1


def test_a_stage_that_nobody_can_enter_is_a_warning() -> None:
    stage = "    approvals: {approvers: [eve@example.com]}\n"
    rest = "policy:\n  approvals: {approvers: [ann@example.com]}\n"
    (one,) = found(stage, rest, **{"keys/allowed_signers": ANN})
    assert (one.code, one.severity, one.location) == ("GR212", "warning", "gitreg.yaml:5:16")


def test_keys_that_can_not_be_read() -> None:
    (one,) = found("", **{"keys/allowed_signers": "# ours\nann@example.com AAAA\n"})
    assert (one.code, one.location) == ("GR210", "keys/allowed_signers:2:1")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (KEY.replace("{}", "a"), ""),
        ("keys/forge.asc", ""),
        ("keys/none.asc", "there is no file keys/none.asc"),
        ("ssh-ed25519 AAAA", "merge_keys[0]"),
        ("nonsense", "merge_keys[0]"),
    ],
)
def test_merge_keys(key: str, said: str) -> None:
    block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    findings = found("", f"merge_keys: ['{key}']\n", **{"keys/forge.asc": block})
    assert [each.code for each in findings] == (["GR211"] if said else [])
    assert all(said in each.message for each in findings)


@pytest.mark.parametrize(("mode", "said"), [("120000", "symbolic link"), ("100755", "executable")])
def test_rules_are_plain_files(mode: str, said: str) -> None:
    modes = {"gitreg.yaml": "100644", "keys/allowed_signers": mode, "models/x/README.md": "100755"}
    (one,) = check_rules(modes, {"gitreg.yaml": b"format: 1\n"}.get)
    assert (one.code, one.path) == ("GR107", "keys/allowed_signers") and said in one.message


@pytest.fixture
def ann(tmp_path: Path) -> Person:
    """Somebody with a registry in a folder of their repository."""
    made = person("ann", tmp_path)
    made.work.mkdir()
    made.git("init", "-q", "-b", "main")
    made.gitreg("init", "ml registry")
    return replace(made, work=made.work / "ml registry")


def test_check_hook_and_verify_agree(ann: Person) -> None:
    """A broken gate is told by all that look, wherever the registry lies."""
    text = (ann.work / "gitreg.yaml").read_text()
    ann.write("gitreg.yaml", text.replace("  - Production\n", f"  - {{name: Production, gate: {GATE}}}\n"))
    ann.write(GATE, "{}")
    ann.commit("rules")
    assert ann.gitreg("check").code == 0
    before = ann.git("rev-parse", "HEAD").strip()
    ann.write(GATE, '{"type": "objekt"}')
    said = ann.gitreg("check", GATE, code=1)
    assert "GR211" in said.words and "1 file" in said.words
    ann.git("add", ".")
    assert "GR211" in ann.gitreg("check", "--staged", code=1).words
    assert "GR211" in ann.gitreg("hook", "check", code=1).words
    ann.commit("a slip")
    found = json.loads(ann.gitreg("verify", before, "HEAD", "--json", code=1).out)["findings"]
    assert [(each["code"], each["path"]) for each in found] == [("GR211", f"ml registry/{GATE}")]
    assert "passes nobody" in ann.gitreg("policy", "show").err
    # The fault is that of the commit that brought it, and not of the next one.
    broken = ann.git("rev-parse", "HEAD").strip()
    ann.write("gates/other.json", "{}")
    ann.commit("another gate")
    assert ann.gitreg("verify", broken, "HEAD").code == 0


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (
            "    rollback_approvals: 1\n",
            "stages[1].rollback_approvals: 1, and Production asks for no approvals",
        ),
        (
            "    approvals: {count: 1, codeowners: true}\n    rollback_approvals: 2\n",
            "stages[1].rollback_approvals: 2, and others need 1",
        ),
        ("    approvals: {count: 1, codeowners: true}\n    rollback_approvals: 0\n", None),
    ],
    ids=["of nobody", "more than others", "nobody"],
)
def test_approvals_of_rollbacks(stage: str, said: str | None) -> None:
    assert told(found(stage)) == ([("GR211", "error", said)] if said else [])
