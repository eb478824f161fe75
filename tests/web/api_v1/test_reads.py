"""Reads: the API says what ``--json`` says, of now and of the past, page by page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.web.api_v1.conftest import Api
from tests.web.conftest import Asking, Git

Command = Callable[..., Any]


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def test_models_are_those_of_list(full: Api, command: Command) -> None:
    found = full.get("/models")
    assert found["models"] == command("list")
    assert [model["name"] for model in found["models"]] == ["churn", "fraud"]
    assert found["models"][0]["stages"] == {"Production": [2]}
    assert found["models"][0]["version_count"] == 3
    assert full.get("/models/churn") == found["models"][0]


def test_versions_are_those_of_list(full: Api, command: Command) -> None:
    found = full.get("/models/churn/versions")["versions"]
    assert [without(each, "uri") for each in found] == command("list", "churn")
    assert [each["uri"] for each in found] == ["models:/churn/3", "models:/churn/2", "models:/churn/1"]


@pytest.mark.parametrize("which", ["2", "Production", "@champion", "production", "v2"])
def test_a_version_is_that_of_show(full: Api, command: Command, which: str) -> None:
    found = full("GET", f"/models/churn/versions/{which}")
    assert without(found.json(), "uri") == command("show", "churn/2")
    assert found.headers["content-location"] == "/api/v1/models/churn/versions/2"
    assert found.json()["registered"]["author"]["email"]


def test_latest(full: Api) -> None:
    assert full.get("/models/churn/versions/latest")["version"] == 3


def test_sources_are_those_of_resolve(full: Api, command: Command) -> None:
    told = command("resolve", "churn@champion")
    for found in (
        full.get("/resolve", uri="models:/churn@champion"),
        full.get("/models/churn/versions/@champion/source"),
    ):
        assert without(found, "uri", "commit") == told


@pytest.mark.parametrize(
    ("path", "query", "args"),
    [
        ("/versions", {"filter": "metrics.auc > 0.81", "order_by": "version ASC"}, None),
        ("/models/churn/timeline", {}, ("timeline", "churn")),
        ("/models/churn/timeline", {"stage": "production"}, ("timeline", "churn", "--stage", "Production")),
        ("/models/churn/series", {}, ("plot", "churn", "--metric", "auc", "--metric", "loss")),
        ("/models/churn/series", {"metric": "auc"}, ("plot", "churn", "--metric", "auc")),
        ("/models/churn/versions/2/lineage", {}, ("lineage", "churn/2")),
        (
            "/models/churn/versions/2/lineage",
            {"direction": "upstream", "depth": "1"},
            ("lineage", "churn/2", "--upstream", "--depth", "1"),
        ),
        ("/models/churn/blame", {}, ("blame", "churn")),
        ("/models/churn/versions/Production/blame", {}, ("blame", "churn/2")),
        ("/compare", {"version": ["churn/1", "churn/3"]}, ("diff", "churn/1", "churn/3")),
        ("/compare", {"version": ["churn/1", "churn/3"], "all": "true"}, ("diff", "churn/1", "churn/3", "--all")),
        ("/compare", {"from": "HEAD~3"}, ("diff", "--from", "HEAD~3")),
        ("/compare", {"from": "HEAD~3", "version": "churn"}, ("diff", "churn", "--from", "HEAD~3")),
        ("/policy", {}, ("policy", "show")),
    ],
)  # fmt: skip
def test_what_the_command_says(
    full: Api, command: Command, path: str, query: dict[str, Any], args: tuple[str, ...] | None
) -> None:
    found = full.get(path, **query)
    if args is None:
        told = command("search", query["filter"], "--order-by", query["order_by"])
        assert [without(each, "uri") for each in found["versions"]] == told["versions"]
        assert [each["version"] for each in found["versions"]] == [2, 3]
    elif path == "/policy":
        assert without(found, "commit") == command(*args)
    else:
        assert found == command(*args)


def test_the_log_is_that_of_log(full: Api, command: Command) -> None:
    assert full.get("/log")["entries"] == command("log")
    assert full.get("/log", model="churn", version="2")["entries"] == command("log", "churn/2")
    assert full.get("/log", uri="churn@champion")["entries"] == command("log", "churn/2")
    assert full.get("/log", alias="champion")["entries"] == command("log", "--alias", "champion")
    assert full.get("/log", stage="archived")["entries"] == command("log", "--stage", "Archived")
    assert full.get("/log", author="nobody at all")["entries"] == []


def pages(api: Api, path: str, key: str, token: str | None = None, **query: Any) -> list[Any]:
    found = []
    while True:
        page = api.get(path, **query, **({"page_token": token} if token else {}))
        found.append(page[key])
        token = page["next_page_token"]
        if token is None:
            return found


@pytest.mark.parametrize(
    ("path", "key", "query"),
    [
        ("/log", "entries", {}),
        ("/log", "entries", {"model": "churn"}),
        ("/models/churn/versions", "versions", {}),
        ("/versions", "versions", {"order_by": "metrics.auc DESC"}),
        ("/models", "models", {}),
    ],
)
def test_pages_put_together_are_the_whole(full: Api, path: str, key: str, query: dict[str, Any]) -> None:
    whole = full.get(path, **query)[key]
    found = pages(full, path, key, limit=1, **query)
    assert len(found) == len(whole) > 1
    assert [each for page in found for each in page] == whole


def test_pages_stay_at_their_commit(full: Api) -> None:
    whole = full.get("/models/churn/versions")["versions"]
    page = full.get("/models/churn/versions", limit=1)
    full.write("DELETE", "/models/churn/versions/2")
    full.write("POST", "/models/churn/versions", {"source": "s3://models/churn/4"})
    rest = pages(full, "/models/churn/versions", "versions", token=page["next_page_token"], limit=1)
    assert [each for page in rest for each in page] == whole[1:]


def test_a_renamed_model_has_one_log(full: Api) -> None:
    before = full.get("/log", model="churn")["entries"]
    full.write("POST", "/models/churn/rename", {"new_name": "attrition"})
    found = [each for page in pages(full, "/log", "entries", limit=2, model="attrition") for each in page]
    assert found[1:] == before
    assert full.refused(404, "GET", "/models/churn")["hint"] == "use attrition"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("chu", ["churn"]),
        ("CARD", ["fraud"]),
        ("ada@", ["fraud"]),
        ("fr au", ["fraud"]),
        ("r", ["churn", "fraud"]),
        ("%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ],
)
def test_words_find_models(full: Api, words: str, found: list[str]) -> None:
    assert [each["name"] for each in full.get("/models", q=words)["models"]] == found


def test_models_by_stage_and_filter(full: Api) -> None:
    assert [each["name"] for each in full.get("/models", stage="production")["models"]] == ["churn"]
    assert full.get("/models", stage="Staging")["models"] == []
    assert [each["name"] for each in full.get("/models", filter="name = 'fraud'")["models"]] == ["fraud"]


def test_a_token_of_other_words_is_refused(full: Api) -> None:
    token = full.get("/models", q="r", limit=1)["next_page_token"]
    assert full.get("/models", q="r", limit=1, page_token=token)["models"][0]["name"] == "fraud"
    full.refused(400, "GET", "/models", params={"q": "a", "limit": 1, "page_token": token})


def test_the_past(full: Api, git: Git, command: Command) -> None:
    then = git("rev-parse", "HEAD~4")
    for at in (then, then[:12], "HEAD~4"):
        found = full.get("/models", at=at)
        assert found["commit"] == then
        assert found["models"] == command("list", "--at", then)
    assert full.get("/models/churn/versions/1", at=then)["version"] == 1
    full.refused(404, "GET", "/models", params={"at": "2020-01-01"})
    told = full.refused(400, "GET", "/models", params={"at": "01/02/2026"})
    assert told["where"] == "query.at"
    assert full.refused(400, "GET", "/models", params={"at": "2999-01-01"})["where"] == "query.at"


def test_the_registry(full: Api, git: Git, command: Command) -> None:
    found = full.get("/registry")
    assert (found["models"], found["versions"]) == (2, 3)
    assert found["commit"] == git("rev-parse", "HEAD")
    assert found["settings"] == command("config")


def test_counts_follow_every_change(full: Api, command: Command) -> None:
    """The numbers that are followed from commit to commit are those that are counted anew."""
    steps: list[tuple[str, str, Any]] = [
        ("POST", "/models/churn/versions", {"source": "s3://models/x"}),
        ("DELETE", "/models/churn/versions/1", None),
        ("POST", "/models/churn/versions/1/restore", None),
        ("POST", "/models/fraud/versions", {"source": "s3://models/y"}),
        ("POST", "/models/churn/rename", {"new_name": "zebra"}),
        ("DELETE", "/models/zebra", None),
        ("POST", "/models/zebra/restore", None),
        ("POST", "/models/churn/versions", {"source": "s3://models/z"}),
    ]
    for method, path, document in steps:
        full.write(method, path, document)
        assert full.get("/models")["models"] == command("list"), (method, path)


def test_the_rules_of_a_stage(full: Api) -> None:
    found = full.get("/models/churn/versions/1/policy/Staging")
    assert (found["passed"], found["incumbent"]) == (True, None)
    assert full.get("/models/churn/versions/2/policy/production")["rules"] == []
    full.refused(400, "GET", "/models/churn/versions/1/policy/Nowhere")


def test_a_server_of_the_past_shows_nothing_later(full: Api, asking: Callable[..., Asking], git: Git) -> None:
    then, later = git("rev-parse", "HEAD~4"), git("rev-parse", "HEAD")
    past = Api(asking(at=then))
    assert past.get("/models")["commit"] == then
    assert past.get("/registry", at=git("rev-parse", "HEAD~5"))["commit"] == git("rev-parse", "HEAD~5")
    past.refused(404, "GET", "/models", params={"at": later})
    past.refused(404, "GET", "/compare", params={"from": later})
    assert past.get("/compare", **{"from": git("rev-parse", "HEAD~5")})["after"]["commit"] == then
    assert past.get("/log")["entries"][0]["commit"] == then
    past.refused(403, "POST", "/models", {"name": "new"})


def test_a_broken_manifest_is_named(full: Api, place: Path, git: Git) -> None:
    file = place / "models" / "churn" / "versions" / "1.yaml"
    file.write_text("version: [\n")
    git("commit", "-qam", "break it")
    told = full.refused(500, "GET", "/models/churn/versions/1")
    assert told["code"] == "invalid-manifest"
    assert told["findings"][0]["path"] == "models/churn/versions/1.yaml"
    assert str(place) not in str(told)
    assert len(full.get("/models/churn/versions")["versions"]) == 2


def test_reads_take_no_body_and_no_other_parameters(full: Api) -> None:
    full.refused(400, "GET", "/models", params={"filtre": "x"})
    full.refused(400, "GET", "/models", params={"limit": ["1", "2"]})
    full.refused(400, "GET", "/resolve")
    full.refused(404, "GET", "/nothing")
    full.refused(404, "GET", "/models/")
    told = full("PUT", "/models")
    assert (told.status_code, told.headers["allow"]) == (405, "GET, POST, HEAD")
    head = full("HEAD", "/models")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(full("GET", "/models").content)
