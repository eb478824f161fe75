"""The pages of ``gitreg serve``: how long each takes, how many bytes it is, and how MLflow's server does."""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import quote

from fixtures import Shape, model_name
from load import keep_busy
from mlflow_http import gitreg_serve, mlflow_serve, serving
from mlflow_pair import PAIR, database
from pairs import Row
from programs import GITREG, run
from workshop import Workshop

NOTE = (
    "One request after the other on one connection, compressed as a browser asks for it; each asks for "
    "another address, so that the server makes each page anew; it keeps pages of a commit that were asked "
    "for before, which is told apart. Beside `mlflow server` (SQLite, 4 workers and 1): requests a second "
    "from 8 connections for the first 50 models, ours as the page that people see and as JSON, theirs as "
    "JSON. Memory is the server's own (not shared with others) after all of it."
)
_WALL, _WIRE, _MEMORY, _TIMES = 20.0, 100_000, 150_000_000, 5
_CLIENTS = 8
_BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip", "Connection": "keep-alive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One kind of page.

    Attributes:
        what: Its name.
        paths: Its addresses.
        bound: Whether the contract sets a bound for it.
        anew: Whether each request is to be one that was never asked.
    """

    what: str
    paths: list[str]
    bound: bool = True
    anew: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Median milliseconds of a request, and the largest answer in bytes, as sent and unpacked."""

    wall: float
    wire: int
    whole: int


def pages(workshop: Workshop, shapes: list[Shape], *, turns: int, rounds: int, seconds: float) -> list[Row]:
    """All pages at all sizes, then the listing beside MLflow's."""
    rows: list[Row] = []
    for shape in shapes:
        place, data = workshop.original(shape, PAIR), database(workshop, shape)
        run([GITREG, "index"], place)
        with ExitStack() as stack:
            ours, pid = stack.enter_context(serving(gitreg_serve(place), workshop.folder))
            for asked in _pages(shape):
                told = _ask(ours, asked.paths, turns, anew=asked.anew)
                sizes = f"{told.wire / 1000:.1f} kB sent ({told.whole / 1000:.0f} kB)"
                rows.append(
                    Row(
                        what=f"{asked.what}, {shape}",
                        target="< 20 ms, < 100 kB" if asked.bound else "",
                        ours=f"{told.wall:.1f} ms, {sizes}",
                        met=(told.wall < _WALL and told.wire < _WIRE) if asked.bound else None,
                    )
                )
            four, _ = stack.enter_context(serving(mlflow_serve(data, 4), workshop.folder))
            one, _ = stack.enter_context(serving(mlflow_serve(data, 1), workshop.folder))
            rows += _listing(shape, {"ours": ours, "four": four, "one": one}, rounds, seconds)
            memory = _private(pid)
            rows.append(
                Row(
                    what=f"memory of the server, {shape}",
                    target="< 150 MB",
                    ours=f"{memory / 1e6:.0f} MB",
                    met=memory < _MEMORY,
                )
            )
    return rows


def _pages(shape: Shape) -> Iterator[Asked]:
    # 61 shares no factor with the sizes: neighbours are far from each other.
    numbers = [61 * turn % shape.models for turn in range(min(shape.models, 200))]
    names = [model_name(number) for number in numbers]
    last = max(1, -(-shape.models // 50))
    yield Asked(what="model list", paths=[f"/models?page={1 + turn % last}" for turn in range(last)])
    yield Asked(what="model list, kept", paths=["/models"], bound=False, anew=False)
    yield Asked(what="model list, last changed first", paths=["/models?order=updated"], bound=False)
    yield Asked(what="model list, as typed", paths=[f"/models?q={name[-3:]}" for name in names], bound=False)
    yield Asked(what="model page", paths=[f"/models/{name}" for name in names], bound=False)
    yield Asked(
        what="version page",
        paths=[f"/models/{name}/{1 + 37 * turn % shape.versions}" for turn, name in enumerate(names)],
    )
    yield Asked(
        what="compare two versions",
        paths=[f"/compare?version={quote(f'{name}/1')}&version={quote(f'{name}/2')}" for name in names],
        bound=False,
    )
    yield Asked(what="search by metric", paths=["/search?q=" + quote("metrics.auc > 0.9")], bound=False)
    yield Asked(what="activity", paths=["/activity"], bound=False)


def _ask(port: int, paths: list[str], turns: int, *, anew: bool) -> Told:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times, wire, whole = [], 0, 0
    for turn in range(-5, turns):
        path = paths[turn % len(paths)]
        if anew:  # pages take no notice of what they don't know
            path += f"{'&' if '?' in path else '?'}turn={turn}"
        began = time.perf_counter()
        link.request("GET", path, headers=_BROWSER)
        answer = link.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {body[:600]!r}")
        if turn >= 0:
            times.append(1000 * took)
            wire = max(wire, len(body))
            packed = answer.headers.get("Content-Encoding") == "gzip"
            whole = max(whole, len(gzip.decompress(body) if packed else body))
    link.close()
    return Told(wall=median(times), wire=wire, whole=whole)


def _listing(shape: Shape, ports: Mapping[str, int], rounds: int, seconds: float) -> Iterator[Row]:
    theirs = ["/api/2.0/mlflow/registered-models/search?max_results=50"]
    questions = {
        # More than are kept: each is made anew.
        "anew": ("ours", [f"/models?turn={turn}" for turn in range(2000)]),
        "kept": ("ours", ["/models"]),
        "json": ("ours", ["/api/v1/models?limit=50"]),
        "four": ("four", theirs),
        "one": ("one", theirs),
    }
    found: dict[str, list[float]] = {name: [] for name in questions}
    for turn in range(-1, rounds):
        for name, (side, paths) in questions.items():
            requests = [
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode() for path in paths
            ]
            load = keep_busy(ports[side], requests, clients=_CLIENTS, seconds=seconds)
            if turn >= 0:
                found[name].append(load.rate)
    ways = (("anew", "as a page, made anew"), ("kept", "as a page, kept"), ("json", "as JSON, kept"))
    for ours, said in ways:
        for rival, workers in (("four", "4 workers"), ("one", "1 worker")):
            ratio = median(a / b for a, b in zip(found[ours], found[rival], strict=True))
            yield Row(
                what=f"the first 50 models {said}, {shape}",
                target=f"≥ {_TIMES} × the requests",
                ours=f"{median(found[ours]):,.0f}/s",
                rival=f"{workers} {median(found[rival]):,.0f}/s",
                ratio=f"{ratio:.1f} ×",
                met=ratio >= _TIMES,
            )


def _private(pid: int) -> int:
    """Bytes of memory that a process has for itself (Linux)."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kilobytes = [int(line.split()[1]) for line in told.splitlines() if line.startswith("Private_")]
    return 1024 * sum(kilobytes)
