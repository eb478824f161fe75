"""``gitreg webhooks``: what it prints, and what it never prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.subscribers.ledger import Ledger
from tests.subscribers.receiving import Receiver, Says

LOCAL = ("--allow-private", "--allow-http")
Run = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def run(place: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*args: str) -> tuple[int, str, str]:
        code = app.run(["--registry", str(place), "webhooks", *args])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def test_the_secret_is_printed_once(run: Run, receiver: Receiver, place: Path) -> None:
    code, out, _ = run("add", receiver.url, "--name", "deploy", *LOCAL)
    secret = out.splitlines()[1].removeprefix("secret: ")
    assert code == 0 and secret.startswith("whsec_")
    for args in (
        ("list",),
        ("list", "--json"),
        ("status",),
        ("status", "--json"),
        ("test", "deploy"),
        ("log", "deploy"),
    ):
        code, out, err = run(*args)
        assert code == 0 and secret not in out + err and secret[6:] not in out + err


def test_a_secret_from_a_file_or_the_environment_is_not_printed(
    run: Run, receiver: Receiver, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("a secret from a file\n")
    monkeypatch.setenv("HOOK_SECRET", "a secret from the environment")
    for name, words in (
        ("f", ("--secret-file", str(tmp_path / "secret"))),
        ("e", ("--secret-env", "HOOK_SECRET")),
    ):
        code, out, err = run("add", receiver.url, "--name", name, *words, *LOCAL)
        assert code == 0 and "a secret" not in out + err
    ledger = Ledger.of(Repository.discover(place))
    assert [one.secret for one in ledger.webhooks()] == [
        "a secret from a file",
        "a secret from the environment",
    ]
    code, _, err = run("add", receiver.url, "--secret-env", "NOWHERE", *LOCAL)
    assert code == 3 and "there is no such environment variable" in err
    code, _, err = run("add", receiver.url, "--secret-file", str(tmp_path / "nowhere"), *LOCAL)
    assert code == 7


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("add", "http://127.0.0.1:9/", "--allow-http"), 5, "--allow-private"),
        (("add", "http://[::ffff:169.254.169.254]/", "--allow-http"), 5, "private network"),
        (("add", "http://1.1.1.1/"), 5, "--allow-http"),
        (("add", "https://ann:hunter2@x.example/"), 3, "user name or password"),
        (("add", "https://1.1.1.1/", "--events", "registerd"), 3, 'did you mean "registered"?'),
        (("add", "https://1.1.1.1/", "--stage", "Prodction"), 3, 'did you mean "Production"?'),
        (("remove", "nobody", "--yes"), 3, 'there is no webhook "nobody"'),
        (("log", "nobody"), 3, "gitreg webhooks list"),
        (("test",), 2, "name"),
    ],
)
def test_what_is_refused(run: Run, args: tuple[str, ...], code: int, said: str) -> None:
    found, out, err = run(*args)
    assert (found, out) == (code, "") and said.lower() in err.lower()
    assert "hunter2" not in err and "Traceback" not in err


def test_a_name_is_taken_once_and_made_where_none_is_given(run: Run, receiver: Receiver) -> None:
    assert run("add", receiver.url, *LOCAL)[1].startswith("127.0.0.1 is told of everything")
    assert run("add", receiver.url, *LOCAL)[1].startswith("127.0.0.1-2 is told of everything")
    code, _, err = run("add", receiver.url, "--name", "127.0.0.1", *LOCAL)
    assert code == 4 and "there is a webhook 127.0.0.1 already" in err


def test_a_ping_shows_the_answer(run: Run, receiver: Receiver) -> None:
    run("add", receiver.url, "--name", "deploy", "--events", "deleted", *LOCAL)
    receiver.script = [Says(200, body=b"welcome\x1b[31m"), Says(500, body=b"no room"), Says(204)]
    code, out, _ = run("test", "deploy")
    assert code == 0 and "deploy answered 200" in out and "welcome\\x1b[31m" in out
    code, _, err = run("test", "deploy")
    assert code == 7 and "answered 500" in err and "no room" in err
    code, out, _ = run("test", "deploy", "--json")
    assert json.loads(out)["status"] == 204
    assert receiver.types == ["webhook.ping"] * 3
    assert json.loads(run("status", "--json")[1])["webhooks"][0]["attempts"] == 0


def test_from_due_to_delivered(run: Run, receiver: Receiver, registry: Registry) -> None:
    run("add", receiver.url, "--name", "deploy", *LOCAL)
    assert run("deliver")[2] == "nothing is due\n"
    registry.register("churn", "s3://models/churn/2")
    (told,) = json.loads(run("status", "--json")[1])["webhooks"]
    assert told["waiting"] == 1
    receiver.script = [Says(500)]
    assert run("deliver") == (1, "", "warning: deploy: answered 500\n")
    (told,) = json.loads(run("status", "--json")[1])["webhooks"]
    assert told["attempts"] == 1 and told["next"] and "answered 500" in told["note"]
    assert run("deliver")[0] == 0 and len(receiver.requests) == 1
    assert run("deliver", "deploy", "--retry") == (0, "deploy: 1 delivered\n", "")
    rows = run("log", "deploy")[1].splitlines()
    assert [row.split("\t")[3] for row in rows] == ["status", "204", "500"]
    documents = json.loads(run("log", "deploy", "--json")[1])["deliveries"]
    assert documents[1]["fault"] == "answered 500" and documents[0]["subject"] == "churn/2"


def test_skipping_and_rotating_and_removing(run: Run, receiver: Receiver, registry: Registry) -> None:
    run("add", receiver.url, "--name", "deploy", *LOCAL)
    registry.register("churn", "s3://models/churn/2")
    assert run("skip", "deploy")[0] == 2, "nobody is here to be asked"
    _, out, _ = run("skip", "deploy", "--yes")
    assert out == "deploy is not told of gitreg.model_version.registered of churn/2\n"
    assert run("skip", "deploy", "--yes")[1] == "deploy has been told of everything\n"
    assert run("rotate", "deploy")[1].splitlines()[1].startswith("secret: whsec_")
    registry.register("churn", "s3://models/churn/3")
    run("deliver")
    assert len(receiver.requests[0].headers["webhook-signature"].split(" ")) == 2
    assert run("remove", "deploy", "--yes")[0] == 0
    assert run("list")[2] == "there is no webhook: gitreg webhooks add URL\n"


def test_a_query_is_not_shown(run: Run, receiver: Receiver) -> None:
    run("add", f"{receiver.url}?token=hunter2", "--name", "deploy", *LOCAL)
    assert "hunter2" not in run("list")[1] + run("status", "--json")[1]
    run("test", "deploy")
    assert receiver.requests[0].path == "/hook?token=hunter2"


def test_the_schema_is_printed(run: Run) -> None:
    assert json.loads(run("schema")[1])["$id"] == "urn:gitreg:schema:event.v1"


def test_webhooks_that_this_user_may_not_read(
    run: Run, receiver: Receiver, place: Path, registry: Registry
) -> None:
    run("add", receiver.url, "--name", "deploy", *LOCAL)
    registry.register("churn", "s3://models/churn/2")
    Ledger.of(Repository.discover(place)).path.chmod(0o000)
    # root may read everything unless it gives that up
    alone = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*alone, sys.executable, "-m", "gitreg", "--registry", str(place), "webhooks"]
    for verb in ("deliver", "list"):
        done = subprocess.run([*command, verb], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 7 and "Traceback" not in done.stderr, done
    assert "the file of the webhooks" in done.stderr
    hook = "import sys, pathlib; from gitreg.gitstore.repository import Repository; from gitreg.subscribers.courier "
    hook += (
        "import Courier; print(Courier(Repository.discover(pathlib.Path(sys.argv[1]))).deliver(seconds=3))"
    )
    done = subprocess.run(
        [*alone, sys.executable, "-c", hook, str(place)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "Report(busy=False, delivered={}, failed={})\n", "a push leaves them to their owner"
    assert receiver.requests == []


def test_a_host_that_is_not_found_is_warned_of(run: Run) -> None:
    code, out, err = run("add", "https://no-such-host.invalid/")
    assert code == 0 and out.startswith("no-such-host.invalid is told of everything")
    assert "warning: no-such-host.invalid was not found" in err and "looked up again at each delivery" in err
