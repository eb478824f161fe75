"""``gitreg unassign``."""

from __future__ import annotations

import click

from gitreg.cli.options import STAGE, URI, current_registry
from gitreg.cli.writing import How, Target, version_of, warn_of_empty, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Unassign


@click.command("unassign")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("stage", type=STAGE)
@writes
def command(uri: str, stage: str, how: How) -> None:
    """Take one stage from a version."""
    registry = current_registry()
    version = version_of(registry, uri)
    name = registry.settings.stage(stage).name
    request = Unassign(name=version.name, selector=version_selector(version.version), stage=name)
    warn_of_empty(registry, version, [name])
    target = Target(name=version.name, version=version.version)
    write(registry, [request], target, how, unchanged=f"{target} does not hold {name}")
