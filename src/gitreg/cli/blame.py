"""``gitreg blame``: which commit gave each field the value that it has, by whom and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import URI, at_option, json_option
from gitreg.cli.output import Cell, document, note, on_terminal, table
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.render.text import moment

if TYPE_CHECKING:
    from gitreg.registry.blame import Credit

_COLUMNS = ("field", "value", "commit", "author", "time")
_FOLDED = ("params", "metrics")
_MOST_NAMED = 20  # fields that one line for the registration tells


@click.command("blame")
@click.argument("uri", type=URI)
@click.option(
    "--all", "everything", is_flag=True, help="One line for each field, those of the registration too."
)
@at_option
@json_option
def command(uri: str, everything: bool, at: str | None, as_json: bool) -> None:
    """Show which commit set each field of a version (NAME/12) or of a model (NAME).

    What came with the registration is told on one line; --all gives each field its own.
    """
    from gitreg.registry.blame import blame

    store, part = current_slice(at)
    found = blame(store, part, uri)
    if as_json:
        from gitreg.registry.documents_past import blame_document

        document(blame_document(found))
    elif not on_terminal():
        table((*_COLUMNS, "subject"), map(_row, found.credits))
    else:
        table(_COLUMNS, _all(found.credits) if everything else _grouped(found.credits))
    if any(credit.boundary for credit in found.credits):
        if not as_json:
            note("^: the history begins with this commit; an older one may have set the value")
        tell_shallow(part)


def _row(credit: Credit) -> tuple[Cell, ...]:
    """One field for programs: its value as JSON, unless it is a text or a number; a boundary is marked."""
    from gitreg.cli.output import json_text
    from gitreg.manifest.encode import time_text

    value = credit.value
    told = value if isinstance(value, str | int | float) else json_text(value, indent=None)
    return (
        credit.path,
        told,
        _mark(credit) + credit.commit,
        credit.author,
        time_text(credit.time),
        credit.subject,
    )


def _all(told: Iterable[Credit]) -> Iterator[tuple[Cell, ...]]:
    from gitreg.render.credits import value_text

    for credit in told:
        yield (credit.path, value_text(credit.field, credit.value), *_who(credit))


def _grouped(told: Sequence[Credit]) -> Iterator[tuple[Cell, ...]]:
    """One line for all that came together with the whole, then one for each change since."""
    whole = next((credit for credit in told if credit.event != "change"), None)
    if whole is None:
        yield from _all(told)
        return
    # An alias that the same commit set stands in another manifest.
    together = [credit for credit in told if credit.commit == whole.commit]
    how = "(registered)" if whole.event == "register" else "(restored)"
    yield (how, _named(together), *_who(whole))
    yield from _all(credit for credit in told if credit.commit != whole.commit)


def _named(told: Sequence[Credit]) -> str:
    """``source, run_id, params (4)``: the fields of some credits."""
    counts: dict[str, int] = {}
    # The time of creation is the commit's own, as good as.
    for credit in [one for one in told if one.field != "created"] or told:
        name = credit.field if credit.field in _FOLDED else credit.path
        counts[name] = counts.get(name, 0) + 1
    said = [f"{name} ({count})" if name in _FOLDED else name for name, count in counts.items()]
    left = len(said) - _MOST_NAMED
    return ", ".join(said[:_MOST_NAMED]) + (f" and {left} more" if left > 0 else "")


def _who(credit: Credit) -> tuple[Cell, ...]:
    return _mark(credit) + credit.commit[:10], credit.author, moment(credit.time)


def _mark(credit: Credit) -> str:
    """As ``git blame`` marks the commits before which it knows nothing."""
    return "^" if credit.boundary else ""
