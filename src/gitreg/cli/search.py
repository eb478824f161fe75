"""``gitreg search``: versions or models by a filter, in any order, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import at_option, json_option
from gitreg.cli.output import Cell, document, hint, note, on_terminal, table, warning
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.errors import InvalidInput, NotFound
from gitreg.render.text import ago, moment, number, plural, safe

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.domain.model import ModelVersion
    from gitreg.index.reading import Slice
    from gitreg.registry.searching import ModelPage, Question, VersionPage

_LONGEST = 60  # characters of a cell on a terminal


@click.command("search")
@click.argument("filter", metavar="[FILTER]", required=False, default="")
@click.option("--models", is_flag=True, help="Find registered models instead of versions.")
@click.option(
    "--order-by",
    "order_by",
    multiple=True,
    metavar="KEY [DESC]",
    help="name, version, created, updated, metrics.KEY …; may be repeated.",
)
@click.option("-n", "--limit", type=int, default=100, show_default=True, metavar="N", help="At most N rows.")
@click.option("--page-token", metavar="TOKEN", help="Go on where the page with this token ended.")
@at_option
@json_option
def command(
    filter: str,
    models: bool,
    order_by: tuple[str, ...],
    limit: int,
    page_token: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Find versions by a filter, or models with --models.

    \b
    gitreg search "metrics.auc > 0.9 AND stage = 'Production'"
    gitreg search "author = 'ada@example.com' AND created >= '2026-01-15'"

    \b
    Fields: name version stage alias status created updated author
      description run_id source metrics.KEY params.KEY tags.KEY flavor
      dataset commit parent …
    Comparisons: = != < <= > >= LIKE ILIKE IN (…) IS NULL
      joined by AND, OR, NOT and parentheses
    """  # noqa: D301 (click must get the character that keeps lines as they are)
    from gitreg.registry.searching import Question, find_models, find_versions

    asked = Question(filter=filter, order_by=order_by, max_results=limit, page_token=page_token)
    part = _slice(asked, at)
    if models:
        _print_models(find_models(part, asked), as_json=as_json)
    else:
        page = find_versions(part, asked)
        _print_versions(page, as_json=as_json)
        if page.history:
            tell_shallow(part)


def _slice(asked: Question, at: str | None) -> Slice:
    if at is not None or asked.commit is None:
        return current_slice(at)[1]
    try:
        return current_slice(asked.commit)[1]
    except NotFound as error:
        raise InvalidInput(
            "the page token's commit is not in the history of this branch",
            where="--page-token",
            hint="leave it out for the first page",
        ) from error


def _print_versions(page: VersionPage, *, as_json: bool) -> None:
    if as_json:
        from gitreg.registry.documents import found_version_documents

        document({"versions": found_version_documents(page), "next_page_token": page.next_page_token})
    else:
        shown = [(kind, key) for kind, key in page.keys if kind in ("metric", "param")]
        keyed = (_short(f"{kind}s.{safe(key)}") for kind, key in shown)
        columns = ["name", "version", "stages", "aliases", *keyed]
        rows = [_row(page, each, shown) for each in page.versions]
        if rows or not on_terminal():
            table([*columns, "updated"], rows)
    _tell(page, len(page.versions), "version", as_json=as_json)


def _aliases(page: VersionPage, version: ModelVersion) -> tuple[str, ...]:
    return page.aliases.get((version.name, version.version), ())


def _row(page: VersionPage, version: ModelVersion, shown: Sequence[tuple[str, str]]) -> tuple[Cell, ...]:
    return (
        version.name,
        version.version,
        ", ".join(version.stages) or "None",
        _short(", ".join(_aliases(page, version))),
        *(
            _metric(version.metrics.get(key)) if kind == "metric" else _short(version.params.get(key, ""))
            for kind, key in shown
        ),
        _time(version.updated),
    )


def _short(text: str) -> str:
    """``text``, on a terminal no more than the beginning of a long one."""
    return text if len(text) <= _LONGEST or not on_terminal() else text[: _LONGEST - 1] + "…"


def _metric(value: float | None) -> Cell:
    return value if value is None or not on_terminal() else number(value)


def _print_models(page: ModelPage, *, as_json: bool) -> None:
    if as_json:
        from gitreg.registry.documents import found_model_document

        models = [found_model_document(each) for each in page.found]
        document({"models": models, "next_page_token": page.next_page_token})
    elif page.found or not on_terminal():
        rows = [
            (
                each.model.name,
                each.latest,
                _short(", ".join(f"{alias}: {at}" for alias, at in sorted(each.model.aliases.items()))),
                _short(", ".join(each.model.owners)),
                _time(each.model.updated),
            )
            for each in page.found
        ]
        table(("name", "latest", "aliases", "owners", "updated"), rows)
    _tell(page, len(page.found), "model", as_json=as_json)


def _tell(page: VersionPage | ModelPage, count: int, thing: str, *, as_json: bool) -> None:
    if page.unreadable:
        warning(f"{plural(page.unreadable, 'manifest')} can't be read and can't be found: gitreg check")
    if not count:
        note(f"no {thing} matches")
        for each in page.notes:
            note(each)
    elif page.next_page_token and not as_json:
        if on_terminal():
            hint(f"the first {plural(count, thing)}; the next: --page-token {page.next_page_token}")
        else:
            note(f"there are more; the next page: --page-token {page.next_page_token}")


def _time(when: datetime) -> str:
    if on_terminal():
        from gitreg.registry.clock import utc_now

        return ago(when, utc_now()) or moment(when)
    from gitreg.manifest.encode import time_text

    return time_text(when)
