"""``gitreg lineage``: what a version came from and what came from it, as a tree, a picture or data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitreg.cli.emphasis import heading
from gitreg.cli.options import URI, at_option, json_option
from gitreg.cli.output import document, hint, on_terminal, table
from gitreg.cli.pictures import draw, look, svg_option, write_picture
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.errors import UsageError

if TYPE_CHECKING:
    from gitreg.domain.lineage import Graph
    from gitreg.index.reading import Slice
    from gitreg.registry.lineage import Limits

_FORMATS = ("tree", "mermaid", "dot", "svg", "json")
_COLUMNS = ("role", "kind", "from", "uri", "exact", "state", "to_kind", "to")


@click.command("lineage")
@click.argument("uri", type=URI, required=False)
@click.option("--run", metavar="RUN_ID", help="What came from a run, instead of a version.")
@click.option("--experiment", metavar="NAME", help="What came from the runs of an experiment.")
@click.option("--dataset", metavar="DATASET", help="What came from a data set: its digest, URI or name.")
@click.option("--commit", metavar="SHA", help="What came from a commit of the training code.")
@click.option("--upstream", is_flag=True, help="Only what the version came from.")
@click.option("--downstream", is_flag=True, help="Only what came from the version.")
@click.option(
    "--depth", type=click.IntRange(min=0), default=5, show_default=True, metavar="N", help="Generations."
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N neighbours of each  [default: 50]",
)
@click.option("--all", "everything", is_flag=True, help="All neighbours, however many there are.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="tree is what a terminal gets.")
@svg_option
@at_option
@json_option
def command(
    uri: str | None,
    run: str | None,
    experiment: str | None,
    dataset: str | None,
    commit: str | None,
    upstream: bool,
    downstream: bool,
    depth: int,
    limit: int | None,
    everything: bool,
    form: str | None,
    svg: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Show where a version (NAME/12) came from: run, data sets, code, parents; and what came from it.

    Piped, it prints one line for each link; --format tree prints the tree.
    """
    roots = {"run": run, "experiment": experiment, "dataset": dataset, "commit": commit}
    others = {what: text for what, text in roots.items() if text is not None}
    _check(uri, others, upstream=upstream, limit=limit, everything=everything)
    chosen = _form(form, svg, as_json=as_json)
    limits = _limits(depth, limit, everything=everything)
    store, part = current_slice(at)
    if uri is None:
        graph = _from_other(part, *next(iter(others.items())), limits)
    else:
        from gitreg.registry.lineage import lineage_of

        both = upstream == downstream
        graph = lineage_of(
            store, part, uri, upstream=upstream or both, downstream=downstream or both, limits=limits
        )
    _print(graph, chosen, svg, limits)
    if graph.unsure:
        tell_shallow(part)


def _check(
    uri: str | None, others: dict[str, str], *, upstream: bool, limit: int | None, everything: bool
) -> None:
    given = [*(["URI"] if uri is not None else []), *(f"--{what}" for what in others)]
    if not given:
        raise UsageError("say which version", hint="gitreg lineage NAME/12, or --run, --dataset, --commit")
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} exclude each other", hint="ask for one at a time")
    if upstream and others:
        raise UsageError(f"--upstream needs a version, not {given[0]}", hint="leave it out")
    if everything and limit is not None:
        raise UsageError("--all and --limit exclude each other")


def _form(form: str | None, svg: str | None, *, as_json: bool) -> str | None:
    """The one form that was asked for; None: what suits where it goes."""
    given = [*([form] if form else []), *(["svg"] if svg else []), *(["json"] if as_json else [])]
    if len(set(given)) > 1:
        raise UsageError(f"{given[0]} and {given[1]} exclude each other", where="--format")
    return given[0] if given else None


def _limits(depth: int, limit: int | None, *, everything: bool) -> Limits:
    from gitreg.registry.lineage import Limits

    if everything:
        return Limits(depth=depth, most=None, siblings=None, total=None)
    return Limits(depth=depth, most=limit, siblings=limit) if limit else Limits(depth=depth)


def _from_other(part: Slice, what: str, text: str, limits: Limits) -> Graph:
    from gitreg.registry import lineage

    if what == "run":
        return lineage.lineage_of_run(part, text, limits=limits)
    if what == "experiment":
        return lineage.lineage_of_experiment(part, text, limits=limits)
    if what == "dataset":
        return lineage.lineage_of_dataset(part, text, limits=limits)
    return lineage.lineage_of_code(part, text, limits=limits)


def _print(graph: Graph, form: str | None, svg: str | None, limits: Limits) -> None:
    form = form or ("tree" if on_terminal() else "rows")
    if form == "svg":
        from gitreg.render.lineage_svg import lineage_svg

        write_picture(lineage_svg(graph), svg or "-")
    elif form == "json":
        from gitreg.render.lineage import lineage_document

        document(lineage_document(graph))
    elif form == "rows":
        from gitreg.render.lineage import lineage_rows

        table(_COLUMNS, lineage_rows(graph))
    elif form == "tree":
        _tree(graph, limits.siblings)
    else:
        from gitreg.render.lineage_text import dot, mermaid

        sys.stdout.write(mermaid(graph) if form == "mermaid" else dot(graph))


def _tree(graph: Graph, beside: int | None) -> None:
    from gitreg.render.lineage_tree import ASCII, lineage_tree

    head, *lines = lineage_tree(graph, strokes=None if look().unicode else ASCII, beside=beside)
    draw([heading(head), *lines])
    if not graph.edges:
        hint("nothing is known of where it came from, and nothing came from it")
