from __future__ import annotations

from datetime import UTC, datetime

from gitreg.domain.changes import Change
from gitreg.domain.model import (
    Artifact,
    Code,
    Dataset,
    Evaluation,
    Mark,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.render.page import aligned, model_page, version_page
from gitreg.render.values import change_document, model_document, plain, version_document

AT = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)
TEXT = "2026-11-23T10:00:00.123Z"
VERSION = ModelVersion(
    name="churn",
    version=12,
    created=AT,
    updated=AT,
    origin=Origin(
        source="runs:/abc/model",
        run_id="abc",
        code=Code(repository="git@example.com:churn", commit="1a2b", dirty=True),
        datasets=(Dataset(name="telco", digest="d1"),),
        parents=("models:/churn/11",),
        artifact=Artifact(
            digest="sha256:" + "0" * 64,
            size=12_345,
            flavors={"sklearn": "1.5.2"},
            signature={"inputs": [{"name": "age", "type": "long"}], "outputs": [{"type": "tensor"}]},
        ),
        params={"depth": "3"},
        metrics={"auc": 0.91, "loss": float("nan")},
    ),
    evaluations=(Evaluation(name="holdout", at=AT, metrics={"auc": 0.88}),),
    stages={"Production": AT},
    description="Second try\n\x1b[31mred",
    tags={"team": "growth"},
    deprecated=Mark(at=AT, reason="drift"),
)


def test_version_document_speaks_the_manifests_words() -> None:
    found = version_document(VERSION, ["champion"])
    assert found["name"] == "churn" and found["version"] == 12
    assert found["stages"] == {"Production": TEXT}
    assert found["aliases"] == ["champion"]
    assert found["metrics"] == {"auc": 0.91, "loss": "NaN"}
    assert found["deprecated"] == {"at": TEXT, "reason": "drift"}


def test_version_document_always_has_stages_and_aliases() -> None:
    bare = ModelVersion(name="m", version=1, created=AT, updated=AT, origin=Origin(source="s3://x"))
    found = version_document(bare)
    assert found["stages"] == {} and found["aliases"] == [] and found["status"] == "READY"


def test_tombstones_stay_tombstones() -> None:
    gone = VersionTombstone(name="m", version=2, deleted=Mark(at=AT))
    assert version_document(gone) == {"name": "m", "version": 2, "deleted": {"at": TEXT}}


def test_model_document() -> None:
    model = RegisteredModel(name="churn", created=AT, updated=AT, aliases={"champion": 12})
    assert model_document(model) == {
        "name": "churn",
        "created": TEXT,
        "updated": TEXT,
        "aliases": {"champion": 12},
    }


def test_change_document_tells_values_as_json() -> None:
    change = Change(
        event="evaluate", model="churn", version=12, field="evaluations", after=VERSION.evaluations[0]
    )
    found = change_document(change)
    assert found["after"] == {"name": "holdout", "at": TEXT, "metrics": {"auc": 0.88}}
    assert found["summary"] == "evaluate version 12: holdout"


def test_plain_writes_infinities_as_the_manifests_do() -> None:
    assert plain((float("inf"), {"a": float("-inf")})) == ["Infinity", {"a": "-Infinity"}]


def test_version_page_tells_everything_once() -> None:
    page = "\n".join(version_page(VERSION, ["champion"], registration="by Ada (commit 1a2b3c4)"))
    for said in (
        "churn/12",
        "Production (since 2026-11-23 10:00 UTC)",
        "champion",
        "drift",
        "by Ada (commit 1a2b3c4)",
        "runs:/abc/model",
        "git@example.com:churn at 1a2b (with uncommitted changes)",
        "telco  d1",
        "models:/churn/11",
        "12.3 kB",
        "sklearn 1.5.2",
        "age: long",
        "0.91",
        "nan",
        "Evaluation holdout",
        "0.88",
        "growth",
        "  Second try\n  \\x1b[31mred",
    ):
        assert page.count(said) >= 1, said
    assert "\x1b" not in page


def test_page_tells_ages_only_when_it_knows_the_time() -> None:
    assert "ago" not in "\n".join(version_page(VERSION, []))
    assert "just now" in "\n".join(version_page(VERSION, [], now=AT))


def test_model_page_says_when_versions_are_left_out() -> None:
    model = RegisteredModel(name="churn", created=AT, updated=AT, aliases={"a": 2})
    lines = aligned(("version", "stages"), [("12", "Production")])
    page = model_page(model, lines, total=12, stages={"Production": (12, 3)})
    assert "12 versions, the newest 1" in page
    assert "  stages      Production: 12 3" in page
    assert "No versions yet" in model_page(model, [], total=0, stages={})


def test_page_cuts_what_would_flood_the_screen() -> None:
    long = ModelVersion(
        name="m", version=1, created=AT, updated=AT, origin=Origin(source="s3://x"), tags={"k": "v" * 100_000}
    )
    page = "\n".join(version_page(long, []))
    assert len(page) < 1000 and "100,000 characters" in page


def test_aligned_measures_what_is_shown() -> None:
    assert aligned(("a", "b"), [("模型", "1"), ("x", "2")]) == ["a     b", "模型  1", "x     2"]
