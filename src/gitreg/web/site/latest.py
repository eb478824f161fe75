"""What happened last, with a bound on what is told of one commit: an import may have changed everything."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gitreg.domain.changes import Change
from gitreg.index.reading import Slice
from gitreg.registry.activity import MOST_CHANGES, activity
from gitreg.registry.log import EVERYTHING, LogEntry, change_of, commit_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """One commit; of one that changed more than ``MOST_CHANGES`` things only so many. ``count`` is of all."""

    entry: LogEntry
    count: int


def latest(part: Slice, most: int) -> list[Latest]:
    """The commits that changed something, newest first.

    Args:
        part: The index at the commit.
        most: How many.
    """
    found = activity(part, EVERYTHING, size=most).entries
    few = [each.link.seq for each in found if each.count <= MOST_CHANGES]
    whole: dict[int, tuple[Change, ...]] = {}
    for row in part.rows(
        "SELECT e.* FROM json_each(?) j CROSS JOIN event e ON e.seq = j.value ORDER BY e.seq, e.place",
        json.dumps(few),
    ):
        whole[row[0]] = (*whole.get(row[0], ()), change_of(row))
    return [
        Latest(
            entry=LogEntry(
                commit=commit_of(each.link),
                changes=whole.get(each.link.seq, each.changes),
                unread=each.unread,
            ),
            count=each.count,
        )
        for each in found
    ]
