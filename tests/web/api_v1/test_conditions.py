"""Conditional requests: an answer stands as long as its commit is the one that is asked for."""

from __future__ import annotations

import pytest

from gitreg.web.api_v1 import cache
from gitreg.web.api_v1.table import OPERATIONS
from tests.web.api_v1.conftest import Api
from tests.web.conftest import Git

READS = [
    "/registry", "/models", "/models/churn", "/models/churn/versions", "/models/churn/versions/2",
    "/models/churn/versions/Production/source", "/resolve?uri=churn/2", "/versions", "/policy", "/log",
    "/models/churn/timeline", "/models/churn/series", "/models/churn/versions/2/lineage", "/models/churn/blame",
    "/models/churn/versions/2/blame", "/compare?version=churn/1&version=churn/2",
]  # fmt: skip


def test_all_steady_reads_are_tried_here() -> None:
    steady = [each for each in OPERATIONS if each.read is not None and each.steady]
    assert len(READS) == len(steady)


@pytest.mark.parametrize("path", READS)
def test_304_until_the_registry_moves(full: Api, git: Git, path: str) -> None:
    first = full("GET", path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert git("rev-parse", "HEAD") in tag and not tag.startswith("W/")
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = full("GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), known
    assert full("GET", path, headers={"If-None-Match": '"other"'}).content == first.content
    full.write("PATCH", "/models/fraud", {"description": "moved on"})
    moved = full("GET", path, headers={"If-None-Match": tag})
    assert moved.status_code == 200
    assert moved.headers["etag"] != tag


def test_a_304_builds_no_answer(full: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = full("GET", "/models").headers["etag"]

    def built(*args: object, **more: object) -> None:
        raise AssertionError("the answer was built")

    monkeypatch.setattr("gitreg.registry.listing.models", built)
    assert full("GET", "/models?limit=7", headers={"If-None-Match": tag}).status_code == 304
    assert full("GET", "/models?limit=7").status_code == 500


def test_the_past_never_changes(full: Api, git: Git) -> None:
    then = git("rev-parse", "HEAD~2")
    for path in ("/models", "/models/churn/versions/1"):
        found = full("GET", path, params={"at": then})
        assert found.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert then in found.headers["etag"]
    assert full("GET", "/models", params={"at": "HEAD~2"}).headers["cache-control"] == "private, no-cache"
    assert full("GET", "/models", params={"at": then[:12]}).headers["cache-control"] == "private, no-cache"


def test_a_branch_named_like_a_commit_is_none(full: Api, git: Git) -> None:
    """40 hex digits always mean the commit: an answer for ever must not come from a branch."""
    then = git("rev-parse", "HEAD~2")
    git("update-ref", f"refs/heads/{then}", "HEAD")
    assert full.get("/models", at=then)["commit"] == then


def test_answers_from_the_cache_are_those_that_were_made(full: Api) -> None:
    for path in READS:
        first, second = full("GET", path), full("GET", path)
        assert first.content == second.content
        assert first.headers["etag"] == second.headers["etag"]
        assert first.headers.get("content-location") == second.headers.get("content-location")


def test_what_depends_on_more_than_the_commit_has_no_tag(full: Api) -> None:
    for path in ("/proposals", "/models/churn/versions/1/policy/Staging"):
        found = full("GET", path)
        assert found.headers["cache-control"] == "private, no-store"
        assert "etag" not in found.headers


def test_the_cache_is_bounded() -> None:
    kept = cache.Cache(most=10_000)
    for number in range(100):
        kept.put(("c", f"/{number}", ()), ((), b"x" * 1_000))
    found = [number for number in range(100) if kept.get(("c", f"/{number}", ()))]
    assert found == list(range(100 - len(found), 100))
    assert 3 <= len(found) <= 10
    kept.put(("c", "/long", ()), ((), b"x" * 2_000_000))
    assert kept.get(("c", "/long", ())) is None
    kept.put(("c", "/99", ()), ((), b"y"))
    assert kept.get(("c", "/99", ())) == ((), b"y")
