"""``gitreg restore``."""

from __future__ import annotations

import click

from gitreg.cli.options import URI, current_registry
from gitreg.cli.writing import How, Target, write, writes
from gitreg.domain.requests import RestoreVersion


@click.command("restore")
@click.argument("uri", metavar="NAME[/NUMBER]", type=URI)
@writes
def command(uri: str, how: How) -> None:
    """Bring back a deleted model, or a deleted version by its number.

    A version comes back without the stages and aliases that it had: others may hold them by now.
    """
    registry = current_registry()
    request = registry.restoration(uri)
    number = request.version if isinstance(request, RestoreVersion) else None
    target = Target(name=request.name, version=number)
    write(registry, [request], target, how, unchanged=f"{target} is not deleted")
