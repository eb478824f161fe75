"""``gitreg tag``."""

from __future__ import annotations

import click

from gitreg.cli.options import URI, current_registry
from gitreg.cli.values import pairs
from gitreg.cli.writing import How, target_of, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Tag
from gitreg.errors import UsageError


@click.command("tag")
@click.argument("uri", metavar="NAME[/VERSION]", type=URI)
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]…")
@click.option("--delete", "remove", multiple=True, metavar="KEY", help="Remove a tag; may be repeated.")
@writes
def command(uri: str, tags: tuple[str, ...], remove: tuple[str, ...], how: How) -> None:
    """Set or remove tags of a model or a version.

    These are key-value annotations, as in MLflow; Git tags are made by registrations and stages.
    """
    if not tags and not remove:
        raise UsageError("no tag was given", where="gitreg tag", hint=f"gitreg tag {uri} KEY=VALUE")
    put = pairs(tags, "KEY=VALUE")
    registry = current_registry()
    target = target_of(registry, uri)
    selector = None if target.version is None else version_selector(target.version)
    request = Tag(name=target.name, selector=selector, put=put, remove=remove)
    write(registry, [request], target, how, unchanged=f"the tags of {target} are so already")
