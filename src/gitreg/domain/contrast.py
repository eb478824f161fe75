"""Two model versions side by side: what differs, by meaning.

``compare`` names what happened to one registry between two commits. This module sets any two versions
beside each other: two numbers, two stages, two models, or one version at two times. Which direction of a
metric is the better one is not known here; who renders may say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, TypeVar

from gitreg.domain.model import Artifact, Code, Dataset, Evaluation, Mark, ModelVersion

Value = str | int | float | bool | datetime | tuple[int, ...] | None

Kind = Literal[
    "settings",
    "stages",
    "aliases",
    "owners",
    "status",
    "metrics",
    "evaluations",
    "evaluation_data",
    "params",
    "signature",
    "artifact",
    "flavors",
    "files",
    "lineage",
    "datasets",
    "parents",
    "tags",
    "description",
    "extra",
    "other_files",
]

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing on both sides.

    Attributes:
        key: What it is: a metric, a parameter, a file.
        before: The first side's value; None where that side lacks it.
        after: The second side's.
        same: Whether the two mean the same.
        change: ``after`` less ``before`` of a measured number, reckoned in decimals as they are written;
            None where one of them is missing, NaN or infinite.
        percent: ``change`` as a part of ``before``, in percent; None where that is zero.
    """

    key: str
    before: Value
    after: Value
    same: bool
    change: float | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows of one kind; ``of`` tells sections of a kind apart: an evaluation's name, ``inputs``."""

    kind: Kind
    rows: tuple[Row, ...]
    of: str = ""

    def differing(self) -> Section:
        """The section without the rows that are the same."""
        return Section(kind=self.kind, of=self.of, rows=tuple(row for row in self.rows if not row.same))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two versions side by side.

    Attributes:
        before: The first.
        after: The second.
        sections: What was compared, in a reviewer's order, equal rows included; none is empty.
    """

    before: ModelVersion
    after: ModelVersion
    sections: tuple[Section, ...]

    @property
    def equal(self) -> bool:
        """Whether no row differs."""
        return all(row.same for section in self.sections for row in section.rows)

    def shown(self, *, everything: bool = False) -> tuple[Section, ...]:
        """The sections that differ, with the differing rows alone; ``everything``: all of them."""
        return self.sections if everything else differing(self.sections)


def differing(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections that differ, with the differing rows alone."""
    return tuple(kept for kept in (section.differing() for section in sections) if kept.rows)


def contrast(
    before: ModelVersion,
    after: ModelVersion,
    *,
    aliases: tuple[Iterable[str], Iterable[str]] = ((), ()),
) -> Contrast:
    """Set two versions side by side.

    Numbers, names and times of making are not compared: two versions differ in them as they must. Nor
    are the times since which a stage is held: holding it is what counts.

    Args:
        before: The first.
        after: The second, of the same model or another.
        aliases: Those that point to the first, and to the second.
    """
    old, new = before.origin, after.origin
    sections = [
        Section(kind="stages", rows=_held(before.stages, after.stages)),
        Section(kind="aliases", rows=members(*aliases)),
        Section(kind="status", rows=tuple(_status(before, after))),
        Section(kind="metrics", rows=_metrics(old.metrics, new.metrics)),
        *_evaluations(before.evaluations, after.evaluations),
        Section(kind="params", rows=entries(old.params, new.params)),
        *_artifact(old.artifact, new.artifact),
        Section(kind="lineage", rows=tuple(_lineage(before, after))),
        Section(kind="datasets", rows=_datasets(old.datasets, new.datasets)),
        Section(kind="parents", rows=members(old.parents, new.parents)),
        Section(kind="tags", rows=entries(before.tags, after.tags)),
        Section(kind="description", rows=described(before.description, after.description)),
        Section(kind="extra", rows=free(before.extra, after.extra)),
    ]
    return Contrast(
        before=before, after=after, sections=tuple(section for section in sections if section.rows)
    )


