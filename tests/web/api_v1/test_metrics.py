"""``/metrics``: what Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gitreg.web.metrics import CONTENT_TYPE
from tests.web.api_v1.conftest import Api
from tests.web.conftest import Asking, Git
from tests.web.serving import served


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            labels = {key: value for key, value in each.labels.items() if key != "worker"}
            found[each.name, frozenset(labels.items())] = each.value
    return found


def told(api: Api) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = api.asking("GET", "/metrics")
    assert (found.status_code, found.headers["content-type"]) == (200, CONTENT_TYPE)
    return samples(found.text)


def of(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def test_requests_by_route(full: Api) -> None:
    for name in ("churn", "fraud", "nothing"):
        full("GET", f"/models/{name}")
    full("GET", "/nowhere/at/all")
    full.asking("GET", "/nowhere")
    full.asking("GET", "/api/2.0/mlflow/registered-models/get", params={"name": "churn"})
    full.asking("GET", "/api/2.0/mlflow/registered-models/secret")
    full.asking("BREW", "/health")
    full.asking("GET", "/health", headers={"Host": "evil.example"})
    found = told(full)
    route = "/api/v1/models/{name}"
    assert of(found, "gitreg_http_requests_total", method="GET", route=route, status="200") == 2
    assert of(found, "gitreg_http_requests_total", method="GET", route=route, status="404") == 1
    assert of(found, "gitreg_http_request_duration_seconds_count", method="GET", route=route) == 3
    mlflow = "/api/2.0/mlflow/registered-models/get"
    assert of(found, "gitreg_http_requests_total", method="GET", route=mlflow, status="200") == 1
    assert of(found, "gitreg_http_requests_total", method="GET", route="(none)", status="404") == 3
    assert of(found, "gitreg_http_requests_total", method="GET", route="(refused)", status="403") == 1
    assert of(found, "gitreg_http_requests_total", method="OTHER", route="/health", status="405") == 1
    assert of(found, "gitreg_http_requests_in_flight") == 1
    assert not any("nothing" in str(key) or "secret" in str(key) or "evil" in str(key) for key in found)


def test_the_registry(full: Api, git: Git) -> None:
    found = told(full)
    assert of(found, "gitreg_registered_models") == 2
    assert of(found, "gitreg_model_versions") == 3
    assert of(found, "gitreg_stage_versions", stage="Production") == 1
    assert of(found, "gitreg_registry_head_info", commit=git("rev-parse", "HEAD")) == 1
    assert of(found, "gitreg_registry_commits") == int(git("rev-list", "--count", "HEAD"))
    assert of(found, "gitreg_registry_head_time_seconds") == int(git("log", "-1", "--format=%ct"))
    assert of(found, "gitreg_registry_up") == 1
    assert of(found, "gitreg_index_behind") in (0, 1)
    assert (of(found, "process_resident_memory_bytes") or 0) > 10_000_000
    full.write("DELETE", "/models/churn/versions/3")
    assert of(told(full), "gitreg_model_versions") == 2


def test_a_registry_that_is_gone(full: Api, place: Path) -> None:
    (place / ".git" / "HEAD").unlink()
    found = told(full)
    assert of(found, "gitreg_registry_up") == 0
    assert of(found, "gitreg_registered_models") is None


def test_it_asks_for_a_reader(asking: Callable[..., Asking]) -> None:
    anybody = asking(host="0.0.0.0", loopback=False)
    assert anybody("GET", "/metrics", peer="192.0.2.7").status_code == 200
    nobody = asking(host="0.0.0.0", loopback=False, sign_in=True)
    assert nobody("GET", "/metrics", peer="192.0.2.7").status_code == 401


def test_workers_say_which_they_are(place: Path) -> None:
    import re
    import urllib.request

    with served(place, "--workers", "2") as server:
        found = set()
        for _ in range(200):
            with urllib.request.urlopen(server.url + "/metrics", timeout=20) as said:
                found |= set(re.findall(rb'in_flight\{worker="(\d+)"\}', said.read()))
            if len(found) == 2:
                break
        assert len(found) == 2
