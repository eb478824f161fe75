"""What happened to the registry, newest first and day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import get_args

from gitreg.domain.changes import Event, subject
from gitreg.errors import InvalidInput
from gitreg.registry.activity import Entry
from gitreg.registry.activity import activity as page_of
from gitreg.registry.log import Wanted
from gitreg.registry.looking import wanted_of
from gitreg.registry.signed import Signed, signed
from gitreg.web.pages.cut import cut
from gitreg.web.pages.happened import People, Told, people, told
from gitreg.web.pages.look import Look, Page

SIZE = 50
"""Commits on a page."""
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
        signed: What is to be said of its signature.
        subject: Its own subject, where that says something else than its changes; else ``""``.
        unread: Files that can't be read since.
    """

    entry: Entry
    changes: tuple[Told, ...]
    more: int
    people: People
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
    items = [_item(look, entry) for entry in found.entries]
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


def _item(look: Look, entry: Entry) -> Item:
    changes = told(entry.changes[:_TOLD], look.links)
    return Item(
        entry=entry,
        changes=changes,
        more=entry.count - len(changes),
        people=people(entry),
        signed=signed(look.registry.store, entry.link),
        subject="" if _says_it(entry) else cut(entry.link.subject),
        unread=tuple(cut(path) for path in entry.unread[:_TOLD]),
    )


def _says_it(entry: Entry) -> bool:
    """Whether a commit's subject is the one that commands give, which tells its changes once more."""
    return bool(entry.changes) and entry.link.subject == subject(entry.changes)
