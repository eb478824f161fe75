"""Headers of every answer, refusals in the form that whoever asks can read, and the log of requests."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.web.access.conftest import API, CREATE, ELSEWHERE, Keys, Make
from tests.web.serving import served

PAGE = {"Accept": "text/html"}
STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/health", {}),
        ("GET", "/version", {}),
        ("GET", "/sign-in", PAGE),
        ("GET", "/nothing", {}),
        ("GET", "/nothing", PAGE),
        ("GET", f"{API}registered-models/search", {}),
        ("POST", CREATE, {"Origin": "https://evil.example"}),
        ("GET", "/version", {"Host": "evil.example"}),
        ("GET", "/version", {"Authorization": "Bearer grt_"}),
        ("POST", "/sign-in", PAGE),
    ],
)
def test_every_answer_has_them(asking: Make, method: str, path: str, headers: dict[str, str]) -> None:
    said = asking()(method, path, headers=headers)
    for name, value in STRICT.items():
        assert said.headers.get_list(name) == [value], name
    [policy] = said.headers.get_list("content-security-policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert len(said.headers.get_list("cache-control")) == 1
    assert re.match("private|no-store", said.headers["cache-control"]), path


@pytest.mark.parametrize("path", ["/models", "/version", "/nothing"])
def test_a_browser_gets_a_page(asking: Make, path: str) -> None:
    said = asking(**ELSEWHERE, sign_in=True)("GET", path, headers=PAGE)
    assert said.status_code == 401 and said.headers["content-type"].startswith("text/html")
    assert f"/sign-in?next={path.replace('/', '%2F')}" in said.text
    assert "<script>" not in said.text and " style=" not in said.text


def test_a_program_gets_what_it_can_read(asking: Make) -> None:
    ask = asking(**ELSEWHERE, sign_in=True)
    said = ask("GET", f"{API}registered-models/search", headers=PAGE)
    assert said.json()["error_code"] == "UNAUTHENTICATED"
    problem = ask("GET", "/api/v1/models", headers=PAGE)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 401 and problem.json()["code"] == "unauthenticated"
    assert ask("HEAD", "/version").content == b""
    assert ask("GET", "/metrics", headers=PAGE).headers["content-type"] == "application/json"


def test_a_hostile_path_is_text(asking: Make) -> None:
    said = asking(**ELSEWHERE, sign_in=True)("GET", "/<script>alert(1)</script>", headers=PAGE)
    assert said.status_code == 401 and "<script>alert" not in said.text


# The log


def test_a_line_for_each_request(place: Path, keys: Keys) -> None:
    text, _ = keys.token()
    bearer = {"Authorization": f"Bearer {text}"}
    with served(place, "--log") as server:
        assert server.ask("POST", CREATE, {"name": "m"}, bearer)[0] == 200
        assert server.get(f"/version?token={text}")[0] == 200
        assert server.get(f"{API}registered-models/get?name=none")[0] == 404
        assert server.ask("POST", CREATE, {"name": "m"}, {"Authorization": f"Bearer {text[:-1]}"})[0] == 401
    lines = [line.split(" ") for line in server.log.read_text().splitlines()]
    assert [line[2:6] for line in lines] == [
        ["token:ann@example.com", "POST", CREATE, "200"],
        ["local", "GET", "/version", "200"],
        ["local", "GET", f"{API}registered-models/get", "404"],
        ["anonymous", "POST", CREATE, "401"],
    ]
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line[0])
        assert line[1] == "127.0.0.1" and re.fullmatch(r"\d+\.\dms", line[6]) and len(line) == 7
    assert text[:20] not in server.log.read_text()


def test_nothing_in_it_is_forged(place: Path) -> None:
    with served(place, "--log") as server:
        for path in (b"/a\x1b[2Jb", b"/\xff\xfe", b"/a%0d%0aforged", b"/" + b"x" * 3000, b"/a\xc2\x85b"):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                while client.recv(65536):
                    pass
    said = server.log.read_bytes()
    assert said.isascii() and said.decode().replace("\n", "").isprintable()
    assert all(len(line) < 1700 for line in said.splitlines())
    assert b"GET /a%0d%0aforged 404" in said.replace(b"%25", b"%")


def test_who_is_told_by_a_proxy(asking: Make, capsys: pytest.CaptureFixture[str]) -> None:
    ask = asking(log=True, user_header="X-User")
    ask(
        "GET",
        "/version",
        headers={"X-User": "gr ace\u2028x".encode(), "X-Forwarded-For": "6.6.6.6, 203.0.113.9"},
    )
    ask("GET", "/version", headers={"X-User": "grace", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    ask("GET", "/version", peer="203.0.113.5", headers={"X-Forwarded-For": "127.0.0.1"})
    ask("GET", "/version", headers={"X-Forwarded-For": "a b"})
    lines = [line.split(" ") for line in capsys.readouterr().err.splitlines()]
    assert [line[1:3] for line in lines] == [
        ["203.0.113.9", "anonymous"],
        ["203.0.113.9", "proxy:grace@users.noreply.invalid"],
        ["203.0.113.5", "anonymous"],
        ["127.0.0.1", "anonymous"],
    ]


def test_it_is_off_unless_asked_for(asking: Make, capsys: pytest.CaptureFixture[str]) -> None:
    asking()("GET", "/version")
    assert capsys.readouterr().err == ""
