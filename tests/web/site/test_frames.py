"""A page in the frame of another is the page that would be made alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.web.pages.look import Look, Page, html
from gitreg.web.site import frames
from gitreg.web.site.frames import Frames
from tests.web.browser.conftest import original  # noqa: F401
from tests.web.site.building import build


def test_the_same_bytes(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    seen: set[str] = set()
    framed = Frames.html

    def both(self: Frames, page: Page, look: Look) -> str:
        made = framed(self, page, look)
        assert made == html(page, look)
        if frames._framed(page.template):
            seen.add(page.template)
        return made

    monkeypatch.setattr(Frames, "html", both)
    build(original, tmp_path / "site", title="<b>Ours & theirs</b>\x1b")
    assert {"model.html", "models.html", "version.html"} <= seen  # of which there are many
