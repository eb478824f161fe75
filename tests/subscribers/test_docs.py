"""docs/webhooks.md: its table is the code's, its code runs, its example is an event."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from gitreg.registry.registry import Registry
from gitreg.subscribers import backoff, posting, signature
from gitreg.subscribers.courier import Courier
from gitreg.subscribers.event import schema_text
from gitreg.subscribers.kinds import KINDS
from tests.subscribers.conftest import SECRET, Add, Clock
from tests.subscribers.receiving import Receiver

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_of_events_is_the_codes() -> None:
    rows = [f"| `{kind.verb}` | `{kind.type}` | {kind.told} |" for kind in KINDS]
    head = "| `--events` | type | sent when |\n|---|---|---|\n"
    told = TEXT.partition(head)[2].partition("\n\n")[0]
    assert told == "\n".join(rows), "write it anew:\n" + "\n".join(rows)


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_an_event() -> None:
    event = json.loads(block("json"))
    jsonschema.Draft202012Validator(json.loads(schema_text())).validate(event["data"])
    assert event["id"] == f"{event['data']['commit']}:1"


@pytest.fixture
def is_genuine() -> Callable[..., bool]:
    names: dict[str, Callable[..., bool]] = {}
    exec(block("python"), names)  # the reader's copy of it
    return names["is_genuine"]


def test_the_code_knows_what_is_ours(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, is_genuine: Callable[..., bool]
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    courier.deliver()
    (request,) = receiver.requests
    assert is_genuine(SECRET, request.headers, request.body)
    assert not is_genuine(SECRET, request.headers, request.body + b" ")
    assert not is_genuine(signature.new_secret(), request.headers, request.body)
    other = {**request.headers, "webhook-id": "another"}
    assert not is_genuine(SECRET, other, request.body)


def test_the_code_refuses_what_is_played_back(is_genuine: Callable[..., bool]) -> None:
    for secret in (SECRET, "a secret of our own"):
        for age, wanted in ((0, True), (1000, False)):
            stamp = int(time.time()) - age
            headers = signature.headers([secret], event="e", timestamp=stamp, body=b"x")
            assert is_genuine(secret, headers, b"x") is wanted


def test_the_code_takes_either_of_two_signatures(
    registry: Registry,
    add: Add,
    courier: Courier,
    receiver: Receiver,
    clock: Clock,
    is_genuine: Callable[..., bool],
) -> None:
    new = signature.new_secret()
    courier.ledger.renew_secret(add(), new, former_until=clock.now + 60)
    registry.register("churn", "s3://models/churn/2")
    courier.deliver()
    (request,) = receiver.requests
    assert is_genuine(SECRET, request.headers, request.body) and is_genuine(
        new, request.headers, request.body
    )


def test_the_numbers_are_the_codes() -> None:
    from gitreg.githooks.arrived import AT_MOST

    assert f"within {posting.Patience().whole:g} seconds" in TEXT
    assert f"fails {backoff.MOST_ATTEMPTS} times" in TEXT
    assert f"for {AT_MOST:g} seconds at most" in TEXT
    pauses = [backoff.pause(number, jitter=0.5) for number in range(1, backoff.MOST_ATTEMPTS)]
    assert pauses[:3] == [10, 20, 40] and max(pauses) == 6 * 3600
    assert "about two days" in TEXT and 1.5 < sum(pauses) / 86_400 < 2.5
