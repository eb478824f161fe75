"""Buttons of proposals: none that only refuses, and none that takes another's approvals away unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.open import open_registry
from gitreg.web.identity import Role
from tests.signing.conftest import key_of
from tests.web.actions.conftest import ADA, Log, Visit
from tests.web.actions.test_deciding import BRANCH, PAGE, guarded, key, people, proposed
from tests.web.actions.visiting import Visitor, forms

__all__ = ["guarded", "key", "key_of", "people", "proposed"]


def test_no_button_that_only_refuses(proposed: Callable[[str], Visitor], visit: Visit, key: Path) -> None:
    def buttons(who: Visitor) -> list[str]:
        page = who.get(PAGE).text
        return [verb for verb in ("approve", "merge", "withdraw") if f'href="{PAGE}/{verb}"' in page]

    assert buttons(proposed("Ann")) == ["withdraw"], "she proposed it, and nobody has approved it"
    assert buttons(proposed("Carol")) == ["withdraw"], "the rules do not name her"
    assert buttons(proposed("Bob")) == ["approve", "withdraw"]
    assert "gitreg approve" in proposed("Ann").get(PAGE).text
    assert proposed("Bob").fill(f"{PAGE}/approve").status_code == 303
    assert buttons(proposed("Bob")) == ["merge", "withdraw"]
    assert buttons(visit("Bob", user_role=Role.WRITER, signing_key=str(key))) == ["withdraw"]
    assert buttons(visit("Bob", user_role=Role.READER, signing_key=str(key))) == []


@pytest.mark.parametrize("told", [{"signing_key": ""}, {"user_role": Role.WRITER}])
def test_no_approve_button_where_the_server_can_not_vouch(
    proposed: Callable[[str], Visitor], visit: Visit, key: Path, told: dict[str, object]
) -> None:
    assert f"{PAGE}/approve" in proposed("Bob").get(PAGE).text
    bob = visit("Bob", **({"user_role": Role.APPROVER, "signing_key": str(key)} | told))
    assert f"{PAGE}/approve" not in bob.get(PAGE).text
    assert "gitreg approve churn/2 Production" in bob.get(PAGE).text


def test_rules_that_take_no_server_s_word_have_no_approve_button(people: Callable[[str], Visitor]) -> None:
    form = people("Ann").load("/models/churn/2/transition?stage=Locked")
    assert people("Ann").send(form, how="propose").status_code == 303
    assert "/approve" not in people("Bob").get("/proposals/gitreg/promote/churn/2/Locked").text


def test_what_is_proposed_and_approved_is_not_made_anew_unseen(
    people: Callable[[str], Visitor], newest: Log, guarded: Path
) -> None:
    ann, bob, carol = people("Ann"), people("Bob"), people("Carol")
    late = carol.load("/models/churn/2/transition?stage=Production")
    form = ann.load("/models/churn/2/transition?stage=Production")
    ann.send(form, how="propose")
    assert ann.send(form, how="propose").headers["location"] == f"{PAGE}?done=open", "sent twice"
    bob.fill(f"{PAGE}/approve")
    with open_registry(guarded, author=ADA) as registry:
        registry.register("churn", "s3://models/churn/3")  # the proposal would begin elsewhere now
    before = newest("%H", BRANCH)
    done = carol.send(late, how="propose")
    assert done.headers["location"] == f"{PAGE}?done=open" and newest("%H", BRANCH) == before
    assert "nothing was changed" in carol.get(done.headers["location"]).text
    page = carol.get("/models/churn/2/transition?stage=Production").text
    assert "0 of 1 approval" not in page, "the proposal has them"
    assert "Go to the proposal (1 of 1 approval)" in page and "Ann has proposed this already" in page
    assert (
        "the approval of bob@example.com goes along where it still counts" in page
        and "You become its author" in page
    )
    (form,) = forms(page)
    assert carol.send(form, how="propose").headers["location"] == f"{PAGE}?done=proposed"
    assert newest("%an", BRANCH) == "Bob", "his approval counts for Carol's proposal, too"
    assert newest("%an", f"{BRANCH}^") == "Carol"


def test_the_stage_button_leads_to_what_is_proposed(proposed: Callable[[str], Visitor], newest: Log) -> None:
    ann = proposed("Ann")
    before = newest("%H", BRANCH)
    page = ann.get("/models/churn/2/transition?stage=Production").text
    assert f'<a class="button" href="{PAGE}">Go to the proposal (0 of 1 approval)</a>' in page
    (form,) = forms(page)
    done = ann.send(form, how="propose", message="Finds more")
    assert done.headers["location"] == f"{PAGE}?done=open" and newest("%H", BRANCH) == before
