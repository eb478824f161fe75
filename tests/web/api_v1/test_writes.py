"""Writes: each is one commit in the caller's name, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.web.api_v1.conftest import Api, model_path
from tests.web.conftest import Asking, Git


def test_a_registration(api: Api, git: Git) -> None:
    before = int(git("rev-list", "--count", "HEAD"))
    found = api(
        "POST",
        "/models/churn/versions",
        {
            "source": "s3://models/churn/1",
            "metrics": {"auc": 0.9, "bound": "NaN"},
            "artifact": {"digest": f"sha256:{'0' * 64}", "size": 12},
            "aliases": ["champion"],
            "message": "the first one",
        },
    )
    told = found.json()
    assert (found.status_code, found.headers["location"]) == (201, "/api/v1/models/churn/versions/1")
    assert told["tags"] == ["churn/v1"]
    assert told["version"]["uri"] == "models:/churn/1"
    assert told["version"]["aliases"] == ["champion"]
    assert {change["event"] for change in told["changes"]} == {"register"}
    assert int(git("rev-list", "--count", "HEAD")) == before + 1
    assert git("rev-parse", "HEAD") == told["commit"]
    assert "the first one" in git("log", "-1", "--format=%B")
    assert git("status", "--porcelain") == ""
    read = api.get("/models/churn/versions/1")
    assert read["metrics"] == {"auc": 0.9, "bound": "NaN"}
    assert read["artifact"]["size"] == 12


def test_an_author_by_basic_authentication(api: Api, git: Git) -> None:
    api.write("POST", "/models", {"name": "churn"}, auth=("ada", "secret"))
    assert git("log", "-1", "--format=%an") == "ada"
    assert "secret" not in git("log", "-1", "--format=raw")


def test_all_verbs(full: Api, git: Git) -> None:
    """Each verb makes the commit that the command of its name makes."""
    steps: list[tuple[str, str, Any, str]] = [
        ("PATCH", "/models/fraud", {"description": "New", "tags": {"a": "1"}, "owners": []}, "update"),
        ("PATCH", "/models/fraud", {"tags": {"a": None}}, "tag"),
        ("PATCH", "/models/churn/versions/1", {"description": "Old", "status": "READY"}, "update"),
        ("POST", "/models/churn/versions/1/evaluations", {"evaluation": "drift", "metrics": {"auc": 0.7}}, "evaluate"),
        ("POST", "/models/churn/versions/1/transition", {"stage": "staging"}, "transition"),
        ("POST", "/models/churn/versions/1/assign", {"stage": "Archived"}, "assign"),
        ("POST", "/models/churn/versions/1/unassign", {"stage": "Archived"}, "unassign"),
        ("POST", "/models/churn/versions/3/deprecate", {"reason": "slow"}, "deprecate"),
        ("POST", "/models/churn/versions/3/undeprecate", None, "deprecate"),
        ("PUT", "/models/churn/aliases/best", {"to": "Production"}, "alias"),
        ("DELETE", "/models/churn/aliases/best", None, "alias"),
        ("DELETE", "/models/churn/versions/3", None, "delete"),
        ("POST", "/models/churn/versions/3/restore", {}, "restore"),
        ("POST", "/models/fraud/rename", {"new_name": "cards"}, "rename"),
        ("DELETE", "/models/cards", None, "delete"),
        ("POST", "/models/cards/restore", None, "restore"),
        ("PUT", "/settings/description", {"value": "All of them"}, "policy"),
    ]  # fmt: skip
    for method, path, document, event in steps:
        before = git("rev-parse", "HEAD")
        told = full.write(method, path, document)
        assert event in {change["event"] for change in told["changes"]}, path
        assert git("rev-parse", "HEAD~1") == before, path
        assert f"Gitreg-Event: {event}" in git("log", "-1", "--format=%B"), path
    assert full.get("/models/churn/versions/1")["stages"].keys() == {"Staging"}


def test_deleting_gives_a_reason(full: Api) -> None:
    told = full.write("DELETE", "/models/churn/versions/3?reason=leaks&message=see+the+audit")
    assert told["version"]["deleted"]["reason"] == "leaks"
    assert full.refused(404, "GET", "/models/churn/versions/3")["hint"] == "gitreg restore churn/3"


def test_what_is_so_already_makes_no_commit(full: Api, git: Git) -> None:
    before = git("rev-parse", "HEAD")
    for method, path, document in (
        ("POST", "/models/churn/versions/2/assign", {"stage": "Production"}),
        ("PATCH", "/models/fraud", {"description": "Cards"}),
        ("PATCH", "/models/fraud", {}),
        ("DELETE", "/models/churn/aliases/nothing", None),
    ):
        found = full(method, path, document)
        assert (found.status_code, found.json()["commit"]) == (200, None), path
        assert "etag" not in found.headers
    assert git("rev-parse", "HEAD") == before


def test_if_match(full: Api, git: Git) -> None:
    tag = full("GET", "/models/churn").headers["etag"]
    told = full("PATCH", "/models/churn", {"description": "One"}, headers={"If-Match": tag})
    assert told.status_code == 200
    head = git("rev-parse", "HEAD")
    for method, path, document in (
        ("PATCH", "/models/churn", {"description": "Two"}),
        ("POST", "/models/churn/rollback", {"stage": "Production"}),
        ("PUT", "/settings/name", {"value": "x"}),
        ("POST", "/proposals", {"version": "churn/1", "stage": "Staging"}),
    ):
        assert full.refused(412, method, path, document, headers={"If-Match": tag})["where"] == "If-Match"
    assert git("rev-parse", "HEAD") == head
    following = told.headers["etag"]
    many = {"If-Match": f'"nonsense", {following}'}
    assert full("PATCH", "/models/churn", {"description": "Two"}, headers=many).status_code == 200
    assert full("PATCH", "/models/churn", {"description": "3"}, headers={"If-Match": "*"}).status_code == 200
    weak = full("GET", "/models").headers["etag"]
    full.refused(412, "PATCH", "/models/churn", {"description": "4"}, headers={"If-Match": f"W/{weak}"})


def test_conflicts_and_what_is_not_there(full: Api) -> None:
    assert full.refused(409, "POST", "/models", {"name": "churn"})["code"] == "already-exists"
    assert full.refused(409, "POST", "/models", {"name": "Churn"})["code"] == "already-exists"
    full.refused(409, "POST", "/models/churn/versions", {"source": "s3://m", "version": 9})
    full.refused(404, "POST", "/models/none/versions/1/transition", {"stage": "Staging"})
    full.refused(404, "POST", "/models/churn/versions/9/transition", {"stage": "Staging"})
    full.refused(409, "POST", "/models/churn/restore")
    full.refused(409, "POST", "/models/fraud/rename", {"new_name": "churn"})
    told = full.refused(400, "POST", "/models/churn/versions/1/transition", {"stage": "Prodction"})
    assert "Production" in told["hint"]


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"source": 7}, "body.source"),
        ({}, "body"),
        ([], "body"),
        ({"source": "s3://m", "metrics": {"auc": "0.9"}}, "body.metrics.auc"),
        ({"source": "s3://m", "sourc": 1}, "body"),
        ({"source": "s3://m", "tags": {"a": 1}}, "body.tags.a"),
        ({"source": "s3://m", "artifact": {"digest": "md5:1"}}, "body.artifact.digest"),
        ({"source": "s3://m", "artifact": {"digest": f"sha256:{'0' * 64}\n"}}, "body.artifact.digest"),
    ],
)
def test_bodies_are_checked(api: Api, git: Git, document: Any, where: str) -> None:
    before = git("rev-parse", "HEAD")
    told = api.refused(400, "POST", "/models/churn/versions", document)
    assert told["errors"][0]["where"] == told["where"] == where
    assert git("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"   ", b"{", b'{"source": NaN}', b'{"source": "s3://m", "source": "s3://n"}', b'"text"', b"null",
        b'{"source": "\\ud800"}', b'{"source": "s3://m", "metrics": {"a": 1e400}}',
        b'{"source": "s3://m", "metrics": {"a": ' + b"1" * 5000 + b"}}", b"[" * 100_000, b"\xff\xfe",
        b'{"source": "s3://m", "artifact": {"signature": {"inputs": ' + b"[" * 70 + b"]" * 70 + b"}}}",
    ],
)  # fmt: skip
def test_bodies_that_are_no_json(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    api.refused(400, "POST", "/models/churn/versions", content=body, headers=headers)


def test_other_types_and_long_bodies(api: Api) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", "application/yaml"):
        told = api("POST", "/models", content=b"name=churn", headers={"Content-Type": kind})
        assert told.status_code in (403, 415), kind
    long = b'{"name": "' + b"x" * (3 * 1024 * 1024) + b'"}'
    api.refused(413, "POST", "/models", content=long, headers={"Content-Type": "application/json"})
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert api("POST", "/models", content=b'{"name": "churn"}', headers=kind).status_code == 201


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd", "/etc/passwd", "etc/passwd", "..\\..\\x", "http:///#/../../etc", "s3://a/%2e%2e%2fb",
        "dbfs:/../etc", "FILE:///etc", "s3://user:password@bucket/x", "s3://a/\nb", "", "   ", "a" * 9000, "C:\\models",
    ],
)  # fmt: skip
def test_D01_sources(api: Api, source: str, git: Git) -> None:
    before = git("rev-parse", "HEAD")
    told = api.refused(400, "POST", "/models/churn/versions", {"source": source})
    assert "password@" not in str(told)
    assert git("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "source",
    [
        "http://169.254.169.254/latest",
        "http://0x7f.1/x",
        "http://[::1]:{port}/x",
        "http://localhost:{port}/x",
    ],
)
def test_D02_nothing_is_connected_to(api: Api, source: str) -> None:
    import socket

    with socket.socket(socket.AF_INET6) as trap:
        trap.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        trap.bind(("::", 0))
        trap.listen()
        trap.settimeout(0.3)
        address = source.format(port=trap.getsockname()[1])
        api.write("POST", "/models/churn/versions", {"source": address, "run_link": address})
        with pytest.raises(TimeoutError):
            trap.accept()
    assert api.get("/models/churn/versions/1/source")["source"] == address


def test_C01_and_C05_texts_come_back_as_they_are(api: Api, git: Git) -> None:
    odd = "a\x1b[31m\x1b]52;c;aGk=\x07 \u202eab\u202c <script>alert(1)</script>\n\nGitreg-Event: delete\nGitreg-Model: churn"
    api.write("POST", "/models", {"name": "churn", "description": odd, "tags": {"a": odd}})
    found = api("GET", "/models/churn")
    assert found.json()["description"] == found.json()["tags"]["a"] == odd
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert [each["event"] for each in api.get("/log")["entries"][0]["changes"]] == ["register"]
    forged = "see below\n\nGitreg-Event: delete\nGitreg-Model: churn"
    api.write("PATCH", "/models/churn", {"description": "plain", "message": forged})
    assert [each["event"] for each in api.get("/log", limit=1)["entries"][0]["changes"]] == ["update"]
    assert (
        api.refused(400, "PATCH", "/models/churn", {"description": "x", "message": odd})["where"] == "message"
    )


def test_C02_an_author_with_odd_characters(api: Api, git: Git) -> None:
    for name in ("Ada <ada@example.com>", "a\nb", "<", "\x1b[31m"):
        found = api("POST", "/models", {"name": f"m{len(name)}"}, auth=(name, "x"))
        assert found.status_code in (201, 400), name
        assert "\n" not in git("log", "-1", "--format=%an")
    git("fsck", "--strict")


def test_C06_a_tag_of_a_megabyte(api: Api) -> None:
    api.write("POST", "/models", {"name": "churn", "tags": {"long": "x" * 100_000}})
    assert api.get("/models/churn")["tags"]["long"] == "x" * 100_000
    told = api.refused(400, "PATCH", "/models/churn", {"tags": {"long": "x" * 1_000_000}})
    assert told["where"] == "body.tags.long"
    assert len(str(told)) < 2_000


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "name = 'x' OR 1=1; DROP TABLE version"},
        {"filter": "name = 'x'' OR 1=1"},
        {"filter": "("},
        {"filter": "(" * 10_000 + ")" * 10_000},
        {"filter": "nothing = 'x'"},
        {"filter": "metrics.`a\" OR 1=1` > 'x'"},
        {"order_by": "name; DROP TABLE version"},
        {"order_by": ""},
        {"page_token": "forged"},
        {"page_token": "AAAA" * 1000},
        {"limit": "-1"},
        {"limit": "1000000000"},
        {"limit": "1e3"},
        {"limit": " 1"},
        {"limit": "１"},
    ],
)
@pytest.mark.parametrize("path", ["/versions", "/models"])
def test_G01_and_G05(full: Api, place: Path, path: str, query: dict[str, str]) -> None:
    told = full.refused(400, "GET", path, params=query)
    assert told["where"] or told["detail"]
    assert full.get("/versions", filter="name = '%'")["versions"] == []
    assert len(full.get("/versions")["versions"]) == 3


def test_G05_a_token_of_another_registry(full: Api, api: Api) -> None:
    import base64
    import hashlib
    import json

    token = full.get("/models/churn/versions", limit=1)["next_page_token"]
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    _, search, place = json.loads(data[8:])
    body = json.dumps(["0" * 40, search, place], separators=(",", ":")).encode()
    made = hashlib.sha256(b"gitreg page\0" + body).digest()[:8] + body
    forged = base64.urlsafe_b64encode(made).decode().rstrip("=")
    assert full("GET", "/models/churn/versions", params={"page_token": forged}).status_code in (400, 404)
    full.refused(400, "GET", "/log", params={"page_token": token})


def test_protected_stages_are_refused_and_can_be_proposed(api: Api, place: Path, git: Git) -> None:
    (place / "gitreg.yaml").write_text(
        (place / "gitreg.yaml")
        .read_text()
        .replace(
            "stages:",
            "stages:\n  - name: Guarded\n    approvals:\n      count: 1\n      approvers: [ada@example.com]",
        )
    )
    git("commit", "-qam", "guard a stage")
    api.write("POST", "/models/churn/versions", {"source": "s3://m/1"})
    told = api.refused(403, "POST", "/models/churn/versions/1/transition", {"stage": "Guarded"})
    assert told["code"] == "not-allowed" and "promote" in told["hint"]
    made = api("POST", "/proposals", {"version": "churn/1", "stage": "Guarded"})
    assert made.status_code == 201, made.text
    assert made.json()["branch"] == "gitreg/promote/churn/1/Guarded"
    assert made.json()["proposal"]["passes"] is False
    again = api("POST", "/proposals", {"version": "churn/1", "stage": "guarded"})
    assert (again.status_code, again.json()["proposal"]["made"]) == (200, False)
    listed = api.get("/proposals")["proposals"]
    assert [(each["branch"], each["passes"]) for each in listed] == [
        ("gitreg/promote/churn/1/Guarded", False)
    ]
    branch = "gitreg%2Fpromote%2Fchurn%2F1%2FGuarded"
    api.refused(403, "POST", f"/proposals/{branch}/merge")
    assert api("DELETE", f"/proposals/{branch}").status_code == 200
    assert api.get("/proposals")["proposals"] == []
    api.refused(404, "POST", f"/proposals/{branch}/merge")


def test_a_proposal_is_merged(full: Api, git: Git) -> None:
    made = full(
        "POST",
        "/proposals",
        {"version": "churn/1", "stage": "Staging", "message": "please"},
        auth=("bob", ""),
    )
    assert made.status_code == 201
    assert git("log", "-1", "--format=%an", made.json()["commit"]) == "bob"
    found = full("POST", "/proposals/gitreg%2Fpromote%2Fchurn%2F1%2FStaging/merge", {"mode": "squash"})
    assert found.status_code == 200, found.text
    assert git("rev-parse", "HEAD") == found.json()["commit"]
    assert full.get("/models/churn/versions/Staging")["version"] == 1


def test_writes_on_names_that_are_none(api: Api) -> None:
    for name in (" ", "a/b", "a:b", ".", "..", "a\x00b", "\x1b[31m", "x" * 300):
        api.refused(400, "POST", "/models", {"name": name})
    for name in ("a:b", "\x00", "\x1b", "x" * 300):
        api.refused(400, "POST", f"{model_path(name)}/versions", {"source": "s3://m"})
    api.refused(400, "GET", "/models/%FF")
    for alias in ("latest", "v3", "a b", "ä\n"):
        api.write("POST", "/models/churn/versions", {"source": "s3://m"})
        api.refused(400, "PUT", f"/models/churn/aliases/{quote(alias)}", {"to": 1})
    for stage in ("v1", "latest", "a/b", ""):
        api.refused(400, "POST", "/models/churn/versions/1/transition", {"stage": stage})
    for version in ("0", "-1", "01", "1e3", "latest1", "@", "@v3"):
        api.refused(400, "GET", f"/models/churn/versions/{version}")


def test_a_server_of_the_past_writes_nothing(full: Api, asking: Callable[..., Asking], git: Git) -> None:
    past, before = Api(asking(at="HEAD")), git("rev-parse", "HEAD")
    for method, path in (("DELETE", "/models/churn"), ("POST", "/models/churn/versions/3/deprecate")):
        past.refused(403, method, path)
    assert git("rev-parse", "HEAD") == before
