"""``gitreg log``: what happened, newest first; hand edits and merges are told as what they changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

import click

from gitreg.cli.emphasis import heading
from gitreg.cli.options import STAGE, URI, at_option, json_option
from gitreg.cli.output import Cell, block, document, line, note, on_terminal, table
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.domain.changes import ranked, subject, worded
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
    from gitreg.registry.hands import called, hands
    from gitreg.registry.log import lines, log
    from gitreg.registry.looking import wanted_of

    store, part = current_slice(at)
    wanted = wanted_of(store, part, uri, **asked)
    name_of = cache(partial(called, part))
    if as_json:
        from gitreg.registry.documents_past import entry_document

        document([entry_document(*one) for one in hands(store, part, log(part, wanted, limit=limit))])
    elif oneline:
        for entry in log(part, wanted, limit=limit):
            told = _told(entry, name_of)[0]
            own = _own_subject(entry)
            line(f"{entry.commit.oid[:10]} {told}" + (f" ({own})" if own else ""))
    elif on_terminal():
        _print(hands(store, part, log(part, wanted, limit=limit)), name_of)
    else:
        columns = ("commit", "time", "author", "event", "model", "version", "stage", "summary")
        from gitreg.registry.tables import events

        text = events(part, wanted, name_of) if limit is None else None
        rows = (_row(told, name_of) for told in lines(part, wanted, limit=limit)) if text is None else ()
        table(columns, rows, text=text)
    tell_shallow(part)


def _told(entry: LogEntry, name_of: Callable[[str], str]) -> list[str]:
    """What an entry says, in words: one phrase a change, the weightiest first."""
    several = len({change.model for change in entry.changes}) > 1
    told = []
    for at, change in enumerate(ranked(entry.changes)[: _MOST_TOLD + 1]):
        said = worded(change, name_of)
        told.append(f"{change.model or 'registry'}: {said}" if several or at == 0 else said)
    told += [f"change {path}, which can't be read" for path in entry.unread]
    if len(told) > _MOST_TOLD:
        more = len(entry.changes) + len(entry.unread) - _MOST_TOLD
        told = [*told[:_MOST_TOLD], f"and {more:,} more"]
    return told


def _own_subject(entry: LogEntry) -> str:
    """The commit's subject where it says something else than its changes: a person's words, or a title."""
    found = entry.commit.subject
    told = subject(ranked(entry.changes)[:1]) if entry.changes else ""
    return "" if found == told or _COUNTED.fullmatch(found) else found


def _told_hands(found: list[Hands]) -> list[str]:
    """``proposed by Bob, approved by Alice, merged by Carol``, and whose approvals did not count.

    Of which change, where not of all the same. What was approved speaks for what the same people did with it.
    """
    approved = [each for each in found if each.signed]
    told = [(each.change, _by(each)) for each in found if each.signed or not _among(each, approved)]
    if len({said for _, said in told}) < 2:
        return list(told[0][1]) if told else []
    return [f"{_whose(change)}: {row}" for change, said in told[:_MOST_TOLD] for row in said]


def _among(one: Hands, others: Iterable[Hands]) -> bool:
    return any((one.proposed_by, one.merged_by) == (each.proposed_by, each.merged_by) for each in others)


def _whose(change: Change) -> str:
    if not change.model:
        return "the rules"
    return f"{change.subject} in {change.stage}" if change.stage else change.subject


def _by(found: Hands) -> tuple[str, ...]:
    from gitreg.registry.hands import called_or_address

    parts = (
        ("proposed", [called_or_address(one) for one in found.proposed_by]),
        ("approved", [one.said for one in found.approved_by]),
        ("merged", [called_or_address(found.merged_by)] if found.merged_by else []),
    )
    rows = [", ".join(f"{did} by {_listed(who)}" for did, who in parts if who)]
    if found.not_counted:
        rows.append(f"also signed, not counted: {', '.join(one.said for one in found.not_counted)}")
    if found.unjudged:
        rows.append(f"approvals not judged: {found.unjudged.said}")
    return tuple(rows)


def _who(entry: LogEntry, people: list[Hands]) -> str:
    """Whose commit it is; who committed it instead, where nothing else tells."""
    author, committer = entry.commit.author, entry.commit.committer
    if people or author == committer:
        return author.name
    return f"{author.name}, committed by {committer.name}"


def _listed(who: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(who[:-1]), who[-1])))


def _print(entries: Iterable[tuple[LogEntry, list[Hands]]], name_of: Callable[[str], str]) -> None:
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
        told = _told(entry, name_of)
        sys.stdout.write(heading(told[0]) + "\n")
        for number, row in enumerate(told[1:], start=2):  # as gitreg revert COMMIT:2 counts them
            line(f"  {number}. {row}" if number <= min(_MOST_TOLD, len(entry.changes)) else f"  {row}")
        when = moment(commit.commit_time) + (f", {age}" if age else "")
        line(f"  {commit.oid[:10]}  {_who(entry, people)}  {when}{merge}")
        for row in _told_hands(people):
            line(f"  {row}")
        words = "\n\n".join(filter(None, (_own_subject(entry), own_words(entry))))
        if words:
            line()
            block("\n".join(f"    {row}".rstrip() for row in words.split("\n")))
    if first:
        note("nothing happened yet")


def _row(told: Line, name_of: Callable[[str], str]) -> tuple[Cell, ...]:
    """One row a change, for programs that read TSV."""
    time = f"{datetime.fromtimestamp(told.time, UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    change = told.change
    if change is None:
        return (told.oid, time, told.author, *[None] * 4, f"change {told.path}, which can't be read")
    what = (change.event, change.model, change.version, change.stage, worded(change, name_of))
    return (told.oid, time, told.author, *what)
