"""Deliverers that are killed, that meet, and that are many: nothing is lost, nothing comes out of order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from gitreg.registry.registry import Registry
from gitreg.subscribers.courier import Courier
from gitreg.subscribers.turn import turn
from tests.subscribers.conftest import Add
from tests.subscribers.receiving import Receiver, Request, Says

_MANY = 30


def delivering(place: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gitreg", "--registry", str(place), "webhooks", "deliver"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def many(registry: Registry) -> list[str]:
    with registry.batch("many") as batch:
        for number in range(2, _MANY + 2):
            batch.register("churn", f"s3://models/churn/{number}")
    return [f"churn/{number}" for number in range(2, _MANY + 2)]


def without_repeats(subjects: list[str]) -> list[str]:
    return [one for at, one in enumerate(subjects) if at == 0 or subjects[at - 1] != one]


def subjects(receiver: Receiver) -> list[str]:
    return [event["subject"] for event in receiver.events]


def test_one_that_is_killed_while_a_receiver_answers_loses_nothing(
    registry: Registry, place: Path, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    wanted = many(registry)
    running: list[subprocess.Popen[str]] = []
    kills = 0

    def strike(request: Request) -> None:
        nonlocal kills
        if len(receiver.requests) % 5 == 0 and running:
            kills += 1
            running[-1].kill()

    receiver.on_request = strike
    for _ in range(40):
        running.append(delivering(place))
        if running[-1].wait(60) == 0:
            break
    for process in running:
        process.communicate()
    assert kills >= 4 and running[0].returncode == -signal.SIGKILL
    found = subjects(receiver)
    assert without_repeats(found) == wanted, (
        "each at least once, in order; a repeat follows its first at once"
    )
    assert len(found) <= len(wanted) + kills


def test_one_that_is_killed_at_any_moment_loses_nothing(
    registry: Registry, place: Path, add: Add, receiver: Receiver
) -> None:
    add()
    wanted = many(registry)
    chance = random.Random(7)
    for _ in range(12):
        process = delivering(place)
        try:
            process.wait(chance.uniform(0.2, 0.9))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    process = delivering(place)
    assert process.wait(60) == 0, process.communicate()
    process.communicate()
    assert without_repeats(subjects(receiver)) == wanted


def test_two_at_once_take_turns(
    registry: Registry, place: Path, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    wanted = many(registry)
    processes = [delivering(place) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert any("another process is delivering" in err or "nothing is due" in err for _, err in said)
    courier.deliver()
    assert subjects(receiver) == wanted, "once each"


def test_who_finds_another_at_work_can_wait(
    registry: Registry, place: Path, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    folder = place / ".git" / "gitreg"
    over = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with turn(folder) as mine:
            assert mine
            held.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    assert courier.deliver().busy
    threading.Timer(0.3, over.set).start()
    report = courier.deliver(wait=20)
    thread.join()
    assert (report.busy, report.delivered) == (False, {"deploy": 1})


def test_one_that_was_killed_leaves_no_lock(
    registry: Registry, place: Path, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.always = Says(instead="hang")
    process = delivering(place)
    receiver.wait_for(1)
    assert courier.deliver().busy
    process.kill()
    process.communicate()
    receiver.always = Says(204)
    begun = time.monotonic()
    assert courier.deliver().delivered == {"deploy": 1}
    assert time.monotonic() - begun < 5


def test_a_webhook_may_be_removed_while_it_is_told(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    webhook = add()
    registry.register("churn", "s3://models/churn/2")
    registry.register("churn", "s3://models/churn/3")
    receiver.on_request = lambda request: courier.ledger.remove(webhook)
    courier.deliver()
    assert courier.ledger.webhooks() == []
    assert os.path.exists(courier.ledger.path)
