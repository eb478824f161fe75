"""Requests as curl, MLflow's Java client and its R client send them, and what they read out of the answers."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.web.serving import Served

RUN = "0123456789abcdef0123456789abcdef"
JAVA = {"User-Agent": "mlflow-java-client/3.17.2"}
R = {"User-Agent": "mlflow-r-client/3.17.2"}


def curl(server: Served, *args: str) -> Any:
    done = subprocess.run(
        ["curl", "-sS", "--fail-with-body", *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl(server: Served) -> None:
    api = f"{server.url}/api/2.0/mlflow"
    typed = ["-H", "Content-Type: application/json"]
    made = curl(server, *typed, "-d", '{"name": "wine"}', f"{api}/registered-models/create")
    assert made["registered_model"]["name"] == "wine"
    version = {"name": "wine", "source": "s3://models/wine", "tags": [{"key": "grape", "value": "Riesling"}]}
    made = curl(server, *typed, "-d", json.dumps(version), f"{api}/model-versions/create")["model_version"]
    assert (made["version"], made["status"], made["current_stage"]) == ("1", "READY", "None")
    moved = {"name": "wine", "version": "1", "stage": "Production", "archive_existing_versions": True}
    curl(server, *typed, "-d", json.dumps(moved), f"{api}/model-versions/transition-stage")
    query = ["-G", "--data-urlencode", "filter=tags.grape = 'Riesling'", "-d", "max_results=5"]
    found = curl(server, *query, "-d", "order_by=name", f"{api}/model-versions/search")
    assert [each["current_stage"] for each in found["model_versions"]] == ["Production"]
    found = curl(server, *typed, "-X", "GET", "-d", '{"name": "wine"}', f"{api}/registered-models/get")
    assert found["registered_model"]["latest_versions"][0]["version"] == "1"
    assert (
        curl(server, *typed, "-X", "DELETE", "-d", '{"name": "wine"}', f"{api}/registered-models/delete")
        == {}
    )
    code = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert subprocess.check_output(["curl", "-s", *code, f"{api}/registered-models/get?name=wine"]) == b"404"
    assert subprocess.check_output(["curl", "-s", *code, "-I", f"{server.url}/health"]) == b"200"


def test_the_java_client(server: Served) -> None:
    """It prints protobuf messages as JSON: what was set, names in snake case."""

    def post(path: str, **fields: Any) -> Any:
        status, said = server.ask("POST", f"/api/2.0/mlflow/{path}", fields, JAVA)
        assert status == 200, said
        return said

    post("registered-models/create", name="java model")
    made = post("model-versions/create", name="java model", run_id=RUN, source=f"runs:/{RUN}/model")
    assert made["model_version"]["version"] == "1"
    post("model-versions/transition-stage", name="java model", version="1", stage="Staging")
    status, said = server.ask(
        "PATCH", "/api/2.0/mlflow/model-versions/update", {"name": "java model", "version": "1"}, JAVA
    )
    assert status == 200
    status, said = server.get(
        "registered-models/get-latest-versions?name=java+model&stages=Staging&stages=Production", **JAVA
    )
    assert [each["version"] for each in said["model_versions"]] == ["1"]
    status, said = server.get("model-versions/get?name=java+model&version=1", **JAVA)
    assert said["model_version"]["run_id"] == RUN
    status, said = server.get("model-versions/get-download-uri?name=java%20model&version=1", **JAVA)
    assert said == {"artifact_uri": f"runs:/{RUN}/model"}
    status, said = server.get("model-versions/search?filter=name%3D%27java+model%27&max_results=2", **JAVA)
    assert len(said["model_versions"]) == 1
    # protobuf's own JSON has 64-bit integers as texts
    status, said = server.ask(
        "GET", "/api/2.0/mlflow/registered-models/search", {"max_results": "1", "order_by": ["name"]}, JAVA
    )
    assert [each["name"] for each in said["registered_models"]] == ["java model"]


def test_the_r_client(server: Served) -> None:
    """It sends ``null`` for what was not given, lists as lists, and searches with POST."""

    def ask(method: str, path: str, **fields: Any) -> Any:
        status, said = server.ask(method, f"/api/2.0/mlflow/{path}", fields, R)
        assert status == 200, said
        return said

    tags = [{"key": "team", "value": "growth"}]
    ask("POST", "registered-models/create", name="r-model", tags=tags, description=None)
    ask(
        "POST",
        "model-versions/create",
        name="r-model",
        source="s3://models/r",
        run_id=None,
        run_link=None,
        tags=None,
        description=None,
    )
    ask(
        "POST",
        "model-versions/transition-stage",
        name="r-model",
        version="1",
        stage="Production",
        archive_existing_versions=False,
    )
    ask("POST", "model-versions/set-tag", name="r-model", version="1", key="a", value="b")
    found = ask(
        "POST", "registered-models/search", filter=None, max_results=100, order_by=[], page_token=None
    )
    assert [each["name"] for each in found["registered_models"]] == ["r-model"]
    _, said = server.get("registered-models/get-latest-versions?name=r-model&stages=Production", **R)
    assert said["model_versions"][0]["tags"] == [{"key": "a", "value": "b"}]
    ask("POST", "registered-models/alias", name="r-model", alias="champion", version="1")
    _, said = server.get("registered-models/alias?name=r-model&alias=champion", **R)
    assert said["model_version"]["aliases"] == ["champion"]
    ask("PATCH", "registered-models/update", name="r-model", description="from R")
    ask("POST", "registered-models/rename", name="r-model", new_name="r-model-2")
    ask("DELETE", "model-versions/delete", name="r-model-2", version="1")
    ask("DELETE", "registered-models/delete", name="r-model-2")


def test_the_page_of_mlflow_asks_elsewhere(server: Served) -> None:
    assert server.ask("POST", "/ajax-api/2.0/mlflow/registered-models/create", {"name": "m"})[0] == 200
    found = server.get("/ajax-api/2.0/mlflow/registered-models/search?max_results=10")
    assert found == server.get("registered-models/search?max_results=10")
    assert found[1]["registered_models"][0]["name"] == "m"
