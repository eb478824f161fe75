"""A browser, and a server over the registry that ``demo/showcase.py`` makes."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.serving import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            if not importlib.util.find_spec("playwright"):
                item.add_marker(pytest.mark.skip(reason="needs Playwright for Python"))
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="needs Chromium (scripts/system-packages chromium)"))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry, which nobody changes."""
    place = tmp_path_factory.mktemp("showcase") / "models"
    subprocess.run([sys.executable, ROOT / "demo" / "showcase.py", place], check=True, capture_output=True)
    return place


@pytest.fixture(scope="session")
def shown(original: Path) -> Iterator[Served]:
    """A server over it, for tests that only look."""
    with served(original) as server:
        yield server


@pytest.fixture
def copied(original: Path, tmp_path: Path) -> Path:
    """A copy, for tests that write."""
    place = tmp_path / "models"
    shutil.copytree(original, place)
    return place


@pytest.fixture(scope="module")  # while it is there, its thread has an event loop
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield started
        started.close()


class Watched:
    """A page, and what went wrong in it."""

    def __init__(self, browser: Browser, **how: Any) -> None:
        self.page: Page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **how})
        self.page.set_default_timeout(30_000)
        self.faults: list[str] = []
        self.page.on("console", lambda said: self._note(said.type != "log", f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on(
            "response", lambda found: self._note(found.status >= 400, f"{found.status}: {found.url}")
        )

    def _note(self, is_fault: bool, said: str) -> None:
        if is_fault:
            self.faults.append(said)


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """A page of which nothing may complain."""
    found = Watched(chromium)
    yield found
    found.page.close()
    assert not found.faults
