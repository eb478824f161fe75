"""Proposals: the list, and the review of one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.registry import proposals_shown
from gitreg.registry.proposals_shown import shelf
from gitreg.registry.service import ServiceStore
from tests.web.pages_b.conftest import EVIL, PROPOSED, Browser, Read, git

PAGE = f"/proposals/{PROPOSED}"


@pytest.fixture
def own(story: Path, tmp_path: Path) -> Browser:
    """A copy of the demo's registry, to be changed."""
    place = tmp_path / "registry"
    shutil.copytree(story, place, symlinks=True)
    return Browser(place)


def number(place: Path, count: int, **told: str) -> None:
    """Write what a server with our hooks keeps of a proposal."""
    meta = {"topic": PROPOSED, "title": "", "target": "main", "by": "Ada", "state": "open", **told}
    done = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=place,
        input=json.dumps(meta | {"updated": "2025-07-30T12:00:00+00:00"}),
        text=True,
        capture_output=True,
        check=True,
    )
    git(place, "update-ref", f"refs/proposals/{count}/meta", done.stdout.strip())
    git(place, "update-ref", f"refs/proposals/{count}/head", PROPOSED)


def test_open_ones_say_what_they_do_and_lack(browser: Browser) -> None:
    read = browser.get("/proposals")
    for said in ("1 open proposal", "churn/8", "churn/7 holds it now", "of 2", "Ada Lovelace", PROPOSED):
        assert said in read.text
    assert PAGE in read.links


def test_the_review_tells_what_a_reviewer_needs(browser: Browser) -> None:
    read = browser.get(PAGE)
    for said in (
        "Waiting for",
        "churn/8 would take Production from churn/7",
        "+0.016 (+1.8 %), better",
        "gates/production.json is satisfied",
        "may be given by",
        "s3://models/churn/8",
        "gitreg approve churn/8 Production",
        "gitreg merge churn/8 Production",
        "gitreg rollback churn Production",
        "Every difference between the two versions",
        "✗ not met",
        "✓ met",
    ):
        assert said in read.text, said


def test_its_links_lead_somewhere(browser: Browser, leads_nowhere: Callable[[Read], list[str]]) -> None:
    read = browser.get(PAGE)
    assert "/models/churn/7" in read.links and "/models/churn/8" in read.links
    assert leads_nowhere(read) == []


@pytest.mark.parametrize(
    "name",
    ["gitreg/nothing", "99", "main", "..%2F..%2FHEAD", "HEAD", "--help", "%00", "a" * 400, "refs/heads/main"],
)
def test_what_is_no_proposal_is_not_found(browser: Browser, name: str) -> None:
    browser.get(f"/proposals/{name}", status=404)


def test_no_proposal_says_how_to_make_one(hostile: Browser) -> None:
    assert "gitreg promote NAME/12 Production" in hostile.get("/proposals").text


def test_an_approval_and_a_new_base_are_seen_at_once(own: Browser) -> None:
    assert "0 of 2" in own.get("/proposals").text or "1 of 2" in own.get("/proposals").text
    git(
        own.place,
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.com",
        "merge",
        "-q",
        "--no-ff",
        "-m",
        "in",
        PROPOSED,
    )
    assert "No proposal is open" in own.get("/proposals").text
    assert "Nothing is left to merge" in own.get(PAGE).text


def test_one_that_is_in_conflict_is_shown_with_the_reason(own: Browser) -> None:
    file = own.place / "models/churn/versions/8.yaml"
    text = file.read_text(encoding="utf-8")
    assert "  Staging:" in text
    file.write_text(text.replace("  Staging:", "  Archived:"), encoding="utf-8")
    git(own.place, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qam", "elsewhere")
    assert "Not ready" in own.get("/proposals").text
    read = own.get(PAGE)
    assert "It can’t be merged as it is" in read.text and "changed on both sides" in read.text


def test_numbered_ones_are_known_by_number_and_closed_ones_told(own: Browser) -> None:
    number(own.place, 3, title=f"Please {EVIL}", by="<b>Eve")
    number(own.place, 1, state="merged", title="An old one")
    number(own.place, 2, state="withdrawn", title="Another", topic="x")
    read = own.get("/proposals")
    assert "#3" in read.text and "/proposals/3" in read.links and "<b>Eve" in read.text
    assert read.text.index("#2 Another") < read.text.index("#1 An old one")
    assert "Waiting" in own.get("/proposals/3").text
    closed = own.get("/proposals/1")
    assert "merged" in closed.text and "An old one" in closed.text


def test_a_clone_shows_what_it_fetched_last(story: Path, tmp_path: Path) -> None:
    place = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(story), str(place)], check=True)
    shutil.move(story / ".git", tmp_path / "away")  # nobody answers there any more
    try:
        read = Browser(place).get("/proposals")
        assert "as last fetched from origin" in read.text and PAGE in read.links
        assert "Waiting for" in Browser(place).get(PAGE).text
    finally:
        shutil.move(tmp_path / "away", story / ".git")


def test_a_remote_that_was_never_fetched_is_no_hindrance(own: Browser) -> None:
    git(own.place, "remote", "add", "origin", "https://git.invalid/models.git")
    assert "1 open proposal" in own.get("/proposals").text


def test_a_verdict_is_judged_once_for_two_commits(own: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = proposals_shown.looked_at

    def counted(store, up, one):  # type: ignore[no-untyped-def]
        asked.append(one.head)
        return real(store, up, one)

    monkeypatch.setattr(proposals_shown, "looked_at", counted)
    with ServiceStore(Repository.discover(own.place)) as store:
        first, second = shelf(store, most=5), shelf(store, most=5)
        assert first.open[0].state == second.open[0].state == "waiting"
        assert len(asked) == 1
        assert shelf(store, most=0).left == 1
