"""``gitreg deprecate``."""

from __future__ import annotations

import click

from gitreg.cli.options import URI, current_registry
from gitreg.cli.writing import How, Target, version_of, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Deprecate, Undeprecate
from gitreg.errors import UsageError


@click.command("deprecate")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.option("--reason", metavar="TEXT", default="", help="Why; it stands in the manifest.")
@click.option("--undo", is_flag=True, help="Take the mark off again.")
@writes
def command(uri: str, reason: str, undo: bool, how: How) -> None:
    """Mark a version as not to be used any more; it keeps its stages and can still be resolved."""
    if undo and reason:
        raise UsageError("--undo takes no --reason", where="gitreg deprecate", hint="say why with -m")
    registry = current_registry()
    version = version_of(registry, uri)
    selector = version_selector(version.version)
    target = Target(name=version.name, version=version.version)
    if undo:
        undone = Undeprecate(name=version.name, selector=selector)
        write(registry, [undone], target, how, unchanged=f"{target} is not deprecated")
        return
    request = Deprecate(name=version.name, selector=selector, reason=reason)
    write(registry, [request], target, how, unchanged=f"{target} is deprecated already")
