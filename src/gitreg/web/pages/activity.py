"""What happened to the registry, newest first and day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import get_args

from gitreg.domain.changes import Event, subject
from gitreg.errors import InvalidInput
from gitreg.registry.activity import Entry
from gitreg.registry.activity import activity as page_of
from gitreg.registry.hands import hands
from gitreg.registry.log import LogEntry, Wanted, commit_of
from gitreg.registry.looking import wanted_of
from gitreg.registry.signed import Signed, signed
from gitreg.web.pages.cut import cut
from gitreg.web.pages.happened import Names, People, Told, did_of, names_of, people, told
from gitreg.web.pages.look import Look, Page

SIZE = 50
"""Commits on a page."""
_MERGES = 10
_TOLD = 6  # changes of one commit
_KEYS = ("model", "stage", "author", "event", "since", "until")
EVENTS: tuple[str, ...] = get_args(Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One commit of the list.

    Attributes:
        entry: The commit.
        changes: The first of its changes in words.
        more: How many others there are.
        people: Who made it.
        hands: What was done for it, and by whom: ``Approved by``.
        signed: What is to be said of its signature.
        subject: Its own subject, where that says something else than its changes; else ``""``.
        unread: Files that can't be read since.
    """

    entry: Entry
    changes: tuple[Told, ...]
    more: int
    people: People
    hands: tuple[tuple[str, str], ...]
    signed: Signed
    subject: str
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The commits of one day, UTC: ``Mon 28 Jul 2025``."""

    name: str
    items: tuple[Item, ...]


def activity(look: Look) -> Page:
    """A page of the log, as far as it is asked for: model, stage, author, event, since, until."""
    asked = {key: look.one(key) for key in _KEYS}
    if asked["event"] and asked["event"] not in EVENTS:
        raise InvalidInput(
            f"{cut(asked['event'], 40)!r} is no event", where="event", hint=f"events: {', '.join(EVENTS)}"
        )
    found = page_of(
        look.part,
        _wanted(look, asked),
        event=asked["event"],
        before=look.one("before") or None,
        size=SIZE,
    )
    names = names_of(look.part, ((entry.link, entry.changes) for entry in found.entries))
    hand = _hands(look, found.entries)
    items = [_item(look, entry, names, hand.get(entry.link.oid, ())) for entry in found.entries]
    narrowed = any(asked.values())
    return Page(
        template="activity.html",
        title="Activity",
        section="activity",
        values={
            "days": [
                Day(name=name, items=tuple(group))
                for name, group in groupby(items, key=lambda item: _day(item.entry))
            ],
            "asked": asked,
            "narrowed": narrowed,
            "opened": any(asked[key] for key in ("author", "event", "since", "until")),
            "events": [each for each in EVENTS if each not in ("rewrite", "vanish", "reuse")],
            "older": look.links.activity(before=found.before, **asked) if found.before else "",
            "newest": look.links.activity(**asked) if look.one("before") else "",
        },
    )


def _wanted(look: Look, asked: dict[str, str]) -> Wanted:
    try:
        return wanted_of(
            look.registry.store,
            look.part,
            asked["model"] or None,
            stage=asked["stage"] or None,
            author=asked["author"] or None,
            since=asked["since"] or None,
            until=asked["until"] or None,
        )
    except InvalidInput as error:
        error.where = (error.where or "").removeprefix("--")
        raise


def _day(entry: Entry) -> str:
    when = entry.link.time.astimezone(UTC)
    return f"{when:%a} {when.day} {when:%b %Y}"


def _hands(look: Look, entries: Sequence[Entry]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Commit → who proposed, approved and merged it, where that is known.

    For a merge Git is asked who made its other side: on one page for the newest merges alone.
    """
    merges = [entry.link.oid for entry in entries if len(entry.link.parents) > 1][:_MERGES]
    asked = [
        LogEntry(commit=commit_of(entry.link), changes=entry.changes)
        for entry in entries
        if len(entry.link.parents) < 2 or entry.link.oid in merges
    ]
    return {
        entry.commit.oid: tuple(did_of(who))
        for entry, who in hands(look.registry.store, look.part, asked)
        if who
    }


def _item(look: Look, entry: Entry, names: Names, hand: tuple[tuple[str, str], ...]) -> Item:
    changes = told(entry.changes[:_TOLD], look.links, names)
    return Item(
        entry=entry,
        changes=changes,
        more=entry.count - len(changes),
        people=people(entry),
        hands=hand,
        signed=signed(look.registry.store, entry.link),
        subject="" if _says_it(entry) else cut(entry.link.subject),
        unread=tuple(cut(path) for path in entry.unread[:_TOLD]),
    )


def _says_it(entry: Entry) -> bool:
    """Whether a commit's subject is the one that commands give, which tells its changes once more."""
    return bool(entry.changes) and entry.link.subject == subject(entry.changes)
