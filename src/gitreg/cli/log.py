"""``gitreg log``: what happened, newest first; hand edits and merges are told as what they changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.emphasis import heading
from gitreg.cli.options import URI, at_option, current_store, json_option
from gitreg.cli.output import Cell, block, document, line, note, on_terminal, table
from gitreg.cli.reading import view_at
from gitreg.domain.changes import phrase, ranked
from gitreg.errors import InvalidInput
from gitreg.render.text import ago, moment

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.domain.changes import Change
    from gitreg.registry.history import LogEntry
    from gitreg.registry.store import Store

_TRAILER = re.compile(r"Gitreg-[A-Za-z]+: .*")
_MOST_TOLD = 20


@click.command("log")
@click.argument("uri", type=URI, required=False)
@click.option("--oneline", is_flag=True, help="One line a commit.")
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="At most N commits.")
@click.option("--since", metavar="DATE", help="Only commits from this date on (a day means its beginning).")
@click.option("--until", metavar="DATE", help="Only commits up to this date (a day means its end).")
@at_option
@json_option
def command(
    uri: str | None,
    oneline: bool,
    limit: int | None,
    since: str | None,
    until: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Show what happened to the registry, to a model (NAME) or to a version (NAME/12)."""
    begin = _date(f"{since}T00:00" if since and len(since) == 10 else since, "--since")
    entries = islice(_entries(current_store(), uri, at, begin, _date(until, "--until")), limit)
    if as_json:
        document([_document(entry) for entry in entries])
    elif oneline:
        for entry in entries:
            line(f"{entry.commit.oid[:10]} {_told(entry)[0]}")
    elif on_terminal():
        _print(entries)
    else:
        table(("commit", "time", "author", "event", "model", "version", "stage", "summary"), _rows(entries))


def _entries(
    store: Store, uri: str | None, at: str | None, since: datetime | None, until: datetime | None
) -> Iterator[LogEntry]:
    from gitreg.registry.history import log

    view = view_at(store, at)
    if uri is None:
        return log(store, view.commit, since=since, until=until)
    found = view.reference(uri)
    selector = found.selector
    # A number is taken as it stands: the history of a deleted version is worth telling, too.
    number = None if selector is None else selector.version or view.version(uri).version
    if view.state(found.name).model is None:
        view.model(found.name)  # raises: there never was such a model
    return log(store, view.commit, name=found.name, version=number, since=since, until=until)


def _date(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    from gitreg.registry.store import parse_moment

    try:
        return parse_moment(text)
    except InvalidInput as error:
        error.where = option
        raise


def _told(entry: LogEntry) -> list[str]:
    """What an entry says, in words: one phrase a change, the weightiest first."""
    several = len({change.model for change in entry.changes}) > 1
    told = [_phrase(change, named=several or at == 0) for at, change in enumerate(ranked(entry.changes))]
    told += [f"change {path}, which can't be read" for path in entry.unread]
    if len(told) > _MOST_TOLD:
        told = [*told[:_MOST_TOLD], f"and {len(told) - _MOST_TOLD:,} more"]
    return told


def _phrase(change: Change, *, named: bool) -> str:
    return f"{change.model or 'registry'}: {phrase(change)}" if named else phrase(change)


def _body(entry: LogEntry) -> str:
    """What a person wrote into the message: the body without our list of changes and trailers."""
    parts = entry.commit.body.replace("\r\n", "\n").strip("\n").split("\n\n")
    if parts and all(_TRAILER.fullmatch(row) for row in parts[-1].split("\n")):
        parts.pop()
        if parts and all(row.startswith("- ") for row in parts[-1].split("\n")):
            parts.pop()
    return "\n\n".join(parts).strip("\n")


def _print(entries: Iterable[LogEntry]) -> None:
    from gitreg.registry.clock import utc_now

    first = True
    for entry in entries:
        if not first:
            line()
        first = False
        commit = entry.commit
        age = ago(commit.commit_time, utc_now())
        merge = ", merge" if len(commit.parents) > 1 else ""
        told = _told(entry)
        sys.stdout.write(heading(told[0]) + "\n")
        for row in told[1:]:
            line(f"  {row}")
        when = moment(commit.commit_time) + (f", {age}" if age else "")
        line(f"  {commit.oid[:10]}  {commit.author.name}  {when}{merge}")
        body = _body(entry)
        if body:
            line()
            block("\n".join(f"    {row}".rstrip() for row in body.split("\n")))
    if first:
        note("nothing happened yet")


def _rows(entries: Iterable[LogEntry]) -> Iterator[tuple[Cell, ...]]:
    """One row a change, for programs that read TSV."""
    from gitreg.manifest.encode import time_text

    for entry in entries:
        commit = entry.commit
        head = (commit.oid, time_text(commit.commit_time), commit.author.name)
        for change in ranked(entry.changes):
            yield (*head, change.event, change.model, change.version, change.stage, phrase(change))
        for path in entry.unread:
            yield (*head, None, None, None, None, f"change {path}, which can't be read")


def _document(entry: LogEntry) -> dict[str, Any]:
    from gitreg.manifest.encode import time_text
    from gitreg.render.values import change_document

    commit = entry.commit
    found: dict[str, Any] = {
        "commit": commit.oid,
        "parents": list(commit.parents),
        "time": time_text(commit.commit_time),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
        "subject": commit.subject,
        "message": _body(entry),
        "changes": [change_document(change) for change in ranked(entry.changes)],
    }
    if entry.unread:
        found["unread"] = list(entry.unread)
    return found
