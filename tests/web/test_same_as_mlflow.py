"""The same requests to MLflow's own server over SQLite and to ours: status, error code and document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from gitreg.mlflow import rest
from gitreg.mlflow.facade import Facade
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from tests.web.asked import CONVERSATIONS, Ask, Conversation

pytestmark = pytest.mark.mlflow

TIMES = {"creation_timestamp", "last_updated_timestamp"}
# SQL gives these in any order.
UNORDERED: dict[str, Callable[[Any], Any]] = {
    "tags": itemgetter("key"),
    "aliases": str,
    "latest_versions": itemgetter("version"),
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of MLflow's Flask application over an SQLite store of its own."""
    from mlflow.server import app, handlers

    folder = tmp_path_factory.mktemp("mlflow")
    patched = pytest.MonkeyPatch()
    for name in ("_tracking_store", "_model_registry_store"):
        patched.setattr(handlers, name, None)
    patched.setitem(app.config, "TESTING", False)
    uri = f"sqlite:///{folder}/mlflow.db"
    handlers.initialize_backend_stores(uri, uri, f"{folder}/artifacts")
    yield app.test_client()
    patched.undo()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Facade]:
    from gitreg.domain.settings import Settings

    create(tmp_path / "r", settings=Settings(name="r"), branch=None, env={}, now=utc_now(), ci=None)
    facade = Facade(tmp_path / "r")
    yield facade
    facade.close()


@pytest.mark.parametrize("talk", CONVERSATIONS, ids=lambda talk: talk.title.replace(" ", "-"))
def test_the_answers_are_mlflows(talk: Conversation, theirs: Any, ours: Facade) -> None:
    differing = []
    for ask in talk.asks:
        expected, found = _asked(theirs, ask), _answered(ours, ask)
        if ask.path.endswith("get-latest-versions") and expected[0] == found[0] == 200:
            for each in (expected, found):
                each[2].get("model_versions", []).sort(key=itemgetter("version"))
        if ask.ours is not None:
            agreed = expected[:2] != found[:2] and found[:2] == ask.ours
        elif ask.says:
            agreed = expected == found
        else:
            agreed = expected[:2] == found[:2]
        if not agreed:
            differing.append(f"{ask}\n    MLflow: {expected}\n    gitreg: {found}")
    assert not differing, "\n".join(["", *differing])


def _asked(client: Any, ask: Ask) -> tuple[int, str, Any]:
    said = client.open(
        ask.path,
        method=ask.method,
        query_string=urlencode(ask.query) or None,
        data=ask.body,
        headers={"Content-Type": ask.content_type} if ask.content_type else {},
    )
    return _masked(said.status_code, said.get_json(silent=True))


def _answered(facade: Facade, ask: Ask) -> tuple[int, str, Any]:
    said = rest.answer(
        facade, ask.method, ask.path, ask.query, ask.body or b"", content_type=ask.content_type
    )
    return _masked(said.status, json.loads(json.dumps(said.document)))


def _masked(status: int, document: Any) -> tuple[int, str, Any]:
    """Status, error code, and the message or the document without what must differ."""
    if status == 200:
        return status, "", _plain(document)
    return status, (document or {}).get("error_code", ""), (document or {}).get("message")


def _plain(value: Any, key: str = "") -> Any:
    if key in TIMES:
        return "a time" if isinstance(value, int) and value > 1_600_000_000_000 else value
    if key == "next_page_token":
        return "a token"
    if isinstance(value, dict):
        return {name: _plain(each, name) for name, each in value.items()}
    if isinstance(value, list):
        plain = [_plain(each) for each in value]
        return sorted(plain, key=UNORDERED[key]) if key in UNORDERED else plain
    return value
