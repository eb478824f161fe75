"""``gitreg plot``: a metric over the versions of a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import NAME, STAGE, at_option, json_option
from gitreg.cli.output import Cell, document, note, on_terminal, table
from gitreg.cli.pictures import draw, look, one_form, svg_option, write_picture
from gitreg.cli.reading import current_slice, tell_shallow

if TYPE_CHECKING:
    from gitreg.domain.series import Series


@click.command("plot")
@click.argument("name", type=NAME)
@click.option("--metric", "metrics", multiple=True, metavar="KEY", help="A metric to draw; may be repeated.")
@click.option(
    "--evaluation", metavar="EVALUATION", help="Metrics of this evaluation instead of the registration's."
)
@click.option("--stage", type=STAGE, metavar="STAGE", help="Mark promotions to this stage  [Production]")
@svg_option
@at_option
@json_option
def command(
    name: str,
    metrics: tuple[str, ...],
    evaluation: str | None,
    stage: str | None,
    svg: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Draw metrics over the versions of NAME, with marks where a version was promoted."""
    one_form(svg=svg, as_json=as_json)
    from gitreg.registry.series import main_metrics, series

    store, part = current_slice(at)
    others: tuple[str, ...] = ()
    if not metrics:
        first, *rest = main_metrics(store, part, name, evaluation)
        metrics, others = (first,), tuple(rest)
    chosen = tuple(dict.fromkeys(metrics))
    found = series(store, part, name, chosen, evaluation=evaluation, stage=stage)
    if as_json:
        from gitreg.registry.documents_past import series_document

        document(series_document(found, part.commit))
    elif svg is not None:
        from gitreg.render.plot_svg import plot_svg

        write_picture(plot_svg(found), svg)
    elif on_terminal():
        from gitreg.render.plot import plot_lines

        draw(plot_lines(found, look()))
    else:
        table(_columns(found), _rows(found))
    if any(point.promoted is None for point in found.points):
        tell_shallow(part)
    if others:
        from shlex import quote

        note(f"other metrics: {', '.join(f'--metric {quote(key)}' for key in others)}")


def _columns(found: Series) -> list[str]:
    from gitreg.render.text import safe

    return ["version", *map(safe, found.metrics), "stages", "promoted", "deprecated"]


def _rows(found: Series) -> Iterator[tuple[Cell, ...]]:
    for point in found.points:
        yield (
            point.version,
            *(_cell(value) for value in point.values),
            ", ".join(point.stages) or "None",
            None if point.promoted is None else "yes" if point.promoted else "no",
            "yes" if point.deprecated else "no",
        )


def _cell(value: float | None) -> Cell:
    from gitreg.render.values import plain

    return None if value is None else str(plain(value))
