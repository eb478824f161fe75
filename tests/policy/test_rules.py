"""What each rule says of a version that enters a stage."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.model import Artifact, Code, Dataset, Evaluation
from gitreg.domain.settings import Approvals, NoWorse, Stage
from gitreg.policy.context import CommitSignature, Judgement
from gitreg.policy.enforce import judge_entering
from tests.policy.conftest import NOON, World, entering, version

PRODUCTION = Stage(name="Production")


def only(stage: Stage, world: World | None = None, **case: object) -> Judgement:
    """The one judgement on version 2, which nobody held the stage before."""
    found = judge_entering(entering(stage, version(**case)), (world or World()).material)  # type: ignore[arg-type]
    assert len(found) == 1, found
    return found[0]


def test_a_stage_without_rules_says_nothing() -> None:
    assert judge_entering(entering(PRODUCTION, version()), World().material) == ()


def test_all_rules_are_asked_in_their_order() -> None:
    stage = Stage(
        name="Production",
        exclusive=True,
        allowed_from=("Staging",),
        gate="gates/none.json",
        no_worse=(NoWorse(metric="auc", direction="higher"), NoWorse(metric="loss", direction="lower")),
        requires=("lineage", "card", "digest"),
        approvals=Approvals(),
        signed=True,
    )
    case = entering(stage, version(), version(1), left=False)
    found = judge_entering(case, World().material)
    assert [each.rule for each in found] == [
        *("exclusive", "from", "gate", "no_worse", "no_worse"),
        *("requires", "requires", "requires", "approvals", "signed"),
    ]
    assert not any(each.passed for each in found)
    for each in found:
        assert each.code.startswith("GR20") and each.help and each.subject == "churn/2 → Production"


@pytest.mark.parametrize("left", [True, False])
def test_exclusive(left: bool) -> None:
    stage = Stage(name="Production", exclusive=True)
    (found,) = judge_entering(entering(stage, version(), version(1), left=left), World().material)
    assert (found.passed, found.code) == (left, "" if left else "GR201")
    assert left or "churn/1 holds it too" in found.message


@pytest.mark.parametrize(
    ("allowed", "held", "passed"),
    [
        (("Staging",), ("Staging",), True),
        (("staging",), ("Staging",), True),
        (("Staging",), (), False),
        (("None",), (), True),
        (("None", "Staging"), ("Archived",), False),
        (("Staging",), ("Archived", "Staging"), True),
    ],
)
def test_from(allowed: tuple[str, ...], held: tuple[str, ...], passed: bool) -> None:
    stage = Stage(name="Production", allowed_from=allowed)
    (found,) = judge_entering(entering(stage, version(), origin=held), World().material)
    assert found.passed is passed


@pytest.mark.parametrize(
    ("new", "old", "direction", "tolerance", "passed"),
    [
        (0.93, 0.93, "higher", 0.0, True),
        (0.92, 0.93, "higher", 0.0, False),
        (0.92, 0.93, "higher", 0.01, True),
        (0.9199, 0.93, "higher", 0.01, False),
        (0.31, 0.30, "lower", 0.01, True),
        (0.32, 0.30, "lower", 0.01, False),
        (0.1 + 0.2, 0.3, "lower", 0.0, True),
        (math.nan, 0.3, "lower", 0.0, False),
        (math.inf, 0.3, "higher", 0.0, False),
        (0.3, math.nan, "higher", 0.0, True),
        (None, 0.3, "higher", 0.0, False),
        (0.3, None, "higher", 0.0, True),
    ],
)
def test_no_worse(
    new: float | None, old: float | None, direction: str, tolerance: float, passed: bool
) -> None:
    rule = NoWorse(metric="auc", direction=direction, tolerance=tolerance)  # type: ignore[arg-type]
    stage = Stage(name="Production", no_worse=(rule,))
    one, other = (({} if each is None else {"auc": each}) for each in (new, old))
    case = entering(stage, version(metrics=one), version(1, metrics=other))
    (found,) = judge_entering(case, World().material)
    assert (found.passed, found.code) == (passed, "" if passed else "GR204")


def test_no_worse_where_nobody_held_the_stage() -> None:
    stage = Stage(name="Production", no_worse=(NoWorse(metric="auc", direction="higher"),))
    assert only(stage, metrics={"auc": 0.1}).passed


def test_no_worse_by_the_newest_evaluation_of_a_name() -> None:
    from dataclasses import replace
    from datetime import timedelta

    rule = NoWorse(metric="auc", direction="higher", evaluation="holdout")
    old, new, other = (
        Evaluation(name=name, at=NOON + timedelta(hours=hours), metrics={"auc": auc})
        for name, hours, auc in (("holdout", 0, 0.9), ("holdout", 1, 0.7), ("other", 2, 0.99))
    )
    candidate = replace(version(metrics={"auc": 0.99}), evaluations=(old, new, other))
    incumbent = replace(version(1), evaluations=(old,))
    case = entering(Stage(name="Production", no_worse=(rule,)), candidate, incumbent)
    (found,) = judge_entering(case, World().material)
    assert not found.passed and "0.7" in found.message and "0.9" in found.message


@pytest.mark.parametrize(
    ("what", "origin", "passed"),
    [
        ("lineage", {}, False),
        ("lineage", {"run_id": "r"}, True),
        ("lineage", {"code": Code(commit="c")}, True),
        ("lineage", {"datasets": (Dataset(name="d"),)}, True),
        ("digest", {"artifact": Artifact(size=3)}, False),
        ("digest", {"artifact": Artifact(digest="sha256:" + "0" * 64)}, True),
    ],
)
def test_requires(what: str, origin: dict[str, object], passed: bool) -> None:
    found = only(Stage(name="Production", requires=(what,)), **origin)  # type: ignore[arg-type]
    assert (found.passed, found.code) == (passed, "" if passed else "GR205")


@pytest.mark.parametrize("card", [True, False])
def test_requires_a_card(card: bool) -> None:
    found = only(Stage(name="Production", requires=("card",)), World(card=card))
    assert found.passed is card
    assert card or found.path == "models/churn/README.md"


GATED = Stage(name="Production", gate="gates/production.json")


def gate(text: str, **case: object) -> Judgement:
    return only(GATED, World(gates={"gates/production.json": text.encode()}), **case)


def test_a_gate_that_is_satisfied() -> None:
    text = '{"properties": {"metrics": {"properties": {"auc": {"minimum": 0.8}}, "required": ["auc"]}}}'
    assert gate(text, metrics={"auc": 0.9}).message == "gates/production.json is satisfied"


def test_a_gate_says_which_field() -> None:
    text = '{"properties": {"metrics": {"properties": {"auc": {"minimum": 0.8}}}}}'
    found = gate(text, metrics={"auc": 0.78})
    assert "metrics.auc is 0.78, the gate asks for at least 0.8" in found.message
    assert (found.code, found.field) == ("GR203", ("metrics", "auc"))
    missing = gate('{"properties": {"metrics": {"required": ["auc"]}}}', metrics={"f1": 1.0})
    assert "metrics.auc is missing" in missing.message


@pytest.mark.parametrize(
    "schema",
    [
        '{"minimum": 0.5}',
        '{"maximum": 0.5}',
        '{"exclusiveMinimum": 0}',
        '{"exclusiveMaximum": 1}',
        '{"multipleOf": 0.5}',
        '{"not": {"minimum": 0.5}}',
        '{"anyOf": [{"minimum": 0.5}, {"maximum": 0.5}, true]}',
        '{"type": "string"}',
        '{"const": 0.5}',
        '{"enum": [0.5, "NaN"]}',
    ],
)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_B06_numbers_that_are_none_pass_no_gate(schema: str, value: float) -> None:
    text = f'{{"properties": {{"metrics": {{"properties": {{"auc": {schema}}}}}}}}}'
    assert not gate(text, metrics={"auc": value}).passed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ('{"type": "object", "type": "array"}', "stands twice"),
        ('{"minimum": NaN}', "no JSON"),
        ('{"type": 12}', "no JSON Schema"),
        ("[" * 100_000, "no JSON"),
        ('{"$ref": "#/$defs/none"}', "refers to"),
        ('{"$ref": "#"}', "refers to itself without an end"),
        ('{"patternProperties": {"(": true}}', ""),
        ('{"properties": {"metrics": {"properties": {"auc": {"multipleOf": 1' + "0" * 400 + "}}}}}", ""),
        ('{"unevaluatedProperties": false, "patternProperties": {"a": true}}', "not supported"),
        ('{"description": "' + "x" * (1 << 20) + '"}', "more than"),
    ],
)
def test_B08_a_gate_that_can_not_be_read_passes_nobody(text: str, why: str) -> None:
    found = gate(text, metrics={"auc": 0.5})
    assert not found.passed and found.code == "GR203" and why in found.message


def test_a_gate_that_is_not_there() -> None:
    assert "is not there" in only(GATED).message


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and the paths that it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()


def test_B19_a_gate_fetches_nothing(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    url, paths = asked
    (tmp_path / "all.json").write_text("true")
    for ref in (f"{url}/all.json", (tmp_path / "all.json").as_uri(), "all.json"):
        found = gate(f'{{"$ref": "{ref}"}}')
        assert not found.passed and "can't be read" in found.message
        named = gate(f'{{"$id": "{ref}", "$ref": "other.json"}}')
        assert not named.passed
    assert gate(f'{{"$schema": "{url}/schema", "type": "object"}}').code in ("", "GR203")
    assert paths == []


@pytest.mark.parametrize(
    "schema",
    [
        '{"properties": {"source": {"pattern": "^(a+)+$"}}}',
        '{"patternProperties": {"^(s+)+x$": false}}',
        '{"properties": {"tags": {"patternProperties": {"^(a+)+$": false}, "additionalProperties": false}}}',
        '{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {'
        + ", ".join(
            f'"{one}": {{"allOf": [{{"$ref": "#/$defs/{two}"}}, {{"$ref": "#/$defs/{two}"}}]}}'
            for one, two in zip("abcdefghijklmnopqrstuvwx", "bcdefghijklmnopqrstuvwxy", strict=True)
        )
        + ', "y": {}}}',
    ],
)
def test_B20_a_gate_ends_in_time(schema: str) -> None:
    from dataclasses import replace

    made = version()
    text = "a" * 30 + "!"
    made = replace(made, origin=replace(made.origin, source=text), tags={text: "x"})
    began = time.thread_time()
    judge_entering(entering(GATED, made), World(gates={"gates/production.json": schema.encode()}).material)
    assert time.thread_time() - began < 1.0


SIGNED = Stage(name="Production", signed=True)


@pytest.mark.parametrize(
    ("one", "passed"),
    [
        (CommitSignature(commit="c" * 40, author="ann@example.com", signer=("Ann@example.com",)), True),
        (CommitSignature(commit="c" * 40, author="ann@example.com", merge=True), True),
        (CommitSignature(commit="c" * 40, author="ann@example.com", signer=("bob@example.com",)), False),
        (CommitSignature(commit="c" * 40, author="ann@example.com"), False),
        (CommitSignature(commit="c" * 40, author="ann@example.com", fault="it is not signed"), False),
    ],
)
def test_F09_signed(one: CommitSignature, passed: bool) -> None:
    found = only(SIGNED, World(signatures=(one,)))
    assert (found.passed, found.code) == (passed, "" if passed else "GR207")
    assert passed or "cccccccccc" in found.message


def test_signed_where_there_is_no_commit() -> None:
    assert not only(SIGNED).passed


@given(st.floats(), st.floats(), st.sampled_from(["higher", "lower"]), st.floats(0, 1))
def test_no_worse_never_passes_what_is_worse(new: float, old: float, direction: str, slack: float) -> None:
    rule = NoWorse(metric="m", direction=direction, tolerance=slack)  # type: ignore[arg-type]
    case = entering(
        Stage(name="Production", no_worse=(rule,)),
        version(metrics={"m": new}),
        version(1, metrics={"m": old}),
    )
    (found,) = judge_entering(case, World().material)
    if not math.isfinite(new):
        assert not found.passed
    elif math.isfinite(old):
        loss = old - new if direction == "higher" else new - old
        size = max(abs(old), abs(new), slack)
        assert found.passed or loss > slack
        assert not found.passed or loss <= slack + 1e-8 * size
