"""The stage button: what its page says, what it does, and what others did meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gitreg.registry.open import open_registry
from tests.registry.team import with_rules
from tests.web.actions.conftest import ADA, Log
from tests.web.actions.visiting import Visitor, forms


def test_the_page_says_what_will_happen(ann: Visitor) -> None:
    page = ann.get("/models/churn/2/transition?stage=production").text
    assert "Move churn/2 to" in page and "Move to Production</button>" in page
    assert ">version 1</a> since" in page and "Archive version 1 that holds it now" in page
    assert "nothing: it can be moved directly" in page
    page = ann.get("/models/churn/2/transition?stage=Staging").text
    assert "no version" in page and 'name="archive"' not in page
    assert "already" in ann.get("/models/churn/1/transition?stage=Production").text
    for stage, status in (("", 400), ("Prodction", 400), ("None", 200)):
        assert ann.get(f"/models/churn/1/transition?stage={stage}").status_code == status


def test_the_page_says_who_leaves_and_who_stays(ann: Visitor, seeded: Path, git: Callable[..., str]) -> None:
    page = ann.get("/models/churn/2/transition?stage=Production").text
    assert "Without it both hold Production: version 1 and version 2." in page
    assert ">v2</a>" in page, "the crumb, as on the version's page"
    settings = seeded / "gitreg.yaml"
    rules = (
        "stages: [{name: Staging}, {name: Production, exclusive: true, from: [Staging]}, {name: Archived}]\n"
    )
    settings.write_text(with_rules(settings.read_text(), rules))
    git("commit", "-q", "-a", "-m", "rules")
    page = ann.get("/models/churn/2/transition?stage=Production").text
    assert "version 1 leaves Production" in page and "no other version holds it" not in page
    assert "One version of a model holds Production at a time" in page
    assert "A version may come from Staging only." in page and "<b>from</b>" not in page


def test_moving_beside_the_holder_and_archiving_it(ann: Visitor, newest: Log, seeded: Path) -> None:
    done = ann.fill("/models/churn/2/transition?stage=Production", message="Better")
    assert done.status_code == 303 and done.headers["location"].startswith("/models/churn/2?committed=")
    assert newest("%an <%ae>|%s") == "Ann <ann@example.com>|churn: transition version 2 to Production"
    body = newest("%B")
    for each in ("Better", "Gitreg-Event: transition", "Gitreg-Version: 2", "Gitreg-Stage: Production"):
        assert each in body
    with open_registry(seeded, author=ADA) as registry:
        assert "Production" in registry.version("churn/1").stages
        registry.register("churn", "s3://models/churn/3")
    done = ann.fill("/models/churn/3/transition?stage=Production", archive="yes")
    assert done.status_code == 303
    with open_registry(seeded) as registry:
        held = {number: list(registry.version(f"churn/{number}").stages) for number in (1, 2, 3)}
    assert held == {1: ["Archived"], 2: ["Archived"], 3: ["Production"]}


def test_out_of_all_stages(ann: Visitor, seeded: Path) -> None:
    assert ann.fill("/models/churn/1/transition?stage=None").status_code == 303
    with open_registry(seeded) as registry:
        assert registry.version("churn/1").stages == {}


def test_sending_it_twice(ann: Visitor, newest: Log) -> None:
    form = ann.load("/models/churn/2/transition?stage=Staging")
    assert ann.send(form, how="move").status_code == 303
    before = newest("%H")
    done = ann.send(form, how="move", message="again")
    assert done.status_code == 409 and newest("%H") == before
    assert "changed meanwhile" in done.text and "It holds Staging already" in done.text
    assert "transition version 2 to Staging" in done.text


def test_somebody_else_was_faster(ann: Visitor, newest: Log, seeded: Path) -> None:
    form = ann.load("/models/churn/2/transition?stage=Production")
    with open_registry(seeded, author=ADA) as registry:
        registry.register("churn", "s3://models/churn/3")
        registry.transition("churn/3", "Production", archive_existing=True)
    before = newest("%H")
    done = ann.send(form, how="move", message="Mine", archive="yes")
    assert done.status_code == 409 and newest("%H") == before
    assert ">version 3</a> since" in done.text and "Mine</textarea>" in done.text
    assert "Ada Lovelace" in done.text
    (again,) = forms(done.text)
    assert ann.send(again, how="move").status_code == 303


def test_another_version_that_came_meanwhile_is_no_conflict(ann: Visitor, seeded: Path) -> None:
    form = ann.load("/models/churn/2/transition?stage=Production")
    with open_registry(seeded, author=ADA) as registry:
        registry.register("churn", "s3://models/churn/3")
    assert ann.send(form, how="move").status_code == 303


def test_the_buttons_that_roll_back_are_those_that_can(
    ann: Visitor, seeded: Path, git: Callable[..., str]
) -> None:
    def offered() -> list[str]:
        page = ann.get("/models/churn").text
        stages = ("Staging", "Production", "Archived")
        found = [stage for stage in stages if f'rollback?stage={stage}"' in page]
        for stage in stages[:2]:
            works = ann.get(f"/models/churn/rollback?stage={stage}").status_code == 200
            assert works == (stage in found), stage
        return found

    assert offered() == [], "nothing held a stage before"
    ann.fill("/models/churn/2/transition?stage=Production", archive="yes")
    assert offered() == ["Production"]
    ann.fill("/models/churn/rollback?stage=Production")
    assert offered() == [], "version 1 was the first"
    ann.fill("/models/churn/2/transition?stage=Staging")
    ann.fill("/models/churn/2/transition?stage=None")
    assert offered() == ["Staging"]
    ann.fill("/models/churn/2/delete", confirm="churn/2")
    assert offered() == []
    ann.fill("/models/churn/2/restore")
    settings = seeded / "gitreg.yaml"
    rules = (
        "stages: [{name: Staging, approvals: {count: 1, approvers: [b@example.com]}}, {name: Production}]\n"
    )
    settings.write_text(with_rules(settings.read_text(), rules))
    git("commit", "-q", "-a", "-m", "rules")
    assert offered() == [], "the rules ask for approvals"


def test_rolling_back(ann: Visitor, newest: Log, seeded: Path) -> None:
    assert ann.fill("/models/churn/2/transition?stage=Production", archive="yes").status_code == 303
    page = ann.get("/models/churn/rollback?stage=Production").text
    assert "Production goes back to version 1. Version 2 leaves it." in page
    (form,) = forms(page)
    assert ann.send(form, message="Slow").status_code == 303
    assert newest("%an|%s") == "Ann|churn: roll Production back to version 1"
    assert ann.send(form).status_code == 409, "it would go elsewhere now"
    assert ann.get("/models/churn/rollback?stage=Staging").status_code == 409
    assert ann.get("/models/churn/rollback").status_code == 400
