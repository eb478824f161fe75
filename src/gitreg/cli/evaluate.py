"""``gitreg evaluate``."""

from __future__ import annotations

import click

from gitreg.cli import values
from gitreg.cli.options import URI, current_registry
from gitreg.cli.writing import How, Target, version_of, write, writes
from gitreg.domain.model import Evaluation
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Evaluate
from gitreg.registry.clock import utc_now


@click.command("evaluate")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("evaluation", metavar="EVALUATION")
@click.option("--metric", "metrics", multiple=True, required=True, metavar="KEY=NUMBER", help="A result.")
@click.option("--dataset", metavar="NAME[=URI][@DIGEST]", help="What it was evaluated on.")
@click.option("--run-id", metavar="ID", help="The run that made the results.")
@writes
def command(
    uri: str, evaluation: str, metrics: tuple[str, ...], dataset: str | None, run_id: str | None, how: How
) -> None:
    """Add results to a version, under the name EVALUATION.

    Results are only ever added; those of the registration stay as they are.
    """
    results = Evaluation(
        name=evaluation,
        at=utc_now(),
        run_id=run_id,
        dataset=values.dataset(dataset) if dataset else None,
        metrics=values.metrics(metrics),
    )
    registry = current_registry()
    version = version_of(registry, uri)
    target = Target(name=version.name, version=version.version)
    request = Evaluate(name=version.name, selector=version_selector(version.version), evaluation=results)
    write(registry, [request], target, how, unchanged=f"{target} has these results already")
