"""What happened after a point of the history, out of the index: each change once, in order, with an id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitreg.domain.branches import belongs, home
from gitreg.domain.names import from_folder, shown
from gitreg.errors import InvalidInput, NotFound
from gitreg.gitstore.objects import moment
from gitreg.manifest.encode import time_text
from gitreg.registry.dates import is_date
from gitreg.registry.log import change_of
from gitreg.registry.proposal_names import promoted, words_of
from gitreg.registry.remote_branch import BRANCHES, NUMBERED
from gitreg.render.values import change_document

if TYPE_CHECKING:
    from gitreg.registry.store import Store

_ID = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})(?:\.([0-9]{1,9}))?")
_AFTER_ALL = 2**31
Order = tuple[int, int]
"""Number of a commit in the branch's history, and place of a change in it."""
AT_ONCE = 500
"""Changes that are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the history: behind a change of a commit (full hex id); ``""``: where it begins."""

    commit: str
    place: int = _AFTER_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened.

    Attributes:
        id: The commit and the place of the change in it; ``""`` for what no commit of the branch tells.
        event: What it is called.
        model: The model's name; ``""`` where it is no model's.
        document: All of it as JSON data.
        order: Where it stands in the history; None: nowhere.
    """

    id: str
    event: str
    model: str
    document: dict[str, Any]
    order: Order | None = None


def point_of_id(text: str) -> Point:
    """The point that an event's id names.

    Raises:
        InvalidInput: It is no such id.
    """
    found = _ID.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"{shown(text)} is no id of an event", where="Last-Event-ID", hint="COMMIT.PLACE")
    return Point(commit=found[1], place=_AFTER_ALL if found[2] is None else int(found[2]))


def point_of(store: Store, text: str) -> Point:
    """The point that ``since`` means: an event's id, or a date, commit, branch or tag.

    Raises:
        InvalidInput, NotFound: It is none.
    """
    found = _ID.fullmatch(text.strip())
    point = point_of_id(text) if found else Point(commit=_commit_for(store, text))
    if not on_chain(store, point):
        raise NotFound(
            f"the commit {point.commit[:10]} is not on the registry's branch",
            where="query.since",
            hint="leave it out to begin now",
        )
    return point


def _commit_for(store: Store, text: str) -> str:
    try:
        return store.commit_for(text)
    except InvalidInput as error:
        if isinstance(error, NotFound) and is_date(text):
            return ""  # all that ever happened came later
        error.where = "query.since"
        raise


def on_chain(store: Store, point: Point) -> bool:
    """Whether a point is on the history of the branch as it is now."""
    return not point.commit or store.index.slice().index.place_of(point.commit) is not None


def order_of(store: Store, point: Point) -> Order:
    """Where a point of the branch's history stands in it."""
    return store.index.slice().index.place_of(point.commit) or 0, point.place


def after(store: Store, order: Order, until: Point, *, most: int = AT_ONCE) -> Sequence[Happening]:
    """The first changes behind a place of the history, up to a point.

    Args:
        store: The registry.
        order: Behind this.
        until: On the branch's first-parent chain.
        most: How many at most.
    """
    part = store.index.slice(until.commit)
    seq, place = order
    rows = part.rows(
        "SELECT c.oid, c.time, c.author, c.email, c.committer, c.committer_email, e.* "
        "FROM event e CROSS JOIN chain c ON c.seq = e.seq "
        "WHERE e.seq >= ? AND (e.seq > ? OR e.place > ?) AND e.seq <= ? AND (e.seq < ? OR e.place <= ?) "
        "ORDER BY e.seq, e.place LIMIT ?",
        *(seq, seq, place, part.seq, part.seq, until.place, most),
    )
    return [_happening(row[:6], row[6:]) for row in rows]


def _happening(commit: tuple[Any, ...], row: tuple[Any, ...]) -> Happening:
    oid, time, author, email, committer, committer_email = commit
    change = change_of(row)
    return Happening(
        id=f"{oid}.{row[1]}",
        order=(row[0], row[1]),
        event=change.event,
        model=change.model,
        document={
            "id": f"{oid}.{row[1]}",
            "commit": oid,
            "time": time_text(moment(time, "+0000")),
            "author": {"name": author, "email": email},
            "committer": {"name": committer, "email": committer_email},
            **change_document(change),
        },
    )


# Proposals, which no commit of the branch tells of


def proposals(store: Store) -> dict[str, str]:
    """Name of each proposal that this repository holds → full hex id of its newest commit."""
    refs = store.repository.refs
    branches = refs.beginning(BRANCHES + home(store.prefix))
    found = {ref.removeprefix(BRANCHES): oid for ref, oid in branches.items()}
    found = {name: oid for name, oid in found.items() if belongs(name, store.prefix)}
    for ref, oid in refs.beginning(NUMBERED).items():
        if ref.endswith("/head"):
            found[ref.removeprefix(NUMBERED).removesuffix("/head")] = oid
    return found


def proposed(before: dict[str, str], now: dict[str, str]) -> list[Happening]:
    """What came, or was changed, between two looks at the proposals."""
    return [_proposal(name, oid) for name, oid in sorted(now.items()) if before.get(name) != oid]


def _proposal(name: str, oid: str) -> Happening:
    document: dict[str, Any] = {"event": "propose", "proposal": name, "head": oid}
    words, told = words_of(name), promoted(name)
    model = (from_folder(words[1]) or "") if len(words) > 1 else ""
    if model:
        document["model"] = model
    if told is not None:
        document |= {"version": told.version, "stage": told.stage}
    return Happening(id="", event="propose", model=model, document=document)
