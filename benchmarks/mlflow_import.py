"""``gitreg import mlflow``: versions a second from an SQLite store, and memory."""

from __future__ import annotations

import os
from pathlib import Path

import mlflow_fixture
from fixtures import Shape
from pairs import Row
from programs import GIT, GITREG, Weight, run, weigh
from workshop import Workshop

NOTE = (
    "The command from start to end, start of Python and of MLflow included, into an empty bare registry; "
    "durable at the end. Every version has a run with four params and four metrics, and two tags. "
    "Memory is that of the largest process, and that of all processes together that belongs to none but "
    "them (`RssAnon`, looked at ten times a second)."
)
_EACH, _SQUASHED = 800, 3000
_MB = 1_000_000


def importing(workshop: Workshop, shapes: list[Shape]) -> list[Row]:
    """Every size, with a commit and a tag for each event, and with one commit for each model."""
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    rows: list[Row] = []
    for shape in shapes:
        uri = mlflow_fixture.make(workshop.folder, models=shape.models, versions=shape.versions)
        for options, target, said in (
            ((), _EACH, "a commit and a tag for each event"),
            (("--squash",), _SQUASHED, "`--squash`"),
        ):
            place = workshop.empty()
            weight = weigh([GITREG, "import", "--registry", str(place), "mlflow", uri, *options], place)
            _complete(place, shape)
            rows += _rows(f"{said}, {shape}", target, shape, weight, _commits(place))
    return rows


def _rows(what: str, target: int, shape: Shape, weight: Weight, commits: int) -> list[Row]:
    rate = shape.total / weight.seconds
    rows = [
        Row(
            what=what,
            target=f"≥ {target:,}/s",
            ours=f"{rate:,.0f} versions/s ({weight.seconds:.1f} s, {commits:,} commits)",
            met=rate >= target,
        )
    ]
    held = f"largest {weight.largest / _MB:.0f} MB"
    if weight.private is not None:
        held += f", all private {weight.private / _MB:.0f} MB"
    return [*rows, Row(what=f"{what}: memory", target="bounded", ours=held)]


def _complete(place: Path, shape: Shape) -> None:
    """Ends the benchmark where not everything came over."""
    found = run([GIT, "ls-tree", "-r", "--name-only", "main", "models/"], place).decode().splitlines()
    versions = sum("/versions/" in path for path in found)
    tags = sum("/v" in name for name in run([GIT, "tag", "--list", "*/v*"], place).decode().splitlines())
    if (versions, tags) != (shape.total, shape.total):
        raise SystemExit(f"of {shape.total:,} versions {versions:,} came over, with {tags:,} tags")


def _commits(place: Path) -> int:
    return int(run([GIT, "rev-list", "--count", "main"], place))
