"""MLflow's webhooks over the plugin's file, with MLflow's own store as the oracle."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitreg.mlflow.webhooks import Webhooks
from tests.mlflow.conftest import Git, needs_mlflow
from tests.mlflow.webserver import Delivery, Receiver, mlflow_server

pytestmark = [pytest.mark.mlflow, needs_mlflow, pytest.mark.xdist_group("mlflow")]

KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
FERNET_KEY = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").decode()
SHAPE = {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}
HERE = "http://127.0.0.1:9/hook"


class Kept(Webhooks):
    """A store with nothing but webhooks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def webhook_file(self) -> Path:
        return self.path


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets webhooks go to this machine, as MLflow's own variables do."""
    for name, value in SHAPE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "git" / "gitreg" / "webhooks.db")


@pytest.fixture
def oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's own store."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    monkeypatch.setenv(KEY, FERNET_KEY)
    return SqlAlchemyStore(f"sqlite:///{tmp_path}/oracle.db")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def event(text: str) -> Any:
    from mlflow.entities.webhook import WebhookEvent

    return WebhookEvent.from_str(text)  # type: ignore[arg-type]


def events(*texts: str) -> list[Any]:
    return [event(text) for text in texts]


def fields(webhook: Any) -> dict[str, Any]:
    """What must be the same in both stores: all but the id and the times."""
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": [str(each) for each in webhook.events],
        "description": webhook.description,
        "status": webhook.status,
        "secret": webhook.secret,
        "workspace": webhook.workspace,
        "unchanged": webhook.creation_timestamp == webhook.last_updated_timestamp,
    }


def outcome(call: Callable[[], Any]) -> tuple[str, str] | str:
    """The code and message of the exception that a call ends with."""
    from mlflow.exceptions import MlflowException

    try:
        call()
    except MlflowException as error:
        return error.error_code, error.message
    return "no error"


@pytest.mark.usefixtures("loopback")
def test_a_webhook_lives_as_in_mlflows_own_store(kept: Kept, oracle: Any) -> None:
    from mlflow.entities.webhook import WebhookStatus

    def life(store: Any) -> list[Any]:
        told = []
        made = store.create_webhook(
            "hook", HERE, events("registered_model.created", "model_version.created"), "what for", "s3cret"
        )
        told.append(fields(made))
        told.append(fields(store.get_webhook(made.webhook_id)))
        time.sleep(0.002)  # so that the time of the change is another
        told.append(fields(store.update_webhook(made.webhook_id, name="other", url=f"{HERE}/2")))
        told.append(fields(store.update_webhook(made.webhook_id, description="", secret="new")))
        later = store.update_webhook(
            made.webhook_id,
            events=events("prompt.created", "model_version_alias.created", "model_version.created"),
            status=WebhookStatus.DISABLED,
        )
        told.append(fields(later))
        told.append([fields(each) for each in store.list_webhooks()])
        for asked in ("registered_model.created", "prompt.created"):
            told.append([each.name for each in store.list_webhooks_by_event(event(asked))])
        told.append(store.delete_webhook(made.webhook_id))
        told.append([each.name for each in store.list_webhooks()])
        told.append([each.name for each in store.list_webhooks_by_event(event("prompt.created"))])
        return told

    assert life(kept) == life(oracle)


