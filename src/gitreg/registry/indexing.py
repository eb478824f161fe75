"""Keeps the index in step with the branch: near steps through the object reader, far ones by ``git log``."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg.errors import GitregError, NotFound
from gitreg.index import schema
from gitreg.index.folder import IndexFolder
from gitreg.index.reading import Index, Slice, stand_of

if TYPE_CHECKING:
    import tempfile

    from gitreg.gitstore.commits import HistoryCommit
    from gitreg.registry.store import Store

Progress = Callable[[int, int], None]

_NEAR = 64  # commits that a plain read catches up with; beyond it Git's tree answers as quickly


class Missing(NamedTuple):
    """The commits that the index lacks: ``fork`` is the last that it shares with the branch, 0 for none."""

    fork: int
    commits: Sequence[str]  # newest first


class Keeper:
    """The index of one open registry.

    Args:
        store: The registry.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        own = store.prefix.strip("/").replace("%", "%25").replace("/", "%2F")
        folder = store.repository.state_dir / (f"index.{own}" if own else "index")
        self.folder = IndexFolder(folder)
        self.lost = 0
        self.lost_head = ""
        self._shallow_file = os.fspath(store.repository.common_dir / "shallow")
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._index: Index | None = None
        self._boundary: str | None = None
        self._pointed: tuple[tuple[int, int] | None, str | None] = (None, None)
        self._broken: set[str] = set()  # files that turned out to be of no use

    def close(self) -> None:
        """Close the index; one that only this process has is removed."""
        if self._index is not None:
            self._index.close()
            self._index = None
        if self._private is not None:
            self._private.cleanup()
            self._private = None

    def slice(self, commit: str | None = None, *, progress: Progress | None = None) -> Slice:
        """The slice at a commit of the branch's first-parent chain, the head when None is given.

        The index is brought up to date first, and made when it is not there; while another process is
        at it this one waits. Where the Git folder can't be written to, the index is made for this
        process alone.

        Raises:
            NotFound: The commit is not on the chain.
        """
        index = self._fresh(self.store.head()) or self._under_lock(progress)
        return self._cut(index, commit or index.stand().commit)

    def ready(self, commit: str | None = None, *, head: str | None = None) -> Slice | None:
        """As ``slice`` when that takes no time to speak of, else None: the tree answers then."""
        head = head or self.store.head()
        try:
            index = self._fresh(head)
            if index is None:
                with self.folder.locked(wait=False) as held:
                    # Read again: it may have moved on, and another process may have caught up with it.
                    index = self._stepped(self.store.head()) if held else None
            return self._cut(index, commit or head) if index else None
        except (OSError, sqlite3.Error, GitregError):  # a partial clone lacks the past, the tree may be there
            return None

    def rebuild(self, *, progress: Progress | None = None) -> Slice:
        """Make the index anew, whatever is there."""
        index = self._under_lock(progress, anew=True)
        return self._cut(index, index.stand().commit)

    @contextmanager
    def built_aside(self, progress: Progress | None = None) -> Iterator[tuple[Slice, Slice]]:
        """The index as it is, and one that was built from Git just now, for comparing the two."""
        aside = Keeper(self.store)
        aside._retreat()
        try:
            aside.slice(progress=progress)
            index = self._fresh(self.store.head()) or self._under_lock(progress)
            index.db.execute("BEGIN")  # others may go on while the two are compared
            stand = index.stand()
            ours = self._cut(index, stand.commit)
            theirs = aside._cut(aside._made(stand.commit, progress, anew=False), stand.commit)
            yield ours, theirs
        finally:
            self._drop()
            aside.close()

    def figures(self) -> dict[str, str | int]:
        """Where the index lies, how large it is and how much it holds."""
        part = self.slice()
        path = self.folder.path / part.index.name
        counts = {
            "commits": "SELECT count(*) FROM chain",
            "events": "SELECT count(*) FROM event",
            "models": f"SELECT count(*) FROM model m WHERE m.state = {schema.LIVE} AND $m",
            "versions": f"SELECT count(*) FROM version v WHERE v.state = {schema.LIVE} AND $v",
        }
        return {
            "commit": part.commit,
            "path": str(path),
            "size": path.stat().st_size,
            **{key: int(part.rows(sql)[0][0]) for key, sql in counts.items()},
        }

    def branch_in(self, commit: str) -> str | None:
        """The branch that the settings of a commit name; None where the index does not know the commit."""
        index = self._opened()
        try:
            seq = index.place_of(commit) if index else None
            if index is None or seq is None:
                return None
            stand = index.stand()
            part = Slice(index, commit=commit, stand=stand, seq=seq, renew=self._renewed)
            rows = part.rows("SELECT s.doc FROM settings s WHERE $s")
        except sqlite3.DatabaseError:
            self._drop(broken=True)
            return None
        return str(json.loads(rows[0][0])["branch"]) if rows and rows[0][0] else None

    # Opening

    def _fresh(self, head: str) -> Index | None:
        """The open index where it stands at ``head`` already."""
        index = self._opened()
        if index is None:
            return None
        try:
            return index if index.stand().commit == head else None
        except sqlite3.DatabaseError:  # damaged: whoever has the lock makes it anew
            self._drop(broken=True)
            return None

    def _opened(self) -> Index | None:
        """The index file in use; None where there is none that could be used."""
        name = self._named()
        if self._index is not None and self._index.name != name:
            self._drop()
        if self._index is None and name is not None and name not in self._broken:
            try:
                self._index = Index(self.folder.open(name), name)
                self._boundary = self._index.meta("boundary")
                if (self._index.meta("format"), self._index.meta("prefix")) != (
                    schema.FORMAT,
                    self.store.prefix,
                ):
                    self._drop(broken=True)
            except sqlite3.Error:
                self._broken.add(name)
                self._drop()
        if self._index is not None and self._boundary != self._shallow():
            self._drop(broken=True)
        return self._index

    def _named(self) -> str | None:
        """The file in use; the pointer is read again when it was replaced."""
        mark = self.folder.mark()
        if mark is None or mark != self._pointed[0]:
            self._pointed = (mark, self.folder.current())
        return self._pointed[1]

    def _shallow(self) -> str:
        # What a shallow clone lacks decides where the chain begins.
        if not os.path.exists(self._shallow_file):
            return ""
        return " ".join(sorted(self.store.repository.shallow()))

    def _drop(self, *, broken: bool = False) -> None:
        if self._index is not None:
            if broken:
                self._broken.add(self._index.name)
            self._index.close()
            self._index = None

    def _cut(self, index: Index, commit: str) -> Slice:
        stand = index.stand()
        seq = stand.seq if stand.commit == commit else index.place_of(commit)
        if seq is None:
            raise NotFound(
                f"the commit {commit[:10]} is not on the branch's first-parent history",
                where="--at",
                hint="gitreg log --oneline",
            )
        return Slice(index, commit=commit, stand=stand, seq=seq, renew=self._renewed)

    def _renewed(self, broken: Index | None) -> Index:
        if broken is not None:
            self._broken.add(broken.name)
            if self._index is broken:
                self._drop()
        return self._under_lock(None)

    # Catching up

    def _under_lock(self, progress: Progress | None, *, anew: bool = False) -> Index:
        # The head is read under the lock: with an older one this process would take off the
        # commits that another has just put on.
        if self._private is None:
            try:
                with self.folder.locked(wait=True):
                    return self._made(self.store.head(), progress, anew=anew)
            except (OSError, sqlite3.OperationalError):  # read-only, or the disk is full
                self._retreat()
        return self._made(self.store.head(), progress, anew=anew)

    def _retreat(self) -> None:
        import tempfile  # rarely needed, and long to import

        self._drop()
        # It goes with this object, also where nobody closes the registry.
        self._private = tempfile.TemporaryDirectory(prefix="gitreg-index-", ignore_cleanup_errors=True)
        self.folder = IndexFolder(Path(self._private.name))

    def _made(self, head: str, progress: Progress | None, *, anew: bool) -> Index:
        if not anew:
            found = self._fresh(head) or self._stepped(head) or self._leapt(head, progress)
            if found is not None:
                return found
        from gitreg.registry import building

        self._drop()
        commits = building.chain_of(self.store, head)
        building.build(self.store, self.folder, head, commits, self._shallow(), progress)
        index = self._opened()
        if index is None:
            raise sqlite3.OperationalError("the index that was just made can't be opened")
        return index

    def _stepped(self, head: str) -> Index | None:
        """Catch up where few commits are missing; under the lock."""
        index = self._opened()
        missing = self._near(index, head)
        if missing is None:
            return None
        from gitreg.registry import building

        if index is None or missing.fork == 0:
            if index is not None:
                self._lose(index, 0)
            building.build_small(self.store, self.folder, head, missing.commits, self._shallow())
            self._drop()
            return self._opened()
        return self._extended(index, missing, head, building.steps(self.store, missing.commits))

    def _leapt(self, head: str, progress: Progress | None) -> Index | None:
        """Catch up where many commits are missing; None where the index shares none with the branch."""
        index = self._opened()
        if index is None:
            return None
        from gitreg.registry import building

        try:
            missing = building.missing(self.store, index, head)
            fork = index.oid_of(missing.fork)
        except sqlite3.DatabaseError:
            self._drop(broken=True)
            return None
        if fork is None:
            self._lose(index, 0)
            return None
        commits = building.commits_after(self.store, head, fork)
        return self._extended(index, missing, head, building.counted(commits, len(missing.commits), progress))

    def _extended(
        self, index: Index, missing: Missing, head: str, commits: Iterable[HistoryCommit]
    ) -> Index | None:
        from gitreg.registry import building

        try:
            with index.turn:
                was = stand_of(index.db)
                branch = building.branch_of(self.store)
                self._lose(index, missing.fork)
                building.extend(self.store, index.db, was, missing.fork, head, branch, commits)
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY):
                raise
            self._drop(broken=True)
            return None
        return index

    def _lose(self, index: Index, fork: int) -> None:
        """Note the commits after ``fork`` that the branch, if it is still the same, has no more."""
        from gitreg.registry import building

        stand, branch = index.stand(), building.branch_of(self.store)
        if fork < stand.seq and branch and index.meta("branch") == branch:
            self.lost += stand.seq - fork
            self.lost_head = stand.commit

    def _near(self, index: Index | None, head: str) -> Missing | None:
        reader, boundary = self.store.reader, self.store.repository.shallow()
        found: list[str] = []
        here = head
        while len(found) <= _NEAR:
            try:
                seq = index.place_of(here) if index else None
            except sqlite3.DatabaseError:
                self._drop(broken=True)
                index = seq = None
            if seq is not None:
                return Missing(seq, found)
            found.append(here)
            parents = () if here in boundary else reader.commit(here).parents
            if not parents:
                return Missing(0, found)
            here = parents[0]
        return None


def slice_of(store: Store, commit: str | None = None, *, progress: Progress | None = None) -> Slice:
    """The slice at ``commit`` (None: the head) of an index that is up to date; see ``Keeper.slice``."""
    return store.index.slice(commit, progress=progress)
