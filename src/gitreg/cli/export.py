"""``gitreg export``: hand the registry to MLflow."""

from __future__ import annotations

import click

from gitreg.cli.options import current_registry, dry_run_option, json_option


@click.group("export")
def command() -> None:
    """Hand the registry to MLflow."""


@command.command("mlflow")
@click.argument("uri", metavar="URI")
@click.option(
    "--models",
    metavar="PATTERN",
    multiple=True,
    help="Only models with such names (fraud-*); may be given several times.",
)
@dry_run_option
@json_option
def mlflow(uri: str, models: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Write into an MLflow store the models that it lacks.

    \b
    gitreg export mlflow sqlite:///mlflow.db
    gitreg export mlflow http://mlflow.example:5000 --models 'fraud-*'

    Numbers, stages, aliases, tags, descriptions and sources are kept; the times, too, where the store
    is a database. A model that is there is compared and never changed.

    Exit code 0: done; 3: a model or version stays behind; 4: MLflow has something else of that name.
    """  # noqa: D301 (click reads the backspace)
    from gitreg.cli.moving import report_export
    from gitreg.importers.mlflow.hand_over import Wish

    wish = Wish(uri=uri, models=models, dry_run=dry_run)
    return report_export(current_registry(), wish, as_json=as_json)
