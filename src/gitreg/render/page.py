"""A model or a version as a page that a person reads. Every line is safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gitreg.domain.model import (
    READY,
    Artifact,
    Code,
    Dataset,
    Evaluation,
    ModelVersion,
    RegisteredModel,
)
from gitreg.domain.settings import NO_STAGE
from gitreg.render.text import ago, moment, number, plural, safe, safe_block, size, width

_LABEL = 12
_LONGEST = 500  # characters of one value: a tag may hold 100,000
_MOST_COLUMNS = 12  # of a signature; a wide table's schema would push the metrics off the screen


def version_page(
    version: ModelVersion, aliases: Sequence[str], *, registration: str = "", now: datetime | None = None
) -> list[str]:
    """The lines of a page about one version.

    Args:
        version: What to show.
        aliases: Those that point to it.
        registration: By whom and in which commit it was registered, or ``""``.
        now: The time, to tell ages from; None tells none.
    """
    lines = [f"{safe(version.name)}/{version.version}"]
    held = [f"{stage} (since {_when(since, now)})" for stage, since in version.stages.items()]
    lines += _row("stages", ", ".join(held) or NO_STAGE)
    lines += _row("aliases", ", ".join(aliases))
    if version.deprecated:
        reason = f": {version.deprecated.reason}" if version.deprecated.reason else ""
        lines += _row("deprecated", _when(version.deprecated.at, now) + reason)
    if version.status != READY or version.status_message:
        lines += _row("status", ": ".join(filter(None, (version.status, version.status_message))))
    lines += _row("created", _when(version.created, now) + (f" {registration}" if registration else ""))
    if version.updated != version.created:
        lines += _row("updated", _when(version.updated, now))
    lines += _description(version.description)
    lines += _section("Origin", _origin(version))
    lines += _section("Lineage", _lineage(version))
    if version.origin.artifact:
        lines += _section("Artifact", _artifact(version.origin.artifact))
    lines += _section("Parameters", _pairs(version.params.items()))
    lines += _section("Metrics", _pairs((key, number(value)) for key, value in version.metrics.items()))
    for evaluation in version.evaluations:
        lines += _section(f"Evaluation {safe(evaluation.name)}", _evaluation(evaluation, now))
    lines += _section("Tags", _pairs(version.tags.items()))
    return lines


def model_page(
    model: RegisteredModel,
    versions: Sequence[str],
    *,
    total: int,
    stages: Mapping[str, Sequence[int]],
    now: datetime | None = None,
) -> list[str]:
    """The lines of a page about a registered model.

    Args:
        model: What to show; its ``updated`` is shown as it stands.
        versions: Lines about its newest versions, the first being their heading.
        total: How many versions there are.
        stages: Stage → the versions that hold it.
        now: As for ``version_page``.
    """
    lines = [safe(model.name)]
    lines += _row("owners", ", ".join(model.owners))
    lines += _row("stages", ", ".join(f"{stage}: {_numbers(held)}" for stage, held in stages.items()))
    lines += _row(
        "aliases", ", ".join(f"{alias}: {number}" for alias, number in sorted(model.aliases.items()))
    )
    lines += _row("created", _when(model.created, now))
    if model.updated != model.created:
        lines += _row("updated", _when(model.updated, now))
    lines += _description(model.description)
    lines += _section("Tags", _pairs(model.tags.items()))
    if not versions:
        return [*lines, "", "No versions yet"]
    shown = len(versions) - 1
    head = plural(total, "version") + (f", the newest {shown}" if shown < total else "")
    return [*lines, "", head, *(f"  {line}" for line in versions)]


def _numbers(held: Sequence[int]) -> str:
    return " ".join(map(str, held))


def aligned(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A small table in plain text, its heading first; cells are made safe."""
    cells = [list(columns), *([safe(cell) for cell in row] for row in rows)]
    widths = [max(width(row[at]) for row in cells) for at in range(len(columns))]
    return [
        "  ".join(cell + " " * (widths[at] - width(cell)) for at, cell in enumerate(row)).rstrip()
        for row in cells
    ]


