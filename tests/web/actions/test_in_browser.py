"""The seed's workflow in a browser: register, look, change the stage by mouse and by keyboard, propose, approve."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.registry.team import with_rules
from tests.signing.conftest import key_of, public
from tests.web.actions.conftest import Log
from tests.web.browser.conftest import CHROMIUM, SWITCHES, Watched
from tests.web.serving import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["key_of"]

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (scripts/system-packages chromium)"),
    pytest.mark.xdist_group("browser"),
]

RULES = """\
stages:
  - name: Staging
  - name: Production
    approvals: {count: 1, approvers: [bob@example.com], signed_in: [models@example.com]}
  - name: Archived
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For these tests alone: while it is there, nothing else of this process may have an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield started
        started.close()


@pytest.fixture
def watch(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a browser of its own, of which nothing may complain."""
    made: list[Watched] = []

    def opened(**how: Any) -> Page:
        made.append(Watched(chromium, **how))
        return made[-1].page

    yield opened
    for each in made:
        each.page.close()
    assert [fault for each in made for fault in each.faults] == []


def heading(page: Page) -> str:
    return " ".join(page.locator("h1").inner_text().split())


def test_register_and_move_with_the_mouse(seeded: Path, watch: Callable[..., Page], newest: Log) -> None:
    with served(seeded) as server:
        page = watch()
        page.goto(server.url)
        page.get_by_role("link", name="Register").click()
        assert page.locator("#models option").evaluate_all("all => all.map(one => one.value)") == ["churn"]
        page.get_by_label("Model", exact=True).fill("churn")
        page.get_by_label("Source").fill("s3://models/churn/3")
        page.get_by_text("Metrics, params, tags").click()
        page.get_by_label("Metrics").fill("auc=0.94\nlog_loss=0.3")
        page.get_by_role("button", name="Register").click()
        page.wait_for_url(re.compile(r"/models/churn/3\?committed="))
        assert "register version 3" in page.locator(".done").inner_text()
        assert newest("%s") == "churn: register version 3"

        page.locator(".crumbs a", has_text="churn").click()
        page.wait_for_url(f"{server.url}/models/churn")
        page.get_by_role("link", name="v3", exact=True).first.click()
        page.wait_for_url(f"{server.url}/models/churn/3")
        page.locator("#stage-menu > summary").click()
        page.locator("#stage-menu a", has_text="Production").click()
        assert heading(page) == "Move churn/3 to Production"
        page.get_by_label("Archive version 1").check()
        page.get_by_label("Why").fill("Better")
        page.get_by_role("button", name="Move to Production").click()
        page.wait_for_url(re.compile(r"/models/churn/3\?committed="))
        assert page.locator(".stage", has_text="Production").count()
        assert newest("%s") == "churn: transition version 3 to Production"


def test_by_keyboard_alone(seeded: Path, watch: Callable[..., Page], newest: Log) -> None:
    with served(seeded) as server:
        page = watch()
        page.goto(f"{server.url}/models/churn/2")
        tab_to(page, "Stage")
        page.keyboard.press("Enter")
        assert page.locator("#stage-menu").get_attribute("open") is not None
        page.keyboard.press("Escape")
        assert page.locator("#stage-menu").get_attribute("open") is None
        page.keyboard.press("Enter")
        tab_to(page, "Staging")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("transition"))
        tab_to(page, "message", field=True)
        page.keyboard.type("Typed")
        tab_to(page, "Move to Staging")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/models/churn/2\?committed="))
        assert newest("%s") == "churn: transition version 2 to Staging" and "Typed" in newest("%B")


def tab_to(page: Page, name: str, *, field: bool = False) -> None:
    """Press Tab until what is so called has the focus."""
    said = "document.activeElement.name" if field else "document.activeElement.innerText.trim()"
    for _ in range(60):
        page.keyboard.press("Tab")
        if str(page.evaluate(f"() => String({said} || '')")).startswith(name):
            return
    raise AssertionError(f"Tab never reached {name}")


def test_a_slip_takes_one_to_the_field(seeded: Path, chromium: Browser) -> None:
    with served(seeded) as server:
        page = chromium.new_page()
        page.goto(f"{server.url}/register")
        page.get_by_label("Model", exact=True).fill("churn")
        page.get_by_label("Source").fill("/home/me/model")
        page.get_by_role("button", name="Register").click()
        field = page.get_by_label("Source")
        field.wait_for()
        assert page.evaluate("() => document.activeElement.name") == "source"
        assert field.input_value() == "/home/me/model"
        assert field.get_attribute("aria-invalid") == "true"
        told = field.get_attribute("aria-describedby") or ""
        assert "is a path" in page.locator(f"#{told.split()[0]}").inner_text()
        page.close()


@pytest.fixture
def guarded(
    seeded: Path, git: Callable[..., str], key_of: Callable[[str], Path]
) -> Iterator[tuple[Served, Callable[[str], str]]]:
    """A server that vouches for who signs in, and what makes their tokens."""
    key = key_of("ed25519:models")
    settings = seeded / "gitreg.yaml"
    settings.write_text(with_rules(settings.read_text(), RULES))
    (seeded / "keys").mkdir(exist_ok=True)
    (seeded / "keys/allowed_signers").write_text(f"models@example.com {public(key)}\n")
    git("add", "gitreg.yaml", "keys/allowed_signers")
    git("commit", "-q", "-m", "rules")

    def token(name: str) -> str:
        user = f"{name} <{name.lower()}@example.com>"
        command = [sys.executable, "-m", "gitreg", "--registry", str(seeded), "token", "create"]
        command += ["--user", user, "--role", "approver"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"\bgrt_\S+", said)
        assert found, said
        return found[0]

    with served(seeded, "--sign-in", "--signing-key", str(key)) as server:
        yield server, token


def test_propose_approve_merge(
    guarded: tuple[Served, Callable[[str], str]], watch: Callable[..., Page], newest: Log
) -> None:
    server, token = guarded

    def signed_in(name: str, **how: Any) -> Page:
        page = watch(**how)
        page.goto(f"{server.url}/sign-in")
        page.get_by_label("Token").fill(token(name))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server.url}/models")
        return page

    ann = signed_in("Ann")
    ann.goto(f"{server.url}/models/churn/2")
    ann.locator("#stage-menu > summary").click()
    ann.locator("#stage-menu a", has_text="Production").click()
    ann.get_by_label("Why").fill("Finds more")
    ann.get_by_role("button", name="Propose").click()
    ann.wait_for_url(re.compile(r"/proposals/gitreg/promote/churn/2/Production\?done=proposed$"))

    bob = signed_in("Bob", viewport={"width": 390, "height": 800})
    bob.goto(ann.url)
    bob.get_by_role("link", name="Approve", exact=True).click()
    bob.get_by_role("button", name="Approve").click()
    bob.wait_for_url(ann.url.replace("proposed", "approved"))
    assert "models@example.com" in bob.locator("main").inner_text()
    bob.get_by_role("link", name="Merge", exact=True).click()
    bob.get_by_role("button", name="Merge").click()
    bob.wait_for_url(re.compile(r"/models/churn/2\?committed="))
    assert newest("%an|%s") == "Bob|Promote churn/2 to Production"
    assert bob.locator(".stage", has_text="Production").count()
