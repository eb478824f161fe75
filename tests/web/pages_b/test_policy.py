"""The rules in words, and a trial of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.domain.settings import Approvals, NoWorse, PolicySettings, Settings, Stage, TagSettings
from gitreg.render.policy_words import of_approvals, of_rules, of_stage, of_tags
from tests.web.pages_b.conftest import Browser, Read, git
from tests.web.pages_b.making import made


def test_each_stage_says_what_it_asks(browser: Browser) -> None:
    read = browser.get("/policy")
    for said in (
        "One version of a model holds Production at a time",
        "A version may come from Staging only.",
        "Its auc must not be lower than that of the version in Production (higher is better).",
        "by more than 0.01",
        "2 of grace@example.com and alan@example.com must approve.",
        "No rules: whoever may write may move a version here.",
        '"minimum": 0.85',
        "SHA256:",
        "NAME/v12",
    ):
        assert said in read.text, said
    assert any(attrs.get("id") == "stage-Production" for attrs in read.all("section"))


def test_its_links_lead_somewhere(browser: Browser, leads_nowhere: Callable[[Read], list[str]]) -> None:
    assert leads_nowhere(browser.get("/policy?version=churn/8&stage=Production")) == []


def test_the_rules_are_those_of_the_time(browser: Browser) -> None:
    text = browser.get("/policy?at=2025-07-01").text
    assert "One version of a model holds Production at a time" in text and "must approve" not in text
    assert "names nobody" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("version=churn/8&stage=Production", "It can be proposed"),
        ("version=churn/4&stage=Production", "It can’t be moved like this"),
        ("version=churn/4&stage=Staging", "It could be moved now"),
        ("version=churn/7&stage=production", "is in production already"),
        ("version=churn/99&stage=Production", "99"),
        ("version=churn&stage=Production", "say which version"),
        ("version=churn/8&stage=Prodction", "did you mean"),
        ("version=churn%00/8&stage=Production", "invisible character"),
    ],
)
def test_a_trial_says_what_would_happen(browser: Browser, query: str, said: str) -> None:
    before = git(browser.place, "for-each-ref")
    assert said in browser.get(f"/policy?{query}").text
    assert git(browser.place, "for-each-ref") == before


def test_a_trial_agrees_with_the_command(browser: Browser) -> None:
    words = ["policy", "test", "churn/4", "Production", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "gitreg", *words],
        cwd=browser.place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)
    text = browser.get("/policy?version=churn/4&stage=Production").text
    assert len(told["rules"]) > 5
    for rule in told["rules"]:
        assert rule["message"] in text


def test_a_gate_that_is_missing_and_keys_that_are_broken_are_told(tmp_path: Path) -> None:
    place = made(tmp_path, versions=1)
    file = place / "gitreg.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "  - Production\n", "  - {name: Production, gate: gates/none.json}\n"
    )
    assert "gates/none" in text
    file.write_text(text, encoding="utf-8")
    (place / "keys").mkdir()
    (place / "keys/allowed_signers").write_text("nonsense\n", encoding="utf-8")
    git(place, "add", ".")
    git(place, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "rules")
    said = Browser(place).get("/policy").text
    assert "The file is missing, so nothing passes." in said
    assert "keys/allowed_signers can’t be read" in said


def test_every_rule_has_a_sentence() -> None:
    stage = Stage(
        name="Live",
        exclusive=True,
        allowed_from=("None", "Staging"),
        gate="gates/x.json",
        no_worse=(NoWorse(metric="loss", direction="lower", tolerance=0.5, evaluation="holdout"),),
        requires=("lineage", "card", "digest"),
        approvals=Approvals(count=1, approvers=("a@x", "@b/c"), codeowners=True, valid_days=1),
        signed=True,
    )
    told = {each.rule: each.text for each in of_stage(stage)}
    assert list(told) == ["exclusive", "from", "gate", "no_worse", "requires", "approvals", "signed"]
    assert told["from"] == "A version may come from no stage at all or Staging only."
    assert told["no_worse"] == (
        "Its loss of the evaluation holdout must not be higher than that of the version in Live by more than 0.5 "
        "(lower is better)."
    )
    assert told["approvals"] == (
        "1 of a@x, @b/c and the owners in CODEOWNERS must approve. "
        "Nobody approves what they made themselves; an approval counts for 1 day."
    )
    assert of_stage(Stage(name="Free")) == ()


def test_what_a_change_of_the_rules_needs() -> None:
    asked = Approvals(count=2, approvers=("a@x",))
    own = Settings(policy=PolicySettings(approvals=asked, signed=True))
    assert [each.rule for each in of_rules(own, asked)] == ["policy.approvals", "policy.signed"]
    assert [each.rule for each in of_rules(Settings(), asked)] == ["policy.approvals", "policy"]
    assert "Nobody need approve" in of_rules(Settings(), None)[0].text
    assert "the rules name nobody" in of_approvals(Approvals(count=2))


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (TagSettings(prefix="m/"), "called m/NAME/v12 and m/NAME/STAGE/3."),
        (TagSettings(made_for="stages"), "Each assignment of a stage gets a Git tag, called NAME/STAGE/3."),
        (TagSettings(made_for="none"), "No Git tags are made."),
        (TagSettings(style="gto"), "in the form that GTO reads."),
    ],
)
def test_which_tags_are_made(tags: TagSettings, said: str) -> None:
    assert of_tags(Settings(tags=tags)).endswith(said)
