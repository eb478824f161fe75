"""The files around each commit of a history: a commit tells what it touches, the rest is looked up once."""

from __future__ import annotations

from collections.abc import Mapping

from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.trees import FOLDER, Entry, Touched
from gitreg.registry.store import Store

_MOST_KEPT = 200_000  # paths


def file_in(store: Store, commit: str, path: str) -> Entry | None:
    """The file at a path from the registry's root in a commit; None where there is none."""
    found = store.reader.entry(store.reader.commit(commit).tree, store.prefix + path)
    return found if found and found.mode != FOLDER else None


class Ground:
    """Follows a line of commits: a folder of 10,000 files need not be read for the one that a commit changed.

    Args:
        store: The registry.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._commit = ""
        self._touched: Mapping[str, Touched] = {}
        self._kept: dict[str, Entry | None] = {}

    def step(self, commit: HistoryCommit) -> None:
        """Go on to the next commit that touches a file of the registry; none may be left out."""
        self._kept.update((path, each.new) for path, each in self._touched.items())
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        self._touched = {each.path: each for each in commit.changes}
        self._commit = commit.oid

    def file(self, commit: str, path: str) -> Entry | None:
        """As ``file_in``, for the commit that was stepped to or the one before it."""
        placed = self.store.prefix + path
        touched = self._touched.get(placed)
        if touched is not None:
            return touched.new if commit == self._commit else touched.old
        if placed not in self._kept:
            self._kept[placed] = file_in(self.store, commit, path)
        return self._kept[placed]
