"""``gitreg assign``."""

from __future__ import annotations

import click

from gitreg.cli.options import STAGE, URI, current_registry
from gitreg.cli.writing import How, Target, version_of, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Assign


@click.command("assign")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("stage", type=STAGE)
@writes
def command(uri: str, stage: str, how: How) -> None:
    """Add a stage to those that a version holds.

    An exclusive stage is taken from the version that holds it.
    """
    registry = current_registry()
    version = version_of(registry, uri)
    name = registry.settings.stage(stage).name
    request = Assign(name=version.name, selector=version_selector(version.version), stage=name)
    target = Target(name=version.name, version=version.version)
    write(registry, [request], target, how, unchanged=f"{target} holds {name} already")
