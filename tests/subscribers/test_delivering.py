"""What is delivered, in which order, and what happens when it is not taken."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from gitreg.subscribers import signature
from gitreg.subscribers.backoff import MOST_ATTEMPTS
from gitreg.subscribers.courier import Courier
from gitreg.subscribers.webhook import Webhook
from tests.subscribers.conftest import SECRET, Add, Clock
from tests.subscribers.receiving import Receiver, Request, Says
from tests.subscribers.receiving import receiver as another_receiver


def now_of(courier: Courier, name: str = "deploy") -> Webhook:
    return courier.ledger.webhook(name)


def test_what_comes_after_is_delivered_once_and_in_order(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    registry.transition("churn/1", "Staging")
    registry.alias("churn/2", "champion")
    assert courier.deliver().delivered == {"deploy": 3}
    assert receiver.types == ["model_version.registered", "model_version.transitioned", "model.alias_moved"]
    assert courier.deliver().delivered == {}
    assert len(receiver.requests) == 3


def test_a_request_is_signed_and_of_its_time(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    courier.deliver()
    (request,) = receiver.requests
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["webhook-id"] == request.event["id"]
    assert request.headers["webhook-timestamp"] == str(int(clock.now))
    assert request.headers["webhook-signature"] == signature.sign(
        SECRET, event=request.event["id"], timestamp=int(clock.now), body=request.body
    )


def test_one_that_fails_is_tried_again_later_and_holds_up_what_follows(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    registry.register("churn", "s3://models/churn/3")
    receiver.script = [Says(500), Says(503)]
    assert courier.deliver().failed == {"deploy": "answered 500"}
    assert courier.deliver().failed == {}, "it is not due yet"
    assert courier.next_due() == clock.now + 10
    clock.now += 10
    assert courier.deliver().failed == {"deploy": "answered 503"}
    clock.now += 20
    assert courier.deliver().delivered == {"deploy": 2}
    versions = [event["data"]["version"] for event in receiver.events]
    assert versions == [2, 2, 2, 3]
    assert len({request.headers["webhook-id"] for request in receiver.requests[:3]}) == 1
    assert now_of(courier).note == "" and courier.next_due() is None


@pytest.mark.parametrize(
    ("says", "fault"),
    [
        (Says(instead="close"), "no answer: "),
        (Says(instead="hang"), "no answer within 2 s"),
        (Says(instead="drip"), "no answer within 2 s"),
        (Says(404), "answered 404"),
        (Says(100), "no answer"),
    ],
    ids=["closes", "hangs", "drips", "404", "100 alone"],
)
def test_what_receivers_can_do(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, says: Says, fault: str
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.always = says
    begun = time.monotonic()
    assert courier.deliver().failed["deploy"].startswith(fault)
    assert time.monotonic() - begun < 10
    assert now_of(courier).attempts == 1


def test_a_receiver_that_is_not_there(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.close()
    assert courier.deliver().failed == {"deploy": "no answer: Connection refused"}


def test_a_redirect_is_not_followed(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    with another_receiver() as elsewhere:
        receiver.always = Says(307, {"location": elsewhere.url})
        add()
        registry.register("churn", "s3://models/churn/2")
        assert courier.deliver().failed == {"deploy": "answered 307: a redirect is not followed"}
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_to(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock, status: int
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.script = [Says(status, {"retry-after": "600"})]
    courier.deliver()
    clock.now += 599
    assert courier.deliver().delivered == {} and len(receiver.requests) == 1
    clock.now += 1
    assert courier.deliver().delivered == {"deploy": 1}


def test_410_disables_it_for_good(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.script = [Says(410)]
    courier.deliver()
    clock.now += 10**6
    courier.deliver()
    found = now_of(courier)
    assert (found.state, len(receiver.requests)) == ("disabled", 1)
    assert "410" in found.note
    courier.ledger.resume(found)
    assert courier.deliver().delivered == {"deploy": 1}


def test_one_that_fails_too_often_is_parked_and_loses_nothing(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.always = Says(500)
    for _ in range(MOST_ATTEMPTS + 3):
        courier.deliver()
        clock.now += 7 * 3600
    assert len(receiver.requests) == MOST_ATTEMPTS
    assert now_of(courier).state == "parked" and "given up after 20 attempts" in now_of(courier).note
    registry.register("churn", "s3://models/churn/3")
    receiver.always = Says(204)
    assert courier.deliver().delivered == {}
    courier.ledger.resume(now_of(courier))
    assert courier.deliver().delivered == {"deploy": 2}


def test_a_success_begins_the_count_anew(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.script = [Says(500)] * 5
    for _ in range(5):
        courier.deliver()
        clock.now += 3600
    registry.register("churn", "s3://models/churn/3")
    receiver.script = [Says(204), Says(500)]
    courier.deliver()
    assert now_of(courier).attempts == 1


def test_one_that_hangs_keeps_nobody_else_waiting(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    receiver.always = Says(instead="hang")
    add("slow")
    with another_receiver() as quick:
        add("quick", url=quick.url)
        registry.register("churn", "s3://models/churn/2")
        tried: list[int] = []
        slow = now_of(courier, "slow")
        quick.on_request = lambda request: tried.append(len(courier.ledger.attempts(slow, 10)))
        report = courier.deliver()
        assert report.delivered == {"quick": 1} and "slow" in report.failed
        assert tried == [0], "the slow one's two seconds were not over"


def test_time_that_is_ours_does_not_count_against_a_receiver(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    receiver.always = Says(instead="hang")
    begun = time.monotonic()
    report = courier.deliver(seconds=0.5)
    assert time.monotonic() - begun < 5
    assert report.failed == {} and now_of(courier).attempts == 0
    receiver.always = Says(204)
    assert courier.deliver().delivered == {"deploy": 1}


def test_what_comes_while_it_delivers_is_delivered_too(
    registry: Registry, place: Path, add: Add, courier: Courier, receiver: Receiver
) -> None:
    from gitreg.registry.open import open_registry

    add()
    registry.register("churn", "s3://models/churn/2")

    def more(request: Request) -> None:
        if len(receiver.requests) == 1:
            with open_registry(place) as other:
                other.register("churn", "s3://models/churn/3")

    receiver.on_request = more
    assert courier.deliver().delivered == {"deploy": 2}


def test_the_history_may_be_rewritten(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, place: Path
) -> None:
    import subprocess

    add()
    registry.register("churn", "s3://models/churn/2")
    courier.deliver()
    gone = now_of(courier).cursor.commit
    subprocess.run(["git", "commit", "-q", "--amend", "-m", "other words"], cwd=place, check=True)
    courier.deliver()
    found = now_of(courier)
    assert f"the history was rewritten; what came after {gone[:10]} until then was not told" in found.missed
    registry.register("churn", "s3://models/churn/3")
    assert courier.deliver().delivered == {"deploy": 1}
    assert receiver.events[-1]["data"]["version"] == 3
    assert now_of(courier).missed, "a success does not make up for what was missed"


def test_many_events_go_in_batches_without_loss(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    with registry.batch("many") as batch:
        for number in range(2, 60):
            batch.register("churn", f"s3://models/churn/{number}")
    for number in range(60, 64):
        registry.register("churn", f"s3://models/churn/{number}")
    assert courier.deliver().delivered == {"deploy": 62}
    assert [event["data"]["version"] for event in receiver.events] == list(range(2, 64))
    assert len({event["id"] for event in receiver.events}) == 62


def test_proxies_of_the_environment_are_not_asked(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    add()
    registry.register("churn", "s3://models/churn/2")
    assert courier.deliver().delivered == {"deploy": 1}


def test_the_file_is_its_owners_alone_and_keeps_no_secret_that_was_removed(
    registry: Registry, add: Add, courier: Courier
) -> None:
    webhook = add(secret="a secret that nobody knows")
    path = courier.ledger.path
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"a secret that nobody knows" in path.read_bytes()
    assert "a secret" not in repr(webhook)
    courier.ledger.remove(webhook)
    assert b"a secret that nobody knows" not in path.read_bytes()
    assert not list(path.parent.glob("subscribers.db-*"))


def test_both_secrets_sign_for_a_while(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    webhook = add()
    courier.ledger.renew_secret(webhook, "another secret of ours", former_until=clock.now + 60)
    for number in (2, 3):
        registry.register("churn", f"s3://models/churn/{number}")
        courier.deliver()
        clock.now += 61
    both, one = (request.headers["webhook-signature"].split(" ") for request in receiver.requests)
    assert (len(both), len(one)) == (2, 1)


def test_skipping_leaves_out_one_event(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    add()
    registry.register("churn", "s3://models/churn/2")
    registry.register("churn", "s3://models/churn/3")
    receiver.script = [Says(422)]
    courier.deliver()
    asked: list[str] = []
    assert (
        courier.skip(now_of(courier), asked.append)
        == asked[0]
        == "gitreg.model_version.registered of churn/2"
    )
    assert courier.deliver().delivered == {"deploy": 1}
    assert receiver.events[-1]["subject"] == "churn/3"
    assert courier.skip(now_of(courier), asked.append) == ""


def test_only_the_last_attempts_are_kept(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    webhook = add()
    with registry.batch("many") as batch:
        for number in range(2, 130):
            batch.register("churn", f"s3://models/churn/{number}")
    courier.deliver()
    found = courier.ledger.attempts(webhook, 1000)
    assert len(found) == 100 and found[0].subject == "churn/129"
    assert all(one.status == 204 and one.fault == "" for one in found)


def test_without_webhooks_nothing_is_made(registry: Registry, courier: Courier, place: Path) -> None:
    before = sorted(os.listdir(place / ".git" / "gitreg"))
    assert courier.deliver().delivered == {}
    assert sorted(os.listdir(place / ".git" / "gitreg")) == before


def test_a_branch_whose_commit_is_gone_hides_nothing_else(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, place: Path
) -> None:
    add()
    broken = place / ".git" / "refs" / "heads" / "gitreg" / "broken"
    broken.parent.mkdir(parents=True)
    broken.write_text("1" * 40 + "\n")
    registry.register("churn", "s3://models/churn/2")
    courier.deliver()
    assert receiver.types[0] == "model_version.registered"
