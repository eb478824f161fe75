"""``gitreg alias``."""

from __future__ import annotations

import click

from gitreg.cli.options import URI, current_registry
from gitreg.cli.writing import How, Target, target_of, version_of, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import RemoveAlias, SetAlias


@click.command("alias")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("alias")
@click.option("--delete", is_flag=True, help="Remove the alias; then NAME alone will do.")
@writes
def command(uri: str, alias: str, delete: bool, how: How) -> None:
    """Point an alias at a version, wherever it pointed before.

    The alias then names the version: NAME@ALIAS. A model's alias is on one version at a time.
    """
    registry = current_registry()
    if delete:
        target = Target(name=target_of(registry, uri).name)
        request: RemoveAlias | SetAlias = RemoveAlias(name=target.name, alias=alias)
        unchanged = f"{target} has no alias {alias}"
    else:
        version = version_of(registry, uri)
        target = Target(name=version.name, version=version.version)
        request = SetAlias(name=version.name, selector=version_selector(version.version), alias=alias)
        unchanged = f"{target.name}@{alias} is {target} already"
    write(registry, [request], target, how, unchanged=unchanged)
