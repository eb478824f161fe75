"""What the pages of a model and of a version do in a browser."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from tests.web.browser.conftest import CHROMIUM, Watched, chromium, original, shown, watched
from tests.web.serving import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium", "original", "shown", "watched"]

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not importlib.util.find_spec("playwright"), reason="needs Playwright for Python"),
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (scripts/system-packages chromium)"),
]


def test_versions_are_compared_with_the_keyboard_alone(watched: Watched, shown: Served) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models/churn")
    compare = page.get_by_role("button", name="Compare")
    assert compare.is_disabled()
    page.get_by_label("Compare version 8").focus()
    page.keyboard.press("Space")
    assert compare.is_disabled()
    page.get_by_label("Compare version 7").focus()
    page.keyboard.press("Space")
    assert compare.is_enabled()
    compare.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?version=churn%2F8&version=churn%2F7")
    page.go_back()
    page.get_by_role("heading", name="churn", exact=True).first.wait_for()
    chosen = page.locator("input[name=version]:checked").count()
    assert page.get_by_role("button", name="Compare").is_enabled() == (chosen >= 2)


def test_the_lineage_leads_on_by_mouse_and_keyboard(watched: Watched, shown: Served) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models/churn/8")
    page.locator(".lineage a", has_text="customer-embedding/2").click()
    page.wait_for_url("**/models/customer-embedding/2")
    page.locator(".lineage a", has_text="churn/7").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/churn/7")


def test_pictures_keep_to_their_measures_on_the_page(watched: Watched, shown: Served) -> None:
    page = watched.page
    page.goto(f"{shown.url}/models/churn/8")
    widths = page.locator(".lineage .bar").evaluate_all("all => all.map(one => one.getBBox().width)")
    assert widths
    assert set(widths) == {4}


def test_code_is_copied(chromium: Browser, shown: Served) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    try:
        page = context.new_page()
        page.goto(f"{shown.url}/models/churn/7")
        page.get_by_text("Command line").click()
        page.locator("[data-copy=load-cli]").click()
        page.get_by_role("button", name="Copied").wait_for()
        said = page.evaluate("navigator.clipboard.readText()")
        assert said == "gitreg resolve churn/7\ngitreg show churn/7 --json"
    finally:
        context.close()


def test_without_scripts_versions_can_be_compared(chromium: Browser, shown: Served) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    try:
        page = context.new_page()
        page.goto(f"{shown.url}/models/churn")
        page.get_by_label("Compare version 2").check()
        page.get_by_label("Compare version 1").check()
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url("**/compare?version=churn%2F2&version=churn%2F1")
    finally:
        context.close()
