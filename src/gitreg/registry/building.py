"""Builds the index from commits, whole or in part; only a process that has to catch up imports it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.durable import sync_path
from gitreg.gitstore.log import first_parents, history
from gitreg.gitstore.steps import step
from gitreg.gitstore.trees import FILE, Touched
from gitreg.index import schema
from gitreg.index.folder import IndexFolder
from gitreg.index.reading import Index, Stand
from gitreg.index.scribe import File, Scribe
from gitreg.manifest.layout import Layout
from gitreg.registry.feed import Feed, Part, ordered, told_paths
from gitreg.registry.indexing import Missing, Progress
from gitreg.registry.store import Store

_WINDOW = 256  # commits
_FEW, _MOST = 64, 10_000  # files that are fetched at once: fewer are not worth a process, more take memory
_CACHE = 64_000  # kB of pages that a build from the first commit keeps in memory


def branch_of(store: Store) -> str:
    """The branch that is read, ``""`` where HEAD is detached."""
    return store.read_branch()


def chain_of(store: Store, head: str) -> list[str]:
    """The whole first-parent chain, newest first."""
    return list(first_parents(store.repository, head))


def missing(store: Store, index: Index, head: str) -> Missing:
    """What the index lacks, however much it is."""
    found: list[str] = []
    for oid in first_parents(store.repository, head):
        seq = index.place_of(oid)
        if seq is not None:
            return Missing(seq, found)
        found.append(oid)
    return Missing(0, found)


def commits_after(store: Store, head: str, after: str | None) -> Iterator[HistoryCommit]:
    """The commits after ``after`` (None: all) up to ``head``, oldest first."""
    return history(store.repository, head=head, after=after, paths=told_paths(store), oldest_first=True)


def counted(
    commits: Iterable[HistoryCommit], total: int, progress: Progress | None
) -> Iterator[HistoryCommit]:
    """``commits``, with ``progress`` told of each hundredth."""
    for done, commit in enumerate(commits):
        if progress and done % 100 == 0:
            progress(done, total)
        yield commit


def steps(store: Store, oids: Sequence[str]) -> Iterator[HistoryCommit]:
    """A few commits, oldest first, without a process of their own.

    Args:
        store: The registry.
        oids: Newest first.
    """
    boundary, paths = store.repository.shallow(), told_paths(store)
    for oid in reversed(oids):
        yield step(store.reader, oid, prefix="", names=paths, rootless=boundary)


def build(
    store: Store,
    folder: IndexFolder,
    head: str,
    oids: Sequence[str],
    boundary: str,
    progress: Progress | None,
) -> None:
    """Build the index from the first commit on and put it in the former one's place; under the lock."""
    _build(store, folder, head, counted(commits_after(store, head, None), len(oids), progress), boundary)


def build_small(store: Store, folder: IndexFolder, head: str, oids: Sequence[str], boundary: str) -> None:
    """As ``build``, for a chain of a few commits."""
    _build(store, folder, head, steps(store, oids), boundary)


def extend(
    store: Store,
    db: sqlite3.Connection,
    was: Stand,
    fork: int,
    head: str,
    branch: str,
    commits: Iterable[HistoryCommit],
) -> None:
    """Take what came after ``fork`` off the index and put ``commits`` (oldest first) on; all or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        scribe = Scribe(db, was.seq)
        if fork < was.seq:
            scribe.cut(fork)
        _write(store, scribe, commits, _layout(db))
        _note(db, Stand(scribe.seq, was.cuts + (fork < was.seq), head), branch)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _build(
    store: Store, folder: IndexFolder, head: str, commits: Iterable[HistoryCommit], boundary: str
) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.sweep(keep=folder.current())  # what a builder that was killed has left
    made = folder.aside()
    try:
        _fill(store, made, head, commits, boundary)
        sync_path(made)
        folder.install(Path(made))
    except BaseException:
        made.unlink(missing_ok=True)  # the disk may be full
        raise


def _fill(store: Store, made: Path, head: str, commits: Iterable[HistoryCommit], boundary: str) -> None:
    with closing(sqlite3.connect(made, isolation_level=None)) as db:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE}"):
            db.execute(f"PRAGMA {pragma}")
        db.executescript(schema.ROWS)
        db.execute("BEGIN")
        scribe = Scribe(db, 0)
        _write(store, scribe, commits, Layout(), blind=boundary)
        for key, value in {"format": schema.FORMAT, "boundary": boundary, "prefix": store.prefix}.items():
            db.execute("INSERT INTO meta VALUES (?,?)", (key, value))
        _note(db, Stand(scribe.seq, 0, head), branch_of(store))
        db.execute("COMMIT")
        db.executescript(schema.INDEXES)
        db.execute("PRAGMA journal_mode = WAL")


def _write(
    store: Store, scribe: Scribe, commits: Iterable[HistoryCommit], layout: Layout, *, blind: str = ""
) -> None:
    feed = Feed(store, layout)
    for commit in _with_blobs(store, commits):
        scribe.begin(commit)
        parts: list[Part] = []
        for part in feed.parts(commit):
            renamed = {str(c.after): c.model for c in part.changes if c.event == "rename"}
            scribe.put(_files(part), renamed)
            parts.append(Part(pairs=(), changes=part.changes, unread=part.unread, beside=part.beside))
        if commit.oid not in blind:  # of a shallow clone's first commit no one knows what it changed
            scribe.tell(ordered(parts), [path for part in parts for path in part.unread])


def _with_blobs(store: Store, commits: Iterable[HistoryCommit]) -> Iterator[HistoryCommit]:
    """``commits``, whose files are fetched many at a time: one by one Git's answers are waited for."""
    rest = iter(commits)
    while window := list(islice(rest, _WINDOW)):
        oids = {oid for commit in window for each in commit.changes if (oid := _worth_reading(each))}
        if _FEW < len(oids) < _MOST:
            store.decoder.ahead = dict(store.reader.blobs(oids))
        yield from window
        store.decoder.ahead = {}


def _worth_reading(touched: Touched) -> str | None:
    new = touched.new
    return new.oid if new and new.mode == FILE and touched.path.endswith((".yaml", ".sig")) else None


def _files(part: Part) -> Iterator[File]:
    for pair, value in part.pairs:
        place = pair.place
        assert place.kind in ("settings", "model", "version")
        yield File(
            kind=place.kind,
            name=place.name,
            number=place.version,
            there=pair.new is not None,
            value=value,
        )


def _layout(db: sqlite3.Connection) -> Layout:
    import json

    found = db.execute(
        "SELECT doc FROM settings WHERE doc IS NOT NULL ORDER BY since DESC LIMIT 1"
    ).fetchone()
    return Layout(json.loads(found[0])["layout"]) if found else Layout()


def _note(db: sqlite3.Connection, stand: Stand, branch: str) -> None:
    text = f"{stand.seq} {stand.cuts} {stand.commit}"
    db.execute("INSERT OR REPLACE INTO meta VALUES ('stand', ?)", (text,))
    db.execute("INSERT OR REPLACE INTO meta VALUES ('branch', ?)", (branch,))
