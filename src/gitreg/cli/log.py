"""``gitreg log``: what happened, newest first; hand edits and merges are told as what they changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gitreg.cli.emphasis import heading
from gitreg.cli.options import STAGE, URI, at_option, json_option
from gitreg.cli.output import Cell, block, document, line, note, on_terminal, table
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.domain.changes import phrase, ranked
from gitreg.render.text import ago, moment

if TYPE_CHECKING:
    from gitreg.domain.changes import Change
    from gitreg.registry.hands import Hands
    from gitreg.registry.log import Line, LogEntry

_COUNTED = re.compile(r"\d+ changes to \d+ models")
_MOST_TOLD = 20


@click.command("log")
@click.argument("uri", type=URI, required=False)
@click.option("--oneline", is_flag=True, help="One line a commit.")
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="At most N commits.")
@click.option("--stage", type=STAGE, metavar="STAGE", help="Only what gave this stage or took it.")
@click.option("--alias", metavar="ALIAS", help="Only what moved this alias.")
@click.option("--author", metavar="WHO", help="Only by this person: part of a name or e-mail address.")
@click.option("--since", metavar="DATE", help="Only commits from this date on (a day means its beginning).")
@click.option("--until", metavar="DATE", help="Only commits up to this date (a day means its end).")
@at_option
@json_option
def command(
    uri: str | None, oneline: bool, limit: int | None, at: str | None, as_json: bool, **asked: str | None
) -> None:
    """Show what happened to the registry, to a model (NAME) or to a version (NAME/12).

    Told is what each commit of the branch changed, whoever made it: a command, a hand edit or a merge.
    """
    from gitreg.registry.hands import hands
    from gitreg.registry.log import lines, log
    from gitreg.registry.looking import wanted_of

    store, part = current_slice(at)
    wanted = wanted_of(store, part, uri, **asked)
    if as_json:
        from gitreg.registry.documents_past import entry_document

        document([entry_document(*one) for one in hands(store, part, log(part, wanted, limit=limit))])
    elif oneline:
        for entry in log(part, wanted, limit=limit):
            told = _told(entry)[0]
            own = _own_subject(entry, told)
            line(f"{entry.commit.oid[:10]} {told}" + (f" ({own})" if own else ""))
    elif on_terminal():
        _print(hands(store, part, log(part, wanted, limit=limit)))
    else:
        columns = ("commit", "time", "author", "event", "model", "version", "stage", "summary")
        from gitreg.registry.tables import events

        text = events(part, wanted) if limit is None else None
        table(columns, map(_row, lines(part, wanted, limit=limit)) if text is None else (), text=text)
    tell_shallow(part)


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


def _own_subject(entry: LogEntry, told: str) -> str:
    """The commit's subject where it says something else than ``told``: a person's words, or a title."""
    found = entry.commit.subject
    return "" if found == told or _COUNTED.fullmatch(found) else found


def _told_hands(found: list[Hands]) -> list[str]:
    """``proposed by Bob, approved by Alice, merged by Carol``; of which change, where not of all the same."""
    told = [(each.change, _by(each)) for each in found]
    if len({said for _, said in told}) < 2:
        return [said for _, said in told[:1]]
    return [f"{change.subject}: {said}" for change, said in told[:_MOST_TOLD]]


def _by(found: Hands) -> str:
    merged = (found.merged_by,) if found.merged_by else ()
    parts = (("proposed", found.proposed_by), ("approved", found.approved_by), ("merged", merged))
    people = [(did, ", ".join(one.name or one.email for one in who)) for did, who in parts if who]
    return ", ".join(f"{did} by {who}" for did, who in people)


def _print(entries: Iterable[tuple[LogEntry, list[Hands]]]) -> None:
    from gitreg.registry.clock import utc_now
    from gitreg.registry.documents_past import own_words

    first = True
    for entry, people in entries:
        if not first:
            line()
        first = False
        commit = entry.commit
        age = ago(commit.commit_time, utc_now())
        merge = ", merge" if len(commit.parents) > 1 else ""
        told = _told(entry)
        sys.stdout.write(heading(told[0]) + "\n")
        for number, row in enumerate(told[1:], start=2):  # as gitreg revert COMMIT:2 counts them
            line(f"  {number}. {row}" if number <= min(_MOST_TOLD, len(entry.changes)) else f"  {row}")
        when = moment(commit.commit_time) + (f", {age}" if age else "")
        line(f"  {commit.oid[:10]}  {commit.author.name}  {when}{merge}")
        for row in _told_hands(people):
            line(f"  {row}")
        words = "\n\n".join(filter(None, (_own_subject(entry, told[0]), own_words(entry))))
        if words:
            line()
            block("\n".join(f"    {row}".rstrip() for row in words.split("\n")))
    if first:
        note("nothing happened yet")


def _row(told: Line) -> tuple[Cell, ...]:
    """One row a change, for programs that read TSV."""
    time = f"{datetime.fromtimestamp(told.time, UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    change = told.change
    if change is None:
        return (told.oid, time, told.author, *[None] * 4, f"change {told.path}, which can't be read")
    what = (change.event, change.model, change.version, change.stage, phrase(change))
    return (told.oid, time, told.author, *what)
