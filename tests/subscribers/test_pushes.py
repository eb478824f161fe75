"""A push to a server with our hooks: what the webhooks of that server are told, and what the pusher waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.subscribers.courier import Courier
from tests.githooks.conftest import Clone
from tests.githooks.test_arrived import subscriber
from tests.githooks.test_proposals import propose
from tests.subscribers.receiving import Receiver, Says
from tests.subscribers.receiving import receiver as a_receiver


@pytest.fixture(name="receiver")
def receiving(alice: Clone, server: Clone) -> Iterator[Receiver]:
    with a_receiver() as made:
        server.gitreg("webhooks", "add", made.url, "--name", "deploy", "--allow-private", "--allow-http")
        yield made


def courier_of(server: Clone) -> Courier:
    return Courier(Repository.discover(server.folder))


def test_a_push_is_told_before_it_ends(alice: Clone, receiver: Receiver) -> None:
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.gitreg("transition", "churn/3", "Production")
    said = alice.push()
    assert receiver.types == ["model_version.registered", "model_version.transitioned"]
    assert receiver.events[1]["data"]["previous"]["version"] == 1
    assert receiver.events[1]["id"] == f"{alice.head}:1"
    assert "warning" not in said.err


def test_without_tags_it_is_told_as_well(alice: Clone, receiver: Receiver) -> None:
    alice.gitreg("update", "churn/1", "-d", "by hand")
    alice.push()
    assert receiver.types == ["model_version.updated"]


def test_what_others_merged_is_told(alice: Clone, receiver: Receiver) -> None:
    alice.git("switch", "-q", "-c", "topic")
    alice.gitreg("transition", "churn/2", "Staging")
    alice.git("switch", "-q", "main")
    alice.git("merge", "-q", "--no-ff", "--no-verify", "-m", "merge it", "topic")
    alice.push()
    assert receiver.types == ["model_version.transitioned"]
    assert receiver.events[0]["data"]["commit"] == alice.head


def test_a_receiver_that_hangs_holds_no_push_up(alice: Clone, server: Clone, receiver: Receiver) -> None:
    receiver.always = Says(instead="hang")
    alice.gitreg("register", "churn", "s3://models/churn/3")
    begun = time.monotonic()
    alice.push()
    assert time.monotonic() - begun < 12
    assert len(receiver.requests) == 1
    receiver.always = Says(204)
    alice.gitreg("register", "churn", "s3://models/churn/4")
    alice.push()
    assert [event["subject"] for event in receiver.events] == ["churn/3", "churn/3", "churn/4"]


def test_one_that_fails_is_told_later(alice: Clone, server: Clone, receiver: Receiver) -> None:
    receiver.script = [Says(500)]
    alice.gitreg("register", "churn", "s3://models/churn/3")
    said = alice.push()
    assert "warning" not in said.err, "the pusher can do nothing about it"
    server.gitreg("webhooks", "deliver", "--retry")
    assert [event["subject"] for event in receiver.events] == ["churn/3", "churn/3"]


def test_a_refused_push_is_told_to_nobody(alice: Clone, receiver: Receiver) -> None:
    alice.edit("models/churn/versions/1.yaml", "auc: 0.9", "auc: 0.99")
    alice.commit()
    alice.refused("main")
    assert receiver.requests == []


def test_a_ledger_that_is_no_database_is_told_and_hinders_nothing(
    alice: Clone,
    server: Clone,
    receiver: Receiver,
) -> None:
    (server.folder / "gitreg" / "subscribers.db").write_text("no database, but long enough to be one" * 100)
    alice.gitreg("register", "churn", "s3://models/churn/3")
    said = alice.push()
    assert "the webhooks were not told yet: the file of the webhooks can't be used" in said.err


def test_programs_beside_it_are_run_as_ever(alice: Clone, server: Clone, receiver: Receiver) -> None:
    subscriber(server, "first", 'cat >"$PWD/seen"')
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    assert '"tag": "churn/v3"' in (server.folder / "seen").read_text()
    assert receiver.types == ["model_version.registered"]


def test_nothing_of_it_reaches_a_clone(server: Clone, receiver: Receiver, tmp_path: Path) -> None:
    import subprocess

    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", "--mirror", f"file://{server.folder}", str(copy)], check=True)
    assert not (copy / "gitreg").exists()
    found = subprocess.run(
        ["grep", "-rl", "-e", "whsec_", "-e", str(receiver.port), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1 and found.stdout == ""


class TestProposals:
    def test_a_numbered_proposal_lives(self, alice: Clone, server: Clone, receiver: Receiver) -> None:
        alice.git("switch", "-q", "-c", "topic")
        alice.gitreg("transition", "churn/2", "Production")
        proposed = alice.head
        propose(alice, "topic=promote-2", "title=Promote churn/2")
        alice.git("commit", "-q", "--amend", "-m", "better words", "--no-verify")
        propose(alice, "topic=promote-2")
        assert receiver.types == ["proposal.proposed", "proposal.updated"]
        data = receiver.events[0]["data"]
        assert receiver.events[0]["subject"] == "proposals/1" and data["commit"] == proposed
        assert data["proposal"]["title"] == "Promote churn/2" and data["proposal"]["number"] == 1
        assert data["proposal"]["by"] == "Ada Lovelace <ada@example.com>"
        assert data["changes"] == [
            {
                "summary": "churn: transition version 2 to Production",
                "model": "churn",
                "version": 2,
                "stage": "Production",
            }
        ]
        alice.git("switch", "-q", "main")
        alice.git("merge", "-q", "--no-ff", "--no-verify", "-m", "merge it", "topic")
        alice.push()
        assert receiver.types[2:] == ["model_version.transitioned", "proposal.merged"]
        assert receiver.events[3]["data"]["changes"] == data["changes"]

    def test_one_that_is_withdrawn(self, alice: Clone, receiver: Receiver) -> None:
        alice.git("switch", "-q", "-c", "topic")
        alice.gitreg("transition", "churn/2", "Production")
        propose(alice, "topic=t")
        propose(alice, "topic=t", "withdraw")
        assert receiver.types == ["proposal.proposed", "proposal.withdrawn"]

    def test_a_branch_lives_dies_and_comes_back(self, alice: Clone, receiver: Receiver) -> None:
        name = "gitreg/promote/churn/2/Production"
        alice.git("switch", "-q", "-c", name)
        alice.gitreg("transition", "churn/2", "Production")
        alice.push(name)
        alice.push(f":{name}")
        alice.push(name)
        alice.git("switch", "-q", "main")
        alice.git("merge", "-q", "--squash", name)
        alice.git("commit", "-q", "--no-verify", "-m", "squash it")
        alice.push()
        alice.push(f":{name}")
        assert receiver.types == [
            "proposal.proposed", "proposal.withdrawn", "proposal.proposed", "model_version.transitioned",
            "proposal.merged",
        ]  # fmt: skip
        ids = [event["id"] for event in receiver.events]
        assert len(set(ids)) == len(ids)
        assert receiver.events[0]["subject"] == f"proposals/{name}"

    def test_what_was_open_before_is_not_told(
        self,
        alice: Clone,
        server: Clone,
        receiver: Receiver,
    ) -> None:
        alice.git("switch", "-q", "-c", "topic")
        alice.gitreg("transition", "churn/2", "Production")
        propose(alice, "topic=t")
        with a_receiver() as late:
            server.gitreg("webhooks", "add", late.url, "--name", "late", "--allow-private", "--allow-http")
            propose(alice, "topic=t", "withdraw")
            assert late.types == ["proposal.withdrawn"]
        server.gitreg("webhooks", "remove", "deploy", "--yes")
        server.gitreg("webhooks", "remove", "late", "--yes")
        alice.git("commit", "-q", "--amend", "-m", "again", "--no-verify")
        propose(alice, "topic=u")
        with a_receiver() as later:
            server.gitreg("webhooks", "add", later.url, "--name", "later", "--allow-private", "--allow-http")
            server.gitreg("webhooks", "deliver")
            assert later.types == []

    def test_filters_look_at_what_is_proposed(self, alice: Clone, server: Clone, receiver: Receiver) -> None:
        server.gitreg("webhooks", "remove", "deploy", "--yes")
        local = ["--allow-private", "--allow-http"]
        for name, words in (
            ("p", ["--stage", "Production"]),
            ("s", ["--stage", "Staging"]),
            ("f", ["--model", "f*"]),
        ):
            server.gitreg("webhooks", "add", f"{receiver.url}/{name}", "--name", name, *words, *local)
        alice.git("switch", "-q", "-c", "topic")
        alice.gitreg("transition", "churn/2", "Production")
        propose(alice, "topic=t")
        assert [request.path for request in receiver.requests] == ["/hook/p"]


def test_approvals_are_told_when_they_are_proposed_and_when_they_arrive(
    alice: Clone,
    server: Clone,
    receiver: Receiver,
) -> None:
    """An approval is a file; whether it counts is for policy to say."""
    path = "approvals/churn/2/Production/2/ada%40example.com.sig"
    alice.git("switch", "-q", "-c", "topic")
    alice.gitreg("transition", "churn/2", "Production")
    propose(alice, "topic=t")
    alice.write(path, '{"predicate": {"proposed_by": ["bob@example.com"]}}\n')
    alice.commit("approve it")
    propose(alice, "topic=t")
    assert receiver.types == ["proposal.proposed", "proposal.updated", "proposal.approved"]
    data = receiver.events[2]["data"]
    assert (data["approver"], data["proposed_by"], data["stage"], data["version"]) == (
        "ada@example.com", ["bob@example.com"], "Production", 2,
    )  # fmt: skip


def test_the_courier_of_the_server_has_nothing_left(alice: Clone, server: Clone, receiver: Receiver) -> None:
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    courier = courier_of(server)
    assert courier.waiting(courier.ledger.webhook("deploy")) == 0
