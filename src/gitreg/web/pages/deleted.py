"""The versions of a model that are deleted: told where no other is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitreg.domain.model import VersionTombstone
from gitreg.index.reading import Link
from gitreg.index.schema import GONE
from gitreg.registry.record import ModelRecord

_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedVersion:
    """A deleted version: when, and the commit that deleted it (None: history does not tell)."""

    number: int
    at: datetime
    link: Link | None


def deleted_versions(record: ModelRecord) -> list[DeletedVersion]:
    """The highest deleted versions of a model, highest first."""
    rows = record.part.rows(
        "SELECT v.number FROM version v WHERE v.name = ? AND v.state = ? AND $v "
        "ORDER BY v.number DESC LIMIT ?",
        *(record.name, GONE, _MOST),
    )
    found = []
    for (number,) in rows:
        left = record.version(number)
        if isinstance(left, VersionTombstone):
            entries = record.entries(number)
            links = (e.link for e in entries if any(one.event == "delete" for one in e.entry.changes))
            found.append(DeletedVersion(number=number, at=left.deleted.at, link=next(links, None)))
    return found