def metrics_line(version: ModelVersion, names: Sequence[str], *, most: int = 3) -> str:
    """``auc 0.91, f1 0.8``: the metrics called ``names``, or else the first few of the version."""
    chosen = names or list(version.metrics)[:most]
    return ", ".join(f"{name} {number(version.metrics[name])}" for name in chosen if name in version.metrics)


def _row(label: str, value: str) -> list[str]:
    return [f"  {label:<{_LABEL}}{_short(value)}"] if value else []


def _short(value: str) -> str:
    if len(value) <= _LONGEST:
        return safe(value)
    return f"{safe(value[:_LONGEST])}… ({len(value):,} characters, --json shows all)"


def _section(title: str, rows: Iterable[str]) -> list[str]:
    found = list(rows)
    return ["", title, *found] if found else []


def _description(text: str) -> list[str]:
    return (
        ["", *(f"  {line}".rstrip() for line in safe_block(text).strip("\n").split("\n"))]
        if text.strip()
        else []
    )


def _when(when: datetime, now: datetime | None) -> str:
    age = ago(when, now) if now else ""
    return moment(when) + (f", {age}" if age else "")


def _origin(version: ModelVersion) -> Iterator[str]:
    origin = version.origin
    yield from _row("source", origin.source)
    yield from _row("run", origin.run_id or "")
    yield from _row("experiment", origin.experiment or "")
    yield from _row("link", origin.run_link or "")
    yield from _row("model id", origin.model_id or "")


def _lineage(version: ModelVersion) -> Iterator[str]:
    if version.origin.code:
        yield from _row("code", _code(version.origin.code))
    for dataset in version.origin.datasets:
        yield from _row("data set", _dataset(dataset))
    for parent in version.origin.parents:
        yield from _row("parent", parent)


def _code(code: Code) -> str:
    at = f" at {code.commit}" if code.commit else ""
    dirty = " (with uncommitted changes)" if code.dirty else ""
    return " ".join(filter(None, (code.repository, code.path))) + at + dirty


def _dataset(dataset: Dataset) -> str:
    return "  ".join(filter(None, (dataset.name, dataset.uri, dataset.digest)))


def _artifact(artifact: Artifact) -> Iterator[str]:
    yield from _row("uri", artifact.uri or "")
    yield from _row("digest", artifact.digest or "")
    amount = [plural(len(artifact.files), "file")] if artifact.files else []
    if artifact.size is not None:
        amount.append(size(artifact.size))
    yield from _row("size", ", ".join(amount))
    yield from _row("flavors", ", ".join(f"{name} {version}" for name, version in artifact.flavors.items()))
    for side in ("inputs", "outputs", "params"):
        yield from _row(side, _columns(artifact.signature.get(side) or ()))


def _columns(columns: Iterable[object]) -> str:
    told = []
    for column in columns:
        if isinstance(column, dict):
            kind = column.get("type", "")
            if kind == "tensor" and isinstance(column.get("tensor-spec"), dict):
                kind = "{dtype} {shape}".format_map({"dtype": "", "shape": "", **column["tensor-spec"]})
            told.append(": ".join(filter(None, (str(column.get("name", "")), str(kind)))))
        else:
            told.append(str(column))
    more = len(told) - _MOST_COLUMNS
    return ", ".join(told[:_MOST_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def _evaluation(evaluation: Evaluation, now: datetime | None) -> Iterator[str]:
    yield from _row("at", _when(evaluation.at, now))
    yield from _row("run", evaluation.run_id or "")
    if evaluation.dataset:
        yield from _row("data set", _dataset(evaluation.dataset))
    yield from _pairs((key, number(value)) for key, value in evaluation.metrics.items())


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    found = [(safe(key), _short(value)) for key, value in pairs]
    space = max((width(key) for key, _ in found), default=0)
    for key, value in found:
        yield f"  {key}{' ' * (max(space, _LABEL - 1) - width(key))} {value}"
