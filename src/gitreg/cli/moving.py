"""What ``import`` and ``export`` share: a bar while they work, a table and a list at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from gitreg.cli import output
from gitreg.cli.progress import Progress
from gitreg.errors import EnvironmentFailure

if TYPE_CHECKING:
    from gitreg.importers.mlflow import hand_over, take_over
    from gitreg.importers.mlflow.report import Remark, Report
    from gitreg.registry.registry import Registry

_MOST_REMARKS = 20


def report_import(registry: Registry, wish: take_over.Wish, *, as_json: bool) -> int:
    """Import, and print what came of it; the answer is the exit code."""
    from gitreg.importers.mlflow.take_over import import_mlflow

    with Progress() as progress:
        report = import_mlflow(registry, wish, told=watching(progress, "importing"))
    return tell(report, "imported", dry_run=wish.dry_run, as_json=as_json)


def report_export(registry: Registry, wish: hand_over.Wish, *, as_json: bool) -> int:
    """Export, and print what came of it; the answer is the exit code."""
    from gitreg.importers.mlflow.hand_over import export_mlflow

    with Progress() as progress:
        shown = watching(progress, "exporting")
        report = export_mlflow(registry, wish, told=lambda models, versions: shown(models, versions, None))
    return tell(report, "exported", dry_run=wish.dry_run, as_json=as_json)


def watching(progress: Progress, what: str) -> Any:
    """Shows how far it is: a bar where the end is known."""

    def told(models: int, versions: int, totals: tuple[int, int] | None) -> None:
        if totals:
            progress.bar(f"{what} versions", versions, totals[1])
        else:
            progress.show(f"{what}: {models:,} models, {versions:,} versions")

    return told


def tell(report: Report, done: str, *, dry_run: bool, as_json: bool) -> int:
    """Print a report; the answer is the exit code."""
    try:
        if as_json:
            output.document(_document(report, dry_run=dry_run))
        else:
            _print(report, done, dry_run=dry_run)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EnvironmentFailure(
            f"the work is done, but the answer could not be written: {error.strerror}", where="stdout"
        ) from error
    return report.exit_code


def _print(report: Report, done: str, *, dry_run: bool) -> None:
    for text in report.warnings:
        output.warning(text)
    remarks = report.remarks
    for remark in remarks[:_MOST_REMARKS]:
        output.note(f"{_WORDS[remark.kind]}: {remark}")
    if len(remarks) > _MOST_REMARKS:
        output.note(f"and {len(remarks) - _MOST_REMARKS:,} more remarks; --json lists them all")
    rows = [(what, _count(report, what)) for what in _COUNTED if what in _ALWAYS or done == "imported"]
    output.table(("what", done), [*rows, ("seconds", f"{report.seconds:.1f}")])
    if dry_run:
        output.note("dry run: nothing was written")


_COUNTED = ("models", "versions", "stages", "aliases", "changed", "skipped", "commits")
_ALWAYS = ("models", "versions", "stages", "aliases", "skipped")
_WORDS = {
    "conflict": "conflict",
    "skipped": "left behind",
    "lost": "not carried",
    "kept": "left as it is",
}


def _count(report: Report, what: str) -> int:
    return int(getattr(report, what))


def _document(report: Report, *, dry_run: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "commit": report.commit,
        "branch": report.branch,
        "from": report.place,
        **{what: _count(report, what) for what in _COUNTED},
        "seen": report.seen,
        "seconds": round(report.seconds, 3),
        "remarks": [_remark(remark) for remark in report.remarks],
        "warnings": list(report.warnings),
    }
    return document | ({"dry_run": True} if dry_run else {})


def _remark(remark: Remark) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": remark.kind, "model": remark.model}
    if remark.versions:
        found["versions"] = list(remark.versions)
    if remark.what:
        found["what"] = remark.what
    return found | {"reason": remark.reason}
