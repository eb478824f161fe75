"""Who proposed, approved and merged what gave or took a stage or changed the rules, however it was merged.

A merge commit knows its merger and keeps the proposer's commits; a squash loses their authors, which the
approvals name; a rebase leaves the proposer as author and the merger as committer, with the approvals in
commits of their own. Nothing is asked about a commit that was neither approved nor merged. Nobody is said to
have approved but whose approval counted when the commit was judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitreg.domain import names
from gitreg.domain.approval import address_key
from gitreg.domain.changes import Change
from gitreg.errors import GitregError
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.log import history
from gitreg.gitstore.objects import Person
from gitreg.gitstore.steps import step
from gitreg.index import values
from gitreg.index.reading import Slice
from gitreg.manifest.layout import MODELS_DIR, SETTINGS_FILE, policy_approvals_dir
from gitreg.registry.log import LogEntry
from gitreg.registry.rule_files import rule_file_paths
from gitreg.registry.store import Store

if TYPE_CHECKING:
    from gitreg.registry.counted import CommitCounted, Counted

_MOVES = ("transition", "assign", "unassign")
_UNASKED = "the rules asked for no approvals"
_Subject = tuple[str, int | None]
_RULES: _Subject = ("", None)
_SHORT = 20  # commits


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Somebody whose approval counted.

    Attributes:
        person: Who; the name is empty where only an e-mail address is known.
        attester: The server that vouches for who signed in there; ``""``: they signed it themselves.
    """

    person: Person
    attester: str = ""

    @property
    def said(self) -> str:
        """``Grace Hopper (signed in at models@example.com)``."""
        return called_or_address(self.person) + (f" (signed in at {self.attester})" if self.attester else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """Somebody who signed, too, and why that did not count."""

    person: Person
    reason: str

    @property
    def said(self) -> str:
        """``Alan Turing (it was good until 2026-01-31)``."""
        return f"{called_or_address(self.person)} ({self.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """Approvals of which nobody can tell here whether they counted: whose they are, and why."""

    signed_by: tuple[Person, ...]
    reason: str

    @property
    def said(self) -> str:
        """``the clone is shallow; signed by Alan Turing``."""
        return f"{self.reason}; signed by {', '.join(map(called_or_address, self.signed_by))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Those who had a hand in one change of a stage, or of the rules.

    Attributes:
        change: What they did.
        proposed_by: Who asked for it.
        approved_by: Whose approvals counted.
        not_counted: Who signed besides.
        unjudged: In place of these two, where the approvals can't be judged.
        merged_by: Who brought it to the branch; None where Git keeps no record (a fast-forward).
    """

    change: Change
    proposed_by: tuple[Person, ...] = ()
    approved_by: tuple[Approver, ...] = ()
    not_counted: tuple[Uncounted, ...] = ()
    unjudged: Unjudged | None = None
    merged_by: Person | None = None

    @property
    def signed(self) -> bool:
        """Whether anybody approved it, whatever that is worth."""
        return bool(self.approved_by or self.not_counted or self.unjudged)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approval:
    """One approval: its commit, whose it is, for which assignment (0: of the rules), and whom it names."""

    seq: int
    approver: str
    number: int
    proposed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """The approvals of one change, and what the judge says of them: None where that can't be known."""

    approvals: Sequence[_Approval] = ()
    counted: Counted | None = None
    fault: str = ""


def hands(store: Store, part: Slice, entries: Iterable[LogEntry]) -> Iterator[tuple[LogEntry, list[Hands]]]:
    """Each entry of a log with those who had a hand in what it did to stages and rules, where known."""
    book = _Book(store, part)
    for entry in entries:
        yield entry, book.hands(entry)


def called_or_address(person: Person) -> str:
    """What somebody is called; where that is not known, their e-mail address."""
    return person.name or person.email


def called(part: Slice, principal: str) -> str:
    """The name that the history knows somebody by; ``""`` where it does not know them.

    Args:
        part: The index.
        principal: An e-mail address.
    """
    rows = part.rows("SELECT author FROM chain WHERE email = ? COLLATE NOCASE LIMIT 1", principal)
    return str(rows[0][0]) if rows else ""


def _gone_along(one: Hands, others: Iterable[Hands]) -> Hands:
    """What a squash took along with an approved promotion of the model was proposed with it.

    Of a squash Git keeps one author: who merged.
    """
    if one.signed:
        return one
    led = (each for each in others if each.approved_by and each.change.model == one.change.model)
    first = next(led, None)
    return replace(one, proposed_by=first.proposed_by, merged_by=first.merged_by) if first else one


class _Book:
    """What the index knows of approvals, asked once for each stage of a model."""

    def __init__(self, store: Store, part: Slice) -> None:
        self.store = store
        self.part = part
        any_approval = "SELECT 1 FROM event WHERE event = 'approve' AND number IS {} NULL LIMIT 1"
        self.approved = bool(part.rows(any_approval.format("NOT")))
        self.approved_rules = bool(part.rows(any_approval.format("")))
        self._gains: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._approvals_of: dict[tuple[str, int, str], list[_Approval]] = {}
        self._named: dict[str, str] = {}

    def hands(self, entry: LogEntry) -> list[Hands]:
        commit, merge = entry.commit, len(entry.commit.parents) > 1
        moves = [change for change in entry.changes if change.event in _MOVES and change.version]
        rules = [change for change in entry.changes if change.event == "policy"]
        here = self.part.index.place_of(commit.oid)
        if here is None or not (moves or rules):
            return []
        heard = {id(change): self._of_move(commit.oid, here, change, merge) for change in moves}
        heard |= dict.fromkeys(map(id, rules), self._of_rules(commit.oid, here, merge) if rules else _Heard())
        if not merge and not any(each.approvals for each in heard.values()):
            return []  # a write of one's own, or there is no trace of more
        own = self._authors(entry, moves, rules) if merge else {}
        found = [self._one(entry, here, change, heard[id(change)], own) for change in (*moves, *rules)]
        return found if merge else [_gone_along(each, found) for each in found]

    def _one(
        self,
        entry: LogEntry,
        here: int,
        change: Change,
        heard: _Heard,
        own: Mapping[_Subject, tuple[Person, ...]],
    ) -> Hands:
        commit, told, counted = entry.commit, heard.approvals, heard.counted
        given = counted.given if counted else {}
        # Anybody can write into a file whom they like: believed is what counted.
        believed = [each for each in told if heard.fault or each.approver in given]
        named = dict.fromkeys(email for each in believed for email in each.proposed_by)
        proposers = own.get((change.model, change.version), ()) or tuple(map(self._person, named))
        proposers = proposers or (commit.author,)
        signers = dict.fromkeys(each.approver for each in told)
        if heard.fault:
            unjudged = Unjudged(signed_by=tuple(map(self._person, signers)), reason=heard.fault)
            return Hands(
                change=change,
                proposed_by=proposers,
                unjudged=unjudged,
                merged_by=self._merger(entry, here, told, proposers),
            )
        refused = dict.fromkeys(signers, _UNASKED) if counted and not counted.asked else {}
        refused |= counted.refused if counted else {}
        return Hands(
            change=change,
            proposed_by=proposers,
            approved_by=tuple(Approver(person=self._person(who), attester=by) for who, by in given.items()),
            not_counted=tuple(
                Uncounted(person=self._person(who), reason=why) for who, why in refused.items()
            ),
            merged_by=self._merger(entry, here, told, proposers),
        )

    def _merger(
        self, entry: LogEntry, here: int, told: Sequence[_Approval], proposers: Sequence[Person]
    ) -> Person | None:
        commit = entry.commit
        if len(commit.parents) > 1:
            return commit.author
        squashed = any(each.seq == here for each in told)
        asked = {address_key(person.email) for person in proposers}
        return commit.committer if squashed or address_key(commit.committer.email) not in asked else None

    # Approvals of a version for a stage

    def _of_move(self, oid: str, here: int, change: Change, merge: bool) -> _Heard:
        if not self.approved or change.event == "unassign" or change.stage in (None, *change.origin):
            return _Heard()
        told = self._meant(here, change)
        if merge or any(each.seq == here for each in told):  # what came later was too late for it
            told = [each for each in told if each.seq <= here]
        if not told:
            return _Heard()
        last = max(here, *(each.seq for each in told))
        found, fault = self._judged(oid, last)
        if found is None:
            return _Heard(approvals=told, fault=fault)
        counted = found.gains.get((change.model, change.version or 0, change.stage or ""))
        if counted is None:
            return _Heard(approvals=told, fault=found.fault or "it can't be read")
        return _Heard(approvals=told, counted=counted, fault=counted.fault)

    def _meant(self, here: int, change: Change) -> list[_Approval]:
        """Those that may be for this assignment, whichever commit brought them.

        Which number it has a shallow clone does not know: what came with it or after it is looked at there.
        """
        name, version, stage = change.model, change.version or 0, change.stage or ""
        gains = self._gained(name, stage)
        number = gains.index((here, version)) + 1 if (here, version) in gains else 0
        before = [count for count, (_, who) in enumerate(gains[: max(number - 1, 0)], 1) if who == version]
        after = [seq for seq, who in gains[number:] if who == version]
        found = self._given(name, version, stage)
        if self.part.shallow:
            end = after[0] if after else self.part.seq + 1
            return [each for each in found if here <= each.seq < end]
        first = before[-1] if before else 0
        return [each for each in found if first < each.number <= number]

    def _given(self, name: str, version: int, stage: str) -> list[_Approval]:
        key = name, version, stage
        if key not in self._approvals_of:
            rows = self.part.rows(
                "SELECT e.seq, e.after FROM event e WHERE e.event = 'approve' AND e.name = ? "
                "AND e.number = ? AND e.stage = ? AND e.seq <= ? ORDER BY e.field",
                *(*key, self.part.seq),
            )
            self._approvals_of[key] = [_approval(*row) for row in rows]
        return self._approvals_of[key]

    def _gained(self, name: str, stage: str) -> list[tuple[int, int]]:
        """The assignments of a stage, oldest first: the commit's place, and the version."""
        key = name, stage
        if key not in self._gains:
            rows = self.part.rows(
                "SELECT e.seq, e.number, e.origin FROM event e WHERE e.name = ? AND e.stage = ? "
                "AND e.event IN ('transition', 'assign') AND e.number IS NOT NULL AND e.seq <= ? "
                "ORDER BY e.seq, e.place",
                *(name, stage, self.part.seq),
            )
            self._gains[key] = [row[:2] for row in rows if not row[2] or stage not in json.loads(row[2])]
        return self._gains[key]

    # Approvals of a change of the rules

    def _of_rules(self, oid: str, here: int, merge: bool) -> _Heard:
        if not self.approved_rules:
            return _Heard()
        if self.part.shallow:
            told = [each for each in self._policy_approvals("") if each.seq == here]
            return _Heard(approvals=told, fault=self._judged(oid, here)[1] if told else "")
        found, fault = self._judged(oid, here)
        if found is None:
            told = [each for each in self._policy_approvals("") if each.seq == here]
            return _Heard(approvals=told, fault=fault if told else "")
        if found.rules is None or not found.rules.digest:
            return _Heard()
        told = self._policy_approvals(policy_approvals_dir(found.rules.digest))
        later = [each.seq for each in told if each.seq > here]
        if later and not merge and not any(each.seq == here for each in told):
            found, fault = self._judged(oid, max(later))
        else:
            told = [each for each in told if each.seq <= here]
        counted = found.rules if found else None
        return _Heard(approvals=told, counted=counted, fault=fault) if told else _Heard()

    def _policy_approvals(self, folder: str) -> list[_Approval]:
        rows = self.part.rows(
            "SELECT e.seq, e.after FROM event e WHERE e.event = 'approve' AND e.name = '' "
            "AND e.number IS NULL AND e.seq <= ? AND substr(e.field, 1, ?) = ? ORDER BY e.field",
            *(self.part.seq, len(folder), folder),
        )
        return [_approval(*row) for row in rows]

    # What both need

    def _judged(self, oid: str, end: int) -> tuple[CommitCounted | None, str]:
        """What the judge said of a commit with the approvals of another; None, and why: nobody can tell."""
        if self.part.shallow:
            return None, "the clone is shallow (git fetch --unshallow)"
        from gitreg.registry.counted import counted  # signatures take long to import

        holder = self.part.index.oid_of(end)
        try:
            return counted(self.store, oid, holder or oid), ""
        except GitregError as error:
            return None, error.message

    def _authors(
        self, entry: LogEntry, moves: Sequence[Change], rules: Sequence[Change]
    ) -> dict[_Subject, tuple[Person, ...]]:
        """Who made the commits of a merge's other side that touch a version's manifest, or the rules."""
        ends = {
            f"/{names.folder(change.model)}/versions/{change.version}.yaml": (change.model, change.version)
            for change in moves
        }
        paths = [self.store.prefix + MODELS_DIR] if moves else []
        ruling = [self.store.prefix + SETTINGS_FILE, *rule_file_paths(self.store)] if rules else []
        found: dict[_Subject, dict[str, Person]] = {at: {} for at in (*ends.values(), _RULES)}
        with suppress(GitregError):  # a shallow clone may lack the other side
            for commit in self._other_side(entry.commit, [*paths, *ruling]):
                for touched in commit.changes:
                    at = next((ends[end] for end in ends if touched.path.endswith(end)), None)
                    if any(touched.path == one or touched.path.startswith(f"{one}/") for one in ruling):
                        at = _RULES
                    if at is not None:
                        found[at].setdefault(address_key(commit.author.email), commit.author)
        return {at: tuple(reversed(people.values())) for at, people in found.items()}

    def _other_side(self, merge: HistoryCommit, paths: Sequence[str]) -> Iterator[HistoryCommit]:
        """The commits that a merge brings, newest first; a short straight branch needs no process."""
        before, other = merge.parents[:2]
        boundary, here = self.store.repository.shallow(), other
        found: list[HistoryCommit] = []
        while self.part.index.place_of(here) is None:
            one = step(self.store.reader, here, prefix="", names=paths, rootless=boundary)
            if len(one.parents) != 1 or len(found) == _SHORT:
                yield from history(self.store.repository, head=other, after=before, paths=paths)
                return
            found.append(one)
            here = one.parents[0]
        yield from found

    def _person(self, principal: str) -> Person:
        """A principal with the name that the history knows it by."""
        if principal not in self._named:
            self._named[principal] = called(self.part, principal)
        return Person(name=self._named[principal], email=principal)


def _approval(seq: int, after: str) -> _Approval:
    told = values.loads(after)
    return _Approval(
        seq=seq,
        approver=told["approver"],
        number=told.get("number", 0),
        proposed_by=tuple(told.get("proposed_by", ())),
    )
