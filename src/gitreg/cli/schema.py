"""``gitreg schema``: the JSON Schemas of the manifests, for editors and other tools."""

from __future__ import annotations

import sys

import click

from gitreg.cli.output import table
from gitreg.domain.settings import did_you_mean
from gitreg.errors import NotFound


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the schema NAME (model-version, or model-version.v1), or list the schemas."""
    from gitreg.manifest.schema import schema_names, schema_text

    names = schema_names()
    if name is None:
        files = {"registry.v1": "gitreg.yaml", "registered-model.v1": "models/NAME/model.yaml"}
        table(("name", "file"), [(each, files.get(each, "models/NAME/versions/N.yaml")) for each in names])
        return
    found = next((each for each in names if name in (each, each.rpartition(".")[0])), None)
    if found is None:
        shorts = [each.rpartition(".")[0] for each in names]
        hint = did_you_mean(name, [*shorts, *names]) or f"schemas: {', '.join(names)}"
        raise NotFound(f"there is no schema {name}", hint=hint)
    sys.stdout.write(schema_text(found))
