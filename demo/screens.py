"""Photograph every page: ``python demo/screens.py FOLDER [--readme]``.

``showcase.py`` makes the registry, ``gitreg serve`` shows it, headless Chromium looks at it: in light and
dark, 1280 and 390 pixels wide. ``--readme`` writes the two that the README shows to ``docs/pictures``. No
two browsers draw the same bytes, so these are looked at and kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import showcase

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PAGES = {
    "models": "/models",
    "models-found": "/models?q=fraud",
    "model": "/models/churn",
    "model-plain": "/models/image-tagger",
    "version": "/models/churn/8",
    "version-old": "/models/fraud-detection/11",
    "compare": "/compare?version=churn%2F7&version=churn%2F8",
    "compare-four": "/compare?version=churn%2F1&version=churn%2F5&version=churn%2F7&version=churn%2F8",
    "search": "/search?q=" + quote("metrics.auc > 0.9"),
    "proposals": "/proposals",
    "proposal": "/proposals/gitreg/promote/churn/8/Production",
    "activity": "/activity",
    "policy": "/policy",
    "register": "/register",
    "stage": "/models/churn/9/transition?stage=Production",
    "api": "/api",
    "as-of": "/models?at=2025-06-10",
    "sign-in": "/sign-in",
    "refused": "/models/churm",
}
README = {"web-models.png": ("/models", 1280, 760), "web-version.png": ("/models/churn/8", 1280, 1100)}


@contextmanager
def server(registry: Path) -> Iterator[str]:
    """``gitreg serve`` over a registry; gives its address."""
    command = [sys.executable, "-m", "gitreg", "--registry", str(registry), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().rpartition(" on ")[2].split(",")[0].strip()
        finally:
            process.terminate()


def photograph(address: str, folder: Path) -> None:
    """Every page in both colours and widths; what the browser complains of is printed."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                listen(page)
                for name, path in PAGES.items():
                    page.goto(address + path)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        print(f"{path} is {wide} pixels wide at {width}")
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                page.close()
        browser.close()


def listen(page: Page) -> None:
    """Print what the browser complains of."""
    page.on("console", lambda said: print(f"{page.url}: {said.type}: {said.text}"))
    page.on("pageerror", lambda error: print(f"{page.url}: {error}"))


def for_readme(address: str) -> None:
    """The two pictures of the README."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        for name, (path, width, height) in README.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            page.goto(address + path)
            page.screenshot(path=PICTURES / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 2 or CHROMIUM is None:
        raise SystemExit("usage: python demo/screens.py FOLDER [--readme]; needs Chromium")
    os.environ.setdefault("GITREG_USER_DOMAIN", "example.com")
    with tempfile.TemporaryDirectory() as place:
        showcase.make(Path(place, "models"))
        with server(Path(place, "models")) as address:
            photograph(address, Path(sys.argv[1]))
            if "--readme" in sys.argv:
                for_readme(address)
