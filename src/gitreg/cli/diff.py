"""``gitreg diff``: two versions, or a version, a model or the registry at two times, by meaning."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from gitreg.cli.emphasis import heading
from gitreg.cli.options import URI, at_option, current_store, json_option
from gitreg.cli.output import document, note, on_terminal, table
from gitreg.cli.reading import view_at
from gitreg.domain.contrast import Contrast
from gitreg.domain.contrast_model import ModelContrast
from gitreg.errors import InvalidInput, UsageError
from gitreg.render.text import moment, safe

if TYPE_CHECKING:
    from gitreg.registry.contrasting import Difference, Side
    from gitreg.registry.store import Store
    from gitreg.registry.view import View

_COLUMNS = ("section", "key", "before", "after", "change")


@click.command("diff")
@click.argument("first", type=URI, required=False, metavar="[A]")
@click.argument("second", type=URI, required=False, metavar="[B]")
@click.option(
    "--from",
    "since",
    metavar="WHEN",
    help="A as it was: a date (a day means its end, as for --at), commit, branch or tag.",
)
@click.option("--to", "until", metavar="WHEN", help="B, or A once more, as it was then  [default: now]")
@at_option
@click.option("--all", "everything", is_flag=True, help="Of two versions, equal rows too.")
@click.option("--markdown", is_flag=True, help="Print Markdown, for a review.")
@json_option
def command(
    first: str | None,
    second: str | None,
    since: str | None,
    until: str | None,
    at: str | None,
    everything: bool,
    markdown: bool,
    as_json: bool,
) -> None:
    """Compare by meaning: two versions, or one version, model or registry at two times.

    \b
    gitreg diff churn/1 churn/3                     two versions
    gitreg diff churn/Production churn/Staging      two stages
    gitreg diff churn/Production --from 2026-01-15  then and now
    gitreg diff churn --from v1.0 --to 2026-02-01   a model at two times
    gitreg diff --from 2026-01-15                   the whole registry
    """  # noqa: D301 (click reads the backspace)
    if markdown and as_json:
        raise UsageError("--markdown and --json exclude each other")
    _check(first, since, until, at)
    from gitreg.registry.contrasting import diff

    store = current_store()
    after = _view(store, until or at, "--to" if until else "--at")
    before = _view(store, since, "--from") if since else None
    found = diff(before, after, first, second)
    if found.moved:
        _tell_moved(found, since, until)
    if as_json:
        from gitreg.registry.documents_past import difference_document

        document(difference_document(found, everything=everything))
    elif markdown:
        sys.stdout.write(_markdown(found, everything=everything))
    elif found.equal and not everything:
        note("no differences")
        if not on_terminal():
            _rows(found, everything=False)
    elif on_terminal():
        _print(found, everything=everything)
    else:
        _rows(found, everything=everything)


def _check(first: str | None, since: str | None, until: str | None, at: str | None) -> None:
    if at and (since or until):
        raise UsageError(
            "--at and --from or --to exclude each other",
            hint="--at reads both sides at one time, --from and --to each at its own",
        )
    if since:
        return
    if until:
        raise UsageError("--to says until when, but not since when", where="--from", hint="--from 2026-01-15")
    if first is None:
        raise UsageError(
            "there is nothing to compare",
            hint="gitreg diff NAME/1 NAME/2, or since when: gitreg diff --from 2026-01-15",
        )


def _view(store: Store, when: str | None, option: str) -> View:
    try:
        return view_at(store, when)
    except InvalidInput as error:
        if error.where == "--at":
            error.where = option
        raise


def _tell_moved(found: Difference, since: str | None, until: str | None) -> None:
    from shlex import join

    then = ["--from", since or "", *(["--to", until] if until else [])]
    note(
        f"the model that was called {found.before.asked} then is now {found.moved}: "
        f"{join(['gitreg', 'diff', found.moved, *then])}"
    )


def _labels(found: Difference) -> tuple[str, str]:
    """What the two sides are called: the versions, or where they are the same, their commits."""
    if isinstance(found.contrast, Contrast):
        sides = found.contrast.before, found.contrast.after
        old, new = (f"{side.name}/{side.version}" for side in sides)
        if old != new:
            return old, new
    return found.before.commit[:10], found.after.commit[:10]


def _title(found: Difference) -> str:
    """``churn/1 → churn/3``; where two commits were read, with both."""
    old, new = _told(found, found.before, 0), _told(found, found.after, 1)
    if found.before.commit == found.after.commit:
        return f"{old} → {new}"
    when = [f"{side.commit[:10]} of {moment(side.time)}" for side in (found.before, found.after)]
    return f"{old}: {when[0]} → {when[1]}" if old == new else f"{old}, {when[0]} → {new}, {when[1]}"


def _told(found: Difference, side: Side, at: int) -> str:
    told = side.asked or "registry"
    if isinstance(found.contrast, Contrast):
        version = (found.contrast.before, found.contrast.after)[at]
        number = f"{version.name}/{version.version}"
        return number if told == number else f"{told} ({number})"
    former = found.contrast.former if isinstance(found.contrast, ModelContrast) and not at else ""
    return former or told


def _print(found: Difference, *, everything: bool) -> None:
    from gitreg.render import contrast

    paper = contrast.Paper(columns=shutil.get_terminal_size().columns, everything=everything)
    labels = _labels(found)
    match found.contrast:
        case Contrast():
            lines = contrast.version_lines(found.contrast, labels, paper)
        case ModelContrast():
            lines = contrast.model_lines(found.contrast, labels, paper)
        case _:
            lines = contrast.registry_lines(found.contrast, labels, paper)
    # What is not indented heads a part of the page.
    shown = (row if not row or row.startswith(" ") else heading(row) for row in [safe(_title(found)), *lines])
    sys.stdout.write("\n".join(shown) + "\n")


def _markdown(found: Difference, *, everything: bool) -> str:
    from gitreg.render import contrast_markdown

    labels = _labels(found)
    match found.contrast:
        case Contrast():
            return contrast_markdown.version_markdown(found.contrast, labels, everything=everything)
        case ModelContrast():
            return contrast_markdown.model_markdown(found.contrast, labels)
        case _:
            return contrast_markdown.registry_markdown(found.contrast, labels)


def _rows(found: Difference, *, everything: bool) -> None:
    from gitreg.render import contrast_data

    match found.contrast:
        case Contrast():
            table(_COLUMNS, contrast_data.flat_rows(found.contrast.shown(everything=everything)))
        case ModelContrast():
            table(("model", "version", *_COLUMNS), contrast_data.model_rows(found.contrast))
        case _:
            table(("model", "version", *_COLUMNS), contrast_data.registry_rows(found.contrast))
