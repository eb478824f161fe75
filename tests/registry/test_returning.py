"""Rollbacks under rules: what was had is given back, whoever does it and however; nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.registry.test_judging import head, registrant, verdict
from tests.servers.people import Person, person

RULES = """\
stages:
  - name: Staging
{staging}  - name: Production
    exclusive: true
    from: [Staging]
    gate: gates/production.json
    no_worse:
      - metric: auc
        direction: higher
{production}  - name: Archived
"""
GATE = '{"properties": {"tags": {"required": ["reviewed"]}}, "required": ["tags"]}'
ASKED = "    approvals:\n      count: 2\n      approvers: [bob@example.com, carol@example.com]\n"


@pytest.fixture
def ann(tmp_path: Path) -> Person:
    """churn/2 took Production from churn/1, which satisfied a gate that came later."""
    made = registrant(tmp_path)
    made.gitreg("transition", "churn/1", "Production")
    made.gitreg("transition", "churn/2", "Staging")
    made.gitreg("transition", "churn/2", "Production", "--archive-existing")
    return made


def rule(who: Person, *, production: str = "", staging: str = "", keys: bool = False) -> None:
    text = (who.work / "gitreg.yaml").read_text()
    before, _, after = text.partition("stages:\n")
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith((" ", "-")):
        rest.pop(0)
    who.write("gitreg.yaml", before + "".join(rest) + RULES.format(production=production, staging=staging))
    who.write("gates/production.json", GATE)
    if keys:
        people = (person(name, who.home.parent) for name in ("bob", "carol"))
        who.write("keys/allowed_signers", "".join(f"{one.email} {one.public_key}\n" for one in people))
    who.commit("rules")


def stages(who: Person) -> dict[int, list[str]]:
    return {
        each["version"]: sorted(each["stages"])
        for each in json.loads(who.gitreg("list", "churn", "--json").out)
    }


def test_a_rollback_is_not_asked_what_the_first_time_was_asked(ann: Person) -> None:
    rule(ann)
    before = head(ann)
    ann.gitreg("rollback", "churn", "Production", "-m", "scores are 0")
    assert stages(ann) == {1: ["Production"], 2: ["Staging"], 3: []}
    assert verdict(ann, before, "HEAD") == (0, [])
    assert verdict(ann, "--all") == (0, [])


def test_the_same_by_an_editor_and_in_a_clone_without_an_index(ann: Person, tmp_path: Path) -> None:
    rule(ann)
    before = head(ann)
    ann.gitreg("rollback", "churn", "Production")
    ann.git("reset", "-q", "--soft", before)
    ann.commit("back to 1")
    clone = Person(name="ann", home=ann.home, work=tmp_path / "clone")
    ann.git("clone", "-q", f"file://{ann.work}", str(clone.work))
    assert verdict(clone, before, "HEAD") == (0, [])


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("churn/1", "Production", "--archive-existing"), 5),  # 2 did not come from Archived
        (("churn/3", "Production", "--archive-existing"), 5),  # 3 never held it
    ],
    ids=["another move", "another version"],
)
def test_what_is_no_rollback_is_asked(ann: Person, args: tuple[str, ...], code: int) -> None:
    rule(ann)
    said = ann.gitreg("transition", *args, code=code)
    assert "only Staging may go to Production" in said.err


def test_a_rollback_in_a_push_with_the_promotion_that_it_takes_back(ann: Person) -> None:
    rule(ann)
    before = head(ann)
    ann.gitreg("tag", "churn/3", "reviewed=yes")
    ann.gitreg("transition", "churn/3", "Staging")
    ann.gitreg("transition", "churn/3", "Production", "--archive-existing")
    ann.gitreg("rollback", "churn", "Production")
    assert stages(ann) == {1: ["Archived"], 2: ["Production"], 3: ["Staging"]}
    assert verdict(ann, before, "HEAD") == (0, [])


@pytest.mark.parametrize(("eased", "needed"), [("", 2), ("    rollback_approvals: 1\n", 1)])
def test_approvals_are_asked_all_the_same(ann: Person, eased: str, needed: int) -> None:
    """Of the version that comes back alone: not of the one that makes room, although Staging asks, too."""
    rule(ann, production=ASKED + eased, staging=ASKED, keys=True)
    said = ann.gitreg("rollback", "churn", "Production", code=5)
    assert f"0 of {needed} approval" in said.err and "Staging" not in said.err
    assert "--propose" in said.err
    before = head(ann)
    ann.gitreg("rollback", "churn", "Production", "--propose")
    found = json.loads(ann.gitreg("proposals", "--json").out)["proposals"]
    assert head(ann) == before
    assert [each["message"] for each in found[0]["findings"]] == [
        f"churn/1 → Production: 0 of {needed} approval{'s' if needed > 1 else ''}"
    ]


def test_a_stage_whose_rollbacks_nobody_approves(ann: Person) -> None:
    rule(ann, production=ASKED + "    rollback_approvals: 0\n", staging=ASKED, keys=True)
    before = head(ann)
    ann.gitreg("rollback", "churn", "Production")
    assert verdict(ann, before, "HEAD") == (0, [])
    said = ann.gitreg("transition", "churn/2", "Production", "--archive-existing", code=5)
    assert "0 of 2 approvals" in said.err
    ann.gitreg("promote", "churn/2", "Production")
    (move,) = (
        each
        for each in json.loads(ann.gitreg("review", "churn/2", "Production", "--json").out)["moves"]
        if each["stage"] == "Production"
    )
    assert move["undo"] == "gitreg rollback churn Production --to 1"


@pytest.mark.parametrize("how", ["unassign", "delete"])
def test_an_empty_stage_lowers_no_bar(ann: Person, how: str) -> None:
    """Who takes the better version out first is compared with it all the same."""
    rule(ann)
    ann.gitreg("register", "churn", "s3://models/churn/4", "--metric", "auc=0.5", "--tag", "reviewed=yes")
    ann.gitreg("transition", "churn/4", "Staging")
    before = head(ann)
    if how == "unassign":
        ann.gitreg("unassign", "churn/2", "Production")
    else:
        ann.gitreg("delete", "churn/2", "--yes")
    said = ann.gitreg("transition", "churn/4", "Production", code=5)
    assert "worse than the 0.92 of churn/2, which held the stage last" in said.err
    assert verdict(ann, before, "HEAD") == (0, [])


def test_a_rollback_is_approved_and_merged(ann: Person) -> None:
    rule(ann, production=ASKED + "    rollback_approvals: 1\n", staging=ASKED, keys=True)
    ann.gitreg("rollback", "churn", "Production", "--propose", "-m", "scores are 0")
    (found,) = json.loads(ann.gitreg("proposals", "--json").out)["proposals"]
    bob = Person(name="bob", home=ann.home.parent / "bob", work=ann.work)
    said = json.loads(bob.gitreg("approve", found["branch"], "--yes", "--json").out)
    assert [(each["version"], each["stage"]) for each in said["approvals"]] == [(1, "Production")]
    ann.gitreg("merge", found["branch"])
    assert stages(ann) == {1: ["Production"], 2: ["Staging"], 3: []}
    assert verdict(ann, "--all") == (0, [])


def test_an_approval_outlives_the_promotions_of_others_and_not_its_own(ann: Person) -> None:
    """F22 for a stage that many versions may hold."""
    asked = "    approvals:\n      count: 1\n      approvers: [bob@example.com]\n"
    rule(ann, staging=asked, keys=True)
    bob = Person(name="bob", home=ann.home.parent / "bob", work=ann.work)
    for version in (1, 3):
        ann.gitreg("promote", f"churn/{version}", "Staging")
        bob.gitreg("approve", f"churn/{version}", "Staging", "--yes")
    ann.gitreg("merge", "churn/3", "Staging")
    said = json.loads(ann.gitreg("proposals", "--json").out)["proposals"]
    assert [(each["passes"], each["findings"]) for each in said] == [(True, [])]
    ann.gitreg("merge", "churn/1", "Staging")
    ann.gitreg("unassign", "churn/1", "Staging")
    said = ann.gitreg("assign", "churn/1", "Staging", code=5)
    assert "0 of 1 approval" in said.err
    assert verdict(ann, "--all") == (0, [])


def test_a_model_that_is_restored_holds_what_it_held(ann: Person) -> None:
    rule(ann)
    before = head(ann)
    ann.gitreg("delete", "churn", "--yes")
    ann.gitreg("restore", "churn")
    assert stages(ann)[2] == ["Production"]
    assert verdict(ann, before, "HEAD") == (0, [])


def test_who_restores_a_model_gives_nothing_away_that_it_did_not_hold(ann: Person) -> None:
    rule(ann)
    before = head(ann)
    ann.gitreg("delete", "churn", "--yes")
    gone = head(ann)
    ann.gitreg("restore", "churn")
    ann.git("reset", "-q", "--soft", gone)
    file = "models/churn/versions/{}.yaml"
    stage = next(
        line
        for line in (ann.work / file.format(2)).read_text().splitlines()
        if line.startswith("  Production:")
    )
    for number, old, new in ((2, f"stages:\n{stage}\n", ""), (3, "", f"stages:\n{stage}\n")):
        text = (ann.work / file.format(number)).read_text()
        ann.write(file.format(number), text.replace(old, new) if old else text + new)
    ann.commit("restored, and a little more")
    code, found = verdict(ann, before, "HEAD")
    assert (code, "GR202" in found) == (1, True)


def test_a_model_is_restored_by_a_proposal_where_that_needs_approval(ann: Person) -> None:
    rule(ann, production=ASKED + "    rollback_approvals: 1\n", keys=True)
    ann.gitreg("delete", "churn", "--yes")
    said = ann.gitreg("restore", "churn", code=5)
    assert "0 of 1 approval" in said.err and "gitreg restore churn --propose" in said.err
    ann.gitreg("restore", "churn", "--propose")
    (found,) = json.loads(ann.gitreg("proposals", "--json").out)["proposals"]
    bob = Person(name="bob", home=ann.home.parent / "bob", work=ann.work)
    bob.gitreg("approve", found["branch"], "--yes")
    ann.gitreg("merge", found["branch"])
    assert stages(ann)[2] == ["Production"]
    assert verdict(ann, "--all") == (0, [])
