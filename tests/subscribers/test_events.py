"""What an event says: of every change that there is, by its schema, in both forms, and of a bounded length."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import jsonschema
import pytest

from gitreg.cli import app
from gitreg.domain.changes import Change, Event
from gitreg.registry.registry import Registry
from gitreg.subscribers.courier import Courier
from gitreg.subscribers.event import MOST_BYTES, schema_text
from gitreg.subscribers.kinds import BY_TYPE, KINDS, PING, kind_of
from tests.subscribers.conftest import Add
from tests.subscribers.receiving import Receiver

SCHEMA = json.loads(schema_text())


def checked(event: dict[str, Any]) -> dict[str, Any]:
    """An event that is what CloudEvents 1.0 and our own schema want."""
    assert event["specversion"] == "1.0" and event["datacontenttype"] == "application/json"
    assert event["dataschema"] == SCHEMA["$id"]
    assert event["id"].isascii() and event["id"].isprintable() and "." not in event["id"]
    assert event["type"] in BY_TYPE and event.get("subject") != ""
    jsonschema.Draft202012Validator(SCHEMA).validate(event["data"])
    return event


def delivered(courier: Courier, receiver: Receiver) -> list[dict[str, Any]]:
    before = len(receiver.requests)
    assert courier.deliver().failed == {}
    return [checked(event) for event in receiver.events[before:]]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert "additionalProperties" in SCHEMA, "a field that is not told of is a mistake"


def test_a_whole_life(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, place: Path
) -> None:
    add()
    registry.register("churn", "s3://m/2", metrics={"auc": float("nan")}, tags={"a": "b"}, params={"c": 1})
    registry.evaluate("churn/2", "holdout", {"auc": 0.5, "loss": float("inf")})
    registry.update("churn/2", description="better")
    registry.update("churn", owners=["ann"])
    registry.tag("churn/2", {"team": "risk"})
    registry.untag("churn/2", "team")
    registry.tag("churn", {"team": "risk"})
    registry.untag("churn", "team")
    registry.alias("churn/1", "champion")
    registry.alias("churn/2", "champion")
    registry.unalias("churn", "champion")
    registry.transition("churn/1", "Production")
    registry.assign("churn/1", "Staging")
    registry.unassign("churn/1", "Staging")
    registry.transition("churn/2", "Production", archive_existing=True)
    registry.deprecate("churn/1", reason="old")
    registry.deprecate("churn/1", reason="very old")
    registry.undeprecate("churn/1")
    registry.delete("churn/1", reason="gone")
    registry.restore("churn/1")
    registry.rename("churn", "attrition")
    registry.delete("attrition")
    registry.restore("attrition")
    registry.create_model("empty", description="nothing yet")
    assert app.run(["--registry", str(place), "config", "description", "all models"]) == 0
    found = delivered(courier, receiver)
    assert [event["type"].removeprefix("gitreg.") for event in found] == [
        "model_version.registered", "model_version.evaluated", "model_version.updated", "model.updated",
        "model_version.tag_set", "model_version.tag_removed", "model.tag_set", "model.tag_removed",
        "model.alias_moved", "model.alias_moved", "model.alias_removed", "model_version.transitioned",
        "model_version.assigned", "model_version.unassigned", "model_version.transitioned",
        "model_version.transitioned", "model_version.deprecated", "model_version.deprecated",
        "model_version.undeprecated", "model_version.deleted", "model_version.restored", "model.renamed",
        "model.deleted", "model.restored", "model.created", "registry.settings_changed",
    ]  # fmt: skip
    data = {event["type"]: event["data"] for event in reversed(found)}
    first = data["gitreg.model_version.registered"]
    assert (first["metrics"], first["tags"], first["params"]) == ({"auc": "NaN"}, {"a": "b"}, {"c": "1"})
    assert (first["source"], first["uri"]) == ("s3://m/2", "models:/churn/2")
    assert first["author"] == {"name": "Ada Lovelace", "email": "ada@example.com"}
    assert data["gitreg.model_version.evaluated"]["evaluation"]["metrics"] == {"auc": 0.5, "loss": "Infinity"}
    assert data["gitreg.model_version.deprecated"]["reason"] == "old"
    assert data["gitreg.model_version.deleted"]["reason"] == "gone"
    assert data["gitreg.model.alias_removed"]["alias"] == "champion"
    moved = [event["data"] for event in found if event["type"] == "gitreg.model.alias_moved"]
    assert [(one["version"], one["previous"]) for one in moved] == [
        (1, None), (2, {"version": 1, "uri": "models:/churn/1"}),
    ]  # fmt: skip
    staged = [event for event in found if event["type"].endswith("transitioned")]
    assert [event["subject"] for event in staged] == ["churn/1", "churn/2", "churn/1"]
    second = staged[1]["data"]
    assert (second["stage"], second["from"], second["stages"]) == ("Production", [], ["Production"])
    assert second["previous"] == {"version": 1, "uri": "models:/churn/1", "source": "s3://models/churn/1"}
    assert (staged[2]["data"]["stage"], staged[2]["data"]["from"]) == ("Archived", ["Production"])


def test_hand_edits_and_violations_are_told_alike(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, place: Path
) -> None:
    import subprocess

    add()
    version = place / "models" / "churn" / "versions" / "1.yaml"
    version.write_text(version.read_text().replace("s3://models/churn/1", "s3://forged"))
    subprocess.run(["git", "commit", "-qam", "improve it"], cwd=place, check=True)
    version.unlink()
    subprocess.run(["git", "commit", "-qam", "tidy up"], cwd=place, check=True)
    found = delivered(courier, receiver)
    assert [event["type"] for event in found] == [
        "gitreg.model_version.rewritten", "gitreg.model_version.vanished",
    ]  # fmt: skip
    assert found[0]["data"]["field"] == "source" and found[0]["data"]["after"] == "s3://forged"


def test_ids_are_those_of_revert_and_the_same_for_every_webhook(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add("one")
    add("other")
    registry.register("fraud", "s3://f")
    found = delivered(courier, receiver)
    commit = registry.at().commit
    assert sorted(event["id"] for event in found) == [
        f"{commit}:1",
        f"{commit}:1",
        f"{commit}:2",
        f"{commit}:2",
    ]
    bodies = {json.dumps(event, sort_keys=True) for event in found}
    assert len(bodies) == 2


def test_the_binary_form(registry: Registry, add: Add, courier: Courier, receiver: Receiver) -> None:
    add("plain", events=("registered",))
    add("binary", events=("registered",), mode="binary", source="https://models.example.com/x")
    registry.register('chürn "a" 100%', "s3://c")
    courier.deliver()
    plain, binary = sorted(receiver.requests, key=lambda one: "ce-id" in one.headers)
    assert binary.headers["content-type"] == "application/json"
    event = plain.event
    assert binary.event == event["data"]
    for key in ("specversion", "id", "type", "time", "dataschema", "subject"):
        assert unquote(binary.headers[f"ce-{key}"]) == event[key]
    assert binary.headers["ce-subject"] == "ch%C3%BCrn%20%22a%22%20100%25/1"
    assert binary.headers["ce-source"] == "https://models.example.com/x"


def test_the_source_is_the_registrys_first_commit(registry: Registry, add: Add, place: Path) -> None:
    import subprocess

    roots = subprocess.run(
        ["git", "rev-list", "--max-parents=0", "HEAD"], cwd=place, capture_output=True, text=True, check=True
    )
    assert add().source == f"urn:gitreg:registry:{roots.stdout.strip()}"


def test_a_body_is_bounded_and_says_what_is_missing(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver
) -> None:
    add()
    tags = {f"key{number}": "ü" * 4000 for number in range(60)}
    registry.register("churn", "s3://m/2", tags=tags, metrics={"auc": 0.5})
    registry.tag("churn/2", {"key": "€" * 100_000})
    registered, tagged = delivered(courier, receiver)
    assert max(len(request.body) for request in receiver.requests) <= MOST_BYTES
    assert registered["data"]["left_out"] == ["tags"]
    assert registered["data"]["metrics"] == {"auc": 0.5}
    assert tagged["data"]["left_out"] == ["after", "tags"]


def test_names_of_authors_that_are_no_utf8_or_very_long(
    registry: Registry, add: Add, courier: Courier, receiver: Receiver, place: Path
) -> None:
    import os
    import subprocess

    add()
    version = place / "models" / "churn" / "versions" / "1.yaml"
    for name in (b"M\xfcller", b"x" * 5000):
        version.write_text(
            version.read_text() + "description: edited\n"
            if name[:1] == b"M"
            else version.read_text().replace("edited", "again")
        )
        env = {**os.environb, b"GIT_AUTHOR_NAME": name}
        subprocess.run(["git", "commit", "-qam", "edit"], cwd=place, check=True, env=env)
    names = [event["data"]["author"]["name"] for event in delivered(courier, receiver)]
    assert names[0].startswith("M") and "ller" in names[0] and len(names[1]) == 1000


OF_BOTH = ("register", "update", "tag", "delete", "restore", "rewrite", "vanish")
OF_VERSIONS = ("transition", "assign", "unassign", "evaluate", "deprecate", "approve")
OF_MODELS = ("alias", "rename", "reuse")
OF_THE_REGISTRY = ("approve", "policy")


def test_every_change_is_an_event_of_the_list_and_the_other_way_round() -> None:
    assert {*OF_BOTH, *OF_VERSIONS, *OF_MODELS, *OF_THE_REGISTRY} == set(get_args(Event))
    changes = [
        *(
            Change(event=event, model="churn", version=1, after=after)
            for event in OF_BOTH
            for after in (None, 1)
        ),
        *(
            Change(event=event, model="churn", version=1, after=after)
            for event in OF_VERSIONS
            for after in (None, 1)
        ),
        *(Change(event=event, model="churn", after=after) for event in OF_BOTH for after in (None, 1)),
        *(Change(event=event, model="churn", after=after) for event in OF_MODELS for after in (None, 1)),
        *(Change(event=event) for event in OF_THE_REGISTRY),
    ]
    told = {kind_of(change) for change in changes}
    assert told == {kind for kind in KINDS if kind.entity != "proposal"}


def test_types_are_told_apart() -> None:
    assert len(BY_TYPE) == len(KINDS) + 1 and PING not in KINDS
    assert all(kind.told for kind in KINDS)


@pytest.mark.parametrize("name", ["registered", "model.created", "gitreg.proposal.merged", "approved"])
def test_names_of_events(name: str) -> None:
    assert any(name in kind.names for kind in KINDS)
