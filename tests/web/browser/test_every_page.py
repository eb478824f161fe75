"""Every page in a browser: nothing in the console, no fault that keeps somebody out, no scrolling sideways."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.web.browser.conftest import ROOT, Watched
from tests.web.serving import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = ROOT / ".venv" / "npm" / "axe-core" / "package" / "axe.min.js"
PAGES = {
    "models": "/models",
    "models of a stage": "/models?stage=Production&order=updated",
    "no model found": "/models?q=zzz",
    "model": "/models/churn",
    "model without a card": "/models/image-tagger",
    "version": "/models/churn/8",
    "version with a schema": "/models/fraud-detection/11",
    "compare": "/compare?version=churn%2F7&version=churn%2F8",
    "compare four": "/compare?" + "&".join(f"version=churn%2F{number}" for number in (1, 5, 7, 8)),
    "nothing to compare": "/compare",
    "search": "/search?q=" + quote("metrics.auc > 0.9"),
    "empty search": "/search",
    "proposals": "/proposals",
    "proposal": "/proposals/gitreg/promote/churn/8/Production",
    "activity": "/activity",
    "activity of a model": "/activity?model=churn",
    "policy": "/policy",
    "register": "/register",
    "stage": "/models/churn/9/transition?stage=Staging",
    "api": "/api",
    "as of": "/models/churn?at=2025-06-10",
    "sign in": "/sign-in",
}
WAYS = {
    "light": (1280, "light"),
    "dark": (1280, "dark"),
    "phone": (390, "light"),
    "dark phone": (390, "dark"),
}
WORST = {"serious", "critical"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, way: str, shown: Served, chromium: Browser) -> None:
    width, scheme = WAYS[way]
    found = Watched(chromium, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    try:
        answer = found.page.goto(shown.url + PAGES[page])
        assert answer is not None and answer.status == 200, page
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
        assert found.page.locator("h1").count() == 1
        if AXE.exists():
            assert _faults(found, AXE) == []
    finally:
        found.page.close()
    assert found.faults == []


def _faults(found: Watched, axe: Path) -> list[str]:
    found.page.add_script_tag(path=axe)  # the pages' own policy is told not to mind, for this alone
    told = found.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['impact']}: {each['id']}: {each['help']}: {node['html'][:200]}"
        for each in told["violations"]
        if each["impact"] in WORST
        for node in each["nodes"][:3]
    ]


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core (scripts/npm-package axe-core 4.14.1)")
def test_axe_finds_what_is_wrong(chromium: Browser) -> None:
    found = Watched(chromium)
    found.page.set_content("<html lang=en><title>t</title><main><h1>h</h1><img src='data:,'><input></main>")
    assert {line.split(": ")[1] for line in _faults(found, AXE)} >= {"image-alt", "label"}
    found.page.close()


@pytest.mark.parametrize("page", PAGES)
def test_without_scripts_the_page_says_the_same(page: str, shown: Served, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        plain = context.new_page()
        answer = plain.goto(shown.url + PAGES[page])
        assert answer is not None and answer.status == 200
        assert plain.locator("main").inner_text().strip()
    finally:
        context.close()
