"""What happened, read from the commits: compare between each commit's tree and its first parent's.

Hand edits, merges and commands are told alike; trailers are never asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.model import AnyModel, AnyVersion, ModelState, ModelTombstone, versions_of
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput, NotFound
from gitreg.gitstore.log import HistoryCommit, history
from gitreg.gitstore.trees import Entry, Touched
from gitreg.manifest.layout import SETTINGS_FILE, Layout
from gitreg.registry.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One commit of the registry and what it changed.

    ``unread`` names the files that could not be decoded on either side: what happened to them can't be told.
    """

    commit: HistoryCommit
    changes: tuple[Change, ...]
    unread: tuple[str, ...] = ()


def log(
    store: Store,
    head: str,
    *,
    name: str | None = None,
    version: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[LogEntry]:
    """The commits that changed the registry, newest first along the first parents.

    Args:
        store: The registry.
        head: Commit to begin with.
        name: Only changes of this model, under its former names too.
        version: With ``name``: only changes of this version.
        since: Earliest committer time.
        until: Latest committer time.
    """
    layout = Layout(store.view(head).settings.layout)
    called: str | None = name
    start: str | None = head
    while start:
        walk = history(store.repository, head=start, paths=_paths(store, layout, called))
        start = None
        for commit in walk:
            former = _former_name(store, layout, commit, called) if called else None
            entry = _entry(store, layout, _whole(store, commit) if former else commit)
            kept = tuple(c for c in entry.changes if _about(c, (called, former), version))
            if _within(commit, since, until) and (kept or (entry.unread and not called)):
                yield LogEntry(commit=commit, changes=kept, unread=entry.unread)
            if former:
                called, start = former, next(iter(commit.parents), None)
                break


def _paths(store: Store, layout: Layout, name: str | None) -> tuple[str, ...]:
    if name is None:
        return (f"{store.prefix}{SETTINGS_FILE}", f"{store.prefix}models")
    return (f"{store.prefix}{layout.model_dir(name)}",)


def _about(change: Change, names: tuple[str | None, str | None], version: int | None) -> bool:
    if names[0] is None:
        return True
    if change.model not in names and change.after not in names:
        return False
    return version is None or change.version == version or change.event == "rename"


def _within(commit: HistoryCommit, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or commit.commit_time >= since) and (until is None or commit.commit_time <= until)


def _arrives(store: Store, layout: Layout, commit: HistoryCommit, name: str) -> bool:
    """Whether the commit put a living ``model.yaml`` where there was none, or a tombstone."""
    path = store.prefix + layout.model_file(name)
    for touched in commit.changes:
        if touched.path == path and touched.new:
            return touched.old is None or isinstance(_model(store, touched.old, name, path), ModelTombstone)
    return False


def _former_name(store: Store, layout: Layout, commit: HistoryCommit, name: str) -> str | None:
    """The name that the model had before ``commit`` gave it this one; None where it did not."""
    if not _arrives(store, layout, commit, name):
        return None
    for touched in _whole(store, commit).changes:
        place = layout.parse(touched.path.removeprefix(store.prefix))
        if place and place.kind == "model" and touched.old and touched.new and place.name != name:
            model = _model(store, touched.new, place.name, touched.path)
            if isinstance(model, ModelTombstone) and model.renamed_to == name:
                return place.name
    return None


def _whole(store: Store, commit: HistoryCommit) -> HistoryCommit:
    paths = _paths(store, Layout(), None)
    return next(iter(history(store.repository, head=commit.oid, paths=paths, limit=1)))


def _entry(store: Store, layout: Layout, commit: HistoryCommit) -> LogEntry:
    before, after, unread = snapshots(store, layout, commit.changes)
    return LogEntry(commit=commit, changes=compare(before, after), unread=unread)


def commits_between(
    store: Store, base: str | None, head: str
) -> list[tuple[HistoryCommit, tuple[Change, ...]]]:
    """The commits after ``base`` (None: all) up to ``head``, oldest first, with their changes."""
    layout = Layout(store.view(head).settings.layout)
    paths = _paths(store, layout, None)
    found = list(history(store.repository, head=head, after=base, paths=paths))
    return [(commit, _entry(store, layout, commit).changes) for commit in reversed(found)]


def snapshots(
    store: Store, layout: Layout, touched: Sequence[Touched]
) -> tuple[Snapshot, Snapshot, tuple[str, ...]]:
    """Both sides of some touched files, and the paths of those that could not be read."""
    sides = (_Side(store, layout), _Side(store, layout))
    unread = []
    for each in touched:
        try:
            old = sides[0].read(each.path, each.old)
            new = sides[1].read(each.path, each.new)
        except InvalidInput:
            unread.append(each.path)
            continue
        sides[0].put(old)
        sides[1].put(new)
    return sides[0].snapshot(), sides[1].snapshot(), tuple(unread)


_Read = tuple[str, Settings | AnyModel | AnyVersion] | None


class _Side:
    """One side of a comparison, put together file by file."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self.store = store
        self.layout = layout
        self.settings: Settings | None = None
        self.models: dict[str, AnyModel] = {}
        self.versions: dict[str, dict[int, AnyVersion]] = {}

    def read(self, path: str, entry: Entry | None) -> _Read:
        """The value of one file; None where it is not there or holds no manifest."""
        place = self.layout.parse(path.removeprefix(self.store.prefix))
        if entry is None or place is None or not entry.mode.startswith("100"):
            return None
        decoder = self.store.decoder
        if place.kind == "settings":
            return "", decoder.settings(entry, path)
        if place.kind == "model":
            return place.name, decoder.model(entry, name=place.name, path=path)
        if place.kind == "version":
            found = decoder.version(entry, name=place.name, version=place.version, path=path)
            return place.name, found
        return None

    def put(self, read: _Read) -> None:
        """Add what ``read`` gave."""
        if read is None:
            return
        name, value = read
        if isinstance(value, Settings):
            self.settings = value
        elif isinstance(value, AnyModel):
            self.models[name] = value
        else:
            self.versions.setdefault(name, {})[value.version] = value

    def snapshot(self) -> Snapshot:
        """What was put in."""
        states = {
            name: ModelState(
                name=name, model=self.models.get(name), versions=versions_of(self.versions.get(name, {}))
            )
            for name in {*self.models, *self.versions}
        }
        return Snapshot(settings=self.settings, models=states)


def _model(store: Store, entry: Entry, name: str, path: str) -> AnyModel | None:
    try:
        return store.decoder.model(entry, name=name, path=path)
    except InvalidInput:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A state that was: the last one in which something stood, and the commit that held it."""

    commit: str
    state: ModelState


def last_state_with(store: Store, head: str, name: str, version: int | None) -> Past:
    """The newest commit in which a model, or one version of it, was not deleted yet.

    Raises:
        NotFound: The history that is here never held it.
    """
    layout = Layout(store.view(head).settings.layout)
    path = layout.model_file(name) if version is None else layout.version_file(name, version)
    for commit in history(store.repository, head=head, paths=(store.prefix + path,)):
        if not commit.parents:
            break
        state = store.view(commit.parents[0]).state(name)
        alive = state.live(version) if version else not isinstance(state.model, ModelTombstone | None)
        if alive:
            return Past(commit=commit.parents[0], state=state)
    what = name if version is None else f"{name}/{version}"
    raise NotFound(f"the history holds no {what} to restore", hint=f"gitreg log {name}")
