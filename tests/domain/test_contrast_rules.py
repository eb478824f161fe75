"""Which way each change of the rules goes: what lowers the bar is never called anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gitreg.domain.contrast_keys import KeyLine
from gitreg.domain.contrast_rules import RuleFile, Rules, contrast_rules, settings_change
from gitreg.domain.settings import Approvals, NoWorse, PolicySettings, Settings, Stage

NEW_YEAR, MAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
TWO = Approvals(count=2, approvers=("bob@example.com", "carol@example.com"), valid_days=30)
AUC = NoWorse(metric="auc", direction="higher", tolerance=0.01)


def stage(**more: Any) -> Settings:
    return Settings(stages=(Stage(name="Staging"), Stage(name="Production", **more)))


def told(before: Settings, after: Settings) -> list[tuple[str, object, object, str]]:
    found = contrast_rules(Rules(settings=before), Rules(settings=after))
    assert {each.subject for each in found} <= {"Production", "policy", "gitreg.yaml", "Staging"}
    return [(each.rule, each.before, each.after, each.effect) for each in found]


@pytest.mark.parametrize(
    ("rule", "weak", "strict", "said"),
    [
        ("approvals.count", {"approvals": replace(TWO, count=1)}, {"approvals": TWO}, (1, 2)),
        ("approvals.count", {}, {"approvals": replace(TWO, approvers=())}, (0, 2)),
        (
            "approvals.approvers",
            {"approvals": replace(TWO, approvers=(*TWO.approvers, "olu@example.com"))},
            {"approvals": TWO},
            ("olu@example.com", None),
        ),
        (
            "approvals.codeowners",
            {"approvals": replace(TWO, codeowners=True)},
            {"approvals": TWO},
            (True, False),
        ),
        ("approvals.valid_days", {"approvals": replace(TWO, valid_days=365)}, {"approvals": TWO}, (365, 30)),
        (
            "approvals.signed_in",
            {"approvals": replace(TWO, signed_in=("hub",))},
            {"approvals": TWO},
            ("hub", None),
        ),
        ("rollback_approvals", {"approvals": TWO, "rollback_approvals": 1}, {"approvals": TWO}, (1, 2)),
        ("exclusive", {}, {"exclusive": True}, (False, True)),
        ("signed", {}, {"signed": True}, (False, True)),
        ("gate", {}, {"gate": "gates/a.json"}, (None, "gates/a.json")),
        ("from", {}, {"allowed_from": ("Staging",)}, (None, "Staging")),
        (
            "from",
            {"allowed_from": ("Staging", "None")},
            {"allowed_from": ("staging",)},
            ("Staging, None", "staging"),
        ),
        ("requires", {}, {"requires": ("card",)}, (None, "card")),
        ("no_worse.auc", {}, {"no_worse": (AUC,)}, (None, "0.01")),
        (
            "no_worse.auc",
            {"no_worse": (replace(AUC, tolerance=0.05),)},
            {"no_worse": (AUC,)},
            ("0.05", "0.01"),
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_rule_of_a_stage(rule: str, weak: Any, strict: Any, said: tuple[object, object]) -> None:
    assert told(stage(**weak), stage(**strict)) == [(rule, *said, "raises")]
    assert told(stage(**strict), stage(**weak)) == [(rule, *reversed(said), "lowers")]
    assert told(stage(**strict), stage(**strict)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"gate": "gates/a.json"}, {"gate": "gates/b.json"}),
        ({"allowed_from": ("Staging",)}, {"allowed_from": ("None",)}),
        ({"no_worse": (AUC,)}, {"no_worse": (replace(AUC, direction="lower"),)}),
        ({"no_worse": (AUC,)}, {"no_worse": (replace(AUC, tolerance=0.0, percent=1.0),)}),
        ({"no_worse": (AUC, replace(AUC, tolerance=0.5))}, {"no_worse": (AUC,)}),
    ],
    ids=["gate", "from", "direction", "percent", "twice"],
)
def test_what_nobody_can_tell(one: Any, other: Any) -> None:
    for sides in ((one, other), (other, one)):
        assert [each[-1] for each in told(stage(**sides[0]), stage(**sides[1]))] == ["changes"]


def test_a_direction_that_turns_is_told() -> None:
    (found,) = told(stage(no_worse=(AUC,)), stage(no_worse=(replace(AUC, direction="lower"),)))
    assert found[1:3] == ("0.01 (higher is better)", "0.01 (lower is better)")


def test_another_order_asks_for_nothing_else() -> None:
    turned = replace(TWO, approvers=tuple(each.upper() for each in reversed(TWO.approvers)))
    assert told(stage(approvals=TWO), stage(approvals=turned)) == []


def test_who_may_approve_of_a_stage_that_asked_nobody() -> None:
    found = told(stage(), stage(approvals=TWO))
    assert found[-1] == ("approvals.count", 0, 2, "raises")
    assert {each[2] for each in found[:-1]} == set(TWO.approvers)
    assert {each[-1] for each in found[:-1]} == {"changes"}, "no wider circle than none"


def test_stages_come_and_go() -> None:
    whole, less = stage(approvals=TWO), Settings(stages=(Stage(name="Staging"),))
    assert told(whole, less) == [("", "Production", None, "lowers")]
    new = told(less, whole)
    assert ("", None, "Production", "changes") in new and ("approvals.count", 0, 2, "changes") in new
    plain = stage()
    assert told(plain, less) == [("", "Production", None, "changes")]
    renamed = Settings(stages=(Stage(name="Staging"), Stage(name="production")))
    found = contrast_rules(Rules(settings=plain), Rules(settings=renamed))
    assert [(each.rule, each.before, each.after) for each in found] == [("name", "Production", "production")]


def test_what_a_change_of_the_rules_needs() -> None:
    before = Rules(settings=stage(approvals=TWO), asked=TWO)
    one = replace(TWO, count=1)
    after = Rules(settings=stage(approvals=one), asked=one)
    assert [(each.subject, each.effect) for each in contrast_rules(before, after)] == [
        ("Production", "lowers"),
        ("policy", "lowers"),
    ], "who lowers the one lowers the other, where the rules say nothing of their own"


@pytest.mark.parametrize(
    ("before", "after", "effects"),
    [
        ({"policy": PolicySettings(signed=True)}, {}, ["lowers"]),
        ({}, {"merge_keys": ("ssh-ed25519 AAAA",)}, ["lowers"]),
        ({"merge_keys": ("ssh-ed25519 AAAA",)}, {"merge_keys": ("ssh-ed25519 aaaa",)}, ["lowers", "raises"]),
    ],
    ids=["signed", "merge key", "keys differ in the case of letters"],
)
def test_of_the_registry(before: Any, after: Any, effects: list[str]) -> None:
    assert [each[-1] for each in told(Settings(**before), Settings(**after))] == effects


def line(*principals: str, key: str = "a", **more: Any) -> KeyLine:
    return KeyLine(principals=principals, key=f"ssh-ed25519 SHA256:{key}", **more)


BOB, DAN = line("bob@example.com"), line("dan@example.com", key="d")


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ((BOB,), (BOB, line("bob@example.com", key="b")), "lowers"),
        ((BOB,), (BOB, line("carol@example.com", key="c")), "lowers"),
        ((BOB,), (BOB, DAN), "changes"),
        ((BOB, DAN), (BOB, DAN, line("bob@example.com", "dan@example.com", key="x")), "changes"),
        ((BOB,), (replace(BOB, until=MAY),), "raises"),
        ((replace(BOB, until=NEW_YEAR),), (replace(BOB, until=MAY),), "lowers"),
        ((replace(BOB, since=NEW_YEAR),), (replace(BOB, since=MAY),), "raises"),
        ((replace(BOB, since=NEW_YEAR, until=NEW_YEAR),), (replace(BOB, until=MAY),), "lowers"),
        ((replace(BOB, since=NEW_YEAR),), (replace(BOB, until=MAY),), "changes"),
        ((replace(BOB, namespaces=("git",)),), (BOB,), "lowers"),
        ((replace(BOB, namespaces=("git",)),), (replace(BOB, namespaces=("git", "!x")),), "changes"),
        ((BOB,), (line("bob@example.com", "@ml/reviewers"),), "lowers"),
        ((BOB,), (line("mallory@example.com"),), "changes"),
    ],
)
def test_keys(before: tuple[KeyLine, ...], after: tuple[KeyLine, ...], effect: str) -> None:
    settings = stage(approvals=TWO)
    sides = [Rules(settings=settings, keys=each) for each in (before, after)]
    assert [each.effect for each in contrast_rules(*sides)] == [effect]
    back = {"lowers": "raises", "raises": "lowers"}.get(effect, effect)
    assert [each.effect for each in contrast_rules(*reversed(sides))] == [back]
    assert contrast_rules(sides[0], replace(sides[0], keys=tuple(reversed(before)))) == ()


def test_a_file_means_what_its_text_means() -> None:
    one = RuleFile(path="gates/a.json", digest="1", text="{}\n")
    settings = Settings()

    def found(after: RuleFile | None) -> list[tuple[str, object]]:
        files = {"gates/a.json": after} if after else {}
        sides = Rules(settings=settings, files={"gates/a.json": one}), Rules(settings=settings, files=files)
        return [(each.effect, each.texts) for each in contrast_rules(*sides)]

    assert found(one) == []
    assert found(replace(one, digest="2")) == [("none", None)]
    assert found(replace(one, digest="2", text="[]\n")) == [("changes", ("{}\n", "[]\n"))]
    assert found(replace(one, digest="2", text=None)) == [("changes", None)]
    assert found(None) == [("changes", ("{}\n", ""))]


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("branch", "changes"),
        ("tags.prefix", "changes"),
        ("description", "none"),
        ("stages.A.description", "none"),
    ],
)
def test_settings_that_are_no_rules(key: str, effect: str) -> None:
    assert settings_change(key, "a", "b").effect == effect
