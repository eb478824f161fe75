"""What pages tell of a change of the rules, and of a proposal that moves many versions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from tests.web.pages_b.conftest import Browser, git
from tests.web.pages_b.making import made

TIDY = "gitreg/rules/tidy"


def commit(place: Path, said: str) -> None:
    git(place, "-c", "user.name=Olu", "-c", "user.email=olu@example.com", "commit", "-qam", said)


@pytest.fixture
def tidied(story: Path, tmp_path: Path) -> Path:
    """The demo's registry, in which Olu proposes to tidy up the settings."""
    place = tmp_path / "registry"
    shutil.copytree(story, place, symlinks=True)
    git(place, "checkout", "-q", "-b", TIDY)
    settings, gate = place / "gitreg.yaml", place / "gates/production.json"
    assert "count: 2" in settings.read_text()
    settings.write_text(settings.read_text().replace("count: 2", "count: 1"))
    gate.write_text(gate.read_text().replace("0.8", "0.1").replace("type", "<script>\u202e\x7f"))
    commit(place, "Tidy up the settings")
    git(place, "checkout", "-q", "main")
    return place


def test_a_proposal_tells_what_would_be_asked_otherwise(tidied: Path) -> None:
    read = Browser(tidied).get(f"/proposals/{TIDY}")
    assert "It would lower the bar for Production: 1 approval instead of 2." in read.text
    assert "▼ lowers the bar: Production: approvals 2 → 1" in read.text
    assert "gates/production.json: it asks for something else: read it" in read.text
    assert '"<script>' in read.text, "as text"
    assert f"gitreg approve {TIDY} --policy" in read.text


def test_a_commit_tells_it_afterwards(tidied: Path) -> None:
    git(tidied, "merge", "-q", "--ff-only", TIDY)
    oid = git(tidied, "rev-parse", "HEAD").strip()
    read = Browser(tidied).get(f"/activity/{oid}")
    assert "▼ lowers the bar: Production: approvals 2 → 1" in read.text
    assert "auc" in read.text


def test_many_moves_are_folded_away(tmp_path: Path) -> None:
    place = made(tmp_path, versions=5)
    git(place, "checkout", "-q", "-b", "gitreg/many")
    with Store(Repository.discover(place)) as store:
        registry = Registry(store)
        with registry.batch("all of them"):
            for number in range(1, 6):
                registry.transition(f"churn/{number}", "Staging")
    git(place, "checkout", "-q", "main")
    html = Browser(place).asking("GET", "/proposals/gitreg/many").text
    before, _, after = html.partition("<details><summary>Each of the 5 versions</summary>")
    assert "Lineage of" not in before and after.count("Lineage of") == 5
    assert html.count("<details") == html.count("</details>")
