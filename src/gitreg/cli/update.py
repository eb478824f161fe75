"""``gitreg update``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gitreg.cli.options import URI, current_registry
from gitreg.cli.writing import How, Target, target_of, write, writes
from gitreg.domain.model import STATUSES
from gitreg.domain.references import version_selector
from gitreg.domain.requests import UpdateModel, UpdateVersion
from gitreg.errors import InvalidInput, UsageError


@click.command("update")
@click.argument("uri", metavar="NAME[/VERSION]", type=URI)
@click.option("-d", "--description", metavar="TEXT", help='The new description; "" takes it away.')
@click.option("--description-file", metavar="FILE", help="Read the description from a file (- is stdin).")
@click.option(
    "--owner", "owners", multiple=True, help='An owner of the model; all of them anew, "" for none.'
)
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Status of a version.")
@click.option("--status-message", metavar="TEXT", help="Why it has that status.")
@writes
def command(
    uri: str,
    description: str | None,
    description_file: str | None,
    owners: tuple[str, ...],
    status: str | None,
    status_message: str | None,
    how: How,
) -> None:
    """Change the description or owners of a model, or the description or status of a version."""
    if description is not None and description_file is not None:
        raise UsageError("--description and --description-file exclude each other", where="gitreg update")
    if description_file is not None:
        description = _read(description_file)
    if description is None and not owners and status is None and status_message is None:
        raise UsageError("nothing to update was given", where="gitreg update", hint="gitreg update --help")
    registry = current_registry()
    target = target_of(registry, uri)
    request = _request(target, description, owners, status, status_message)
    write(registry, [request], target, how, unchanged=f"{target} is so already")


def _request(
    target: Target,
    description: str | None,
    owners: tuple[str, ...],
    status: str | None,
    status_message: str | None,
) -> UpdateModel | UpdateVersion:
    if target.version is None:
        if status is not None or status_message is not None:
            raise InvalidInput("a model has no status", where="--status", hint=f"use {target}/VERSION")
        named = tuple(owner for owner in owners if owner) if owners else None
        return UpdateModel(name=target.name, description=description, owners=named)
    if owners:
        raise InvalidInput("a version has no owners", where="--owner", hint=f"use {target.name}")
    return UpdateVersion(
        name=target.name,
        selector=version_selector(target.version),
        description=description,
        status=status,
        status_message=status_message,
    )


def _read(path: str) -> str:
    data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("the description is not UTF-8", where=f"{path}, byte {error.start}") from error
