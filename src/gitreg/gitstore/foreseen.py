"""A reader for long walks: it fetches what the next commits will be asked for, many objects at a time.

One by one Git's answers are waited for, which takes longer than all of the work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress

from gitreg.errors import EnvironmentFailure
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import FILE, Tree

_WINDOW, _FILES = 256, 10_000  # commits, and files that they change, for which objects are fetched at once
_FEW = 64  # objects: fewer are not worth a process
_KEPT = 64 << 20  # bytes of objects
_READ = (".yaml", ".sig")


class ForeseenReader(Reader):
    """Reads through another reader, and keeps at hand what will be asked for.

    Args:
        beneath: The repository's reader; it stays open when this one is closed.
    """

    def __init__(self, beneath: Reader) -> None:
        super().__init__(beneath.repository)
        self._beneath = beneath
        self._known: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._size = 0

    def along(self, commits: Iterable[HistoryCommit]) -> Iterator[HistoryCommit]:
        """``commits``, with their objects and the manifests and approvals that they touch at hand."""
        for window in _windows(commits):
            wanted = dict.fromkeys(oid for commit in window for oid in _worth_reading(commit))
            self.expect([oid for oid in wanted if oid not in self._known])
            yield from window

    def expect(self, oids: list[str]) -> None:
        """Fetch objects that will be asked for; what is not there is told when it is asked for."""
        if len(oids) > _FEW:
            with suppress(EnvironmentFailure):
                for oid, kind, data in self._beneath.stream(oids):
                    self._keep(oid, kind, data)

    def _keep(self, oid: str, kind: str, data: bytes) -> None:
        self._known[oid] = (kind, data)
        self._size += len(data)
        while self._size > _KEPT and len(self._known) > 1:
            _, (_, gone) = self._known.popitem(last=False)
            self._size -= len(gone)

    def object(self, oid: str) -> tuple[str, bytes]:
        """Kind and bytes of an object; it is kept, for the next commit often asks for it again."""
        found = self._known.get(oid)
        if found is None:
            found = self._beneath.object(oid)
            self._keep(oid, *found)
        return found

    def tree(self, oid: str) -> Tree:
        """A folder."""
        return self._beneath.tree(oid)

    def has(self, oid: str) -> bool:
        """Whether the object is there."""
        return oid in self._known or self._beneath.has(oid)

    def blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Many files' contents, in the order asked for."""
        wanted = list(oids)
        self.expect([oid for oid in dict.fromkeys(wanted) if oid not in self._known])
        return ((oid, self.blob(oid)) for oid in wanted)


def _windows(commits: Iterable[HistoryCommit]) -> Iterator[list[HistoryCommit]]:
    window: list[HistoryCommit] = []
    files = 0
    for commit in commits:
        window.append(commit)
        files += len(commit.changes)
        if len(window) == _WINDOW or files > _FILES:
            yield window
            window, files = [], 0
    if window:
        yield window


def _worth_reading(commit: HistoryCommit) -> Iterator[str]:
    yield commit.oid
    for touched in commit.changes:
        if touched.path.endswith(_READ):
            yield from (entry.oid for entry in (touched.old, touched.new) if entry and entry.mode == FILE)
