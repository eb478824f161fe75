"""Who may ask what: Host, Origin, writing from elsewhere, and whose commit it is."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

import gitreg
from gitreg.web.settings import is_loopback
from tests.web.conftest import Asking, Git
from tests.web.serving import Served, served

Make = Callable[..., Asking]
CREATE = "/api/2.0/mlflow/registered-models/create"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:1", "127.0.0.1:8080", "127.9.9.9", "[::1]:80", "localhost.", "models.example:8"],
)
def test_a_known_host_is_answered(asking: Make, host: str) -> None:
    ask = asking(allowed_hosts=("models.example",))
    assert ask("GET", "/health", headers={"Host": host}).text == "OK"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "192.168.0.1",
        "0.0.0.0",
        "[::2]",
        "",
        "models.example",
        "localhost@evil.example",
        "127.0.0.1%2eevil.com",
        "127.0.0.1%evil.com",
        "[::1]evil.com",
        "[::1].evil.com",
        "[::1%25evil]",
        "::1",
        "localhost:80:80",
        "localhost:8a",
        "localhost/",
        "localhost,evil.example",
        "localhost evil.example",
        "-localhost",
        "[::1",
        ":8080",
    ],
)
def test_any_other_host_is_refused(asking: Make, git: Git, host: str) -> None:
    ask, before = asking(), git("rev-parse", "HEAD")
    for said in (ask("GET", "/health", headers={"Host": host}), ask.create(headers={"Host": host})):
        assert said.status_code == 403
        assert said.json()["error_code"] == "PERMISSION_DENIED"
    assert git("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Origin": "http://localhost:8080.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_can_read_nothing_into_being(asking: Make, git: Git, headers: dict[str, str]) -> None:
    ask, before = asking(), git("rev-parse", "HEAD")
    for method, path in (("POST", "create"), ("PATCH", "update"), ("DELETE", "delete"), ("POST", "set-tag")):
        said = ask(method, f"/api/2.0/mlflow/registered-models/{path}", json={"name": "m"}, headers=headers)
        assert said.status_code == 403, said.text
        assert "access-control-allow-origin" not in said.headers
    assert ask("POST", "/health", headers=headers).status_code == 403
    assert git("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8080"},
        {"Origin": "https://localhost:8080"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://models.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_our_own_page_and_an_allowed_one_can_write(asking: Make, headers: dict[str, str]) -> None:
    assert asking(allowed_origins=("https://models.example/",)).create(headers=headers).status_code == 200


def test_an_allowed_page_may_ask_first_and_read_the_answer(asking: Make) -> None:
    ask = asking(allowed_origins=("https://models.example",))
    asked = {
        "Origin": "https://models.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    for headers in (asked, {"Origin": "https://models.example"}):
        method = "OPTIONS" if headers is asked else "POST"
        said = ask(method, CREATE, headers=headers, json={"name": "m"})
        assert said.status_code == 200
        assert said.headers["access-control-allow-origin"] == "https://models.example"
    said = ask("OPTIONS", CREATE, headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in said.headers


def test_others_can_read_but_not_write(asking: Make, git: Git) -> None:
    asking().create("churn")
    ask, before = asking(loopback=False, host="0.0.0.0"), git("rev-parse", "HEAD")
    assert ask("GET", "/api/2.0/mlflow/registered-models/get?name=churn").status_code == 200
    latest = "/api/2.0/mlflow/registered-models/get-latest-versions"
    assert ask("POST", latest, json={"name": "churn"}).status_code == 200
    said = ask.create("second")
    assert (said.status_code, said.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert "--write" in said.json()["message"]
    assert git("rev-parse", "HEAD") == before
    assert asking(loopback=False, host="0.0.0.0", write=True).create("second").status_code == 200


def test_the_past_is_read_only(asking: Make, git: Git) -> None:
    asking().create("first")
    commit = git("rev-parse", "HEAD")
    asking().create("second")
    ask = asking(at=commit)
    assert ask("GET", "/api/2.0/mlflow/registered-models/get?name=first").status_code == 200
    assert ask("GET", "/api/2.0/mlflow/registered-models/get?name=second").status_code == 404
    said = ask.create("third")
    assert said.status_code == 403 and commit in said.json()["message"]


def test_a_server_that_others_reach_is_read_only(place: Path) -> None:
    with served(place, "--host", "0.0.0.0") as server:
        assert server.url.startswith("http://127.0.0.1:")
        status, said = server.post("registered-models/create", name="m")
        assert (status, said["error_code"]) == (403, "PERMISSION_DENIED")
        assert server.get("/health") == (200, "OK")
    said = server.log.read_text()
    assert "who only reads is not asked who it is" in said and "--allowed-host" in said


# Whose commit it is


def basic(user: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:secret".encode()).decode()}


def author(git: Git) -> str:
    return git("log", "-1", "--format=%an <%ae>, %cn")


def test_by_default_it_is_the_servers(asking: Make, git: Git) -> None:
    assert asking().create().status_code == 200
    assert author(git) == "Ada Lovelace <ada@example.com>, Ada Lovelace"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("alice", "alice <alice@users.noreply.invalid>"),
        ("zoë@example.com", "zoë@example.com <zoë@example.com>"),
    ],
)
def test_basic_authentication_names_the_author(asking: Make, git: Git, user: str, expected: str) -> None:
    assert asking().create(headers=basic(user)).status_code == 200
    assert author(git) == f"{expected}, Ada Lovelace"


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Bearer abc", "Basic " + base64.b64encode(b":x").decode()]
)
def test_what_names_nobody_changes_nothing(asking: Make, git: Git, header: str) -> None:
    assert asking().create(headers={"Authorization": header}).status_code == 200
    assert author(git).startswith("Ada Lovelace <ada@example.com>")


def test_a_name_that_git_can_not_hold_is_refused(asking: Make, git: Git) -> None:
    before = git("rev-parse", "HEAD")
    said = asking().create(headers=basic("eve> <ada@example.com"))
    assert (said.status_code, said.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert git("rev-parse", "HEAD") == before


def test_a_header_is_believed_from_a_trusted_proxy_alone(asking: Make, git: Git) -> None:
    told = {"X-Forwarded-User": "grace", "X-Forwarded-For": "127.0.0.1"}
    more: dict[str, Any] = {"write": True, "loopback": False, "trusted_proxies": (ip_network("10.0.0.0/30"),)}
    ask = asking(user_header="X-Forwarded-User", **more)
    for number, (peer, who) in enumerate(
        [
            ("127.0.0.1", "grace"),
            ("10.0.0.2", "grace"),
            ("::ffff:10.0.0.2", "grace"),
            ("10.0.0.9", "Ada Lovelace"),
        ]
    ):
        assert ask.create(f"m{number}", headers=told, peer=peer).status_code == 200
        assert author(git).startswith(f"{who} <"), peer
    assert asking(**more).create("m9", headers=told).status_code == 200  # without --user-header
    assert author(git).startswith("Ada Lovelace <")


def test_one_request_knows_nothing_of_the_next(server: Served, git: Git) -> None:
    assert server.ask("POST", CREATE, {"name": "a"}, basic("alice"))[0] == 200
    assert author(git).startswith("alice <")
    assert server.ask("POST", CREATE, {"name": "b"})[0] == 200
    assert author(git).startswith("Ada Lovelace <")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "10.0.0.1", "fe80::1%eth0", "localhost", "", "::ffff:10.0.0.1"]
)
def test_not_loopback(address: str) -> None:
    assert not is_loopback(address)


def test_two_host_headers_are_no_request(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_others_may_come_by_an_address_but_by_no_unknown_name(asking: Callable[..., Asking]) -> None:
    ask = asking(host="0.0.0.0", loopback=False)
    assert ask("GET", "/models", peer="192.0.2.9", headers={"Host": "192.0.2.2:9108"}).status_code == 200
    assert ask("GET", "/models", peer="192.0.2.9", headers={"Host": "[2001:db8::1]:9108"}).status_code == 200
    assert ask("GET", "/models", peer="192.0.2.9", headers={"Host": "rebound.example"}).status_code == 403
    # Where only this machine reaches it, an address that is not this machine's is odd enough to refuse.
    assert asking()("GET", "/models", headers={"Host": "192.0.2.2:9108"}).status_code == 403


def test_a_page_that_refuses_has_its_style(asking: Callable[..., Asking]) -> None:
    refused = {"Host": "rebound.example"}
    assert asking()("GET", "/static/app.css", headers=refused).status_code == 200
    assert asking()("GET", "/models", headers=refused).status_code == 403


def test_code_to_copy_names_the_address_that_the_browser_has(
    place: Path, asking: Callable[..., Asking]
) -> None:
    with gitreg.open(place) as registry:
        registry.register("churn", "s3://m/1")
    behind = {"Host": "models.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
    ask = asking(allowed_hosts=("models.example.com",))
    for path in ("/models/churn/1", "/api"):
        said = ask("GET", path, headers=behind).text
        assert "https://models.example.com" in said and "http://models.example.com" not in said, path
    # From elsewhere than this machine nobody is believed to be a proxy.
    assert "http://models" in ask("GET", "/models/churn/1", peer="192.0.2.9", headers=behind).text
