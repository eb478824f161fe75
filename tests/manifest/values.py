"""Hypothesis strategies for what files can hold."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gitreg.domain.model import (
    STATUSES,
    Artifact,
    Code,
    Dataset,
    Evaluation,
    Mark,
    ModelTombstone,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.domain.settings import Settings, Stage, TagSettings

# A loaded machine is slow at times; that says nothing about the code.
steady = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAME = "Fraud"
NUMBER = 7
PATH = "models/Fraud/versions/7.yaml"
MODEL_PATH = "models/Fraud/model.yaml"

_TRICKY = st.sampled_from(
    [
        "", "yes", "NO", "y", "null", "~", "012", "0o17", "1e5", "1.0e+05", "12:30:45", "2026-11-23", ".nan", "-",
        "<<", "=", "a: b", "a #b", "# a", " lead", "trail ", "a\nb", "a\nb\n", "a\n\n\nb\n\n", "\n", "\na", "\ta",
        "a\n\tb\n", " a\nb\n", "a\n  b\n", "a \nb", "a\r\nb", "a\x00b", "\x85", "\u2028", "\ufeff", "\U0001f600",
        "é", '"', "\\", "'", "{a: b}", "[", "a, b", "*a", "&a", "!a", "%a", "@a", "`", "|", ">", "? a", ": a", "---",
        "...", "--- a", "<<<<<<< HEAD", "x" * 300, "a:", "a:b", "://", "NaN", "Infinity", "\x7f", "\xa0", "\u202e",
        "a\n# b\n", "# a\n\n  b\n- c\n", "true", "0x1F", "a\n---\nb\n", "- a", "a\nb\n\n", "\n\n", "a\n \nb\n",
    ]
)  # fmt: skip
texts = st.one_of(_TRICKY, st.text(max_size=30), st.text(alphabet="ab \n#:-|\t'\"", max_size=30))
filled = texts.filter(bool)
keys = st.one_of(_TRICKY, st.text(min_size=1, max_size=20)).filter(lambda text: 0 < len(text) <= 250)
times = st.integers(min_value=0, max_value=4_000_000_000_000).map(
    lambda ms: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
_words = st.text(alphabet=string.ascii_letters, min_size=1, max_size=8).map(lambda text: f"s{text}")
numbers = st.one_of(
    st.floats(allow_nan=False),
    st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1),
    st.sampled_from([-0.0, 1e22, 5e-324, 1e-05, 1.7976931348623157e308, float("inf"), float("-inf")]),
)


def maps(values: st.SearchStrategy[object], size: int = 4) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(keys, values, max_size=size)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


datasets = st.builds(Dataset, name=filled, uri=maybe(texts), digest=maybe(texts))
codes = st.builds(
    Code, repository=maybe(texts), commit=maybe(texts), path=maybe(texts), dirty=maybe(st.booleans())
)
digests = st.sampled_from(["sha256:" + "0" * 64, "sha256:" + "af" * 32])
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**17), max_value=10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3),
    max_leaves=6,
)
artifacts = st.builds(
    Artifact,
    uri=maybe(texts),
    digest=maybe(digests),
    size=maybe(st.integers(min_value=0, max_value=10**15)),
    files=maps(digests),
    flavors=maps(texts),
    signature=st.dictionaries(
        st.sampled_from(["inputs", "outputs", "params"]), st.lists(json_values, max_size=2), max_size=3
    ),
)
origins = st.builds(
    Origin,
    source=filled,
    run_id=maybe(texts),
    run_link=maybe(texts),
    experiment=maybe(texts),
    model_id=maybe(texts),
    code=maybe(codes),
    datasets=st.lists(datasets, max_size=2).map(tuple),
    parents=st.lists(filled, max_size=2).map(tuple),
    artifact=maybe(artifacts),
    params=maps(texts),
    metrics=maps(numbers),
)
evaluations = st.builds(
    Evaluation, name=filled, at=times, run_id=maybe(texts), dataset=maybe(datasets), metrics=maps(numbers)
)
marks = st.builds(Mark, at=times, reason=texts)
extras = st.dictionaries(keys.map(lambda key: f"x-{key}"), json_values, max_size=2)
versions = st.builds(
    ModelVersion,
    name=st.just(NAME),
    version=st.just(NUMBER),
    created=times,
    updated=times,
    origin=origins,
    evaluations=st.lists(evaluations, max_size=2).map(tuple),
    stages=st.dictionaries(_words, times, max_size=3),
    status=st.sampled_from(STATUSES),
    status_message=texts,
    description=texts,
    tags=maps(texts),
    deprecated=maybe(marks),
    extra=extras,
)
tombstones = st.builds(VersionTombstone, name=st.just(NAME), version=st.just(NUMBER), deleted=marks)
_last = st.integers(min_value=0, max_value=999_999_999)
models = st.builds(
    RegisteredModel,
    name=st.just(NAME),
    created=times,
    updated=times,
    description=texts,
    tags=maps(texts),
    aliases=st.dictionaries(_words, st.integers(min_value=1, max_value=999_999_999), max_size=3),
    owners=st.lists(filled, max_size=3).map(tuple),
    last_version=_last,
    extra=extras,
)
model_tombstones = st.one_of(
    st.builds(ModelTombstone, name=st.just(NAME), last_version=_last, deleted=marks),
    st.builds(ModelTombstone, name=st.just(NAME), last_version=_last, renamed_to=filled),
)
_stages = st.builds(Stage, name=_words, exclusive=st.booleans(), description=texts)
settings_values = st.builds(
    Settings,
    name=texts,
    description=texts,
    branch=st.sampled_from(["main", "trunk", "no"]),
    layout=st.sampled_from(["flat", "sharded"]),
    stages=st.lists(_stages, min_size=1, max_size=4, unique_by=lambda stage: stage.name.casefold()).map(
        tuple
    ),
    tags=st.builds(
        TagSettings, prefix=st.sampled_from(["", "ml/"]), made_for=st.sampled_from(["all", "none"])
    ),
    extra=extras,
)
