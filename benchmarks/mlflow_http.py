"""``gitreg serve`` and ``mlflow server`` over the same data: requests a second from eight clients."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

from fixtures import Shape, model_name
from load import Load, keep_busy
from mlflow_pair import PAIR, database
from pairs import Row
from programs import GITREG, run
from workshop import Workshop

NOTE = (
    "Requests a second from 8 keep-alive connections of one small client, which runs on the same two "
    "processors as the server; the servers are asked in turns, and the median of the turns counts. "
    "`mlflow server` has its default of 4 workers, and 1, over SQLite; `gitreg serve` is one process. "
    "Every request asks for another model."
)
_CLIENTS = 8
_TIMES = 5
_API = "/api/2.0/mlflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One kind of request: its name, and the requests themselves, each for another model."""

    what: str
    requests: list[bytes]


def servers(workshop: Workshop, shapes: list[Shape], *, rounds: int, seconds: float) -> list[Row]:
    """Four kinds of requests to three servers, at all sizes."""
    rows: list[Row] = []
    for shape in shapes:
        place, data = workshop.original(shape, PAIR), database(workshop, shape)
        run([GITREG, "index"], place)
        with ExitStack() as stack:
            ports = {
                "ours": stack.enter_context(serving(gitreg_serve(place), workshop.folder))[0],
                "four": stack.enter_context(serving(mlflow_serve(data, 4), workshop.folder))[0],
                "one": stack.enter_context(serving(mlflow_serve(data, 1), workshop.folder))[0],
            }
            for question in _questions(shape):
                rows += _compared(question, shape, ports, rounds, seconds)
    return rows


def _compared(
    question: Question, shape: Shape, ports: Mapping[str, int], rounds: int, seconds: float
) -> Iterator[Row]:
    answers = {name: _told(port, question.requests[0]) for name, port in ports.items()}
    if len({json.dumps(answer, sort_keys=True) for answer in answers.values()}) != 1:
        raise SystemExit(f"{question.what}: the answers differ: {answers}")
    found: dict[str, list[Load]] = {name: [] for name in ports}
    for turn in range(-1, rounds):
        for name, port in ports.items():
            load = keep_busy(
                port, question.requests, clients=_CLIENTS, seconds=seconds if turn >= 0 else seconds / 4
            )
            if turn >= 0:
                found[name].append(load)
    for name, said in (("four", "4 workers"), ("one", "1 worker")):
        rate = median(a.rate / b.rate for a, b in zip(found["ours"], found[name], strict=True))
        yield Row(
            what=f"{question.what}, {shape}",
            target=f"≥ {_TIMES} × the requests",
            ours=_rate(found["ours"]),
            rival=f"{said} {_rate(found[name])}",
            ratio=f"{rate:.1f} ×",
            met=rate >= _TIMES,
        )


def _rate(loads: list[Load]) -> str:
    rates = [load.rate for load in loads]
    low, high = f"{min(rates):,.0f}", f"{max(rates):,.0f}"
    own = median(load.own for load in loads)
    return f"{median(rates):,.0f}/s ({low}–{high}; client {100 * own:.0f} % of a CPU)"


def _questions(shape: Shape) -> Iterator[Question]:
    # 61 shares no factor with the sizes: neighbours are far from each other.
    numbers = [61 * turn % shape.models for turn in range(min(shape.models, 1000))]
    names = [model_name(number) for number in numbers]
    yield Question(
        what="registered-models/get", requests=[_get("registered-models/get", name=name) for name in names]
    )
    yield Question(
        what="model-versions/get",
        requests=[
            _get("model-versions/get", name=name, version=str(1 + 37 * turn % shape.versions))
            for turn, name in enumerate(names * max(1, 1000 // len(names)))
        ],
    )
    yield Question(
        what="registered-models/get-latest-versions",
        requests=[
            _post("registered-models/get-latest-versions", {"name": name, "stages": ["Production"]})
            for name in names
        ],
    )
    yield Question(
        what="model-versions/search, name, 100 results",
        requests=[
            _get("model-versions/search", filter=f"name = '{name}'", max_results="100") for name in names
        ],
    )


def _get(path: str, **query: str) -> bytes:
    words = "&".join(f"{key}={quote(value)}" for key, value in query.items())
    return f"GET {_API}/{path}?{words} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()


def _post(path: str, body: Mapping[str, Any]) -> bytes:
    data = json.dumps(body)
    head = f"POST {_API}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(data)}\r\n\r\n{data}".encode()


def _told(port: int, request: bytes) -> Any:
    """What matters of an answer: names, versions and stages, without what one side alone knows."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
        link.sendall(request.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost", 1))
        got = b""
        while more := link.recv(65_536):
            got += more
    head, _, body = got.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"a server answered: {got[:600]!r}")
    return _names(json.loads(body))


def _names(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_names(each) for each in value), key=str)
    if isinstance(value, dict):
        kept = ("name", "version", "current_stage", "source")
        return {key: _names(each) for key, each in value.items() if key in kept or "model" in key}
    return str(value)


# Servers


def gitreg_serve(place: Path) -> list[str]:
    """Serves a registry on the port that follows."""
    return [GITREG, "serve", "--registry", str(place), "--port"]


def mlflow_serve(data: Path, workers: int) -> list[str]:
    """Serves an SQLite store on the port that follows."""
    uri = f"sqlite:///{data}"
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", str(workers)),
        *("--backend-store-uri", uri, "--registry-store-uri", uri, "--port"),
    ]


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[tuple[int, int]]:
    """A server on a port of its own: that port and its process; it ends with all that it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / f"server-{port}.log"
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with log.open("wb") as told:
        server = subprocess.Popen(
            [*command, str(port)],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
        try:
            _wait_for(server, port, log)
            yield port, server.pid
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    asked = f"http://127.0.0.1:{port}{_API}/registered-models/search?max_results=1"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"a server did not start: {log.read_text(errors='replace')[-2000:]}")
