"""The key that an approver signs with, wherever it lies, and what whoever has none that counts is told."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.registry.team import Original, Team
from tests.servers.people import Person

ASKED = ("approve", "churn/2", "Production", "--yes")


@pytest.fixture(scope="session")
def one_once(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original.of(tmp_path_factory.mktemp("keys"), 1)


@pytest.fixture
def team(one_once: Original) -> Team:
    return one_once.again()


def unset(who: Person, *names: str) -> None:
    for name in names:
        who.run("git", "config", "--global", "--unset", name, at=who.home)


def new_key(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return str(path)


def test_the_listed_key_is_found_among_others(team: Team) -> None:
    """Whatever is configured for commits: no other key would count."""
    bob = team.bob
    other = new_key(bob.home / ".ssh/id_ed25519")
    for half in ("", ".pub"):
        shutil.move(f"{bob.home}/key{half}", f"{bob.home}/.ssh/work{half}")
    bob.configure(("user.signingKey", other))
    bob.gitreg(*ASKED)
    assert team.verdict() == []


def test_without_a_key_the_way_to_one_is_told_step_by_step(team: Team) -> None:
    """What each message says to type next is typed, until the approval counts."""
    bob, carol = team.bob, team.carol
    unset(bob, "user.signingKey", "gpg.format")
    shutil.move(bob.home / "key", bob.home / "lost")
    said = bob.gitreg(*ASKED, code=5).words
    assert "there is no SSH key to sign with" in said and "ssh-keygen -t ed25519" in said
    new_key(bob.home / ".ssh/id_ed25519")
    said = bob.gitreg(*ASKED, code=5).words
    assert "would not count: the key SHA256:" in said and "nobody's" in said
    bob.run("sh", "-e", "-c", "git " + said.partition("propose yours: git ")[2].partition("\n")[0])
    carol.gitreg("approve", "gitreg/keys/bob", "--policy", "--yes")
    carol.gitreg("merge", "gitreg/keys/bob")
    bob.gitreg(*ASKED)
    assert team.verdict() == []


def test_another_address_than_the_keys_know(team: Team) -> None:
    bob = team.bob
    bob.configure(("user.email", "12+bob@users.noreply.example"))
    said = bob.gitreg(*ASKED, code=5).words
    assert "but yours is there as bob@example.com's" in said
    again = said.partition("help: gitreg ")[2].splitlines()[0].split()
    assert again == ["approve", "churn/2", "Production", "--as", "bob@example.com"]
    bob.gitreg(*again, "--yes", "--dry-run")
    said = bob.gitreg(*ASKED, "--as", "carol@example.com", code=5).words
    assert "is bob@example.com's, and not carol@example.com's" in said


def test_a_name_is_spelled_as_the_keys_spell_it(team: Team) -> None:
    said = team.bob.gitreg(*ASKED, "--as", "BOB@Example.com").words
    assert "as bob@example.com" in said


def test_who_has_written_it_approves_by_no_other_name(team: Team) -> None:
    ann = replace(team.ann, more={"GIT_COMMITTER_EMAIL": "ann@example.com"})
    said = ann.gitreg(*ASKED, "--as", "bob@example.com", "--key", str(team.bob.home / "key"), code=5).words
    assert "an author can't approve" in said and "ann@example.com wrote it" in said


def test_a_key_that_others_can_read(team: Team) -> None:
    key = team.bob.home / "key"
    key.chmod(0o644)
    said = team.bob.gitreg(*ASKED, "--key", str(key), code=5).words
    assert "others can read the key's file" in said
    team.bob.run("sh", "-c", said.partition("help: ")[2].splitlines()[0])
    team.bob.gitreg(*ASKED, "--key", str(key))


def test_a_version_without_its_stage(team: Team) -> None:
    said = team.bob.gitreg("approve", "churn/2", "--yes", code=3).words
    assert "say for which stage: churn/2 Production" in said or "churn/2 STAGE" in said
    said = team.carol.gitreg("approvals", "churn/2", "Production", "--offline", code=3).words
    assert "nobody proposes that churn/2 enters Production" in said
    team.carol.gitreg("approvals", "churn/2", "Production", code=1)
