"""``/health`` and ``/ready``: whether the process lives, and whether it can answer."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tests.web.api_v1.conftest import Api
from tests.web.conftest import Asking, Git


def test_health_is_ok(api: Api) -> None:
    found = api.asking("GET", "/health")
    assert (found.status_code, found.text) == (200, "OK")
    assert found.headers["cache-control"] == "no-store"


def test_ready_at_the_head(full: Api, git: Git) -> None:
    found = full.asking("GET", "/ready")
    assert found.status_code == 200
    assert found.json() == {"status": "ready", "commit": git("rev-parse", "HEAD")}


def test_both_answer_to_nobody(asking: Callable[..., Asking]) -> None:
    app = asking(host="0.0.0.0", loopback=False, sign_in=True)
    for path in ("/health", "/ready"):
        assert app("GET", path, peer="192.0.2.7").status_code == 200


def test_without_a_registry(full: Api, place: Path) -> None:
    shutil.rmtree(place / ".git")
    assert full.asking("GET", "/health").status_code == 200
    found = full.asking("GET", "/ready")
    assert found.status_code == 503
    assert found.json()["status"] == "unready"
    assert str(place) not in found.text


def test_an_index_that_takes_long_is_made_meanwhile(
    place: Path, git: Git, asking: Callable[..., Asking]
) -> None:
    """More commits than a read catches up with: the first look has the index made, a later one is content."""
    file = place / "models" / "churn" / "model.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("name: churn\ncreated: '2026-01-01T00:00:00.000Z'\nupdated: '2026-01-01T00:00:00.000Z'\n")
    git("add", "-A")
    script = "for i in $(seq 150); do git commit -q --allow-empty -m $i; done"
    git("-c", f"alias.many=!{script}", "many")
    app = asking()
    first = app("GET", "/ready")
    assert (first.status_code, first.json()["reason"]) == (503, "the index is being made")
    end = time.monotonic() + 30
    while (found := app("GET", "/ready")).status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert found.json()["commit"] == git("rev-parse", "HEAD")
