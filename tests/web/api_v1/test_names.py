"""A10–A15 over the API: odd names make the round trip, percent-encoded once."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from gitreg.domain import names
from tests.acceptance.test_a_accepted import A10, A11, A12, A13, A14, A15
from tests.web.api_v1.conftest import Api, model_path
from tests.web.serving import Served

ALL = [*A10, *A11, *A12, *A13, *A14, *A15]
DISTINCT = list({names.twin_key(name): name for name in ALL}.values())


def test_A10_to_A15_in_process(api: Api) -> None:
    for name in DISTINCT:
        path = model_path(name)
        source = f"s3://models/{quote(name)}"
        made = api("POST", f"{path}/versions", {"source": source, "aliases": ["champion"]})
        assert made.status_code == 201, (name, made.text)
        assert made.headers["location"] == f"/api/v1{path}/versions/1"
        assert made.json()["model"]["name"] == name
    listed = [each["name"] for each in api.get("/models", limit=1000)["models"]]
    assert sorted(listed) == sorted(DISTINCT)
    for name in DISTINCT:
        path = model_path(name)
        api.write("POST", f"{path}/versions/1/transition", {"stage": "Production"})
        assert api.get(path)["name"] == name
        for which in ("1", "Production", "latest", "@champion"):
            found = api.get(f"{path}/versions/{which}")
            assert (found["name"], found["source"]) == (name, f"s3://models/{quote(name)}")
        assert api.get("/resolve", uri=f"models:/{name}@champion")["name"] == name
        assert api.get("/log", model=name)["entries"][0]["changes"][0]["model"] == name
        assert api.get(f"{path}/timeline")["name"] == name
        assert api.get("/compare", version=f"{name}/1", **{"from": "HEAD~1"})["before"]["name"] == name


@pytest.mark.parametrize(
    "name", ["a%20b", "100%", "~^?*[\\", ".hidden", "a..b", "CON", ".git", "-x", "a@{1}", "é", "模型", "a+b"]
)
def test_through_a_real_server(server: Served, name: str) -> None:
    """What the HTTP server makes of a path is what was meant."""
    path = f"/api/v1{model_path(name)}"
    assert server.ask("POST", f"{path}/versions", {"source": "s3://m"})[0] == 201
    status, found = server.get(f"{path}/versions/1")
    assert (status, found["name"]) == (200, name)
    assert server.ask("DELETE", path)[0] == 200
