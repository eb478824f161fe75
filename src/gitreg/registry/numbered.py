"""Proposals that a plain server with our hooks has numbered, as they were fetched: what it wrote of each."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitreg.errors import GitregError, NotFound
from gitreg.registry.remote_branch import NUMBERED
from gitreg.registry.store import Store

_META = re.compile(rf"{NUMBERED}([1-9][0-9]{{0,8}})/meta")
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One of them; texts are the server's word, and only shown.

    Attributes:
        number: From 1.
        head: Full hex id of its newest commit.
        topic: By which a push updates it.
        title: One line.
        target: The branch that it is for.
        by: Who made it.
        updated: When; None where that can't be read.
        state: ``open``, ``merged`` or ``withdrawn``.
    """

    number: int
    head: str
    topic: str
    title: str
    target: str
    by: str
    updated: datetime | None
    state: str

    @property
    def ref(self) -> str:
        """Full name of the ref that holds its commit."""
        return f"{NUMBERED}{self.number}/head"

    @property
    def open(self) -> bool:
        """Whether it is neither merged nor withdrawn."""
        return self.state == "open"


def numbered(store: Store) -> list[Numbered]:
    """All of them, by number; what can't be read is left out."""
    found = []
    for name in store.repository.refs.list(NUMBERED):
        match = _META.fullmatch(name)
        one = _read(store, int(match[1]), name) if match else None
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda each: each.number)


def by_number(store: Store, number: int) -> Numbered | None:
    """The one with a number, open or not."""
    return _read(store, number, f"{NUMBERED}{number}/meta")


def refuse_closed(one: Numbered) -> Numbered:
    """Return it unless it is closed.

    Raises:
        NotFound: It is.
    """
    if not one.open:
        raise NotFound(
            f"proposal {one.number} is {one.state} already", where=one.ref, hint="gitreg proposals"
        )
    return one


def _read(store: Store, number: int, name: str) -> Numbered | None:
    refs = store.repository.refs
    head, oid = refs.read(f"{NUMBERED}{number}/head"), refs.read(name)
    if head is None or oid is None:
        return None
    with suppress(GitregError, ValueError, AttributeError, RecursionError):
        data = store.reader.blob(oid)
        told = json.loads(data) if len(data) <= _MOST_BYTES else {}
        text = {key: str(told.get(key, "")) for key in ("topic", "title", "target", "by", "state")}
        return Numbered(number=number, head=head, updated=_time(told.get("updated")), **text)
    return None


def _time(told: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
