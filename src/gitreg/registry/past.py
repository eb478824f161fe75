"""What the history tells a judge: who registered a version, and how often a stage was given.

Asked of the index where it knows the commit, else of the commits themselves.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property

from gitreg.domain.changes import Change
from gitreg.errors import GitregError
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.log import authors
from gitreg.gitstore.process import handed_on
from gitreg.gitstore.steps import step
from gitreg.index.reading import Slice
from gitreg.manifest.layout import Layout
from gitreg.registry.history import commits_between
from gitreg.registry.root import root_of
from gitreg.registry.store import Store

_NEAR = 64  # commits between the one that is asked about and the nearest that the index knows


class Past:
    """The history up to a commit.

    Args:
        store: The registry; its index is brought up to date where that takes no time to speak of.
        commit: Full hex id.
    """

    def __init__(self, store: Store, commit: str) -> None:
        self.store = store
        self.commit = commit

    @cached_property
    def root(self) -> str:
        """Full hex id of the commit that set the registry up."""
        return root_of(self.store, self.commit)

    def given(self, name: str, stage: str) -> int:
        """How often versions of a model entered a stage."""
        part, rest = self.known
        return _given_in(part, name, stage) + sum(
            gained(change, name, stage) for _, changes in rest for change in changes
        )

    def entered(self, name: str, stage: str, version: int) -> int:
        """How often versions had entered a stage after the commit in which this one did last; 0: never."""
        part, rest = self.known
        last = 0
        if part is not None:
            rows = part.rows(
                "SELECT max(e.seq) FROM event e WHERE e.name = ? AND e.stage = ? AND e.number = ? "
                "AND e.event IN ('transition', 'assign') AND e.seq <= ?",
                *(name, stage, version, part.seq),
            )
            seq = rows[0][0]
            last = _given_in(part, name, stage, seq) if seq is not None else 0
        count = _given_in(part, name, stage)
        for _, changes in rest:
            gains = [change for change in changes if gained(change, name, stage)]
            count += len(gains)
            if any(change.version == version for change in gains):
                last = count
        return last

    def holders(self, name: str, stage: str) -> frozenset[int] | None:
        """The versions that hold a stage at the commit, None where only the manifests themselves can tell."""
        part, rest = self.known
        if part is None or rest:
            return None
        rows = part.rows(
            "SELECT number FROM holding WHERE name = ? AND stage = ? AND since <= ? AND until > ?",
            *(name, stage, part.seq, part.seq),
        )
        return frozenset(number for (number,) in rows)

    def registrars(self, name: str, version: int) -> frozenset[str]:
        """The e-mail addresses of those who registered a version; empty where the history knows none."""
        paths = [self.store.prefix + Layout(kind).version_file(name, version) for kind in ("flat", "sharded")]
        part, rest = self.known
        for commit, changes in rest:
            if any(_registers(change, name, version) for change in changes):
                return writers(self.store, commit, paths)
        return self._registrars_in(part, name, version, paths)

    @cached_property
    def known(self) -> tuple[Slice | None, list[tuple[HistoryCommit, tuple[Change, ...]]]]:
        """The index at the nearest commit that it knows, and the commits since; None: all of them."""
        part = self._slice()
        if part is not None and part.commit == self.commit:
            return part, []
        return part, commits_between(self.store, part.commit if part else None, self.commit)

    def _slice(self) -> Slice | None:
        part = self._whole_slice()
        here: str | None = self.commit
        shallow = self.store.repository.shallow()
        for _ in range(_NEAR if part else 0):
            if here is None:
                break
            assert part is not None
            with suppress(GitregError):
                return self.store.index.slice(here) if part.commit != here else part
            parents = () if here in shallow else self.store.reader.commit(here).parents
            here = parents[0] if parents else None
        return None

    def _whole_slice(self) -> Slice | None:
        with suppress(GitregError, OSError):
            # While a push is judged nothing is built: what it brought may never be there.
            return self.store.index.ready() or (None if handed_on else self.store.index.slice())
        return None

    def _registrars_in(self, part: Slice | None, name: str, version: int, paths: list[str]) -> frozenset[str]:
        if part is None:
            return frozenset()
        rows = part.rows(
            "SELECT c.oid FROM version v JOIN chain c ON c.seq = v.registered "
            "WHERE v.name = ? AND v.number = ? AND v.since <= ? ORDER BY v.since DESC LIMIT 1",
            *(name, version, part.seq),
        )
        if not rows:
            return frozenset()
        edge = self.store.repository.shallow()
        found = step(self.store.reader, rows[0][0], prefix="", names=(), rootless=edge)  # no process for one
        return writers(self.store, found, paths)


def writers(store: Store, commit: HistoryCommit, paths: list[str]) -> frozenset[str]:
    """The e-mail addresses of those who made what a first-parent commit brings to some paths.

    Who merges has not written what is merged; of a squash or a rebase Git knows the author that it names.
    """
    if len(commit.parents) < 2:
        return frozenset({commit.author.email})
    found: set[str] = set()
    for side in commit.parents[1:]:
        found |= authors(store.repository, head=side, after=[commit.parents[0]], paths=paths)
    return frozenset(found or {commit.author.email})


def gained(change: Change, name: str, stage: str) -> bool:
    """Whether a change gives a stage to a version of a model that did not hold it."""
    return (
        change.event in ("transition", "assign")
        and change.version is not None
        and (change.model, change.stage) == (name, stage)
        and stage not in change.origin
    )


def _registers(change: Change, name: str, version: int) -> bool:
    return (change.event, change.model, change.version) == ("register", name, version)


def _given_in(part: Slice | None, name: str, stage: str, seq: int | None = None) -> int:
    if part is None:
        return 0
    rows = part.rows(
        "SELECT e.origin FROM event e WHERE e.name = ? AND e.stage = ? AND e.number IS NOT NULL "
        "AND e.event IN ('transition', 'assign') AND e.seq <= ?",
        *(name, stage, part.seq if seq is None else seq),
    )
    return sum(1 for (origin,) in rows if not origin or stage not in json.loads(origin))
