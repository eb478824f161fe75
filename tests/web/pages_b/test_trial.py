"""What a trial by new users found on these pages."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from tests.web.pages_b.conftest import Browser, git
from tests.web.pages_b.making import made


@pytest.fixture
def own(story: Path, tmp_path: Path) -> Browser:
    """A copy of the story, which may be changed."""
    place = tmp_path / "own"
    shutil.copytree(story, place)
    return Browser(place)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A model with many metrics, keys of which have numbers."""
    place = made(tmp_path, versions=2)
    with Store(Repository.discover(place)) as store:
        registry = Registry(store)
        for number in (3, 4):
            registry.register(
                "many",
                f"s3://many/{number}",
                description="# A *new* [way](https://example.com)\n\nmore",
                metrics={f"metric_{each}": 100.0 ** (number - 3) * each for each in range(1, 21)},
                params={"layer_10": "b", "layer_2": str(number)},
            )
    return place


def test_changed_lines_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    place = made(tmp_path, versions=2)
    with Store(Repository.discover(place)) as store:
        registry = Registry(store)
        registry.update("churn/1", description="first\nold\nlast")
        registry.update("churn/2", description="first\nnew\nlast")
    read = Browser(place).get("/compare?version=churn/1&version=churn/2")
    assert "  first\n− old\n+ new\n  last\n" in read.text


def test_too_many_versions_are_compared_as_far_as_they_fit(tmp_path: Path) -> None:
    place = made(tmp_path, versions=11)
    query = "&".join(f"version=churn/{number}" for number in range(1, 12))
    read = Browser(place).get(f"/compare?{query}")
    assert "the first 8" in read.text and "3 others not shown" in read.text
    assert "/models/churn/8" in read.links and "/models/churn/9" not in read.links


def test_a_proposal_that_is_merged_says_so_at_its_old_address(own: Browser) -> None:
    branch = "gitreg/promote/churn/8/Production"
    address = f"/proposals/{branch}"
    assert "Waiting" in own.get(address).text
    ada = ("-c", "user.name=Ann Merger", "-c", "user.email=ann@example.com")
    git(own.place, *ada, "merge", "-q", "--no-ff", "-m", "merge it", branch)
    git(own.place, "branch", "-D", branch)
    read = own.get(address)
    assert "Production was given to churn v8" in read.text
    assert "Merged by" in read.text and "Ann Merger" in read.text
    assert "Proposed by" in read.text and "/models/churn/8" in read.links
    assert any(link.startswith("/activity/") for link in read.links)


def test_a_proposal_that_was_withdrawn_leads_to_its_version(own: Browser) -> None:
    branch = "gitreg/promote/churn/8/Production"
    git(own.place, "branch", "-D", branch)
    read = own.get(f"/proposals/{branch}", status=404)
    assert "never held that stage" in read.text and "withdrawn" in read.text
    assert "/models/churn/8" in read.links and f"/activity?model={quote('churn/8', safe='')}" in read.links
    own.get("/proposals/gitreg/promote/churn/99/Production", status=404)
    own.get("/proposals/gitreg/promote/churn/8/Nowhere", status=404)


def test_proposals_are_those_of_now_whatever_is_looked_at(story: Path) -> None:
    for asked, settings in (("?at=2025-06-10", {}), ("", {"at": "2025-06-10"})):
        text = Browser(story, **settings).get(f"/proposals{asked}").text
        assert "Proposals are those of now." in text and "The registry as of" not in text
    assert "The registry as of" in Browser(story).get("/models?at=2025-06-10").text


def test_who_approved_and_merged_is_named_by_name(own: Browser) -> None:
    branch = "gitreg/promote/churn/8/Production"
    approver = git(own.place, "log", "-1", "--format=%an", branch)
    ann = ("-c", "user.name=Ann Merger", "-c", "user.email=ann@example.com")
    git(own.place, *ann, "merge", "-q", "--no-ff", "-m", "merge it", branch)
    listed = own.get("/activity?model=churn/8").text
    assert "Merged by Ann Merger" in listed and "Proposed by" in listed
    shown = own.get("/models/churn/8").text
    approvals = git(own.place, "log", "--format=%s", branch, "--grep", "approve version 8")
    assert approvals, "the story has an approval"
    assert f"approve version 8 for Production, by {approver}" in shown
    assert f"for Production, by {approver}" in listed


def test_numbers_in_keys_stand_in_their_order_and_are_read_easily(filled: Path) -> None:
    browser = Browser(filled)
    text = browser.asking("GET", "/models/many/2").text
    shown = browser.get("/models/many/2").text
    rows = re.findall(r"metric_[0-9]+", text)
    assert rows.index("metric_2") < rows.index("metric_10")
    assert shown.index("layer_2") < shown.index("layer_10")
    assert "+9,900 %" in shown
    compared = browser.get("/compare?version=many/1&version=many/2&all=1").text
    assert compared.index("layer_2") < compared.index("layer_10")


def test_a_description_in_a_list_is_plain_text(filled: Path) -> None:
    for path in ("/models/many", "/search"):
        assert "A new way" in Browser(filled).get(path).text
        assert "# A" not in Browser(filled).get(path).text


def test_half_a_filter_is_told_quietly(browser: Browser) -> None:
    asked = "/search?q=" + quote("metrics.auc >")
    typing = browser.asking("GET", asked, headers={"HX-Request": "true"}).text
    whole = browser.asking("GET", asked).text
    assert 'class="problem"' in whole and 'role="alert"' in whole
    assert 'class="problem"' not in typing and 'role="alert"' not in typing and 'class="fault"' in typing
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert browser.asking("GET", asked, headers=back).text == whole


def test_an_empty_registry_says_on_the_search_how_to_begin(place: Path) -> None:
    read = Browser(place).get("/search")
    assert "There is no model yet" in read.text and "gitreg register churn" in read.text


def test_a_refusal_keeps_the_navigation_and_the_time(browser: Browser) -> None:
    read = browser.get("/models/churn/8?at=2025-01-20", status=404)
    assert 'there was no version 8 of "churn", as of 2025-01-20' in read.text
    assert {"/models/churn/8", "/activity?at=2025-01-20", "/policy?at=2025-01-20"} <= {*read.links}
    assert "/models/churn?at=2025-01-20" in read.links and "gitreg list" not in read.text
    assert re.search("Not found · .*[a-z]", read.text)
    read = browser.get("/models?at=01/02/2025", status=400)
    assert "2026-01-15" in read.text and "/activity" in read.links
    read = browser.get("/activity/ffffffff", status=404)
    assert "/activity" in read.links and "gitreg log" not in read.text
