"""Finds out what happened to proposals: they stand in refs that move, so each look is compared with the last.

What is found is announced in the transaction that keeps the look: nothing is told twice, nothing forgotten.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from gitreg.domain.branches import OURS, belongs, elsewhere, home
from gitreg.domain.changes import Change
from gitreg.errors import GitregError
from gitreg.gitstore.ancestry import merge_base, refs_within
from gitreg.gitstore.log import is_ancestor
from gitreg.registry.history import commits_between
from gitreg.registry.numbered import numbered
from gitreg.registry.open_proposals import added
from gitreg.registry.remote_branch import BRANCHES, NUMBERED
from gitreg.registry.store import Store
from gitreg.subscribers.announcement import Proposed, announce, dump, last_number, load, proposed, sweep
from gitreg.subscribers.event import Data, Event, short
from gitreg.subscribers.history import approval_data, person
from gitreg.subscribers.kinds import BY_TYPE
from gitreg.subscribers.ledger import Ledger

_MOST_CHANGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A proposal at one look.

    Attributes:
        ref: That holds its commit: full name.
        head: Full hex id of that.
        state: ``open``, ``merged`` or ``withdrawn``.
        round: How often a branch of that name was a proposal.
        changes: What it would change.
        approvals: Paths of the approvals that it brings.
        number: Where a server of ours numbers it.
        branch: Its short name, or the topic by which it is updated.
        title: What its server calls it; ``""``: what its newest commit says.
        by: Who made it, as its server knows them.
        target: The branch that it is for.
        when: When its server says that it changed.
    """

    ref: str
    head: str
    state: str = "open"
    round: int = 1
    changes: tuple[Proposed, ...] = ()
    approvals: frozenset[str] = frozenset()
    number: int | None = None
    branch: str = ""
    title: str = ""
    by: str = ""
    target: str = ""
    when: datetime | None = None


def refs_of(store: Store) -> dict[str, str]:
    """Every ref that a proposal may stand in, with its id: what differs when one moved."""
    refs = store.repository.refs
    return refs.beginning(NUMBERED) | _branches(store)


def _branches(store: Store) -> dict[str, str]:
    """Those that commands made for proposals of this registry, by full name."""
    found = store.repository.refs.beginning(f"{BRANCHES}{home(store.prefix)}")
    return {ref: oid for ref, oid in found.items() if belongs(ref.removeprefix(BRANCHES), store.prefix)}


def look(store: Store, ledger: Ledger, now: datetime) -> None:
    """Announce what happened to proposals since the last look.

    Args:
        store: The registry, on its own branch.
        ledger: What was seen then.
        now: The time, for what has none of its own.
    """
    _Look(store, ledger, now).compare()


def begin(store: Store, ledger: Ledger, now: datetime) -> int:
    """The number of the announcement after which a new webhook begins: what is open already is not told."""
    here = _Look(store, ledger, now)
    here.compare() if ledger.webhooks() else here.keep()
    return last_number(ledger)


