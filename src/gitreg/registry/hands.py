"""Who proposed, approved and merged what gave or took a stage, however it was merged.

A merge commit knows its merger and keeps the proposer's commits; a squash loses their authors, which the
approvals name; a rebase leaves the proposer as author and the merger as committer, with the approvals in
commits of their own. Nothing is asked about a commit that was neither approved nor merged nor taken over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from gitreg.domain import names
from gitreg.domain.approval import address_key
from gitreg.domain.changes import Change
from gitreg.errors import GitFailure
from gitreg.gitstore.log import history
from gitreg.gitstore.objects import Person
from gitreg.index import values
from gitreg.index.reading import Slice
from gitreg.manifest.layout import MODELS_DIR
from gitreg.registry.log import LogEntry
from gitreg.registry.store import Store

_MOVES = ("transition", "assign", "unassign")
_Version = tuple[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Those who had a hand in one change of a stage.

    Attributes:
        change: What they did.
        proposed_by: Who asked for it; the name is empty where only an e-mail address is known.
        approved_by: The principals whose approvals stand in the registry; whether they count is not asked.
        merged_by: Who brought it to the branch; None where Git keeps no record (a fast-forward).
    """

    change: Change
    proposed_by: tuple[Person, ...] = ()
    approved_by: tuple[Person, ...] = ()
    merged_by: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approval:
    """One approval of one assignment of a stage: by whom, in which commit, and whom it names."""

    seq: int
    approver: str
    proposed_by: tuple[str, ...]


def hands(store: Store, part: Slice, entries: Iterable[LogEntry]) -> Iterator[tuple[LogEntry, list[Hands]]]:
    """Each entry of a log with those who had a hand in its changes of stages, where more than one had."""
    book = _Book(store, part)
    for entry in entries:
        moves = [change for change in entry.changes if change.event in _MOVES and change.version]
        yield entry, book.hands(entry, moves) if moves else []


class _Book:
    """What the index knows of approvals, asked once for each stage of a model."""

    def __init__(self, store: Store, part: Slice) -> None:
        self.store = store
        self.part = part
        self.approved = bool(part.rows("SELECT 1 FROM event WHERE event = 'approve' LIMIT 1"))
        self._gains: dict[tuple[str, str], dict[tuple[int, int], int]] = {}
        self._named: dict[str, str] = {}

    def hands(self, entry: LogEntry, moves: list[Change]) -> list[Hands]:
        commit = entry.commit
        merge = len(commit.parents) > 1
        if not (merge or self.approved or commit.author.email != commit.committer.email):
            return []
        own = self._authors(entry, moves) if merge else {}
        found = []
        for change in moves:
            approvals = self._approvals(commit.oid, change) if self.approved else []
            if merge or approvals or commit.author.email != commit.committer.email:
                found.append(self._one(entry, change, approvals, own.get((change.model, change.version), ())))
        return found

    def _one(
        self, entry: LogEntry, change: Change, approvals: list[_Approval], own: tuple[Person, ...]
    ) -> Hands:
        commit = entry.commit
        named = dict.fromkeys(email for each in approvals for email in each.proposed_by)
        proposers = own or tuple(map(self._person, named)) or (commit.author,)
        told = dict.fromkeys(each.approver for each in approvals)
        return Hands(
            change=change,
            proposed_by=proposers,
            approved_by=tuple(map(self._person, told)),
            merged_by=self._merger(entry, approvals, {address_key(person.email) for person in proposers}),
        )

    def _merger(self, entry: LogEntry, approvals: list[_Approval], proposers: set[str]) -> Person | None:
        commit = entry.commit
        if len(commit.parents) > 1:
            return commit.author
        here = self.part.index.place_of(commit.oid)
        squashed = any(each.seq == here for each in approvals)
        return commit.committer if squashed or address_key(commit.committer.email) not in proposers else None

    def _approvals(self, oid: str, change: Change) -> list[_Approval]:
        """Those with the number that this assignment has, whichever commit brought them."""
        if change.stage is None or change.version is None or change.stage in change.origin:
            return []
        number = self._number(oid, change.model, change.version, change.stage)
        rows = self.part.rows(
            "SELECT e.seq, e.after FROM event e WHERE e.event = 'approve' AND e.name = ? AND e.number = ? "
            "AND e.stage = ? AND e.seq <= ? ORDER BY e.field",
            *(change.model, change.version, change.stage, self.part.seq),
        )
        told = [(seq, values.loads(after)) for seq, after in rows]
        return [
            _Approval(seq=seq, approver=after["approver"], proposed_by=after.get("proposed_by", ()))
            for seq, after in told
            if after.get("number") == number
        ]

    def _number(self, oid: str, name: str, version: int, stage: str) -> int | None:
        key = name, stage
        if key not in self._gains:
            rows = self.part.rows(
                "SELECT e.seq, e.number, e.origin FROM event e WHERE e.name = ? AND e.stage = ? "
                "AND e.event IN ('transition', 'assign') AND e.number IS NOT NULL AND e.seq <= ? "
                "ORDER BY e.seq, e.place",
                *(name, stage, self.part.seq),
            )
            gained = [row[:2] for row in rows if not row[2] or stage not in json.loads(row[2])]
            self._gains[key] = {at: count for count, at in enumerate(gained, 1)}
        seq = self.part.index.place_of(oid)
        return None if seq is None else self._gains[key].get((seq, version))

    def _authors(self, entry: LogEntry, moves: list[Change]) -> dict[_Version, tuple[Person, ...]]:
        """Model and version → who made the commits of a merge's other side that touch its manifest."""
        ends = {
            f"/{names.folder(change.model)}/versions/{change.version}.yaml": (change.model, change.version)
            for change in moves
        }
        found: dict[_Version, dict[str, Person]] = {at: {} for at in ends.values()}
        before, other = entry.commit.parents[:2]
        paths = [self.store.prefix + MODELS_DIR]
        with suppress(GitFailure):  # a shallow clone may lack the other side
            for commit in history(self.store.repository, head=other, after=before, paths=paths):
                for touched in commit.changes:
                    at = next((ends[end] for end in ends if touched.path.endswith(end)), None)
                    if at is not None:
                        found[at].setdefault(address_key(commit.author.email), commit.author)
        return {at: tuple(reversed(people.values())) for at, people in found.items()}

    def _person(self, principal: str) -> Person:
        """A principal with the name that the history knows it by."""
        if principal not in self._named:
            self._named[principal] = called(self.part, principal)
        return Person(name=self._named[principal], email=principal)


def called(part: Slice, principal: str) -> str:
    """The name that the history knows somebody by; ``""`` where it does not know them.

    Args:
        part: The index.
        principal: An e-mail address.
    """
    rows = part.rows("SELECT author FROM chain WHERE email = ? COLLATE NOCASE LIMIT 1", principal)
    return str(rows[0][0]) if rows else ""
