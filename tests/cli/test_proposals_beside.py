"""Proposals of two registries that lie in folders of one repository, and share its branches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitreg.domain.branches import belongs, elsewhere, home
from gitreg.registry.proposal_names import promoted, promotion
from tests.servers.people import Person, person
from tests.servers.shared import Shared

FOLDERS = ("", "ml", "teams/fraud é", "promote", "in")


@pytest.fixture
def team(tmp_path: Path) -> Shared:
    """A registry with the same model in each of two folders."""
    bare = tmp_path / "registry.git"
    alice, bob = (person(each, tmp_path, url=f"file://{bare}") for each in ("alice", "bob"))
    alice.work.mkdir()
    alice.git("init", "-q", "--bare", "-b", "main", str(bare))
    alice.git("init", "-q", "-b", "main")
    for folder in ("ml", "teams/fraud é"):
        alice.gitreg("init", folder, "--stage", "Staging", "--stage", "Production!")
        for version in (1, 2):
            alice.gitreg("register", "churn", f"s3://{version}", "--registry", folder)
    alice.git("remote", "add", "origin", alice.url)
    alice.git("push", "-q", "-u", "origin", "main")
    return Shared(bare=bare, alice=alice, bob=bob.clone())


def listed(who: Person, folder: str) -> list[str]:
    said = json.loads(who.gitreg("proposals", "--json", "--registry", folder).out)
    return [each["branch"] for each in said["proposals"]]


def test_neither_takes_the_others_place(team: Shared) -> None:
    alice, bob = team.alice, team.bob
    made = {
        folder: json.loads(
            alice.gitreg("promote", "churn/2", "Production", "--json", "--registry", folder).out
        )
        for folder in ("ml", "teams/fraud é")
    }
    assert [each["warnings"] for each in made.values()] == [[], []]
    branches = [each["branch"] for each in made.values()]
    assert branches == [
        "gitreg/in/ml/promote/churn/2/Production",
        "gitreg/in/teams+fraud%20%C3%A9/promote/churn/2/Production",
    ]
    for folder, branch in zip(made, branches, strict=True):
        assert listed(bob, folder) == [branch]
        shown = bob.gitreg("review", "churn/2", "Production", "--registry", folder).out
        assert "gitreg merge churn/2 Production" in shown
    refused = bob.gitreg("merge", branches[1], "--registry", "ml", code=3).words
    assert "another registry" in refused and "--registry" in refused
    bob.gitreg("merge", "churn/2", "Production", "--registry", "ml")
    assert "Production" in team.git("show", "main:ml/models/churn/versions/2.yaml")
    assert listed(bob, "ml") == [] and listed(bob, "teams/fraud é") == branches[1:]
    bob.gitreg("withdraw", "churn/2", "Production", "--registry", "teams/fraud é")
    assert team.refs("refs/heads/gitreg") == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_branch_belongs_to_one_registry(folder: str) -> None:
    prefix = f"{folder}/" if folder else ""
    branch = promotion("in", 2, "Production", prefix=prefix)
    told = promoted(branch)
    assert told is not None and (told.subject, told.stage) == ("in/2", "Production")
    owners = [one for one in FOLDERS if belongs(branch, f"{one}/" if one else "")]
    assert owners == [folder]
    assert elsewhere(branch, "other/") and not elsewhere("mine", "other/")


def test_a_very_long_folder_has_a_branch() -> None:
    one, other = (home("/".join([name * 100] * 9) + "/") for name in "ab")
    assert one != other and len(one) < 250
