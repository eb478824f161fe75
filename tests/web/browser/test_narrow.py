"""Phones and keyboards: nothing scrolls sideways or lies outside, signed in and with menus open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gitreg.web.identity import Role
from tests.web.access.conftest import Keys
from tests.web.browser.conftest import Watched
from tests.web.serving import Served, served

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api").expect
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def signed_in(copied: Path, chromium: Browser, width: int) -> Iterator[Page]:
    """A phone whose owner came for the models, was asked to sign in, and did."""
    token, _ = Keys(copied).token(Role.WRITER, **{"churn*": Role.ADMIN})
    with served(copied, "--sign-in") as server:
        page = Watched(chromium, viewport={"width": width, "height": 800}).page
        answer = page.goto(f"{server.url}/models/churn?metric=auc")
        assert answer is not None and answer.status == 401
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{server.url}/models/churn?metric=auc")
        yield page
        page.close()


@pytest.mark.parametrize("width", [360, 390])
def test_menus_of_a_phone_lie_on_its_screen(signed_in: Page, width: int) -> None:
    page = signed_in
    for path in ("/models", "/models/churn", "/proposals"):
        page.goto(page.url.split("/models")[0].split("/proposals")[0] + path)
        assert page.evaluate(SIDEWAYS) <= 0, path
        for menu in page.locator(".tools details.menu").all():
            menu.locator("summary").click()
            box = menu.locator("form, .sheet").first.bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
            assert page.evaluate(SIDEWAYS) <= 0, path
    page.locator(".user summary").click()
    expect(page.locator(".user")).to_contain_text("admin for churn*")


@pytest.mark.parametrize("width", [360, 390])
def test_the_time_can_be_typed_on_a_phone(shown: Served, chromium: Browser, width: int) -> None:
    found = Watched(chromium, viewport={"width": width, "height": 800})
    page = found.page
    page.goto(f"{shown.url}/models/churn?at=2025-06-10")
    page.locator(".asof summary").click()
    box = page.locator("#at").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    assert page.evaluate("parseFloat(getComputedStyle(document.getElementById('at')).fontSize)") >= 16
    assert page.evaluate(SIDEWAYS) <= 0
    page.close()
    assert found.faults == []


def test_a_menu_that_the_focus_leaves_is_closed(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models")
    summary = page.locator(".asof summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#at")).to_be_visible()
    for _ in range(4):  # field, button, the link or button behind, and on
        page.keyboard.press("Tab")
    expect(page.locator("#at")).to_be_hidden()


def test_no_more_versions_are_chosen_than_are_compared(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models/churn")
    boxes = page.locator("#versions input[type=checkbox]")
    button = page.locator("#versions").get_by_role("button", name="Compare")
    assert boxes.count() >= 9
    for place in range(8):
        boxes.nth(place).check()
    expect(button).to_be_enabled()
    boxes.nth(8).check()
    expect(button).to_be_disabled()
    expect(page.locator("#versions .why")).to_have_text("9 are chosen: no more than 8 fit beside each other")


def test_a_reader_finds_the_other_versions_at_the_right(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models/churn/8?at=2025-12-01")  # the past has no buttons
    box = page.locator(".beside").bounding_box()
    main = page.locator(".heading").bounding_box()
    assert box is not None and main is not None
    assert box["x"] + box["width"] > main["x"] + main["width"] - 40


def test_what_scrolls_sideways_fades_where_there_is_more(shown: Served, chromium: Browser) -> None:
    found = Watched(chromium, viewport={"width": 390, "height": 800})
    page = found.page
    page.goto(f"{shown.url}/models/churn")
    plot = page.locator("#metrics .picture")
    expect(plot).to_have_class("picture onward")
    plot.evaluate("part => { part.scrollLeft = part.scrollWidth; }")
    expect(plot).to_have_class("picture")
    page.goto(f"{shown.url}/models/churn/8")
    cells = page.locator(".results thead th", has_text="Change").first
    box = cells.bounding_box()
    assert box is not None and box["x"] + box["width"] <= 390
    page.close()
    assert found.faults == []


def test_half_a_filter_is_not_shouted(shown: Served, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{shown.url}/search")
    page.locator("#q").press_sequentially("metrics.auc >")
    expect(page.locator("#found .fault")).to_be_visible()
    expect(page.locator("#found .problem")).to_have_count(0)
