"""``?at=``: points that a stranger may ask for, and none later than a server stands at."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

import gitreg
from tests.web.conftest import Asking, Git

Make = Callable[..., Asking]


@pytest.mark.parametrize(
    "point",
    [
        "HEAD^{/(.*)(.*)(.*)\\1\\2\\3zzz}",
        ":/words",
        "HEAD@{0}",
        "@{1000000 years ago}",
        "HEAD^{tree}",
        "HEAD:gitreg.yaml",
        "main..HEAD",
        "--all",
        "HEAD~99999999999",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["/models", "/api/v1/models"])
def test_searches_and_the_reflog_are_no_points(asking: Make, path: str, point: str) -> None:
    began = time.monotonic()
    assert asking()("GET", f"{path}?at={quote(point)}").status_code in (400, 404)
    assert time.monotonic() - began < 20  # a search would take until Git is stopped


def test_ids_branches_tags_and_their_parents_are(place: Path, asking: Make, git: Git) -> None:
    with gitreg.open(place) as registry:
        registry.register("a b", "s3://m/1")
        registry.register("churn", "s3://m/1")
    head = git("rev-parse", "HEAD")
    git("branch", "fürs/büro", "HEAD")
    for point in (head, head[:8], "HEAD", "main", "main~1", "churn/v1", "a%20b/v1", "fürs/büro", "HEAD^"):
        assert asking()("GET", f"/models?at={quote(point)}").status_code == 200, point


def test_a_server_of_the_past_shows_nothing_later(place: Path, asking: Make, git: Git) -> None:
    with gitreg.open(place) as registry:
        registry.register("first", "s3://m/1")
        before = registry.at().commit
        registry.register("second", "s3://m/1")
    ask = asking(at=before)
    assert "second" not in ask("GET", "/models").text
    head = git("rev-parse", "HEAD")
    for path in ("/models", "/models/first", f"/activity/{head}", "/compare", "/search", "/api/v1/models"):
        for point in ("main", head):
            found = ask("GET", f"{path}?at={point}")
            assert found.status_code == 404 and "nothing later" in found.text, path
    assert ask("GET", f"/activity/{head}").status_code == 404
    assert ask("GET", f"/models?at={before}~1").status_code == 200


@pytest.mark.parametrize("number", ["9" * 4301, "0", "01", "1e3", "-1", "١"])
@pytest.mark.parametrize("verb", ["", "/update", "/transition", "/delete"])
def test_what_is_no_number_of_a_version_is_not_found(asking: Make, number: str, verb: str) -> None:
    assert asking()("GET", f"/models/x/{quote(number)}{verb}").status_code == 404
