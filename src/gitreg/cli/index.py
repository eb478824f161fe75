"""``gitreg index``: brings the index up to date, makes it anew, or proves it equal to Git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli.options import current_store, json_option
from gitreg.cli.output import document, line, note
from gitreg.render.text import plural, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitreg.registry.proving import Proof
    from gitreg.registry.store import Store


@click.command("index")
@click.option("--rebuild", is_flag=True, help="Make it anew from the whole history.")
@click.option("--verify", is_flag=True, help="Make a second one from Git alone and compare the two.")
@json_option
def command(rebuild: bool, verify: bool, as_json: bool) -> int:
    """Bring the index up to date.

    The index answers searches and questions about the past quickly. It is derived from the commits and
    lies in the Git folder: deleting it costs time, never data. Commands keep it up to date by themselves.
    With --verify the exit code is 1 where the two differ; the index is then made anew.
    """
    from gitreg.cli.progress import Progress
    from gitreg.cli.reading import slice_at

    store = current_store()
    with Progress() as progress:

        def told(done: int, total: int) -> None:
            progress.bar("reading the history", done, total)

        if rebuild:
            store.index.rebuild(progress=told)
        slice_at(store, None)
        proof = _proof(store, told) if verify else None
    if as_json:
        document(_document(store, proof))
    else:
        _print(store, proof)
    return 1 if proof and proof.differences else 0


def _proof(store: Store, told: Callable[[int, int], None]) -> Proof:
    from gitreg.registry.proving import prove

    return prove(store, progress=told)


def _document(store: Store, proof: Proof | None) -> dict[str, object]:
    found: dict[str, object] = dict(store.index.figures())
    if proof:
        found["equal"] = not proof.differences
        found["differences"] = list(proof.differences)
    return found


def _print(store: Store, proof: Proof | None) -> None:
    figures = store.index.figures()
    told = [
        plural(int(figures[key]), key.removesuffix("s"))
        for key in ("commits", "events", "models", "versions")
    ]
    line(f"the index stands at {str(figures['commit'])[:10]}: {', '.join(told)}")
    line(f"{figures['path']} ({size(int(figures['size']))})")
    if proof is None:
        return
    if not proof.differences:
        line(f"equal to Git: {plural(proof.rows, 'row')} of {plural(proof.tables, 'table')} compared")
        return
    for text in proof.differences:
        line(f"differs from Git: {text}")
    note("the index was made anew; if this comes again, please report it")
