"""Long bodies, slow clients, forged tokens, and garbage at every route: an answer of 4xx, and bounded memory."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.routing import Mount, Route

from gitreg.mlflow import rest
from tests.web.conftest import Asking, Git
from tests.web.serving import Served, started

Make = Callable[..., Asking]
CREATE = "/api/2.0/mlflow/registered-models/create"
MIB = 1024 * 1024

IMPATIENT = """
import sys
from pathlib import Path
from gitreg.web.server import bind, listening_on, serve
from gitreg.web.settings import Settings, address
listening = bind("127.0.0.1", 0)
settings = listening_on(Settings(place=Path(sys.argv[1]), patience=0.3), listening)
print("on", address(settings), flush=True)
serve(settings, listening)
"""


@pytest.fixture
def impatient(place: Path) -> Iterator[Served]:
    """A server whose clients have a third of a second."""
    with started([sys.executable, "-c", IMPATIENT, str(place)], place) as server:
        yield server


def peak(server: Served) -> int:
    """The most memory that the server ever had, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("chunked", [False, True])
def test_a_hundred_megabytes_are_refused(server: Served, git: Git, chunked: bool) -> None:
    server.get("registered-models/search")
    before, commit = peak(server), git("rev-parse", "HEAD")
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {100 * MIB}"
        head = f"POST {CREATE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{how}\r\n\r\n"
        client.sendall(head.encode())
        for _ in range(100):
            client.sendall((b"%x\r\n" % MIB if chunked else b"") + b"x" * MIB + (b"\r\n" if chunked else b""))
        if chunked:
            client.sendall(b"0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"error_code": "INVALID_PARAMETER_VALUE"' in answer
    assert peak(server) - before < 32 * MIB
    assert git("rev-parse", "HEAD") == commit
    assert server.get("/health") == (200, "OK")


def test_who_asks_before_sending_need_not_send(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        head = f"POST {CREATE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {100 * MIB}\r\nExpect: 100-continue"
        client.sendall(f"{head}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_the_largest_tag_of_mlflows_fits(server: Served) -> None:
    value = "\N{PILE OF POO}" * 100_000  # as JSON two escapes each
    assert server.post("registered-models/create", name="m")[0] == 200
    assert server.post("registered-models/set-tag", name="m", key="k", value=value) == (200, {})
    found = server.get("registered-models/get?name=m")[1]["registered_model"]
    assert found["tags"] == [{"key": "k", "value": value}]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /health HTTP/1.1\r\nHost: loc",
        b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
        b"POST "
        + CREATE.encode()
        + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncsrf=",
    ],
    ids=["nothing", "half a head", "half a body", "half a chunked body", "half a form"],
)
def test_a_slow_client_is_sent_away(impatient: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=60) as client:
        client.sendall(sent)
        answer = b"".join(iter(lambda: client.recv(65536), b""))  # ends: the server closes
    assert b"HTTP/1.1 408 " in answer
    assert b"DEADLINE_EXCEEDED" in answer
    assert impatient.get("/health") == (200, "OK")


def test_slowness_is_no_more_allowed_later(impatient: Served) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=60) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"OK"):
            answer += client.recv(65536)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        assert b"".join(iter(lambda: client.recv(65536), b"")).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_leaves_is_forgotten(server: Served) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(
                b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
            )
    assert server.get("/health") == (200, "OK")
    assert server.log.read_text() == ""


# Pages


