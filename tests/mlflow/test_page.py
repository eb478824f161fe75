"""MLflow's own web page over the plugin, in headless Chromium: each click that writes is a commit."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.mlflow.conftest import Git, needs_mlflow
from tests.mlflow.webserver import mlflow_server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.mlflow,
    needs_mlflow,
    pytest.mark.skipif(not importlib.util.find_spec("playwright"), reason="needs Playwright for Python"),
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (scripts/system-packages chromium)"),
    pytest.mark.xdist_group("mlflow"),
]

SWITCHES = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
SWITCHES += " --disable-component-update --disable-sync"
TRAIN = Path(__file__).with_name("train_script.py")
MODEL = "EmailMarketingCampaign"
# Who is logged in: a server without logins has no answer, whichever registry it has.
UNANSWERED = "/ajax-api/2.0/mlflow/users/current"


@contextlib.contextmanager
def browser(faults: list[str]) -> Iterator[Page]:
    """A page in a browser; what goes wrong in it is added to ``faults``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        page = started.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(60_000)

        def said(message: Any) -> None:
            if message.type == "error" and UNANSWERED not in message.location.get("url", ""):
                faults.append(f"console: {message.text}")

        def answered(response: Any) -> None:
            if response.status >= 400 and not response.url.endswith(UNANSWERED):
                faults.append(f"{response.status}: {response.url}")

        page.on("console", said)
        page.on("response", answered)
        page.on("pageerror", lambda error: faults.append(f"page: {error}"))
        yield page
        started.close()


class Clicks:
    """A person before MLflow's page, and the repository beside it."""

    def __init__(self, page: Page, address: str, place: Path, git: Git, shots: Path) -> None:
        self.page, self.address, self.place, self.git, self.shots = page, address, place, git, shots
        self.seen = self._head()

    def _head(self) -> str:
        return self.git(self.place, "rev-parse", "HEAD").strip()

    def button(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=isinstance(name, str))

    def go(self, path: str) -> None:
        self.page.goto(f"{self.address}/#{path}")

    def shot(self, name: str) -> None:
        """Keep a picture, and see that no message of a failure is in it."""
        self.page.screenshot(path=self.shots / f"{name}.png")
        told = self.page.locator("[role=alert], [class*=notification-notice]").all_inner_texts()
        assert not [text for text in told if re.search("error|fail|denied|invalid", text, re.IGNORECASE)], (
            told
        )

    def commits(self) -> list[str]:
        """Subjects of the commits since it was asked last; the page has been answered by then."""
        before, self.seen = self.seen, self._head()
        return self.git(self.place, "log", "--reverse", "--format=%s", f"{before}..{self.seen}").splitlines()

    def writing(self, path: str) -> Any:
        """Wait in this block until the server has answered a write."""
        return self.page.expect_response(
            lambda response: response.url.endswith(path) and response.request.method != "GET"
        )


