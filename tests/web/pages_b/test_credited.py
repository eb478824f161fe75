"""The pages credit those whose approvals counted, and tell the others apart; changes of the rules, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.registry.approved import SERVER, Place, person, rules
from tests.signing.conftest import key_of
from tests.web.pages_b.conftest import Browser

__all__ = ["key_of"]
WHY = "the rules of the stage were others when it was signed"


@pytest.fixture
def place(tmp_path: Path, key_of: Callable[[str], Path]) -> Place:
    keys = {name: key_of(f"ed25519:{name}") for name in ("alice", "dave", "server")}
    return Place(tmp_path / "registry", keys, rules())


def test_whose_approval_counted(place: Place) -> None:
    place.git("switch", "-q", "-c", "proposal")
    with person("Bob"):
        place.move(1, "Production")
    place.approve(1, "Alice", attester=SERVER)
    place.approve(1, "Dave", rule="0" * 64)
    place.git("switch", "-q", "main")
    place.merge("merge")
    browser = Browser(place.folder)
    listed = browser.get("/activity?model=churn/1").text
    assert f"Approved by Alice (signed in at {SERVER})" in listed and "Merged by Carol" in listed
    assert f"Also signed, not counted: Dave ({WHY})" in listed
    shown = browser.get(f"/activity/{place.git('rev-parse', 'HEAD')}").text
    assert f"Dave ({WHY})" in shown and "Also signed, not counted" in shown


def test_a_change_of_the_rules(place: Place) -> None:
    place.git("switch", "-q", "-c", "proposal")
    with person("Bob"):
        place.write("gates/production.json", "{}\n")
        place.commit("A gate")
    place.approve_rules("Dave")
    place.git("switch", "-q", "main")
    place.merge("squash")
    listed = Browser(place.folder).get("/activity?event=policy").text
    assert "add gates/production.json" in listed and "add keys/allowed_signers" in listed
    assert "Proposed by Bob" in listed and "Approved by Dave" in listed and "Merged by Carol" in listed