@pytest.mark.usefixtures("loopback")
def test_what_mlflow_refuses_is_refused_in_its_words(kept: Kept, oracle: Any) -> None:
    one = events("registered_model.created")
    names = ["", "-a", "a-", "a b", "a/b", "a\n", "x" * 63, "x" * 64, "é", None, 5, "A.b_c-9"]
    urls = ["", "  ", "ftp://example.org", "http://", "https:///x", "x", "http://[::1", None, 5, HERE]
    urls += ["http://a:b@127.0.0.1/", "HTTP://127.0.0.1/", "http://[::1]/"]
    wrong: list[Any] = [[], None, "registered_model.created", tuple(one), ["registered_model.created"]]
    gone = "00000000-0000-0000-0000-000000000000"

    def told(store: Any) -> list[Any]:
        made = store.create_webhook("hook", HERE, one).webhook_id
        found: list[Any] = []
        for name in names:
            found.append((name, outcome(lambda name=name: store.create_webhook(name, HERE, one))))
            found.append((name, outcome(lambda name=name: store.update_webhook(made, name=name))))
        for url in urls:
            found.append((url, outcome(lambda url=url: store.create_webhook("hook", url, one))))
            found.append((url, outcome(lambda url=url: store.update_webhook(made, url=url))))
        for given in wrong:
            found.append(outcome(lambda given=given: store.create_webhook("hook", HERE, given)))
            found.append(outcome(lambda given=given: store.update_webhook(made, events=given)))
        for size in (-1, 0, 1, 1000, 1001):
            found.append(outcome(lambda size=size: store.list_webhooks(max_results=size)))
            found.append(outcome(lambda size=size: store.list_webhooks_by_event(one[0], max_results=size)))
        for token in ("!", "zz", "e30=", "eyJvZmZzZXQiOiAieCJ9"):
            found.append(outcome(lambda token=token: store.list_webhooks(page_token=token)))
        # The webhook is looked for before what it shall become is judged.
        found.append(outcome(lambda: store.update_webhook(gone, name="-")))
        found += [outcome(lambda: store.get_webhook(gone)), outcome(lambda: store.delete_webhook(gone))]
        store.delete_webhook(made)
        found += [outcome(lambda: store.get_webhook(made)), outcome(lambda: store.delete_webhook(made))]
        return [json.loads(json.dumps(each, default=str).replace(made, "ID")) for each in found]

    mine = told(kept)
    assert mine == told(oracle)
    assert sum(each == "no error" or each[1] == "no error" for each in mine) == 21


def test_without_leave_webhooks_go_to_public_hosts_over_https_alone(kept: Kept, oracle: Any) -> None:
    urls = [
        "http://8.8.8.8/",
        "https://8.8.8.8/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
    ]
    urls += ["https://10.1.2.3/", "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/"]
    urls += [
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://2130706433/",
        "https://0x7f.1/",
    ]
    urls += ["https://[fe80::1]/", "https://no-such-host.invalid/", "https://[2001:4860:4860::8888]/"]
    urls += [f"https://{'x' * 70}.example/", "https://0.0.0.0/", "https://100.64.0.1/"]
    one = events("registered_model.created")
    mine = [(url, outcome(lambda url=url: kept.create_webhook("hook", url, one))) for url in urls]
    theirs = [(url, outcome(lambda url=url: oracle.create_webhook("hook", url, one))) for url in urls]
    assert mine == theirs
    assert [url for url, error in mine if error == "no error"] == [urls[1], urls[14]]


@pytest.mark.usefixtures("loopback")
def test_an_event_given_twice_is_a_bad_request_in_both(kept: Kept, oracle: Any) -> None:
    twice = events("registered_model.created", "registered_model.created")
    for store in (kept, oracle):
        code, _ = outcome(lambda store=store: store.create_webhook("hook", HERE, twice))
        assert code == "BAD_REQUEST"
        assert list(store.list_webhooks()) == []


@pytest.mark.usefixtures("loopback")
def test_pages_follow_one_another_newest_first(kept: Kept, oracle: Any) -> None:
    from mlflow.entities.webhook import WebhookStatus

    def pages(store: Any) -> list[Any]:
        for number in range(7):
            wanted = ["prompt.created"] if number % 2 else ["prompt.created", "prompt_tag.set"]
            status = WebhookStatus.DISABLED if number == 4 else None
            store.create_webhook(f"hook{number}", HERE, events(*wanted), status=status)
            time.sleep(0.002)  # MLflow leaves open what comes first of one millisecond
        told: list[Any] = []
        token = None
        while True:
            page = store.list_webhooks(3, token)
            told.append([each.name for each in page])
            token = page.token
            told.append(token)
            if not token:
                break
        page = store.list_webhooks_by_event(event("prompt_tag.set"), 2)
        told += [[each.name for each in page], page.token]
        page = store.list_webhooks_by_event(event("prompt_tag.set"), 2, page.token)
        return [*told, [each.name for each in page], page.token]

    mine = pages(kept)
    assert mine == pages(oracle)
    assert mine[0] == ["hook6", "hook5", "hook4"]