def test_the_first_workflow_by_clicks(place: Path, git: Git, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    shots = tmp_path / "shots"
    shots.mkdir()
    faults: list[str] = []
    with mlflow_server(folder, f"gitreg+file://{place}") as address:
        done = subprocess.run([sys.executable, TRAIN, address], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        run = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("run "))
        with browser(faults) as page:
            clicks = Clicks(page, address, place, git, shots)
            see_no_models(clicks)
            register(clicks, run)
            look_at_the_list(clicks)
            name_the_version(clicks)
            describe_it(clicks)
            change_its_stage(clicks)
    assert faults == []
    trailers = git(place, "log", "--format=%(trailers:key=Gitreg-Run,valueonly)").split()
    assert trailers == [run, run]
    assert {f"{MODEL}/v1", f"{MODEL}/v2", f"{MODEL}/Staging/1"} <= set(git(place, "tag").split())
    assert git(place, "status", "--porcelain") == ""
    git(place, "fsck", "--strict")


def see_no_models(clicks: Clicks) -> None:
    """The list is empty; the dialogs that greet a newcomer are put away."""
    clicks.go("/models")
    clicks.button("Try it now").click()
    clicks.page.get_by_role("heading", name="Registered Models").wait_for()
    clicks.page.get_by_text("Share and manage machine learning models").wait_for()  # where there are none
    clicks.shot("1-empty")


def register(clicks: Clicks, run: str) -> None:
    """From a run's page to its model, registered under a new name, and then once more."""
    page = clicks.page
    clicks.go(f"/experiments/1/runs/{run}")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_role("link", name="logged model").click()
    dialog = page.get_by_role("dialog")
    options = page.locator(".du-bois-light-select-item-option-content")

    clicks.button("Register model").click()
    dialog.get_by_role("combobox").click()
    options.filter(has_text="Create New Model").click()
    dialog.get_by_placeholder("Input a model name").fill(MODEL)
    clicks.shot("2-new-name")
    with clicks.writing("/model-versions/create"):
        clicks.button("Register", dialog).click()
    assert clicks.commits() == [f"{MODEL}: register model", f"{MODEL}: register version 1"]
    dialog.wait_for(state="hidden")
    clicks.shot("3-registered")

    clicks.button("Register model").click()
    dialog.get_by_role("combobox").click()
    options.filter(has_text=MODEL).click()
    with clicks.writing("/model-versions/create"):
        clicks.button("Register", dialog).click()
    assert clicks.commits() == [f"{MODEL}: register version 2"]
    dialog.wait_for(state="hidden")
    page.get_by_text("+1", exact=True).wait_for()  # "v1 +1": the versions that this model was registered as
    clicks.shot("4-again")


def look_at_the_list(clicks: Clicks) -> None:
    """The list has the model, the model its versions, and the second one its own page."""
    page = clicks.page
    clicks.go("/models")
    row = page.get_by_role("row").filter(has_text=MODEL)
    row.get_by_role("link", name="Version 2").wait_for()
    clicks.shot("5-list")
    row.get_by_role("link", name=MODEL).click()
    page.get_by_role("link", name="Version 1").wait_for()
    clicks.shot("6-model")
    page.get_by_role("link", name="Version 2").click()
    page.get_by_role("heading", name="Version 2").wait_for()
    page.get_by_text("Inputs (2)").wait_for()  # the schema, out of the artifact
    clicks.shot("7-version")
    assert clicks.commits() == []


def name_the_version(clicks: Clicks) -> None:
    """An alias for version 2."""
    page = clicks.page
    dialog = page.get_by_role("dialog")
    clicks.button("Add").first.click()
    dialog.get_by_role("combobox").fill("champion")
    page.keyboard.press("Enter")
    with clicks.writing("/registered-models/alias"):
        clicks.button(re.compile("Save"), dialog).click()
    assert clicks.commits() == [f"{MODEL}: point alias champion at version 2"]
    dialog.wait_for(state="hidden")
    page.get_by_text("champion").first.wait_for()
    clicks.shot("8-alias")


def describe_it(clicks: Clicks) -> None:
    """A description of version 2, which the page shows afterwards."""
    page = clicks.page
    page.get_by_test_id("descriptionEditButton").click()
    page.locator("textarea").first.fill("Opens *our* letters")
    with clicks.writing("/model-versions/update"):
        clicks.button("Save").click()
    assert clicks.commits() == [f"{MODEL}: update description of version 2"]
    page.get_by_text("Opens our letters").first.wait_for()
    clicks.shot("9-description")


def change_its_stage(clicks: Clicks) -> None:
    """Stages: in the page's old form, which a switch brings back."""
    page = clicks.page
    page.get_by_role("switch", name="New model registry UI").click()
    clicks.button("Disable").click()
    page.locator(".mlflow-stage-transition-dropdown").wait_for()
    for stage in ("Staging", "Production"):
        page.locator(".mlflow-stage-transition-dropdown").click()
        page.get_by_role("menuitem").filter(has_text=stage).click()
        dialog = page.get_by_role("dialog")
        with clicks.writing("/model-versions/transition-stage"):
            clicks.button(re.compile("OK|Save|Confirm"), dialog).click()
        origin = "" if stage == "Staging" else " (from Staging)"
        assert clicks.commits() == [f"{MODEL}: transition version 2 to {stage}{origin}"]
        dialog.wait_for(state="hidden")
        page.locator(".mlflow-stage-transition-dropdown").get_by_text(stage).wait_for()
        clicks.shot(f"10-{stage}")
