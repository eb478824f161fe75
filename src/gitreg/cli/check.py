"""``gitreg check``: judge manifests by the rules, in every format that editors and services read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import current_store
from gitreg.cli.output import note
from gitreg.errors import NotARegistry, NotFound, UsageError
from gitreg.render.findings import ERROR, formats, render, summary

if TYPE_CHECKING:
    from gitreg.domain.findings import Finding
    from gitreg.registry.content import Content
    from gitreg.registry.store import Store


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--staged", is_flag=True, help="Check what the next commit would hold.")
@click.option(
    "--rev", "--at", "rev", metavar="COMMIT", help="Check a commit (or date) against its first parent."
)
@click.option("--format", "form", type=click.Choice(formats()), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(paths: tuple[Path, ...], staged: bool, rev: str | None, form: str, as_json: bool) -> int:
    """Check manifests: the whole registry as it stands in the work tree, or PATHS.

    Exit code 0: clean, or warnings alone; 1: errors.
    """
    from gitreg.registry.check import check

    if staged and rev is not None:
        raise UsageError("--staged and --rev exclude each other")
    store = current_store()
    content, base = _states(store, staged, rev)
    report = check(content, base, chosen=_chosen(store, paths))
    if paths and not report.files:
        _refuse_missing(paths)
    form = "json" if as_json else form
    findings = [placed(one, store, readable=form == "text") for one in report.findings]
    sys.stdout.write(render(findings, form))
    note(summary(findings, report.files))
    return 1 if any(one.severity == ERROR for one in findings) else 0


def _states(store: Store, staged: bool, rev: str | None) -> tuple[Content, Content | None]:
    """The state to check, and the one that it follows on."""
    from gitreg.registry import content

    if rev is not None or store.repository.bare:
        commit = store.commit_for(rev) if rev is not None else store.head()
        found = content.in_commit(store, commit)
        if not found.modes:
            raise NotARegistry("there is no registry in this commit", where=commit[:10], hint="gitreg log")
        parents = store.reader.commit(commit).parents
        return found, content.in_commit(store, parents[0]) if parents else None
    head = store.repository.head().oid
    found = content.in_index(store) if staged else content.in_work_tree(store)
    return found, content.in_commit(store, head, name="HEAD") if head else None


def _chosen(store: Store, paths: tuple[Path, ...]) -> Callable[[str], bool]:
    """Whether a path below the registry's root is one of ``paths`` or lies in one."""
    if not paths:
        return lambda path: True
    root = os.path.realpath(store.repository.root / store.prefix)
    wanted = []
    for path in paths:
        # In a bare repository nothing lies on the disk: paths are those of the registry.
        place = path if store.repository.bare else Path(os.path.relpath(_real(path), root))
        if ".." in place.parts:
            raise UsageError("the path lies outside of the registry", where=str(path))
        wanted.append("" if str(place) == "." else place.as_posix())
    return lambda path: any(not one or path == one or path.startswith(f"{one}/") for one in wanted)


def _real(path: Path) -> str:
    # The last part may be the link that the check has to report.
    return (
        os.path.join(os.path.realpath(path.parent), path.name)
        if path.name != ".."
        else os.path.realpath(path)
    )


def _refuse_missing(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if not os.path.lexists(path):
            raise NotFound("there is no such file", where=str(path))


def placed(finding: Finding, store: Store, *, readable: bool) -> Finding:
    """``finding`` with a path from here for people, and from the repository's root for services."""
    path = store.prefix + finding.path
    if readable and store.repository.work_tree is not None:
        path = os.path.relpath(
            os.path.realpath(store.repository.work_tree) + "/" + path, os.path.realpath(".")
        )
    return replace(finding, path=path, help=finding.help.replace(finding.path, path))
