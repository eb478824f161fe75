"""Holds the rows of the index against the reference."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.index.reading import Slice
from gitreg.index.schema import GONE, LIVE, OPEN
from gitreg.index.schema import UNREADABLE as UNREAD
from gitreg.manifest import decode
from tests.index.reference import UNREADABLE, Moment, Truth, milliseconds, utf8

Row = tuple[Any, ...]
TABLES = ("chain", "settings", "model", "alias", "version", "holding", "event", "unread")


def dump(part: Slice) -> dict[str, list[Row]]:
    """Every row of the index; rows that belong to a model's or version's row carry its key for the number."""
    found = {table: sorted(part.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}
    found["model"] = sorted((row[1:] for row in found["model"]), key=repr)
    found["version"] = sorted((row[1:] for row in found["version"]), key=repr)
    found["model_tag"] = sorted(
        part.rows("SELECT m.name, m.since, t.key, t.value FROM model_tag t LEFT JOIN model m USING (row)")
    )
    found["attribute"] = sorted(
        part.rows(
            "SELECT v.name, v.number, v.since, a.kind, a.key, a.value, typeof(a.value) "
            "FROM attribute a LEFT JOIN version v USING (row)"
        ),
        key=repr,
    )
    return found


def check_rows(part: Slice, truth: Truth) -> None:
    """At each commit of the chain exactly those rows stand that its tree gives; holdings as whole spans."""
    rows = dump(part)
    chain = rows["chain"]
    assert sorted((row[0], row[1]) for row in chain) == [(m.seq, m.commit.oid) for m in truth.moments]
    assert part.commit == truth.head.commit.oid
    assert part.seq == truth.head.seq
    registered = truth.registered()
    spans = {table: _by_seq(rows[table], len(truth.moments), _SPAN[table]) for table in _SPAN}
    for moment in truth.moments:
        got = {table: spans[table].get(moment.seq, []) for table in _SPAN}
        _check_moment(got, moment, registered[moment.seq - 1])
    held = {
        ((name, number, stage, at), since, None if until == OPEN else until)
        for name, number, stage, at, since, until in rows["holding"]
    }
    assert held == truth.spans()
    assert len(rows["holding"]) == len(held)
    for found in (rows["attribute"], rows["model_tag"]):
        assert all(row[0] is not None for row in found), "rows of a row that is gone"
    _check_details(rows)
    events = {(row[0], row[1]) for row in rows["event"]}
    assert events == {(m.seq, place) for m in truth.moments for place in range(len(m.changes))}
    assert {(row[0], row[1]) for row in rows["unread"]} == {
        (moment.seq, utf8(path)) for moment in truth.moments for path in moment.unread
    }


# Where ``since`` stands in a row; ``until`` follows.
_SPAN = {"settings": 0, "model": 1, "version": 2, "alias": 3, "holding": 4}


def _by_seq(rows: list[Row], last: int, at: int) -> dict[int, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        since, until = row[at], row[at + 1]
        assert 1 <= since < until, row
        assert until == OPEN or until <= last, row
        for seq in range(since, min(until, last + 1)):
            found[seq].append(row)
    return found


def _check_moment(
    got: Mapping[str, list[Row]], moment: Moment, registered: Mapping[tuple[str, int], int]
) -> None:
    tree = moment.tree
    settings = [_decoded(row[2], decode.settings) for row in got["settings"]]
    assert settings == ([] if tree.settings is None else [tree.settings])
    models = {row[0]: _decoded(row[6], decode.model) for row in got["model"]}
    assert models == tree.models
    assert len(got["model"]) == len(models)
    for name, _, _, state, created, updated, _ in got["model"]:
        value = models[name]
        assert state == _state(value)
        times = (value.created, value.updated) if isinstance(value, RegisteredModel) else ()
        assert (created, updated) == (tuple(map(milliseconds, times)) or (None, None))
    versions = {
        (row[0], row[1]): _decoded(row[11], lambda data, row=row: decode.version(data, row[0]))
        for row in got["version"]
    }
    assert versions == tree.versions
    assert len(got["version"]) == len(versions)
    for row in got["version"]:
        _check_version(row, versions[row[0], row[1]], registered[row[0], row[1]])
    assert sorted(row[:3] for row in got["alias"]) == sorted(tree.aliases())
    assert sorted(row[:4] for row in got["holding"]) == sorted(tree.holdings())


def _decoded(doc: str | None, build: Any) -> Any:
    return UNREADABLE if doc is None else build(json.loads(doc))


def _state(value: object) -> int:
    if value is UNREADABLE:
        return UNREAD
    return LIVE if isinstance(value, RegisteredModel | ModelVersion) else GONE


def _check_version(row: Row, value: Any, registered: int) -> None:
    _, _, _, _, state, brought, created, updated, source, run_id, status, _ = row
    assert state == _state(value)
    assert brought == registered, row
    if isinstance(value, ModelVersion):
        assert (created, updated) == (milliseconds(value.created), milliseconds(value.updated))
        assert (source, run_id, status) == (value.source, value.run_id, value.status)
    else:
        assert (created, updated, source, run_id, status) == (None,) * 5


def _check_details(rows: Mapping[str, list[Row]]) -> None:
    """The tags and attributes of a row are those of the document in it."""
    tags = {
        (row[0], row[1], key, text)
        for row in rows["model"]
        if row[3] == LIVE
        for key, text in decode.model(json.loads(row[6])).tags.items()  # type: ignore[union-attr]
    }
    assert set(rows["model_tag"]) == tags
    due = {
        (row[0], row[1], row[2], *attribute)
        for row in rows["version"]
        if row[4] == LIVE
        for attribute in attributes(decode.version(json.loads(row[11]), row[0]))  # type: ignore[arg-type]
    }
    assert set(rows["attribute"]) == due
    assert len(rows["attribute"]) == len(due)


def attributes(version: ModelVersion) -> Iterable[tuple[str, str, Any, str]]:
    """What a version can be found by, as the comment on the table says."""
    origin = version.origin
    for key, text in version.tags.items():
        yield "tag", key, text, "text"
    for key, text in origin.params.items():
        yield "param", key, text, "text"
    for key, number in origin.metrics.items():
        yield ("metric", key, "NaN", "text") if math.isnan(number) else ("metric", key, float(number), "real")
    if origin.artifact:
        for key, text in origin.artifact.flavors.items():
            yield "flavor", key, text, "text"
    for dataset in origin.datasets:
        for key in ("name", "uri", "digest"):
            if getattr(dataset, key):
                yield "dataset", key, getattr(dataset, key), "text"
    for key in ("repository", "commit"):
        if origin.code and getattr(origin.code, key):
            yield "code", key, getattr(origin.code, key), "text"
    for uri in origin.parents:
        yield "parent", "", uri, "text"
