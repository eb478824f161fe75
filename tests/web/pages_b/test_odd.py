"""Registries that are empty, broken in part, bare, in a folder, or looked at in the past as a whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitreg.domain.settings import Settings
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create, create_bare
from tests.web.pages_b.conftest import PROPOSED, Browser, git
from tests.web.pages_b.making import made

PATHS = ["/compare", "/search", "/search?q=x", "/activity", "/proposals", "/policy"]


def test_an_empty_registry_says_what_to_type(tmp_path: Path) -> None:
    place = tmp_path / "registry"
    create_bare(place, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    browser = Browser(place)
    for path in PATHS:
        browser.get(path)
    assert "gitreg register churn" in browser.get("/search").text
    assert "gitreg promote NAME/12 Production" in browser.get("/proposals").text


@pytest.fixture
def broken(tmp_path: Path) -> Browser:
    """A registry in which one of two versions can't be read any more."""
    place = made(tmp_path, versions=2)
    (place / "models/churn/versions/1.yaml").write_text("version: [1\n", encoding="utf-8")
    git(
        place,
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.com",
        "commit",
        "-qam",
        "break it",
        "--no-verify",
    )
    return Browser(place)


def test_what_can_be_read_is_shown_beside_what_can_t(broken: Browser) -> None:
    assert "versions/1.yaml was changed and can’t be read" in broken.get("/activity").text
    read = broken.get(f"/activity/{git(broken.place, 'rev-parse', 'HEAD')}")
    assert "models/churn/versions/1.yaml changed and can’t be read" in read.text
    found = broken.get("/search?q=churn")
    assert "churn/2" in found.text and "1 manifest can’t be read" in found.text
    broken.get("/policy")
    broken.get("/proposals")


def test_a_version_that_can_t_be_read_is_told_in_its_place(broken: Browser) -> None:
    read = broken.get("/compare?version=churn/1&version=churn/2", status=400)
    assert "1.yaml" in read.text and "churn/2 is alone" in read.text


def test_a_proposal_that_breaks_a_manifest_is_shown_with_the_finding(tmp_path: Path) -> None:
    place = made(tmp_path, versions=2)
    ann = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    git(place, "switch", "-qc", "gitreg/odd/one")
    (place / "models/churn/versions/1.yaml").write_text("version: [1\n", encoding="utf-8")
    git(place, *ann, "commit", "-qam", "break it", "--no-verify")
    git(place, "switch", "-q", "main")
    browser = Browser(place)
    assert "Not ready" in browser.get("/proposals").text
    assert "1.yaml" in browser.get("/proposals/gitreg/odd/one").text


def test_a_registry_in_a_folder_of_a_larger_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "big")], check=True)
    place = tmp_path / "big" / "sub" / "registry"
    place.mkdir(parents=True)
    create(place, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    browser = Browser(place)
    for path in PATHS:
        browser.get(path)


def test_a_server_of_the_past_shows_that_alone(story: Path) -> None:
    browser = Browser(story, at="2025-03-01")
    assert "version 8" not in browser.get("/activity").text
    assert "churn/2" in browser.get("/compare?version=churn/1&version=churn/Production").text
    assert "churn/8" not in browser.get("/search?q=churn").text
    read = browser.get(f"/proposals/{PROPOSED}")
    assert not read.all("form") or all(each.get("method") == "get" for each in read.all("form"))


def test_a_bare_clone_is_the_same(story: Path, tmp_path: Path) -> None:
    place = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--mirror", str(story), str(place)], check=True)
    browser = Browser(place)
    assert "1 open proposal" in browser.get("/proposals").text
    assert browser.get("/activity").links == Browser(story).get("/activity").links


def test_pages_are_small_whatever_a_registry_holds(hostile: Browser) -> None:
    for path in ("/activity", "/search?q=best", "/policy", "/compare?version=x", *_commits(hostile)):
        answer = hostile.asking("GET", path)
        assert len(answer.content) < 100_000, path


def _commits(browser: Browser) -> list[str]:
    return [link for link in browser.get("/activity").links if link.startswith("/activity/")]
