"""What ``gitreg import gto`` shows: a bar while it works, a table and a list at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitreg.cli import output
from gitreg.cli.progress import Progress
from gitreg.importers.gto.take_over import GtoWish, import_gto

if TYPE_CHECKING:
    from gitreg.importers.gto.report import GtoReport
    from gitreg.registry.registry import Registry

_MOST_REMARKS = 20
_WORDS = {"conflict": "conflict", "skipped": "left behind", "lost": "not carried"}
_COUNTED = ("models", "versions", "stages", "retired", "known", "idle", "commits")


def report_import(registry: Registry, wish: GtoWish, *, as_json: bool) -> int:
    """Import, and print what came of it; the answer is the exit code."""
    with Progress() as progress:
        report = import_gto(
            registry, wish, told=lambda done, total: progress.bar("importing tags", done, total)
        )
    if as_json:
        output.document(_document(report, dry_run=wish.dry_run))
    else:
        _print(report, dry_run=wish.dry_run)
    return report.exit_code


def _print(report: GtoReport, *, dry_run: bool) -> None:
    for text in report.warnings:
        output.warning(text)
    remarks = list(report.remarks)
    for remark in remarks[:_MOST_REMARKS]:
        output.note(f"{_WORDS[remark.kind]}: {remark.subject}: {remark.reason}")
    if len(remarks) > _MOST_REMARKS:
        output.note(f"and {len(remarks) - _MOST_REMARKS:,} more remarks; --json lists them all")
    if report.added:
        output.note(f"stages that the registry did not have: {', '.join(report.added)}")
    output.table(("what", "imported"), [(what, str(getattr(report, what))) for what in _COUNTED])
    if dry_run:
        output.note("dry run: nothing was written")


def _document(report: GtoReport, *, dry_run: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "commit": report.commit,
        "branch": report.branch,
        "from": report.place,
        "tags": report.events,
        **{what: getattr(report, what) for what in _COUNTED},
        "added_stages": list(report.added),
        "remarks": [
            {"kind": one.kind, "subject": one.subject, "reason": one.reason} for one in report.remarks
        ],
        "warnings": list(report.warnings),
    }
    return document | ({"dry_run": True} if dry_run else {})