@pytest.mark.usefixtures("loopback")
def test_reading_makes_no_file_and_the_file_is_its_owners_alone(kept: Kept) -> None:
    assert list(kept.list_webhooks()) == []
    assert not kept.path.parent.exists()
    before = os.umask(0o000)
    try:
        kept.create_webhook("hook", HERE, events("prompt.created"), secret="s3cret")
    finally:
        os.umask(before)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert b"s3cret" in kept.path.read_bytes()  # as the documentation says
    kept.update_webhook(kept.list_webhooks()[0].webhook_id, secret="other")
    assert b"s3cret" not in kept.path.read_bytes()


@pytest.mark.usefixtures("loopback")
def test_with_mlflows_key_secrets_are_encrypted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = kept.create_webhook("plain", HERE, events("prompt.created"), secret="in the clear")
    monkeypatch.setenv(KEY, FERNET_KEY)
    sealed = kept.create_webhook("sealed", HERE, events("prompt.created"), secret="s3cret")
    assert b"s3cret" not in kept.path.read_bytes()
    assert kept.get_webhook(sealed.webhook_id).secret == "s3cret"
    assert kept.get_webhook(plain.webhook_id).secret == "in the clear"

    monkeypatch.setenv(KEY, base64.urlsafe_b64encode(bytes(32)).decode())
    code, message = outcome(lambda: kept.get_webhook(sealed.webhook_id))
    assert (code, message) == (
        "INTERNAL_ERROR",
        "The secret of webhook 'sealed' is encrypted with another MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY. "
        "Set that key, give the webhook a new secret, or delete it.",
    )
    kept.update_webhook(sealed.webhook_id, secret="replaced")
    assert [each.secret for each in kept.list_webhooks()] == ["replaced", "in the clear"]
    monkeypatch.setenv(KEY, "too short")
    assert "is no key of Fernet" in outcome(lambda: kept.get_webhook(sealed.webhook_id))[1]
    kept.delete_webhook(sealed.webhook_id)
    assert [each.name for each in kept.list_webhooks()] == ["plain"]


