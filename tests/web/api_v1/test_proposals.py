"""A promotion through the API alone: proposed, read, approved by a token's owner, merged; judged by Git."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gitreg.gitstore.objects import Person
from gitreg.web.identity import Identity, Kind, Role
from tests.signing.conftest import key_of
from tests.web.actions.conftest import seeded
from tests.web.actions.test_deciding import BRANCH, SERVER, guarded, key
from tests.web.api_v1.conftest import Api
from tests.web.api_v1.test_roles import asking_as
from tests.web.conftest import Git

__all__ = ["guarded", "key", "key_of", "seeded"]

PATH = f"/proposals/{BRANCH.replace('/', '%2F')}"


class Caller:
    """Somebody with a token."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def __call__(self, status: int, method: str, path: str, document: Any = None) -> Any:
        found = self._ask(method, path, b"" if document is None else json.dumps(document).encode())
        assert found.status == status, found.content
        return json.loads(found.content)


Team = Callable[..., Caller]


@pytest.fixture
def team(guarded: Path, key: Path) -> Iterator[Team]:
    with ExitStack() as stack:

        def caller(
            name: str, role: Role = Role.APPROVER, kind: Kind = "token", signing_key: str = str(key)
        ) -> Caller:
            person = Person(name=name, email=f"{name.lower()}@example.com") if name else None
            who = Identity(person=person, role=role, kind=kind)
            return Caller(stack.enter_context(asking_as(guarded, who, key=signing_key)))

        yield caller


@pytest.fixture
def proposed(team: Team) -> dict[str, Any]:
    asked = {"version": "churn/2", "stage": "Production", "archive_existing": True}
    return team("Ann")(201, "POST", "/proposals", asked)


def test_from_the_proposal_to_the_tag(team: Team, proposed: dict[str, Any], git: Git) -> None:
    ann, bob = team("Ann"), team("Bob")
    told = bob(200, "GET", PATH)
    assert (told["branch"], told["passes"], told["state"]) == (BRANCH, False, "0 of 1 approval")
    assert told["head"] == git("rev-parse", BRANCH) and told["base"] == git("rev-parse", "main")
    (move,) = [each for each in told["review"]["moves"] if each["stage"] == "Production"]
    assert move["approvals"]["needed"] == 1 and move["approvals"]["given"] == []
    assert told["by"] == "Ann <ann@example.com>"
    refused = ann(403, "POST", f"{PATH}/approve", {"head": told["head"]})
    assert "an author can't approve" in refused["detail"]

    done = bob(200, "POST", f"{PATH}/approve", {"head": told["head"], "message": "Tried it"})
    (approval,) = done["approvals"]
    assert (approval["approver"], approval["model"], approval["number"]) == ("bob@example.com", "churn", 2)
    assert done["commit"] == git("rev-parse", BRANCH)
    assert git("log", "-1", "--format=%an <%ae>", BRANCH) == "Bob <bob@example.com>"
    again = bob(200, "POST", f"{PATH}/approve", {"head": done["commit"]})
    assert (again["commit"], again["already"]) == (None, ["churn/2 for Production"])

    told = bob(200, "GET", PATH)
    assert told["passes"] is True and told["review"]["ready"] is True
    (move,) = [each for each in told["review"]["moves"] if each["stage"] == "Production"]
    assert [each["attester"] for each in move["approvals"]["given"]] == [SERVER]
    bob(200, "POST", f"{PATH}/merge", {"mode": "squash"})
    assert "churn/Production/2" in git("tag").split()
    bob(404, "GET", PATH)


def test_what_was_not_reviewed_is_not_approved(
    team: Team, proposed: dict[str, Any], place: Path, git: Git
) -> None:
    bob = team("Bob")
    told = bob(409, "POST", f"{PATH}/approve", {"head": "a" * 40})
    assert told["where"] == "body.head" and "read it again" in told["hint"]
    assert git("rev-parse", BRANCH) == proposed["commit"]
    bob(400, "POST", f"{PATH}/approve", {})
    bob(400, "POST", f"{PATH}/approve", {"head": proposed["commit"], "as": "ann@example.com"})


@pytest.mark.parametrize(
    ("who", "status", "words"),
    [
        ({"name": "Bob", "kind": "local"}, 403, "nobody has said who you are"),
        ({"name": "", "kind": "token"}, 403, "nobody has said who you are"),
        ({"name": "Bob", "signing_key": ""}, 403, "no key to vouch for you"),
        ({"name": "Carol"}, 403, "do not name this person"),
        ({"name": "Bob", "role": Role.WRITER}, 403, "needs the role approver"),
    ],
    ids=["nobody", "a token of nobody", "no key", "no approver", "a writer"],
)
def test_who_can_not_approve(
    team: Team, proposed: dict[str, Any], git: Git, who: dict[str, Any], status: int, words: str
) -> None:
    told = team(**who)(status, "POST", f"{PATH}/approve", {"head": proposed["commit"]})
    assert words in told["detail"]
    assert git("rev-parse", BRANCH) == proposed["commit"]


def test_proposals_that_are_not_there(team: Team, guarded: Path) -> None:
    for path in ("/proposals/7", PATH, "/proposals/%1B", f"/proposals/{'x' * 300}"):
        team("Bob")(404, "GET", path)
        team("Bob")(404, "POST", f"{path}/approve", {"head": "a" * 40})


def test_one_that_can_not_be_merged_says_so(
    team: Team, proposed: dict[str, Any], place: Path, git: Git
) -> None:
    file = place / "models" / "churn" / "versions" / "2.yaml"
    git("switch", "-q", BRANCH)
    file.write_text(file.read_text().replace("updated:", "description: mine\nupdated:"))
    git("commit", "-qam", "mine")
    git("switch", "-q", "main")
    file.write_text(file.read_text().replace("updated:", "description: theirs\nupdated:"))
    git("commit", "-qam", "theirs")
    told = team("Bob")(200, "GET", PATH)
    assert told["review"] is None and "can't be merged" in told["state"]


def test_the_review_is_the_command_s(full: Api, command: Callable[..., Any]) -> None:
    full("POST", "/proposals", {"version": "churn/1", "stage": "Staging"})
    branch = "gitreg/promote/churn/1/Staging"
    told = full.get(f"/proposals/{branch.replace('/', '%2F')}")
    assert told["review"] == command("review", branch)