def row(key: str, before: Value, after: Value) -> Row:
    """A row of which equal values mean the same."""
    return Row(key=key, before=before, after=after, same=before == after)


def measured(key: str, before: float | None, after: float | None) -> Row:
    """A row of numbers, with their change; NaN is the same as NaN."""
    if before is None or after is None:
        return row(key, before, after)
    # In decimals: 0.93 - 0.91 is 0.02 to a reader, whatever binary fractions make of it.
    old, new = Decimal(str(before)), Decimal(str(after))
    change = percent = None
    if old.is_finite() and new.is_finite():
        whole = isinstance(before, int) and isinstance(after, int)
        change = int(new - old) if whole else _finite(new - old)
        percent = _finite((new - old) / abs(old) * 100) if old else None
    same = before == after or (old.is_nan() and new.is_nan())
    return Row(key=key, before=before, after=after, same=same, change=change, percent=percent)


def _finite(value: Decimal) -> float | None:
    found = float(value)
    return found if isfinite(found) else None


def entries(before: Mapping[str, Value], after: Mapping[str, Value]) -> tuple[Row, ...]:
    """A row for each key of either mapping, sorted."""
    return tuple(row(key, before.get(key), after.get(key)) for key in sorted({*before, *after}))


def members(before: Iterable[str], after: Iterable[str]) -> tuple[Row, ...]:
    """A row for each member of either set: True where a side has it."""
    return entries(dict.fromkeys(before, True), dict.fromkeys(after, True))


def described(before: str, after: str) -> tuple[Row, ...]:
    """The row of a description; none where both are empty."""
    return (row("description", before or None, after or None),) if before or after else ()


