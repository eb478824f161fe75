"""``gitreg resolve``: where a version's model lies, for use in scripts."""

from __future__ import annotations

import click

from gitreg.cli.options import URI, at_option, json_option
from gitreg.cli.output import document, line
from gitreg.cli.reading import current_view


@click.command("resolve")
@click.argument("uri", type=URI)
@click.option("--version", "number", is_flag=True, help="Print NAME/VERSION instead of the source.")
@at_option
@json_option
def command(uri: str, number: bool, at: str | None, as_json: bool) -> None:
    """Print the source of a version, and nothing else.

    URI is NAME/12, NAME/Production, NAME/latest or NAME@alias.
    """
    version = current_view(at).version(uri)
    if as_json:
        from gitreg.registry.documents import resolution_document

        document(resolution_document(version))
    else:
        line(f"{version.name}/{version.version}" if number else version.source)
