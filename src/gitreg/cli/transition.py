"""``gitreg transition``."""

from __future__ import annotations

import click

from gitreg.cli.options import STAGE, URI, current_registry
from gitreg.cli.writing import How, Target, version_of, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Transition


@click.command("transition")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("stage", type=STAGE)
@click.option(
    "--archive-existing", is_flag=True, help="Take the stage from the versions that hold it; archive those."
)
@writes
def command(uri: str, stage: str, archive_existing: bool, how: How) -> None:
    """Move a version to a stage, which it then holds alone.

    The stage None takes all stages from it. To let a version hold several stages: gitreg assign.
    """
    registry = current_registry()
    version = version_of(registry, uri)
    request = Transition(
        name=version.name,
        selector=version_selector(version.version),
        stage=stage,
        archive_existing=archive_existing,
    )
    target = Target(name=version.name, version=version.version)
    held = "in no stage" if stage.casefold() == "none" else f"in {registry.settings.stage(stage).name}"
    write(registry, [request], target, how, unchanged=f"{target} is {held} already")
