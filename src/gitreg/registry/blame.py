"""Which commit gave each field the value that it has: read off the rows of the index, newest first.

A field is credited to the first commit since which its value stood without a break. A manifest that
could not be read for a while says nothing, and is passed over; one that was deleted is a break.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gitreg.domain.model import READY
from gitreg.index.reading import Slice, Span
from gitreg.index.schema import LIVE, UNREADABLE
from gitreg.registry.looking import view_of
from gitreg.registry.store import Store

_MAPS = ("tags", "stages", "params", "metrics", "aliases")
_SILENT = frozenset({"version", "updated", "last_version"})  # the first is the name, the others tell no act
_CHUNK = 256

Key = tuple[str, str]
"""A field, and the key below it or ``""``: ``("tags", "owner")``, ``("source", "")``."""
_Row = tuple[int, int, int, str | None]  # since, until, state, doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """One field, and the commit that gave it its value.

    Attributes:
        field: As in the manifest.
        key: Below it, for tags, stages, params, metrics and aliases; for evaluations their name; else ``""``.
        value: As the manifest holds it.
        commit: Full hex id.
        author: Name.
        email: Of the author.
        time: When it was committed.
        subject: Of the commit's message.
        event: ``register`` or ``restore`` where the value came together with the whole, else ``change``.
        boundary: The clone is shallow and begins with this commit: an older one may have set it.
    """

    field: str
    key: str = ""
    value: Any
    commit: str
    author: str
    email: str
    time: datetime
    subject: str
    event: Literal["register", "restore", "change"] = "change"
    boundary: bool = False

    @property
    def path(self) -> str:
        """``tags.owner``, ``source``."""
        return f"{self.field}.{self.key}" if self.key else self.field


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Who set what of a model or version.

    Attributes:
        name: Of the model.
        version: Its number; None for the model's own manifest.
        commit: Full hex id of the commit at which it is told.
        credits: One for each field that has a value, in the order of the manifest.
    """

    name: str
    version: int | None
    commit: str
    credits: tuple[Credit, ...]


def blame(store: Store, part: Slice, uri: str) -> Blame:
    """The credits of the version or model that ``uri`` means.

    Raises:
        NotFound: It does not stand at that commit.
    """
    view = view_of(store, part)
    found = view.reference(uri)
    if found.selector is None:
        name, number = view.model(found.name).name, None
        credited = blame_model(part, name)
    else:
        version = view.version(uri)
        name, number = version.name, version.version
        credited = blame_version(part, name, number)
    return Blame(name=name, version=number, commit=part.commit, credits=tuple(credited))


def blame_version(part: Slice, name: str, number: int) -> list[Credit]:
    """The credits of a version, in the order of its manifest, and of the aliases that point to it.

    Args:
        part: The registry at a commit.
        name: What its model is called there; a rename is followed.
        number: Of a version that stands there.
    """
    names = part.names(name)
    found = _credits(part, _rows(part, "version", names, number))
    aliases = _credits(part, _rows(part, "model", names), only="aliases")
    return found + [credit for credit in aliases if credit.value == number]


def blame_model(part: Slice, name: str) -> list[Credit]:
    """The credits of a registered model's own manifest; its name is one of its fields."""
    return _credits(part, _rows(part, "model", part.names(name)))


def _rows(part: Slice, table: str, names: Iterable[Span], number: int | None = None) -> Iterator[_Row]:
    """The rows of one manifest, newest first, through the names that its model had."""
    own = "" if number is None else " AND number = ?"
    sql = (
        f"SELECT since, until, state, doc FROM {table} WHERE name = ?{own} AND since < ? AND since >= ? "
        f"ORDER BY since DESC LIMIT {_CHUNK}"
    )
    for span in names:
        end = min(span.until, part.seq + 1)
        while True:
            given = [span.name] if number is None else [span.name, number]
            rows = part.rows(sql, *given, end, span.since)
            yield from rows
            if len(rows) < _CHUNK:
                break
            end = rows[-1][0]


def _credits(part: Slice, rows: Iterator[_Row], *, only: str = "") -> list[Credit]:
    """Follow every field of the newest row back to where its value begins."""
    first = next(rows, None)
    if first is None or first[2] != LIVE or first[1] <= part.seq:
        return []
    now = _fields(first[3], only)
    since: dict[Key, int] = {}
    unsettled, begun, edge = dict(now), first[0], first[0]
    for start, until, state, doc in rows:
        if not unsettled or until != edge or state not in (LIVE, UNREADABLE):
            break
        edge = start
        if state == LIVE:
            was = _fields(doc, only)
            for key in [key for key, value in unsettled.items() if was.get(key, _NOTHING) != value]:
                del unsettled[key]
                since[key] = begun
            begun = start
    since |= dict.fromkeys(unsettled, begun)
    return list(_told(part, now, since, begun if unsettled else 0))


_NOTHING = object()


def _fields(doc: str | None, only: str) -> dict[Key, Any]:
    """The fields of a manifest's data, in its order."""
    data: Mapping[str, Any] = json.loads(doc or "{}")
    found: dict[Key, Any] = {}
    for field, value in data.items():
        if field in _SILENT or (only and field != only):
            continue
        if field in _MAPS:
            found |= {(field, key): below for key, below in value.items()}
        elif field == "evaluations":
            # Two may have one name: the place tells them apart, and they are only ever appended.
            found |= {(field, f"{place} {one['name']}"): one for place, one in enumerate(value)}
        else:
            found[field, ""] = value
    if "source" in data and not only:
        found.setdefault(("status", ""), READY)  # the manifest leaves the usual one out
    return found


def _told(part: Slice, now: Mapping[Key, Any], since: Mapping[Key, int], whole: int) -> Iterator[Credit]:
    """The credits, each with its commit.

    Args:
        part: The registry at a commit.
        now: Field → value.
        since: Field → the commit that gave it.
        whole: The commit with which the whole came; 0 where nothing of that is left.
    """
    links = {seq: part.link(seq) for seq in sorted(set(since.values()))}
    came: Literal["register", "restore"] = "restore" if _restored(part, whole) else "register"
    shallow = part.shallow
    for (field, key), value in now.items():
        link = links[since[field, key]]
        yield Credit(
            field=field,
            key=key.partition(" ")[2] if field == "evaluations" else key,
            value=value,
            commit=link.oid,
            author=link.author,
            email=link.email,
            time=link.time,
            subject=link.subject,
            event=came if link.seq == whole else "change",
            boundary=shallow and link.seq == 1,
        )


def _restored(part: Slice, seq: int) -> bool:
    return bool(part.rows("SELECT 1 FROM event WHERE seq = ? AND event = 'restore' LIMIT 1", seq))
