"""The pages in a browser: finding while one types, keys, phones, and nothing that a console would tell."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.pages_b.conftest import ODD, PROPOSED, Browser, named
from tests.web.serving import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
SWITCHES += " --disable-component-update --disable-sync"

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not importlib.util.find_spec("playwright"), reason="needs Playwright for Python"),
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (scripts/system-packages chromium)"),
]

COMPARED = "/compare?version=churn/1&version=churn/7&version=churn/8"
PATHS = [
    COMPARED,
    "/search?q=churn",
    "/search?q=metrics.auc > 0.9",
    "/activity",
    "/proposals",
    f"/proposals/{PROPOSED}",
    "/policy?version=churn/8&stage=Production",
]


@pytest.fixture(scope="module")
def server(story: Path) -> Iterator[Served]:
    with served(story) as found:
        yield found


@contextlib.contextmanager
def looking(faults: list[str], *, wide: int = 1280, **more: Any) -> Iterator[Page]:
    """A page in a browser; what goes wrong in it is added to ``faults``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        page = started.new_page(viewport={"width": wide, "height": 800}, **more)
        page.set_default_timeout(30_000)
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"page: {error}"))
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        yield page
        started.close()


def _count(page: Page, which: str, count: int) -> None:
    """Wait until there are so many elements; the pages' policy forbids what would be shorter."""
    from playwright.sync_api import expect

    expect(page.locator(which)).to_have_count(count, timeout=30_000)


def test_no_page_is_wider_than_a_phone_and_the_console_is_silent(server: Served) -> None:
    faults: list[str] = []
    for wide, scheme in ((390, "dark"), (1280, "light")):
        with looking(faults, wide=wide, color_scheme=scheme) as page:
            for path in PATHS:
                page.goto(server.url + path)
                assert page.evaluate("document.documentElement.scrollWidth") <= wide, path
    assert faults == []


def test_search_finds_while_one_types(server: Served) -> None:
    faults: list[str] = []
    with looking(faults) as page:
        page.goto(f"{server.url}/search")
        page.keyboard.press("/")
        page.keyboard.type("lightgbm 127")
        page.wait_for_url("**q=lightgbm*127*")
        page.get_by_role("link", name="churn/4", exact=True).wait_for()
        _count(page, "#found tbody tr", 1)
        assert page.evaluate("document.activeElement.id") == "q", "who types goes on typing"
        page.locator("#q").fill("metric.auc > 0.9")
        page.locator("#found .fault").wait_for()  # quietly: it may be half of what is meant
        assert page.get_by_role("alert").count() == 0
        assert 'did you mean "metrics.auc"?' in page.locator("#found").inner_text()
        page.locator("#q").fill("metrics.auc > 0.9")
        _count(page, "#found tbody tr", 3)
        page.select_option("#order_by", "metrics.auc DESC")
        page.wait_for_url("**order_by=metrics.auc*")
        assert page.locator("#found tbody th").first.inner_text().startswith("churn/8")
    assert faults == []


def test_versions_are_added_and_left_out_with_the_keyboard(server: Served) -> None:
    faults: list[str] = []
    with looking(faults) as page:
        page.goto(f"{server.url}/compare")
        page.keyboard.press("/")
        page.keyboard.type("churn/1")
        page.keyboard.press("Tab")
        page.keyboard.type("churn/Production")
        page.keyboard.press("Enter")
        page.wait_for_url("**version=churn*version=churn*")
        assert page.locator("table thead th").count() == 3
        page.keyboard.press("/")
        page.keyboard.type("churn/8")
        page.keyboard.press("Enter")
        _count(page, "table thead th", 4)
        page.get_by_label("Leave out churn/1").press("Enter")
        _count(page, "table thead th", 3)
    assert faults == []


def test_everything_can_be_read_without_scripts(server: Served) -> None:
    faults: list[str] = []
    with looking(faults, java_script_enabled=False) as page:
        page.goto(f"{server.url}/search")
        page.locator("#q").fill("challenger")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="churn/8", exact=True).wait_for()
        page.goto(f"{server.url}/activity")
        page.get_by_text("More filters").click()
        page.locator("#author").fill("turing")
        page.get_by_role("button", name="Show", exact=True).last.click()
        _count(page, ".commits > li", 1)
        page.goto(f"{server.url}/proposals/{PROPOSED}")
        page.get_by_text("Every difference between the two versions").click()
        page.get_by_text("learning_rate").wait_for()
    assert faults == []


def test_hostile_texts_do_nothing_in_a_browser(hostile: Browser) -> None:
    faults: list[str] = []
    with served(hostile.place) as server, looking(faults) as page:
        page.goto(f"{server.url}/activity")
        commits = page.evaluate(
            "[...document.querySelectorAll('.oid')].map(each => each.getAttribute('href'))"
        )
        name = named(ODD)
        for path in (
            f"/compare?version={name}/1&version={name}/2&all=1",
            "/search?q=best",
            "/policy",
            *commits,
        ):
            page.goto(server.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
            assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
    assert faults == []
