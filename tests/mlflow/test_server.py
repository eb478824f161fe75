"""``mlflow server --registry-store-uri gitreg+file://…`` as a child process, with MLflow's default of four workers."""

from __future__ import annotations

import base64
import importlib.util
import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.mlflow.conftest import Git, needs_mlflow
from tests.mlflow.webserver import mlflow_server

pytestmark = [pytest.mark.mlflow, needs_mlflow, pytest.mark.xdist_group("mlflow")]

PASSWORD = "correct horse battery"


def call(
    address: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Status and document that a call of MLflow's REST API is answered with; with ``body`` it is a POST."""
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        return error.code, json.loads(text) if text.startswith("{") else text


def basic(user: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of HTTP basic authentication."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the server runs."""
    made = tmp_path / "server"
    made.mkdir()
    return made


def authors(place: Path, git: Git) -> list[str]:
    """Author and subject of each commit but the first, the oldest first."""
    return git(place, "log", "--reverse", "--format=%an <%ae> %s").splitlines()[1:]


def test_four_workers_register_as_one(place: Path, folder: Path, git: Git) -> None:
    """Eight clients at once through the four processes: the numbers are dense, and each call is a commit."""
    each, clients = 10, 8
    with mlflow_server(folder, f"gitreg+file://{place}") as address:
        assert call(address, "registered-models/create", {"name": "churn"})[0] == 200

        def register(client: int) -> list[tuple[int, int]]:
            found = []
            for number in range(each):
                body = {"name": "churn", "source": f"s3://bucket/{client}/{number}"}
                status, answer = call(address, "model-versions/create", body)
                found.append((status, int(answer.get("model_version", {}).get("version", 0))))
                tagged = {"name": "churn", "version": str(found[-1][1]), "key": "by", "value": str(client)}
                found.append((call(address, "model-versions/set-tag", tagged)[0], 0))
            return found

        with ThreadPoolExecutor(clients) as pool:
            answers = [answer for answers in pool.map(register, range(clients)) for answer in answers]
        assert Counter(status for status, _ in answers) == {200: 2 * each * clients}
        assert sorted(filter(None, (number for _, number in answers))) == list(range(1, each * clients + 1))
        # Whichever worker is asked has all of them.
        for _ in range(8):
            _, found = call(address, "model-versions/search?filter=name%3D%27churn%27&max_results=1000")
            versions = found["model_versions"]
            assert {int(version["version"]) for version in versions} == set(range(1, each * clients + 1))
            by = Counter(tag["value"] for version in versions for tag in version["tags"])
            assert by == {str(client): each for client in range(clients)}
    assert git(place, "rev-list", "--count", "HEAD").strip() == str(2 + 2 * each * clients)
    assert len(git(place, "tag", "--list", "churn/v*").split()) == each * clients
    git(place, "fsck", "--strict")
    assert git(place, "status", "--porcelain") == ""


def test_the_commit_is_by_the_caller(place: Path, folder: Path, git: Git) -> None:
    """A header that is trusted, and without one whom the server runs as."""
    env = {"GITREG_USER_HEADER": "X-Forwarded-User", "GITREG_USER_DOMAIN": "example.org"}
    with mlflow_server(folder, f"gitreg+file://{place}", workers=1, env=env) as address:
        for name, headers in (
            ("one", {"X-Forwarded-User": "grace"}),
            ("two", {"X-Forwarded-User": "alan@example.com"}),
            ("three", {}),
            ("four", basic("mallory")),
        ):
            assert call(address, "registered-models/create", {"name": name}, headers)[0] == 200
        status, answer = call(
            address,
            "registered-models/create",
            {"name": "five"},
            {"X-Forwarded-User": "Eve <ada@example.com>"},
        )
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert call(address, "registered-models/get?name=five")[0] == 404
    assert authors(place, git) == [
        "grace <grace@example.org> one: register model",
        "alan@example.com <alan@example.com> two: register model",
        "Ada Lovelace <ada@example.com> three: register model",
        "Ada Lovelace <ada@example.com> four: register model",
    ]
    assert set(git(place, "log", "--format=%cn <%ce>").splitlines()) == {"Ada Lovelace <ada@example.com>"}


def test_without_a_proxy_the_user_of_basic_authentication_counts(place: Path, folder: Path, git: Git) -> None:
    """As MLflow's own client sends it, from MLFLOW_TRACKING_USERNAME."""
    with mlflow_server(folder, f"gitreg+file://{place}", workers=1) as address:
        for user in ("Zoë", "ada b@c"):
            assert call(address, "registered-models/create", {"name": f"of {user}"}, basic(user))[0] == 200
    assert authors(place, git) == [
        "Zoë <Zo%C3%AB@users.noreply.invalid> of Zoë: register model",
        "ada b@c <ada%20b%40c@users.noreply.invalid> of ada b@c: register model",
    ]


@pytest.mark.skipif(
    not importlib.util.find_spec("flask_wtf"), reason="needs Flask-WTF, which MLflow's basic-auth app imports"
)
def test_mlflows_own_logins_are_the_authors(place: Path, folder: Path, git: Git) -> None:
    """``--app-name basic-auth``: whom MLflow has let in; nobody else writes."""
    env = {
        "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for this test",
    }
    store = f"gitreg+file://{place}"
    with mlflow_server(folder, store, workers=2, app="basic-auth", env=env) as address:
        admin = basic("admin")
        user = {"username": "grace", "password": PASSWORD}
        assert call(address, "users/create", user, admin)[0] == 200
        assert call(address, "registered-models/create", {"name": "one"}, basic("grace"))[0] == 200
        version = {"name": "one", "source": "s3://bucket/one"}
        assert call(address, "model-versions/create", version, basic("grace"))[0] == 200
        assert call(address, "registered-models/create", {"name": "two"}, admin)[0] == 200
        assert call(address, "registered-models/create", {"name": "x"}, basic("grace", "wrong"))[0] == 401
        assert call(address, "registered-models/create", {"name": "x"}, {})[0] == 401
        alias = {"name": "two", "alias": "champion", "version": "1"}
        assert call(address, "registered-models/alias", alias, basic("grace"))[0] == 403
    assert authors(place, git) == [
        "grace <grace@users.noreply.invalid> one: register model",
        "grace <grace@users.noreply.invalid> one: register version 1",
        "admin <admin@users.noreply.invalid> two: register model",
    ]


def test_the_server_answers_for_the_past_and_refuses_to_write_it(place: Path, folder: Path, git: Git) -> None:
    """A second server over the same registry at an earlier revision."""
    from gitreg.mlflow.facade import Facade

    facade = Facade(place)
    facade.create_registered_model("churn")
    then = git(place, "rev-parse", "HEAD").strip()
    facade.create_registered_model("later")
    facade.close()
    with mlflow_server(folder, f"gitreg+file://{place}?at={then}", workers=1) as address:
        _, found = call(address, "registered-models/search?max_results=10")
        assert [model["name"] for model in found["registered_models"]] == ["churn"]
        status, answer = call(address, "registered-models/create", {"name": "other"})
        assert (status, answer["error_code"]) != (500, "INTERNAL_ERROR")
        assert then[:10] in answer["message"]
