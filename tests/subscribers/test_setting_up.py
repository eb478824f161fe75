"""What a webhook waits for, where it begins, and what can't be set up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitreg.errors import InvalidInput, NotAllowed, NotFound
from gitreg.registry.registry import Registry
from gitreg.subscribers.courier import Courier
from tests.subscribers.conftest import Add
from tests.subscribers.receiving import Receiver
from tests.subscribers.test_delivering import now_of


class TestInterest:
    def test_events(self, registry: Registry, add: Add, courier: Courier, receiver: Receiver) -> None:
        add(events=("transitioned", "model.created", "gitreg.model_version.deleted"))
        registry.register("fraud", "s3://f")
        registry.transition("fraud/1", "Staging")
        registry.delete("fraud/1")
        courier.deliver()
        assert receiver.types == ["model.created", "model_version.transitioned", "model_version.deleted"]

    def test_models(self, registry: Registry, add: Add, courier: Courier, receiver: Receiver) -> None:
        add(models=("churn*", "x?"))
        for name in ("fraud", "churn-eu", "x1", "Churn"):
            registry.create_model(name) if name != "Churn" else None
        registry.rename("fraud", "churn-us")
        courier.deliver()
        assert [event["subject"] for event in receiver.events] == ["churn-eu", "x1", "churn-us"]
        assert receiver.events[-1]["data"]["former_name"] == "fraud"

    def test_stages(self, registry: Registry, add: Add, courier: Courier, receiver: Receiver) -> None:
        add(stages=("production",))
        registry.transition("churn/1", "Staging")
        registry.transition("churn/1", "Production")
        registry.register("churn", "s3://models/churn/2")
        registry.transition("churn/1", "Archived")
        courier.deliver()
        found = [(event["data"]["stage"], event["data"]["from"]) for event in receiver.events]
        assert found == [("Production", ["Staging"]), ("Archived", ["Production"])]

    def test_what_was_not_asked_for_is_not_looked_at_again(
        self, registry: Registry, add: Add, courier: Courier, receiver: Receiver
    ) -> None:
        add(events=("deleted",))
        registry.register("churn", "s3://models/churn/2")
        courier.deliver()
        assert receiver.requests == []
        assert now_of(courier).cursor.commit == registry.at().commit
        assert courier.waiting(now_of(courier)) == 0


class TestBeginning:
    def test_since_a_commit(self, registry: Registry, add: Add, courier: Courier, receiver: Receiver) -> None:
        before = registry.at().commit
        registry.register("churn", "s3://models/churn/2")
        add(since=before)
        courier.deliver()
        assert [event["subject"] for event in receiver.events] == ["churn/2"]

    def test_since_a_day(self, registry: Registry, add: Add, courier: Courier, receiver: Receiver) -> None:
        add(since=f"{datetime.now(UTC):%Y-%m-%d}", name="today")
        add(since="2020-01-01", name="all")
        courier.deliver()
        assert receiver.types.count("model.created") == 2

    @pytest.mark.parametrize("since", ["nowhere", "2020-13-01", "3020-01-01"])
    def test_since_what_is_not_there(self, add: Add, since: str) -> None:
        with pytest.raises((InvalidInput, NotFound)):
            add(since=since)

    def test_without_allowance_nothing_is_set_up(
        self, add: Add, courier: Courier, receiver: Receiver
    ) -> None:
        with pytest.raises(NotAllowed, match="private network"):
            add(allow_private=False)
        with pytest.raises(NotAllowed, match="TLS"):
            add(allow_http=False)
        assert courier.ledger.webhooks() == [] and receiver.requests == []

    @pytest.mark.parametrize(
        ("wish", "where"),
        [
            ({"events": ("promoted",)}, "--events"),
            ({"models": ("",)}, "--model"),
            ({"stages": ("Prodction",)}, "stage"),
            ({"source": "no uri"}, "--source"),
            ({"source": "https://ann:pw@x.example"}, "--source"),
            ({"name": "a b"}, "--name"),
        ],
    )
    def test_wishes_that_make_no_sense(self, add: Add, wish: dict[str, object], where: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            add(**wish)
        assert refused.value.where == where

    def test_an_address_that_became_private_gets_no_request(
        self, registry: Registry, add: Add, courier: Courier, receiver: Receiver
    ) -> None:
        import sqlite3

        add()
        with sqlite3.connect(courier.ledger.path) as db:
            db.execute("UPDATE webhook SET allow_private = 0")
        registry.register("churn", "s3://models/churn/2")
        assert "private network" in courier.deliver().failed["deploy"]
        assert receiver.requests == []
