from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitreg.domain.lineage import (
    Draft,
    Edge,
    absent_node,
    code_node,
    copied_from,
    dataset_node,
    external_node,
    own_origin,
    parent_forms,
    parent_reference,
    run_node,
    source_node,
    version_node,
)
from gitreg.domain.model import Artifact, Code, Dataset, Mark, ModelVersion, Origin

AT = datetime(2026, 11, 23, tzinfo=UTC)


def version(**origin: object) -> ModelVersion:
    given = {"source": "s3://b/1", **origin}
    return ModelVersion(name="churn", version=3, created=AT, updated=AT, origin=Origin(**given))  # type: ignore[arg-type]


def test_own_origin_tells_everything_but_the_parents() -> None:
    found = version(
        run_id="r1",
        run_link="https://mlflow/r1",
        experiment="nightly",
        datasets=(Dataset(name="telco", digest="d1"), Dataset(name="geo")),
        code=Code(repository="git@x:c", commit="1a2b3c", path="train", dirty=True),
        parents=("models:/churn/2",),
    )
    told = list(own_origin(found))
    assert [(edge.role, edge.origin, edge.target) for _, edge in told] == [
        ("run", "run:r1", "version:churn/3"),
        ("experiment", "experiment:nightly", "run:r1"),
        ("dataset", "dataset:digest:d1", "version:churn/3"),
        ("dataset", "dataset:name:geo", "version:churn/3"),
        ("code", "code:git@x:c@1a2b3c", "version:churn/3"),
        ("source", "source:s3://b/1", "version:churn/3"),
    ]
    assert told[0][0].detail == {"run_id": "r1", "run_link": "https://mlflow/r1"}
    assert told[4][1].detail == {"path": "train", "dirty": True}


def test_an_experiment_without_a_run_led_to_the_version_itself() -> None:
    edges = [edge for _, edge in own_origin(version(experiment="nightly"))]
    assert (edges[0].origin, edges[0].target) == ("experiment:nightly", "version:churn/3")


def test_a_source_that_is_a_version_is_no_source_of_its_own() -> None:
    assert [edge.role for _, edge in own_origin(version(source="models:/base/2"))] == []
    assert str(copied_from("models:/base/2")) == "base/2"
    # MLflow's URI of a logged model names no version
    assert [edge.role for _, edge in own_origin(version(source="models:/m-0123"))] == ["source"]


def test_data_sets_are_one_by_digest_then_uri_then_name() -> None:
    one = dataset_node(Dataset(name="a", uri="s3://x", digest="d"))
    assert one.id == dataset_node(Dataset(name="b", digest="d")).id
    assert one.id != dataset_node(Dataset(name="a", uri="s3://x")).id
    assert (
        dataset_node(Dataset(name="a", uri="s3://x")).id == dataset_node(Dataset(name="b", uri="s3://x")).id
    )
    # a digest can't be taken for a name
    assert dataset_node(Dataset(name="d")).id != one.id


def test_sources_with_other_bytes_are_others() -> None:
    first = source_node(Origin(source="s3://m", artifact=Artifact(digest="sha256:1", size=5)))
    second = source_node(Origin(source="s3://m", artifact=Artifact(digest="sha256:2")))
    assert first.id != second.id
    assert first.detail == {"source": "s3://m", "digest": "sha256:1", "size": 5}


@pytest.mark.parametrize(
    ("code", "label"),
    [
        (Code(repository="r", commit="1a2b3c4d5e6f"), "r at 1a2b3c4d5e"),
        (Code(repository="r"), "r"),
        (Code(commit="1a2b3c4d5e6f"), "1a2b3c4d5e"),
        (Code(path="train.py"), "code"),
    ],
)
def test_code_labels(code: Code, label: str) -> None:
    assert code_node(code).label == label


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("models:/churn/2", "churn/2"),
        ("churn/v2", "churn/2"),
        ("churn@champion", "churn@champion"),
        ("models:/churn/Production", "churn/Production"),
        ("models:/churn", None),
        ("models:/m-0123", None),
        ("hf://org/model", None),
        ("s3://bucket/churn/2", None),
        ("bert-base-uncased", None),
        ("a/b/c", None),
        ("", None),
    ],
)
def test_parent_reference(uri: str, meant: str | None) -> None:
    found = parent_reference(uri)
    assert (str(found) if found else None) == meant


def test_every_form_of_a_parent_means_it() -> None:
    forms = list(parent_forms("churn", 2))
    assert len(set(forms)) == len(forms) == 6
    assert {str(parent_reference(form)) for form in forms} == {"churn/2"}


def test_version_nodes_say_what_holds() -> None:
    standing = ModelVersion(
        name="churn",
        version=3,
        created=AT,
        updated=AT,
        origin=Origin(source="s"),
        stages={"Production": AT},
        deprecated=Mark(at=AT),
    )
    assert version_node(standing).detail["stages"] == ["Production"]
    assert version_node(standing).detail["deprecated"] is True
    # what a deleted version held says nothing about now
    assert version_node(standing, state="deleted").detail == {"name": "churn", "version": 3}
    assert version_node(standing).id == absent_node("churn", 3, "missing").id


def test_a_draft_holds_each_thing_once() -> None:
    draft = Draft()
    assert draft.node(run_node("r1", "https://one"))
    assert not draft.node(run_node("r1"))
    edge = Edge(origin="run:r1", target="version:churn/3", role="run")
    draft.edge(edge)
    draft.edge(edge)
    draft.cut("run:r1", "downstream", 0, "most")
    draft.cut("run:r1", "downstream", 7, "most")
    graph = draft.graph(commit="c", root="run:r1", depth=2)
    assert graph.nodes["run:r1"].detail["run_link"] == "https://one"
    assert graph.edges == (edge,)
    assert [cut.count for cut in graph.cut("run:r1", "downstream")] == [7]
    assert graph.cut("run:r1", "upstream") == ()


def test_incoming_edges_are_told_in_the_order_of_roles() -> None:
    draft = Draft()
    for role, origin in (("parent", "version:a/1"), ("run", "run:r"), ("dataset", "dataset:name:d")):
        draft.edge(Edge(origin=origin, target="version:b/1", role=role))  # type: ignore[arg-type]
    graph = draft.graph(commit="c", root="version:b/1", depth=1)
    assert [edge.role for edge in graph.incoming()["version:b/1"]] == ["run", "dataset", "parent"]
    assert [edge.target for edge in graph.outgoing()["run:r"]] == ["version:b/1"]


def test_external_nodes_keep_the_uri_as_it_was_given() -> None:
    node = external_node("hf://org/model")
    assert node.label == "hf://org/model" and node.kind == "external"
