from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    Artifact,
    ModelTombstone,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.domain.settings import DEFAULT_STAGES, Settings, Stage
from gitreg.errors import InvalidInput, InvalidManifests
from gitreg.manifest import codec, profile, rendering
from gitreg.manifest.encode import time_text
from gitreg.manifest.fmt import format_text
from tests.manifest import values

NOW = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)
VERSION = ModelVersion(
    name="Fraud",
    version=7,
    created=NOW,
    updated=NOW,
    origin=Origin(
        source="runs:/0a1b2c/model", params={"depth": "6"}, metrics={"auc": 0.5, "n": 3, "t": 1e-05}
    ),
    stages={"Production": NOW},
    description="One.\n\n# Two\n",
    tags={"team": "growth", "country": "NO"},
)
TEXT = """\
# yaml-language-server: $schema=../../../schemas/model-version.v1.schema.json
version: 7
created: "2026-11-23T10:00:00.123Z"
updated: "2026-11-23T10:00:00.123Z"
source: runs:/0a1b2c/model
params:
  depth: "6"
metrics:
  auc: 0.5
  "n": 3
  t: 1.0e-05
stages:
  Production: "2026-11-23T10:00:00.123Z"
description: |
  One.

  # Two
tags:
  country: "NO"
  team: growth
"""


def read_version(data: bytes) -> AnyVersion:
    return codec.decode_version(data, name=values.NAME, version=values.NUMBER, path=values.PATH)


def test_the_canonical_text_of_a_version() -> None:
    assert rendering.render_version(VERSION, None, values.PATH).decode() == TEXT
    assert read_version(TEXT.encode()) == VERSION


def test_the_canonical_text_is_the_fast_readers_own() -> None:
    assert profile.fine_pattern().fullmatch(TEXT), "else every read pays for the exact judgement"


@values.steady(max_examples=120)
@given(st.one_of(values.versions, values.tombstones))
def test_versions_round_trip(value: AnyVersion) -> None:
    text = rendering.render_version(value, None, values.PATH)
    assert read_version(text) == value
    assert format_text(text, "model-version.v1") == text
    assert yaml.safe_load(text) == yaml.load(text, yaml.CSafeLoader)  # what other readers of 1.1 get


@values.steady(max_examples=100)
@given(st.one_of(values.models, values.model_tombstones))
def test_models_round_trip(value: AnyModel) -> None:
    text = rendering.render_model(value, None, values.MODEL_PATH)
    assert codec.decode_model(text, name=values.NAME, path=values.MODEL_PATH) == value
    assert format_text(text, "registered-model.v1") == text


@values.steady(max_examples=100)
@given(values.settings_values)
def test_settings_round_trip(value: Settings) -> None:
    text = rendering.render_settings(value, None)
    assert codec.decode_settings(text) == value
    assert format_text(text, "registry.v1") == text


def test_settings_take_defaults() -> None:
    value = codec.decode_settings(b"format: 1\n")
    assert value == Settings()
    assert value.stages == DEFAULT_STAGES


def test_a_newer_format_is_read_where_it_means_nothing_new() -> None:
    assert codec.decode_settings(b"format: 2\nbranch: trunk\n") == Settings(format=2, branch="trunk")
    with pytest.raises(InvalidManifests, match="newer than this gitreg") as caught:
        codec.decode_settings(b"format: 2\nfederation: on-all\n")
    assert [one.code for one in caught.value.findings] == ["GR022"]


def test_stages_are_names_or_mappings() -> None:
    text = b"format: 1\nstages:\n- Dev\n- name: Live\n  exclusive: true\n"
    assert codec.decode_settings(text).stages == (Stage(name="Dev"), Stage(name="Live", exclusive=True))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2026-11-23T10:00:00Z", NOW.replace(microsecond=0)),
        ("2026-11-23T10:00:00.123456789Z", NOW),
        ("2026-11-23T15:30:00.123+05:30", NOW),
        ("2026-11-23t10:00:00.123z", NOW),
    ],
)
def test_times_of_any_precision_and_zone(text: str, want: datetime) -> None:
    value = read_version(TEXT.replace("2026-11-23T10:00:00.123Z", text).encode())
    assert isinstance(value, ModelVersion)
    assert value.created == value.stages["Production"] == want
    assert value.created.tzinfo is UTC


def test_times_are_written_in_utc_with_milliseconds() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert time_text(NOW.astimezone(india).replace(microsecond=123999)) == "2026-11-23T10:00:00.123Z"
    with pytest.raises(InvalidInput, match="no zone"):
        time_text(datetime(2026, 11, 23))


def test_metrics_that_are_no_numbers_are_quoted_texts() -> None:
    metrics = {"a": float("nan"), "b": float("inf"), "c": float("-inf")}
    text = rendering.render_version(
        replace(VERSION, origin=Origin(source="x", metrics=metrics)), None, values.PATH
    )
    assert b'  a: "NaN"\n  b: "Infinity"\n  c: "-Infinity"\n' in text
    value = read_version(text)
    assert isinstance(value, ModelVersion)
    assert {key: repr(number) for key, number in value.metrics.items()} == {
        "a": "nan",
        "b": "inf",
        "c": "-inf",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": {"latest": NOW}}, "can't name a stage"),
        ({"status": "REDY"}, "none of READY"),
        ({"tags": {"k" * 251: "v"}}, "longer than 250"),
        ({"tags": {"k": "v" * 100_001}}, "longer than 100000"),
        ({"extra": {"y-mine": 1}}, "unknown field"),
        ({"extra": {"x-mine": float("nan")}}, "no number that a manifest can hold"),
        ({"extra": {"x-mine": 10**18}}, "more than 18 digits"),
        ({"extra": {"x-mine": {"k" * 1001: 1}}}, "too long"),
        ({"description": "\ud800"}, "surrogate"),
        ({"origin": Origin(source="")}, "source"),
        ({"origin": Origin(source="x", metrics={"big": 10**400})}, "18 digits"),
        ({"origin": Origin(source="x", artifact=Artifact(digest="md5:1"))}, "not a digest"),
    ],
)
def test_nothing_is_written_that_could_not_be_read(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rendering.render_version(replace(VERSION, **change), None, values.PATH)  # type: ignore[arg-type]


def test_the_file_must_say_what_its_path_says() -> None:
    with pytest.raises(InvalidManifests) as caught:
        read_version(TEXT.replace("version: 7", "version: 8").encode())
    assert [(one.code, one.line, one.column) for one in caught.value.findings] == [("GR016", 2, 10)]
    model = rendering.render_model(
        RegisteredModel(name="Other", created=NOW, updated=NOW), None, values.MODEL_PATH
    )
    with pytest.raises(InvalidManifests, match='"Other" stands in the folder of "Fraud"'):
        codec.decode_model(model, name="Fraud", path=values.MODEL_PATH)


def test_tombstones() -> None:
    gone = read_version(b'version: 7\ndeleted: {at: "2026-11-23T10:00:00.123Z", reason: leaked}\n')
    assert isinstance(gone, VersionTombstone)
    assert (gone.deleted.at, gone.deleted.reason) == (NOW, "leaked")
    text = b"name: Fraud\nlast_version: 4\nrenamed_to: Risk\n"
    moved = codec.decode_model(text, name="Fraud", path="m")
    assert moved == ModelTombstone(name="Fraud", last_version=4, renamed_to="Risk")


def test_whole_numbers_written_as_floats_become_integers() -> None:
    value = read_version(TEXT.replace("version: 7", "version: 7.0").encode())
    assert type(value.version) is int
