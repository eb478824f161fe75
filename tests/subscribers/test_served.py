"""``gitreg serve`` tells webhooks by itself: of its own writes, of others', and what failed before."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.subscribers.ledger import Ledger
from gitreg.web.delivering import Delivering
from gitreg.web.settings import Settings
from tests.subscribers.conftest import Add
from tests.subscribers.receiving import Receiver, Says
from tests.web.serving import served


def waiting_for(condition, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def test_writes_through_it_and_past_it_are_told(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    with served(place) as server:
        add()  # it needs no restart to notice
        assert server.post("registered-models/create", name="served")[0] == 200
        receiver.wait_for(1)
        registry.register("churn", "s3://models/churn/2")
        receiver.wait_for(2)
    assert [event["subject"] for event in receiver.events] == ["served", "churn/2"]
    assert "Traceback" not in server.log.read_text()


def test_with_many_workers_each_event_comes_once(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    with served(place, "--workers", "3") as server:
        for number in range(5):
            assert server.post("registered-models/create", name=f"m{number}")[0] == 200
        receiver.wait_for(5)
        time.sleep(1.5)  # for what must not come
    assert [event["subject"] for event in receiver.events] == [f"m{number}" for number in range(5)]


def test_what_is_due_again_is_tried_again(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    receiver.script = [Says(500)]
    with served(place):
        registry.register("churn", "s3://models/churn/2")
        receiver.wait_for(1)
        ledger = Ledger.of(Repository.discover(place))
        waiting_for(lambda: ledger.webhook("deploy").attempts == 1)
        with sqlite3.connect(ledger.path) as db:
            db.execute("UPDATE webhook SET due = 1")
        receiver.wait_for(2)
        waiting_for(lambda: ledger.webhook("deploy").attempts == 0)


def test_one_that_is_killed_leaves_the_rest_to_the_next(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    receiver.always = Says(instead="hang")
    command = [sys.executable, "-m", "gitreg", "--registry", str(place), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    registry.register("churn", "s3://models/churn/2")
    receiver.wait_for(1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    receiver.always = Says(204)
    with served(place):
        receiver.wait_for(2)
    assert [event["subject"] for event in receiver.events] == ["churn/2", "churn/2"]
    assert receiver.events[0]["id"] == receiver.events[1]["id"]


def test_it_ends_while_a_receiver_hangs(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    receiver.always = Says(instead="hang")
    with served(place) as server:
        registry.register("churn", "s3://models/churn/2")
        receiver.wait_for(1)
        begun = time.monotonic()
        server.process.terminate()
        server.process.wait(30)
        assert time.monotonic() - begun < 10


def test_one_that_shows_the_past_delivers_nothing(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    delivering = Delivering(Settings(place=place, at="HEAD~1"))
    delivering.start()
    time.sleep(1.0)
    delivering.stop()
    assert receiver.requests == []


def test_it_begins_and_ends_in_a_program(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    delivering = Delivering(Settings(place=place))
    delivering.start()
    registry.register("churn", "s3://models/churn/2")
    receiver.wait_for(1)
    delivering.stop()
    registry.register("churn", "s3://models/churn/3")
    time.sleep(1.0)
    assert len(receiver.requests) == 1