class _Look:
    """One look at the proposals of a registry."""

    def __init__(self, store: Store, ledger: Ledger, now: datetime) -> None:
        self.store = store
        self.ledger = ledger
        self.now = now
        self.main = store.head()
        self.branch = store.read_branch()

    def keep(self) -> None:
        """Take what there is for known."""
        with self.ledger.writing() as db:
            db.execute("DELETE FROM proposal")
            for one in self._there({}):
                changes, approvals = self._contents(one)
                paths = frozenset(change.field or "" for change in approvals)
                _save(db, replace(one, changes=changes, approvals=paths))

    def compare(self) -> None:
        """Announce what differs from the last look."""
        with self.ledger.writing() as db:
            before = _load(db)
            found = {one.ref: one for one in self._there(before)}
            for ref, was in before.items():
                if ref not in found and was.state == "open":
                    found[ref] = replace(was, state=self._ended(was))
            for ref in sorted(found, key=_by_number):
                self._compare(db, before.get(ref), found[ref])
            sweep(db)

    def _there(self, before: Mapping[str, Seen]) -> Iterator[Seen]:
        topics = set()
        for each in numbered(self.store):
            topics.add(each.topic)
            if elsewhere(each.topic, self.store.prefix):
                continue
            yield Seen(
                ref=each.ref,
                head=each.head,
                state=each.state,
                number=each.number,
                branch=each.topic,
                title=each.title,
                by=each.by,
                target=each.target,
                when=each.updated,
            )
        branches = _branches(self.store)
        within: frozenset[str] = frozenset()
        with suppress(GitregError):  # a branch whose commit is gone hides nothing else
            within = refs_within(self.store.repository, self.main, f"{BRANCHES}{OURS}")
        for ref, head in branches.items():
            name = ref.removeprefix(BRANCHES)
            if name not in topics and ref != self.branch:
                yield self._branch(name, head, "merged" if ref in within else "open", before.get(ref))

    def _branch(self, name: str, head: str, state: str, was: Seen | None) -> Seen:
        """A branch as a proposal; one that had ended begins again when it is there anew."""
        ended = was is not None and was.state != "open"
        if was is not None and was.state == "merged" and was.head == head:
            return was
        return Seen(
            ref=f"{BRANCHES}{name}",
            head=head,
            state=state,
            round=(was.round if was else 1) + ended,
            branch=name,
            target=self.branch.removeprefix(BRANCHES),
        )

    def _ended(self, was: Seen) -> str:
        """How a proposal ended whose branch is gone."""
        with suppress(GitregError):
            if is_ancestor(self.store.repository, was.head, self.main):
                return "merged"
            laid = added(self.store, self.main, was.head)
            return "withdrawn" if laid.changes or laid.conflicts else "merged"
        return "withdrawn"  # its commits are gone, too

    def _compare(self, db: sqlite3.Connection, was: Seen | None, now: Seen) -> None:
        if was is not None and was.round != now.round:
            was = None
        if was is not None and (was.head, was.state) == (now.head, now.state):
            return
        fresh: tuple[Change, ...] = ()
        if was is not None and was.head == now.head:  # its commits may be gone by now
            now = replace(now, changes=was.changes, approvals=was.approvals)
        else:
            changes, approvals = self._contents(now)
            known = was.approvals if was else frozenset()
            fresh = tuple(change for change in approvals if change.field not in known)
            paths = known.union(change.field or "" for change in fresh)
            now = replace(now, changes=changes, approvals=paths)
            self._announce(db, now, "updated" if was else "proposed")
        for change in fresh:
            self._announce(db, now, "approved", approval=change)
        if now.state != "open" and (was is None or was.state != now.state):
            self._announce(db, now, now.state)
        _save(db, now)

    def _contents(self, one: Seen) -> tuple[tuple[Proposed, ...], tuple[Change, ...]]:
        """What a proposal would change, and the approvals that it brings; nothing where it can't be read."""
        found: list[Change] = []
        with suppress(GitregError):
            base = merge_base(self.store.repository, self.main, one.head)
            if base == one.head:  # merged before anybody looked: its newest commit speaks for it
                base = next(iter(self.store.reader.commit(one.head).parents), None)
            if base is not None:
                for _, told in commits_between(self.store, base, one.head):
                    found += told
        changes = [proposed(change) for change in found if change.event != "approve"]
        return tuple(changes[:_MOST_CHANGES]), tuple(each for each in found if each.event == "approve")

    def _announce(
        self, db: sqlite3.Connection, one: Seen, verb: str, *, approval: Change | None = None
    ) -> None:
        detail = f":{approval.field}" if approval else ""
        again = f":{one.round}" if one.round > 1 else ""
        id_ = quote(f"{one.ref}@{one.head}:{verb}{detail}{again}", safe="/@:", errors="replace")
        data = self._data(one)
        if approval is not None:
            data |= {"model": approval.model} if approval.model else {}
            data |= {"version": approval.version} if approval.version else {}
            data |= approval_data(approval)
        event = Event(
            id=id_.replace(".", "%2E"),
            kind=BY_TYPE[f"gitreg.proposal.{verb}"],
            subject=f"proposals/{one.number or one.branch}",
            time=self._time(one, verb),
            data=data,
        )
        concerned: Sequence[Change] = [approval] if approval else [each.change for each in one.changes]
        announce(db, event, after=self.main, changes=concerned)

    def _data(self, one: Seen) -> Data:
        told: Data = {}
        with suppress(GitregError):
            commit = self.store.reader.commit(one.head)
            told["message"] = short(commit.message.strip().partition("\n")[0])
            told["author"] = person(commit.author.person)
            told["committer"] = person(commit.committer.person)
        title = short(one.title or str(told.get("message", "")) or one.branch)
        known = {"number": one.number, "branch": one.branch, "by": short(one.by)}
        return {
            "summary": title,
            "proposal": {
                "ref": one.ref,
                **{key: value for key, value in known.items() if value},
                "target": one.target,
                "title": title,
            },
            "changes": [each.told for each in one.changes],
            "commit": one.head,
            **told,
        }

    def _time(self, one: Seen, verb: str) -> datetime:
        if one.when is not None:
            return one.when.astimezone(UTC)
        if verb not in ("merged", "withdrawn"):
            with suppress(GitregError):
                return self.store.reader.commit(one.head).committer.when.astimezone(UTC)
        return self.now


def _load(db: sqlite3.Connection) -> dict[str, Seen]:
    rows = db.execute(
        "SELECT ref, head, state, round, changes, approvals, target, branch, number FROM proposal"
    )
    found = {}
    for ref, head, state, round_, changes, approvals, target, branch, number in rows:
        found[ref] = Seen(
            ref=ref,
            head=head,
            state=state,
            round=round_,
            changes=load(changes),
            approvals=frozenset(json.loads(approvals)),
            target=target,
            branch=branch,
            number=number,
        )
    return found


def _save(db: sqlite3.Connection, one: Seen) -> None:
    db.execute(
        "INSERT OR REPLACE INTO proposal "
        "(ref, head, state, round, changes, approvals, target, branch, number) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.ref,
            one.head,
            one.state,
            one.round,
            dump(one.changes),
            json.dumps(sorted(one.approvals)),
            one.target,
            one.branch,
            one.number,
        ),
    )


def _by_number(ref: str) -> tuple[int, str]:
    digits = ref.removeprefix(NUMBERED).partition("/")[0]
    return (int(digits), ref) if digits.isascii() and digits.isdigit() else (0, ref)
