"""A site in Chromium, opened from disk and below a path of a static host: nothing may complain."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.browser.conftest import CHROMIUM, Watched, chromium, original, watched  # noqa: F401
from tests.web.site.building import build

pytestmark = [
    pytest.mark.skipif(not importlib.util.find_spec("playwright"), reason="needs Playwright for Python"),
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (scripts/system-packages chromium)"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def made(original: Path) -> Path:  # noqa: F811 (the fixture)
    """The site of the showcase, in a folder whose name has to be encoded."""
    out = original.parent / "the site, 100%"
    build(original, out / "below" / "registry")
    return out


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(params=["from disk", "from a host"])
def address(request: pytest.FixtureRequest, made: Path) -> Iterator[str]:
    """Where the site is, with a slash at its end."""
    if request.param == "from disk":
        yield (made / "below" / "registry").as_uri() + "/"
        return
    handler = functools.partial(Quiet, directory=str(made))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/below/registry/"
        server.shutdown()


def test_from_the_list_to_a_version_and_a_commit(address: str, watched: Watched) -> None:  # noqa: F811
    page = watched.page
    page.goto(address + "index.html")
    assert page.locator("#stands time").count() == 1
    page.get_by_role("link", name="churn", exact=True).click()
    page.wait_for_url(address + "models/churn/index.html")
    assert page.locator("h1").inner_text() == "churn"
    page.get_by_role("link", name="v7", exact=True).first.click()
    page.wait_for_url(address + "models/churn/7/index.html")
    assert "churn" in page.locator("h1").inner_text()
    page.locator("main a.oid").first.click()
    page.wait_for_url("**/commits/**")
    for name in ("Activity", "Policy", "Proposals", "Search", "Models"):
        page.locator("nav.sections").get_by_role("link", name=name, exact=True).click()
        page.locator("h1", has_text=name).wait_for()
    assert page.locator("nav.sections [aria-current]").inner_text() == "Models"


def test_finding_a_model_as_one_types(address: str, watched: Watched) -> None:  # noqa: F811
    page = watched.page
    page.goto(address + "models/churn/index.html")
    page.goto(address + "index.html")
    before = page.locator("#found tbody tr").count()
    page.keyboard.press("/")
    page.keyboard.type("EMBED")
    page.get_by_text("1 model found").wait_for()
    assert page.locator("#found tbody tr").count() == 1
    assert "q=EMBED" in page.url
    page.keyboard.type("nothing like it")
    page.get_by_text("No model matches.").wait_for()
    page.locator("#q").fill("")
    page.locator("#found tbody tr").nth(before - 1).wait_for()
    page.goto(address + "search/index.html?q=embed")
    page.locator("#found").get_by_role("link", name="customer-embedding").click()
    page.wait_for_url(address + "models/customer-embedding/index.html")


def test_comparing(address: str, watched: Watched) -> None:  # noqa: F811
    page = watched.page
    page.goto(address + "compare/index.html?version=churn/1&version=churn/Production")
    table = page.get_by_role("group", name="Metrics")
    row = table.get_by_role("row", name="auc")
    assert row.locator("td").first.inner_text() == "0.842"
    assert row.locator(".under").first.inner_text().startswith("+")
    page.locator("#second").fill("churn/99")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("churn has no version 99.").wait_for()
    page.locator("#second").fill("nobody")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("There is no model nobody.").wait_for()


def test_without_scripts(made: Path, chromium: object) -> None:  # noqa: F811
    page = Watched(chromium, java_script_enabled=False)  # type: ignore[arg-type]
    page.page.goto((made / "below" / "registry" / "index.html").as_uri())
    page.page.get_by_role("link", name="churn", exact=True).click()
    page.page.get_by_role("link", name="v7", exact=True).first.click()
    assert "churn" in page.page.locator("h1").inner_text()
    page.page.close()
    assert not page.faults


@pytest.mark.parametrize("path", ["index.html", "models/churn/index.html", "models/churn/7/index.html"])
def test_on_a_phone(made: Path, chromium: object, path: str) -> None:  # noqa: F811
    page = Watched(chromium, viewport={"width": 390, "height": 800}, color_scheme="dark")  # type: ignore[arg-type]
    page.page.goto((made / "below" / "registry" / path).as_uri())
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    page.page.close()
    assert not page.faults