def free(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows of the free ``x-`` keys."""
    return tuple(
        _told(key, before.get(key), after.get(key), _json, there=(key in before, key in after))
        for key in sorted({*before, *after})
    )


def _metrics(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Row, ...]:
    return tuple(measured(key, before.get(key), after.get(key)) for key in sorted({*before, *after}))


def _held(before: Mapping[str, datetime], after: Mapping[str, datetime]) -> tuple[Row, ...]:
    return tuple(
        Row(
            key=stage,
            before=before.get(stage),
            after=after.get(stage),
            same=(stage in before) == (stage in after),
        )
        for stage in sorted({*before, *after})
    )


def _status(before: ModelVersion, after: ModelVersion) -> Iterator[Row]:
    yield row("status", before.status, after.status)
    if before.status_message or after.status_message:
        yield row("status_message", before.status_message or None, after.status_message or None)
    if before.deprecated or after.deprecated:
        yield row("deprecated", _reason(before.deprecated), _reason(after.deprecated))


def _reason(mark: Mark | None) -> Value:
    return None if mark is None else mark.reason or True


def _evaluations(before: Iterable[Evaluation], after: Iterable[Evaluation]) -> Iterator[Section]:
    """The latest results under each name; where they were measured on different data, that too."""
    old, new = _latest(before), _latest(after)
    for name in sorted({*old, *new}):
        metrics = (old[name].metrics if name in old else {}), (new[name].metrics if name in new else {})
        yield Section(kind="evaluations", of=name, rows=_metrics(*metrics))
    data = [
        row(name, _dataset(old[name].dataset, named=True), _dataset(new[name].dataset, named=True))
        for name in sorted({*old} & {*new})
    ]
    yield Section(
        kind="evaluation_data",
        rows=tuple(one for one in data if one.before is not None or one.after is not None),
    )


def _latest(evaluations: Iterable[Evaluation]) -> dict[str, Evaluation]:
    found: dict[str, Evaluation] = {}
    for each in evaluations:
        known = found.get(each.name)
        if known is None or known.at <= each.at:
            found[each.name] = each
    return found


def _artifact(before: Artifact | None, after: Artifact | None) -> Iterator[Section]:
    old, new = before or Artifact(), after or Artifact()
    for side in ("inputs", "outputs", "params"):
        rows = _columns(old.signature.get(side), new.signature.get(side))
        yield Section(kind="signature", of=side, rows=rows)
    whole = row("uri", old.uri, new.uri), row("digest", old.digest, new.digest)
    yield Section(kind="artifact", rows=_known((*whole, measured("size", old.size, new.size))))
    yield Section(kind="flavors", rows=entries(old.flavors, new.flavors))
    yield Section(kind="files", rows=entries(old.files, new.files))


def _columns(before: object, after: object) -> tuple[Row, ...]:
    old, new = _by_name(before), _by_name(after)
    return tuple(
        _told(name, old.get(name), new.get(name), _column, there=(name in old, name in new))
        for name in dict.fromkeys((*old, *new))  # in their own order: it says something
    )


def _by_name(columns: object) -> dict[str, Any]:
    if not isinstance(columns, list | tuple):
        return {}
    return _keyed(columns, lambda one, at: str(one.get("name") or at) if isinstance(one, dict) else at)


def _keyed(items: Iterable[_Item], key: Callable[[_Item, str], str]) -> dict[str, _Item]:
    """``items`` by their names; what has none goes by its place (``#1``), and so does a second of a name."""
    found: dict[str, _Item] = {}
    for at, item in enumerate(items, 1):
        name = key(item, f"#{at}")
        while name in found:
            name += f"#{at}"
        found[name] = item
    return found


def _told(key: str, before: Any, after: Any, tell: Callable[[Any], str], *, there: tuple[bool, bool]) -> Row:
    """A row of structured values, told in short unless only the whole shows the difference."""
    same = before == after and there[0] == there[1]
    if not same and all(there) and tell(before) == tell(after):
        tell = _json
    told = tell(before) if there[0] else None, tell(after) if there[1] else None
    return Row(key=key, before=told[0], after=told[1], same=same)


def _column(column: Any) -> str:
    """A column of a signature: its type, its shape, whether it may be left out, its default."""
    if not isinstance(column, dict):
        return _json(column)
    kind, spec = column.get("type"), column.get("tensor-spec")
    if isinstance(spec, dict):
        kind = f"{spec.get('dtype', '')} {_json(spec.get('shape'))}".strip()
    elif not isinstance(kind, str):
        kind = _json(kind)
    told = [kind]
    if column.get("required") is False or column.get("optional") is True:
        told.append("optional")
    if column.get("default") is not None:
        told.append(f"default {_json(column['default'])}")
    return ", ".join(told)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _lineage(before: ModelVersion, after: ModelVersion) -> Iterator[Row]:
    old, new = before.origin, after.origin
    yield row("source", old.source, new.source)
    rows = [row(key, getattr(old, key), getattr(new, key)) for key in ("run_id", "experiment", "model_id")]
    rows.append(row("run_link", old.run_link, new.run_link))
    was, now = old.code or Code(), new.code or Code()
    for key in ("repository", "commit", "path", "dirty"):
        rows.append(row(f"code.{key}", getattr(was, key), getattr(now, key)))
    if (before.name, before.version) == (after.name, after.version):
        rows.append(row("created", before.created, after.created))
    yield from _known(rows)


def _known(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(one for one in rows if one.before is not None or one.after is not None)


def _datasets(before: Iterable[Dataset], after: Iterable[Dataset]) -> tuple[Row, ...]:
    old = _keyed(before, lambda one, _: one.name)
    new = _keyed(after, lambda one, _: one.name)
    return entries(
        {name: _dataset(one) for name, one in old.items()}, {name: _dataset(one) for name, one in new.items()}
    )


def _dataset(dataset: Dataset | None, *, named: bool = False) -> Value:
    if dataset is None:
        return None
    return " ".join(filter(None, (dataset.name if named else "", dataset.uri, dataset.digest))) or True
