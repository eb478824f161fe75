"""``gitreg rename``."""

from __future__ import annotations

import click

from gitreg.cli.options import NAME, current_registry
from gitreg.cli.writing import How, Target, no_selector, write, writes
from gitreg.domain.requests import Rename


@click.command("rename")
@click.argument("name", type=NAME)
@click.argument("new_name", metavar="NEW")
@writes
def command(name: str, new_name: str, how: How) -> None:
    """Give a model another name; its versions, numbers, stages and aliases come along.

    Git tags that were made under the old name stay.
    """
    registry = current_registry()
    old = no_selector(registry, name, "can be renamed")
    request = Rename(name=old, new_name=new_name)
    write(registry, [request], Target(name=new_name), how, unchanged=f"{old} is called so already")
