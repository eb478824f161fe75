"""``/metrics`` for Prometheus (text format 0.0.4): requests by route, and what the registry holds.

Each process of a server counts for itself and says which one it is by the label ``worker``: add them up.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from gitreg import __version__
from gitreg.errors import GitregError
from gitreg.mlflow import rest
from gitreg.registry import listing
from gitreg.registry.counting import Counts
from gitreg.web import identity
from gitreg.web.identity import Role
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gitreg.web.registries import Registries

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STREAMS = frozenset({"/api/v1/events"})  # how long somebody listens says nothing
_REFUSED = "(refused)"
_NOWHERE = "(none)"


# When each count began: twice as many lines, of use to nobody.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """What one application counts.

    Args:
        registries: Lends the registry.
        at: The date or revision that the whole server shows.
    """

    def __init__(self, registries: Registries, *, at: str | None = None) -> None:
        worker = str(os.getpid())
        self.collected = CollectorRegistry()
        labels = ("worker", "method", "route")
        requests = Counter(
            "gitreg_http_requests", "Requests answered.", (*labels, "status"), registry=self.collected
        )
        seconds = Histogram(
            "gitreg_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            labels,
            buckets=_SECONDS,
            registry=self.collected,
        )
        running = Gauge(
            "gitreg_http_requests_in_flight",
            "Requests that are being answered.",
            ("worker",),
            registry=self.collected,
        )
        self._requests, self._seconds, self._worker = requests, seconds, worker
        self._running = running.labels(worker)
        self.collected.register(_Process(worker))
        held: Collector = _Held(registries, at)
        self.collected.register(held)

    def begin(self) -> float:
        """Count a request that has come; what this gives goes to ``end``."""
        self._running.inc()
        return perf_counter()

    def end(self, begun: float, method: str, route: str, status: int) -> None:
        """Count a request that is answered.

        Args:
            begun: From ``begin``.
            method: As it was sent; an unknown one counts as OTHER.
            route: Template of its path, never the path itself.
            status: HTTP status; 0 where the client left before there was one.
        """
        self._running.dec()
        labels = (self._worker, method if method in _METHODS else "OTHER", route)
        self._requests.labels(*labels, str(status)).inc()
        if route not in _STREAMS:
            self._seconds.labels(*labels).observe(perf_counter() - begun)

    def text(self) -> bytes:
        """All of it as text; the registry is read."""
        return generate_latest(self.collected)


class _Process(ProcessCollector):
    """Memory, files and time of this process, with its number."""

    def __init__(self, worker: str) -> None:
        super().__init__(registry=None)
        self._worker = {"worker": worker}

    def collect(self) -> Iterator[Metric]:
        """The numbers; none where the system does not tell."""
        for metric in super().collect():
            metric.samples = [
                each._replace(labels={**each.labels, **self._worker}) for each in metric.samples
            ]
            yield metric


class _Held:
    """What the registry holds, read when it is asked for."""

    def __init__(self, registries: Registries, at: str | None) -> None:
        self._registries = registries
        self._at = at
        self._counts = Counts()

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: it would read the registry."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now; none of them where the registry can't be read."""
        yield InfoMetricFamily(
            "gitreg_build",
            "The version of gitreg, and of Python.",
            {"version": __version__, "python": platform.python_version()},
        )
        up = GaugeMetricFamily("gitreg_registry_up", "Whether the registry can be read.")
        try:
            found = list(self._read())
        except (GitregError, OSError):
            found = []
        up.add_metric([], 1.0 if found else 0.0)
        yield up
        yield from found

    def _read(self) -> Iterator[Metric]:
        with self._registries.reading() as registry:
            store = registry.store
            head = store.head() if self._at is None else store.commit_for(self._at)
            behind = 0.0 if store.index.ready(head) is not None else 1.0
            part = store.index.slice(head)
            models, versions = listing.model_count(part), sum(self._counts.of(part).values())
            holders = listing.holders_by_stage(part)
            when = part.link(part.seq).time
        yield InfoMetricFamily("gitreg_registry_head", "The commit that is shown.", {"commit": head})
        yield _gauge("gitreg_registry_head_time_seconds", "Committer time of that commit.", when.timestamp())
        yield _gauge("gitreg_registry_commits", "Commits in the branch's history.", part.seq)
        yield _gauge("gitreg_registered_models", "Registered models.", models)
        yield _gauge("gitreg_model_versions", "Model versions.", versions)
        yield _gauge(
            "gitreg_index_behind", "Whether the index was behind the head when it was asked.", behind
        )
        stages = GaugeMetricFamily("gitreg_stage_versions", "Versions that hold a stage.", labels=["stage"])
        for stage, count in holders:
            stages.add_metric([stage], count)
        yield stages


def _gauge(name: str, help: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help, value=value)


class Counting:
    """Counts each request (ASGI middleware); the outermost, so that it sees what others refuse.

    Args:
        app: The application behind it.
        metrics: Where it counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self._templates: dict[int, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = self.metrics.begin()
        try:
            await self.app(scope, receive, watched)
        except BaseException:
            status = status or 500
            raise
        finally:
            self.metrics.end(begun, scope["method"], self._route(scope), status)

    def _route(self, scope: Scope) -> str:
        """The template of the path that was asked for."""
        told = scope.get("gitreg.route")
        if told is not None:
            return told or _NOWHERE
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return _REFUSED if "router" not in scope else _NOWHERE
        if self._templates is None:
            self._templates = dict(_templates(scope["app"].routes))
        found = self._templates.get(id(endpoint), _NOWHERE)
        path = scope["path"]
        for prefix in rest.PREFIXES:
            if path.startswith(prefix):
                return path if path[len(prefix) :] in rest.ENDPOINTS else _NOWHERE
        return found


def _templates(routes: Iterable[BaseRoute]) -> Iterator[tuple[int, str]]:
    for route in routes:
        if isinstance(route, Route | Mount):
            yield id(route.endpoint if isinstance(route, Route) else route.app), route.path


def routes(metrics: Metrics) -> list[BaseRoute]:
    """The route ``/metrics``; reading it needs the role reader."""
    threads = Threads(1)

    async def answer(request: Request) -> Response:
        identity.require(Role.READER)
        text = await threads.run(metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    return [Route("/metrics", answer, methods=["GET"])]
