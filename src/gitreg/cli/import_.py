"""``gitreg import``: take over the registry of MLflow or GTO."""

from __future__ import annotations

from pathlib import Path

import click

from gitreg.cli.options import current_registry, dry_run_option, json_option
from gitreg.errors import UsageError


@click.group("import")
def command() -> None:
    """Take over the registry of MLflow or GTO, with its dates.

    A second import brings only what is new.
    """


@command.command("mlflow")
@click.argument("uri", metavar="URI")
@click.option("--tracking-uri", metavar="URI", help="Where the runs are.  [default: URI]")
@click.option(
    "--models",
    metavar="PATTERN",
    multiple=True,
    help="Only models with such names (fraud-*); may be given several times.",
)
@click.option("--since", metavar="DATE", help="Only what happened from this date on (a day: its beginning).")
@click.option("--squash", is_flag=True, help="One commit a model instead of one for each event.")
@click.option("--no-runs", is_flag=True, help="Don't ask for params, metrics, data sets and code.")
@dry_run_option
@json_option
def mlflow(
    uri: str,
    tracking_uri: str | None,
    models: tuple[str, ...],
    since: str | None,
    squash: bool,
    no_runs: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take over what an MLflow registry holds: any URI that MLflow reads.

    \b
    gitreg import mlflow sqlite:///mlflow.db
    gitreg import mlflow http://mlflow.example:5000 --models 'fraud-*'
    gitreg import mlflow ./mlruns --squash

    Each event is a commit with the time that MLflow kept as its author date. Killed half way, the same
    command goes on where it stopped. What can't be carried is listed at the end.

    Exit code 0: done; 3: a model or version stays behind; 4: a number or name is taken by something else.
    """  # noqa: D301 (click reads the backspace)
    from gitreg.cli.moving import report_import
    from gitreg.importers.mlflow.take_over import Wish
    from gitreg.registry.dates import parse_moment

    wish = Wish(
        uri=uri,
        tracking_uri=tracking_uri,
        models=models,
        since=parse_moment(since) if since else None,
        squash=squash,
        runs=not no_runs,
        dry_run=dry_run,
    )
    return report_import(current_registry(), wish, as_json=as_json)


@command.command("gto")
@click.argument("path", type=click.Path(path_type=Path, exists=True, resolve_path=True), metavar="PATH")
@click.option(
    "--rename",
    "renames",
    metavar="OLD=NEW",
    multiple=True,
    help="The model's name for an artifact whose own can't be one (models:churn=churn).",
)
@click.option(
    "--stage", "stages", metavar="OLD=NEW", multiple=True, help="The registry's stage for one of GTO's."
)
@click.option(
    "--many",
    is_flag=True,
    help="All versions keep the stages that they were assigned (gto show --vs -1), not the last one alone.",
)
@dry_run_option
@json_option
def gto(
    path: Path,
    renames: tuple[str, ...],
    stages: tuple[str, ...],
    many: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take over the GTO registry in the Git repository at PATH: its tags, and artifacts.yaml.

    \b
    gitreg import gto ../models
    gitreg import gto ../models --stage prod=Production --rename 'models:churn=churn'

    Each tag is a commit with the tagger as its author and his time as its date; versions are numbered in
    the order in which they were registered, and keep their SemVer name as the tag gto.version. Stages that
    the registry does not have are added to its settings. A second import brings only what is new.

    Exit code 0: done; 3: an artifact stays behind; 4: its name is taken by something else.
    """  # noqa: D301 (click reads the backspace)
    from gitreg.cli.moving_gto import report_import
    from gitreg.importers.gto.take_over import GtoWish

    wish = GtoWish(
        path=path,
        rename=_pairs(renames, "--rename"),
        stages=_pairs(stages, "--stage"),
        many=many,
        dry_run=dry_run,
    )
    return report_import(current_registry(), wish, as_json=as_json)


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    found = {}
    for text in texts:
        old, equals, new = text.partition("=")
        if not old or not equals or not new:
            raise UsageError(f"{text!r} is not OLD=NEW", where=option)
        found[old] = new
    return found