@pytest.mark.parametrize("what", ["registered-models", "model-versions"])
@pytest.mark.parametrize("asked", ["-1", "1000000000", "x", "1e400", "9" * 5000])
def test_impossible_page_sizes(asking: Make, what: str, asked: str) -> None:
    said = asking()("GET", f"/api/2.0/mlflow/{what}/search", params={"max_results": asked})
    assert (said.status_code, said.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("what", ["registered-models", "model-versions"])
@pytest.mark.parametrize("token", ["x", "e30=", "AAAA", "%00", "é" * 100])
def test_forged_page_tokens(asking: Make, what: str, token: str) -> None:
    said = asking()("GET", f"/api/2.0/mlflow/{what}/search", params={"page_token": token})
    assert (said.status_code, said.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), said.text


def test_pages_are_whole(asking: Make) -> None:
    ask = asking()
    for number in range(7):
        ask.create(f"m{number}")
    seen: list[str] = []
    token = ""
    while True:
        params = {"max_results": "3", "page_token": token}
        said = ask("GET", "/api/2.0/mlflow/registered-models/search", params=params).json()
        seen += [model["name"] for model in said["registered_models"]]
        token = said.get("next_page_token", "")
        if not token:
            break
    assert seen == [f"m{number}" for number in range(7)]


# Filters


@pytest.mark.parametrize(
    "text",
    [
        "name = 'x' OR 1=1; DROP TABLE versions",
        "name = 'x' UNION SELECT 1",
        "(" * 10_000 + "name = 'x'",
        "colour = 'red'",
        "name = '",
        "name LIKE",
        "\0",
    ],
)
def test_hostile_filters(asking: Make, text: str) -> None:
    ask = asking()
    ask.create()
    for what in ("registered-models", "model-versions"):
        said = ask("GET", f"/api/2.0/mlflow/{what}/search", params={"filter": text})
        assert (said.status_code, said.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert [
        m["name"] for m in ask("GET", "/api/2.0/mlflow/registered-models/search").json()["registered_models"]
    ] == ["churn"]


# Every route


def paths(asking: Asking) -> list[str]:
    """The paths of MLflow's API one by one, and the plain ones beside it."""
    found = []
    for route in asking.app.routes:
        if isinstance(route, Mount) and f"{route.path}/" in rest.PREFIXES:
            found += [f"{route.path}/{endpoint}" for endpoint in rest.ENDPOINTS]
        elif isinstance(route, Route) and route.path in ("/health", "/version"):
            found.append(route.path)
    return found


def test_every_endpoint_of_mlflows_answers_garbage(asking: Make, git: Git) -> None:
    ask, before = asking(), git("rev-parse", "HEAD")
    chance = random.Random(5)
    bodies = [b"", b"{", b"[]", b"5", b'"', b"\xff", b'{"name": {}}', b'{"name": "\\ud800", "version": []}']
    bodies += [chance.randbytes(200) for _ in range(4)]
    queries = ["", "?", "?name", "?name=%ff&version=%00", "?name=a&name=b&version=1", "?" + "&" * 500]
    asked = paths(ask)
    assert len(asked) == 2 * len(rest.ENDPOINTS) + 2
    for path in asked:
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "X" * 300):
            for body, query in zip(bodies, [*queries, *queries], strict=True):
                said = ask(method, path + query, content=body, headers={"Content-Type": "application/json"})
                assert said.status_code in {200, 400, 404, 405}, (method, path, query, body, said.text)
                assert said.headers["x-content-type-options"] == "nosniff"
                if said.status_code != 200 and method != "HEAD":
                    assert set(said.json()) == {"error_code", "message"}
    assert git("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "path", ["/api/3.0", "/api/2.0/mlflow", "/api/2.0/mlflow/", "/api/2.0/mlflow/runs/get", "/%00"]
)
def test_there_is_nothing_elsewhere(asking: Make, path: str) -> None:
    said = asking()("GET", path)
    assert (said.status_code, said.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


def test_a_wrong_method_names_the_right_ones(asking: Make) -> None:
    said = asking()("GET", CREATE)
    assert (said.status_code, said.headers["allow"]) == (405, "POST")


def test_a_bug_is_told_in_the_log_alone(asking: Make, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask = asking()
    api = next(route.app for route in ask.app.routes if isinstance(route, Mount))
    api._facade = None
    said = ask.create()
    assert said.status_code == 500
    assert said.json() == {
        "error_code": "INTERNAL_ERROR",
        "message": "gitreg met a bug; the server's log has the details.",
    }
    assert "AttributeError" in caplog.text


def test_a_damaged_registry_is_no_bug(server: Served, place: Path, git: Git) -> None:
    assert server.post("registered-models/create", name="m")[0] == 200
    git("update-ref", "-d", "refs/heads/main")
    status, said = server.get("registered-models/get?name=m")
    assert status in {404, 500, 503} and set(said) == {"error_code", "message"}
    assert "Traceback" not in said["message"]
    assert server.get("/health") == (200, "OK")


CROWDED = IMPATIENT.replace("patience=0.3", "patience=60").replace(
    "import sys", "import resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, (260, 260))"
)


def test_connections_that_say_nothing_keep_nobody_out(place: Path) -> None:
    with (
        started([sys.executable, "-c", CROWDED, str(place)], place) as server,
        contextlib.ExitStack() as held,
    ):
        for at in range(200):  # more than it takes: 260 descriptors less those that it needs itself
            silent = held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            if at % 2:
                silent.sendall(b"GET /models HTTP/1.1\r\nHost: local")
        for _ in range(3):
            assert server.get("/health") == (200, "OK")
            assert server.get("registered-models/search")[0] == 200
        assert "Traceback" not in server.log.read_text()


def test_a_sign_in_is_short(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        head = (
            "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        client.sendall(f"{head}Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413")
