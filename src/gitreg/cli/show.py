"""``gitreg show``: everything about a model or a version on one page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import click

from gitreg.cli.emphasis import heading
from gitreg.cli.options import URI, at_option, current_store, json_option
from gitreg.cli.output import document, on_terminal
from gitreg.cli.reading import view_at
from gitreg.errors import InvalidManifests, UsageError
from gitreg.render.text import safe_block

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.domain.model import ModelVersion, RegisteredModel
    from gitreg.registry.store import Store
    from gitreg.registry.view import View

_NEWEST = 10


@click.command("show")
@click.argument("uri", type=URI)
@at_option
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the manifest as it stands in the file.")
@json_option
def command(uri: str, at: str | None, as_yaml: bool, as_json: bool) -> None:
    """Show a model (NAME) or one version of it (NAME/12, NAME/Production, NAME@alias)."""
    if as_yaml and as_json:
        raise UsageError("--yaml and --json exclude each other")
    store = current_store()
    view = view_at(store, at)
    found = view.reference(uri)
    version = view.version(uri) if found.selector else None
    model = view.model(found.name)
    if as_yaml:
        sys.stdout.write(safe_block(_manifest(view, model, version)))
    elif version:
        _show_version(store, view, version, as_json=as_json)
    else:
        _show_model(view, model, as_json=as_json)


def _manifest(view: View, model: RegisteredModel, version: ModelVersion | None) -> str:
    layout, reader = view.states.layout, view.states.reader
    path = layout.version_file(version.name, version.version) if version else layout.model_file(model.name)
    entry = reader.entry(view.states.root, path)
    assert entry is not None  # the manifest was read from it
    return reader.blob(entry.oid).decode("utf-8", "surrogateescape")


def _show_version(store: Store, view: View, version: ModelVersion, *, as_json: bool) -> None:
    if as_json:
        from gitreg.registry.documents import shown_version_document

        document(shown_version_document(store, view, version))
        return
    from gitreg.registry.registration import registration
    from gitreg.render.page import version_page

    aliases = view.aliases(version)
    made = registration(store, view, version)
    told = f"by {made.author.name} (commit {made.commit[:10]})" if made else ""
    _print(version_page(version, aliases, registration=told, now=_now()))


def _show_model(view: View, model: RegisteredModel, *, as_json: bool) -> None:
    from gitreg.registry.overview import summary

    known = summary(view, model.name)
    model = replace(model, updated=known.updated)
    if as_json:
        from gitreg.render.values import model_document, version_document

        versions = [version_document(version, view.aliases(version)) for version in _readable(view, model)]
        document({**model_document(model), "versions": versions})
        _refuse_faults(view, model)
        return
    from gitreg.render.page import aligned, metrics_line, model_page
    from gitreg.render.text import moment

    rows = [
        (
            str(version.version),
            ", ".join(version.stages) or "None",
            ", ".join(sorted(alias for alias, number in model.aliases.items() if number == version.version)),
            metrics_line(version, ()),
            moment(version.created),
        )
        for version in islice(_readable(view, model), _NEWEST)
    ]
    lines = aligned(("version", "stages", "aliases", "metrics", "created"), rows) if rows else []
    _print(model_page(model, lines, total=known.count, stages=known.stages, now=_now()))
    _refuse_faults(view, model)


def _readable(view: View, model: RegisteredModel) -> Iterator[ModelVersion]:
    """The versions, newest first, without those whose manifest can't be read."""
    from gitreg.domain.model import ModelVersion
    from gitreg.manifest import decode

    for name, _, data in view.documents(model.name):
        version = decode.version(data, name)
        if isinstance(version, ModelVersion):
            yield version


def _refuse_faults(view: View, model: RegisteredModel) -> None:
    faults = view.faults(model.name)
    if faults:  # what can be read is told all the same
        raise InvalidManifests(faults)


def _now() -> datetime | None:
    if not on_terminal():
        return None  # ages would make two runs of a script differ
    from gitreg.registry.clock import utc_now

    return utc_now()


def _print(lines: list[str]) -> None:
    # What is not indented heads a part of the page.
    shown = (row if not row or row.startswith(" ") else heading(row) for row in lines)
    sys.stdout.write("\n".join(shown) + "\n")