@pytest.mark.usefixtures("loopback")
def test_writers_in_many_processes_lose_nothing(kept: Kept) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from mlflow.entities.webhook import WebhookEvent
        from tests.mlflow.test_webhooks import HERE, Kept

        kept = Kept(Path(sys.argv[1]))
        for number in range(20):
            made = kept.create_webhook(f"{sys.argv[2]}.{number}", HERE, [WebhookEvent("prompt", "created")])
            kept.update_webhook(made.webhook_id, secret="s")
        """
    )
    root = Path(__file__).parents[2]
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(kept.path), str(number)], cwd=root)
        for number in range(3)
    ]
    assert [child.wait() for child in children] == [0, 0, 0]
    found = kept.list_webhooks(1000)
    assert sorted(each.name for each in found) == sorted(f"{a}.{b}" for a in range(3) for b in range(20))
    assert {each.secret for each in found} == {"s"}


@pytest.mark.usefixtures("loopback")
def test_a_file_that_is_no_database_is_told(kept: Kept) -> None:
    kept.path.parent.mkdir(parents=True)
    kept.path.write_text("nothing of ours, and long enough to be looked at" * 100)
    for call in (kept.list_webhooks, lambda: kept.create_webhook("a", HERE, events("prompt.created"))):
        code, message = outcome(call)
        assert code == "TEMPORARILY_UNAVAILABLE"
        assert str(kept.path) in message


@pytest.mark.usefixtures("loopback")
def test_a_webhook_can_be_tested_without_a_server(kept: Kept, receiver: Receiver) -> None:
    good = kept.create_webhook("good", f"{receiver.address}/in", events("prompt.created"), secret="s3cret")
    result = kept.test_webhook(good.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "ok")
    (delivery,) = receiver.take(1)
    assert json.loads(delivery.body)["entity"] == "prompt"
    assert signed(delivery, "s3cret")
    bad = kept.create_webhook("bad", f"{receiver.address}/teapot", events("prompt.created"))
    result = kept.test_webhook(bad.webhook_id, event("model_version.created"))
    assert (result.success, result.response_status) == (False, 418)
    assert json.loads(receiver.take(1)[0].body)["entity"] == "model_version"


def signed(delivery: Delivery, secret: str) -> bool:
    """Whether a delivery carries the signature that MLflow documents: HMAC of id, time and body."""
    headers = {key.lower(): value for key, value in delivery.headers.items()}
    told = (headers["x-mlflow-delivery-id"], headers["x-mlflow-timestamp"], delivery.body.decode())
    expected = hmac.new(secret.encode(), ".".join(told).encode(), hashlib.sha256).digest()
    return headers["x-mlflow-signature"] == "v1," + base64.b64encode(expected).decode()


def test_mlflows_server_delivers(place: Path, git: Git, receiver: Receiver, tmp_path: Path) -> None:
    """What is written by REST goes out signed; the registry's files never hold the secret."""
    from mlflow import MlflowClient
    from mlflow.entities.webhook import WebhookStatus

    # Each worker remembers for a minute who waits for an event: here not at all.
    env = {**SHAPE, "MLFLOW_WEBHOOK_CACHE_TTL": "0"}
    folder = tmp_path / "server"
    folder.mkdir()
    with mlflow_server(folder, f"gitreg+file://{place}", env=env, workers=2) as address:
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        wanted = ["registered_model.created", "model_version.created", "model_version_tag.set"]
        wanted += ["model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted"]
        before = git(place, "rev-parse", "HEAD")
        hook = client.create_webhook("all", f"{receiver.address}/all", events(*wanted), secret="s3cret")
        silent = client.create_webhook(
            "silent", f"{receiver.address}/silent", events(*wanted), status=WebhookStatus.DISABLED
        )
        assert git(place, "rev-parse", "HEAD") == before
        assert {each.name for each in client.list_webhooks()} == {"all", "silent"}
        assert client.test_webhook(hook.webhook_id).success
        receiver.take(1)

        client.create_registered_model("churn")
        client.create_model_version("churn", "s3://bucket/churn")
        client.set_model_version_tag("churn", "1", "checked", "yes")
        client.delete_model_version_tag("churn", "1", "checked")
        client.set_registered_model_alias("churn", "champion", "1")
        client.delete_registered_model_alias("churn", "champion")
        deliveries = receiver.take(len(wanted))
        told = {f"{body['entity']}.{body['action']}" for body in map(_body, deliveries)}
        assert told == set(wanted)
        assert all(delivery.path == "/all" and signed(delivery, "s3cret") for delivery in deliveries)

        client.update_webhook(hook.webhook_id, description="changed", status=WebhookStatus.DISABLED)
        assert client.get_webhook(hook.webhook_id).description == "changed"
        client.delete_webhook(silent.webhook_id)
        client.create_registered_model("unheard")
        assert [each.name for each in client.list_webhooks()] == ["all"]
    assert receiver.deliveries.empty()
    assert (place / ".git" / "gitreg" / "webhooks.db").exists()
    assert not re.search("s3cret|webhook", git(place, "log", "--all", "-p"))
    assert git(place, "status", "--porcelain") == ""


def _body(delivery: Delivery) -> dict[str, Any]:
    return dict(json.loads(delivery.body))


def test_a_version_of_mlflow_without_webhooks_can_import_the_module() -> None:
    """The last 2.x has none: nothing of MLflow's is imported before a webhook is asked for."""
    script = "import sys, gitreg.mlflow.webhooks; print([m for m in sys.modules if m.startswith('mlflow')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
