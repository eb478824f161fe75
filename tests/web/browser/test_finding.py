"""Finding and looking back, with the mouse and with the keyboard alone."""

from __future__ import annotations

import re

import pytest

from tests.web.browser.conftest import Watched
from tests.web.serving import Served

expect = pytest.importorskip("playwright.sync_api").expect


def test_search_as_you_type(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models")
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(7)
    page.keyboard.press("/")
    page.keyboard.type("rank")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("product-ranking")
    expect(page).to_have_url(re.compile(r"[?&]q=rank"))
    # What was typed stays, and the cursor with it.
    assert page.evaluate("document.activeElement.value") == "rank"
    page.go_back()
    expect(rows).to_have_count(7)


def test_a_stage_narrows_the_list(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models")
    page.get_by_role("link", name="Production", exact=True).first.click()
    expect(page.locator("#found tbody tr")).to_have_count(5)


def test_as_of_with_the_keyboard_alone(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models")
    page.locator("details.asof summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("2025-06-10")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("as of 2025-06-10")
    row = page.locator("#found tbody tr", has_text="churn")
    expect(row).to_contain_text("v6")
    # The time comes along to the next page, and one step leads back to now.
    page.get_by_role("link", name="churn", exact=True).first.click()
    expect(page.get_by_role("status")).to_contain_text("as of 2025-06-10")
    page.get_by_role("link", name="Back to now").first.click()
    expect(page.get_by_role("status")).to_have_count(0)


def test_light_and_dark_are_kept(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != before
    page.reload()
    assert page.evaluate(ground) != before
