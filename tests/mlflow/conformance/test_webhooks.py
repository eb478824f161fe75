"""Webhooks of MLflow 3: who is told of what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .asking import INVALID, MISSING, refused
from .marks import MLFLOW_3, checks, deviates, only_mlflow_3

if MLFLOW_3:
    from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus

pytestmark = only_mlflow_3
URL = "https://127.0.0.1:9/hook"


@pytest.fixture(autouse=True)
def hooks_may_be_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address needs no name server; nothing is ever sent."""
    monkeypatch.setenv("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")


@pytest.fixture
def created() -> Any:
    return WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)


@pytest.fixture
def aliased() -> Any:
    return WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)


@checks("create_webhook", "get_webhook")
def test_a_webhook(store: Any, created: Any, aliased: Any) -> None:
    made = store.create_webhook("hook", URL, [created, aliased], description="Tells us.")
    found = store.get_webhook(made.webhook_id)
    for each in (made, found):
        assert (each.name, each.url, each.description) == ("hook", URL, "Tells us.")
        assert each.status == WebhookStatus.ACTIVE
        assert set(map(str, each.events)) == {str(created), str(aliased)}
    assert made.creation_timestamp == made.last_updated_timestamp == found.creation_timestamp


@checks("create_webhook")
@pytest.mark.parametrize("status", ["ACTIVE", "DISABLED"])
def test_a_webhook_s_status(store: Any, created: Any, status: str) -> None:
    made = store.create_webhook("hook", URL, [created], status=WebhookStatus(status), secret="s3cret")
    assert store.get_webhook(made.webhook_id).status == WebhookStatus(status)


@checks("create_webhook")
@pytest.mark.parametrize("name", ["", "a" * 64, "has space", "-x", "a/b"])
def test_names_of_webhooks_that_are_refused(store: Any, created: Any, name: str) -> None:
    with refused(INVALID, re.compile("name", re.IGNORECASE)):
        store.create_webhook(name, URL, [created])
    assert list(store.list_webhooks()) == []


@checks("create_webhook")
@pytest.mark.parametrize(
    "url", ["", "   ", "no url", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://127.0.0.1"]
)
def test_urls_that_are_refused(store: Any, created: Any, url: str) -> None:
    with refused(INVALID, re.compile("url", re.IGNORECASE)):
        store.create_webhook("hook", url, [created])
    assert list(store.list_webhooks()) == []


@checks("create_webhook")
def test_a_webhook_needs_events(store: Any) -> None:
    with refused(INVALID, re.compile("event", re.IGNORECASE)):
        store.create_webhook("hook", URL, [])


@checks("get_webhook", "update_webhook", "delete_webhook")
def test_a_webhook_that_is_not_there(store: Any) -> None:
    for call in (store.get_webhook, store.update_webhook, store.delete_webhook):
        with refused(MISSING, "Webhook with ID nothing not found."):
            call("nothing")


@checks("list_webhooks")
def test_webhooks_are_listed_newest_first(store: Any, created: Any) -> None:
    made = [store.create_webhook(f"hook{n}", URL, [created]).webhook_id for n in range(3)]
    assert [each.webhook_id for each in store.list_webhooks()] == made[::-1]
    first = store.list_webhooks(max_results=2)
    second = store.list_webhooks(max_results=2, page_token=first.token)
    assert [each.webhook_id for each in (*first, *second)] == made[::-1]
    assert not second.token


@checks("list_webhooks")
@pytest.mark.parametrize("size", [-1, 1001])
def test_pages_of_webhooks_that_are_refused(store: Any, size: int) -> None:
    with refused(INVALID, "max_results must be between 1 and 1000."):
        store.list_webhooks(max_results=size)


@checks("list_webhooks_by_event")
def test_webhooks_of_an_event(store: Any, created: Any, aliased: Any) -> None:
    one = store.create_webhook("one", URL, [created]).webhook_id
    both = store.create_webhook("both", URL, [created, aliased]).webhook_id
    assert [each.webhook_id for each in store.list_webhooks_by_event(created)] == [both, one]
    assert [each.webhook_id for each in store.list_webhooks_by_event(aliased)] == [both]


@checks("update_webhook")
def test_a_webhook_is_changed(store: Any, created: Any, aliased: Any) -> None:
    made = store.create_webhook("hook", URL, [created])
    changed = store.update_webhook(
        made.webhook_id, name="other", url=URL + "2", events=[aliased], status=WebhookStatus.DISABLED
    )
    assert (changed.name, changed.url, changed.status) == ("other", URL + "2", WebhookStatus.DISABLED)
    assert list(map(str, changed.events)) == [str(aliased)]
    assert changed.last_updated_timestamp > changed.creation_timestamp == made.creation_timestamp
    assert store.get_webhook(made.webhook_id).name == "other"
    assert list(store.list_webhooks_by_event(created)) == []


@checks("update_webhook")
def test_a_change_is_checked(store: Any, created: Any) -> None:
    made = store.create_webhook("hook", URL, [created])
    for bad in ({"name": ""}, {"url": "ftp://127.0.0.1"}, {"events": []}):
        with refused(INVALID, re.compile(".")):
            store.update_webhook(made.webhook_id, **bad)
    assert store.get_webhook(made.webhook_id).url == URL


@checks("delete_webhook")
def test_a_webhook_is_deleted(store: Any, created: Any) -> None:
    made = store.create_webhook("hook", URL, [created])
    assert store.delete_webhook(made.webhook_id) is None
    assert list(store.list_webhooks()) == []
    assert list(store.list_webhooks_by_event(created)) == []
    with refused(MISSING, f"Webhook with ID {made.webhook_id} not found."):
        store.get_webhook(made.webhook_id)


@checks("create_webhook", "update_webhook")
@deviates("webhook-secrets")
def test_secrets_of_webhooks(store: Any, created: Any, is_gitreg: bool, folder: Any) -> None:
    made = store.create_webhook("hook", URL, [created], secret="s3cret-in-no-commit")
    store.update_webhook(made.webhook_id, secret="s3cret-either")
    if is_gitreg:
        import subprocess

        log = subprocess.run(
            ["git", "log", "-p", "--all"], cwd=folder / "registry", capture_output=True, text=True, check=True
        )
        assert "registry: set up" in log.stdout
        assert "hook" not in log.stdout.split("registry: set up")[0]
        assert "s3cret" not in log.stdout


@checks("test_webhook")
@deviates("test-webhook")
def test_a_test_is_sent(store: Any, created: Any, is_gitreg: bool) -> None:
    made = store.create_webhook("hook", URL, [created])
    if is_gitreg:
        assert store.test_webhook(made.webhook_id).success is False  # nobody listens there
    else:
        with pytest.raises(NotImplementedError):
            store.test_webhook(made.webhook_id)


@checks("supports_workspaces")
def test_no_workspaces(store: Any) -> None:
    assert store.supports_workspaces is False
