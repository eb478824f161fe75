"""What commits changed, read file by file and compared: the way from Git's history to events.

Hand edits, merges and commands are told alike; trailers are never asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.model import AnyModel, AnyVersion, ModelState, ModelTombstone, versions_of
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.log import history
from gitreg.gitstore.trees import FOLDER, Entry, Touched
from gitreg.manifest.layout import APPROVALS_DIR, MODELS_DIR, SETTINGS_FILE, Layout, Place
from gitreg.registry.approvals import approvals_added
from gitreg.registry.rule_files import rule_file_paths, rule_files_changed
from gitreg.registry.store import Store

Value = Settings | AnyModel | AnyVersion

NAMES = (SETTINGS_FILE, MODELS_DIR, APPROVALS_DIR)
"""What of a registry's folder tells what happens to models: manifests and approvals."""

_AT_ONCE = 2000  # files; a commit that changes more is read model by model, to bound the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One manifest that a commit changed: what stood there before and what does after it."""

    path: str
    place: Place
    old: Entry | None
    new: Entry | None
    former: str = ""  # where it lay before, when the layout was changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some models of one commit.

    Attributes:
        pairs: Their manifests, with what each holds afterwards: None where it can't be read.
        changes: What happened to them.
        unread: Paths that can't be decoded afterwards: what happened to them can't be told.
        beside: It is of files that lie beside the manifests, and is told after them.
    """

    pairs: tuple[tuple[Pair, Value | None], ...]
    changes: tuple[Change, ...]
    unread: tuple[str, ...]
    beside: bool = False


class Feed:
    """Reads commits one after the other, oldest first.

    Args:
        store: The registry.
        layout: The layout before the first of them.
    """

    def __init__(self, store: Store, layout: Layout) -> None:
        self.store = store
        self.layout = layout

    def changes(self, commit: HistoryCommit) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """What a commit changed, in compare's order, and the paths that could not be compared."""
        parts = list(self.parts(commit))
        return ordered(parts), tuple(path for part in parts for path in part.unread)

    def parts(self, commit: HistoryCommit) -> Iterator[Part]:
        """What a commit changed; where that is much, models that have nothing to do with each other apart."""
        pairs = self._pairs(commit)
        if len(pairs) <= _AT_ONCE:
            if pairs:
                yield self._part(commit, pairs)
        else:
            for group in self._groups(pairs):
                yield self._part(commit, group)
        for changes in (approvals_added(self.store, commit), rule_files_changed(self.store, commit)):
            if changes:
                yield Part(pairs=(), changes=changes, unread=(), beside=True)

    def _pairs(self, commit: HistoryCommit) -> list[Pair]:
        was, self.layout = self.layout, self._layout_after(commit)
        if was.kind != self.layout.kind:  # every path has another meaning now
            return self._moved(commit, was)
        found = {pair.place: pair for pair in self._placed(commit.changes, was)}
        found |= {pair.place: pair for pair in self._folders(commit, was)}
        return list(found.values())

    def _layout_after(self, commit: HistoryCommit) -> Layout:
        path = self.store.prefix + SETTINGS_FILE
        entry = next((each.new for each in commit.changes if each.path == path), None)
        if entry is not None:
            with suppress(InvalidInput):
                return Layout(self.store.decoder.settings(entry, path).layout)
        return self.layout

    def _placed(self, touched: Iterable[Touched], layout: Layout) -> Iterator[Pair]:
        for each in touched:
            place = layout.parse(each.path.removeprefix(self.store.prefix))
            if place and place.kind in ("settings", "model", "version"):
                yield Pair(path=each.path, place=place, old=each.old, new=each.new)

    def _folders(self, commit: HistoryCommit, layout: Layout) -> Iterator[Pair]:
        """Folders that stand, or stood, where a manifest belongs: what lies in them was touched."""
        odd = {each.path.rpartition("/")[0] for each in commit.changes}
        for path in sorted(odd):
            place = layout.parse(path.removeprefix(self.store.prefix))
            if place and place.kind in ("model", "version"):
                old = self._entry(commit.parents[0], path) if commit.parents else None
                yield Pair(path=path, place=place, old=old, new=self._entry(commit.oid, path))

    def _entry(self, commit: str, path: str) -> Entry | None:
        return self.store.reader.entry(self.store.reader.commit(commit).tree, path)

    def _moved(self, commit: HistoryCommit, was: Layout) -> list[Pair]:
        parent = commit.parents[0] if commit.parents else None
        before = self._everything(parent, was) if parent else {}
        after = self._everything(commit.oid, self.layout)
        found = []
        for place in dict.fromkeys((*before, *after)):
            old, new = before.get(place), after.get(place)
            if (old and old[1]) != (new and new[1]):
                path, former = (new or old or ("",))[0], (old or new or ("",))[0]
                pair = Pair(path=path, place=place, old=old and old[1], new=new and new[1], former=former)
                found.append(pair)
        return found

    def _everything(self, commit: str, layout: Layout) -> dict[Place, tuple[str, Entry]]:
        reader, prefix = self.store.reader, self.store.prefix
        root = reader.commit(commit).tree
        found = {}
        for name in (SETTINGS_FILE, MODELS_DIR):
            entry = reader.entry(root, prefix + name)
            files = reader.walk(entry.oid, f"{name}/") if entry and entry.mode == FOLDER else [(name, entry)]
            for path, file in files:
                place = layout.parse(path)
                if file and place and place.kind in ("settings", "model", "version"):
                    found[place] = (prefix + path, file)
                folder = path.rpartition("/")[0]
                place = layout.parse(folder)
                if place and place.kind in ("model", "version"):
                    found[place] = (prefix + folder, Entry(FOLDER, ""))
        return found

    def _groups(self, pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
        groups: dict[str, list[Pair]] = {}
        for pair in pairs:
            groups.setdefault(pair.place.name, []).append(pair)
        joined = {name: name for name in groups}
        for pair in pairs:  # a model that was renamed is compared with itself under its new name
            to = self._renamed_to(pair)
            if to in joined:
                old, new = joined[pair.place.name], joined[to]
                joined = {name: old if at == new else at for name, at in joined.items()}
        together: dict[str, list[Pair]] = {}
        for name in sorted(groups):
            together.setdefault(joined[name], []).extend(groups[name])
        yield from together.values()

    def _renamed_to(self, pair: Pair) -> str:
        if pair.place.kind == "model" and pair.old and pair.new:
            with suppress(InvalidInput):
                model = self.store.decoder.model(pair.new, name=pair.place.name, path=pair.path)
                return (model.renamed_to or "") if isinstance(model, ModelTombstone) else ""
        return ""

    def _part(self, commit: HistoryCommit, pairs: Sequence[Pair]) -> Part:
        before, after = _Side(), _Side()
        unread, told = [], []
        for pair in pairs:
            new, broken = self._read(pair, pair.new)
            old, also_broken = self._read(pair, pair.old)
            told.append((pair, new))
            if also_broken and not broken:
                old, also_broken = self._last_read(commit, pair)
            if broken or also_broken:
                unread.append(pair.path)
                continue
            before.put(pair.place, old)
            after.put(pair.place, new)
        changes = compare(before.snapshot(), after.snapshot())
        return Part(pairs=tuple(told), changes=changes, unread=tuple(unread))

    def _last_read(self, commit: HistoryCommit, pair: Pair) -> tuple[Value | None, bool]:
        """What a file held when it could be read last, before it was broken, and whether nobody knows.

        So a file that is mended is compared with what it was: breaking it first hides nothing.
        """
        path, settings = pair.former or pair.path, self.store.prefix + SETTINGS_FILE
        here = next(iter(commit.parents), None)
        while here:
            walk = history(self.store.repository, head=here, paths=(path, settings))
            here = None
            for past in walk:
                former = self._layout_before(past)
                if former and pair.place.kind != "settings":  # until then it lay elsewhere
                    place = pair.place
                    file = former.version_file(place.name, place.version) if place.version else None
                    path = self.store.prefix + (file or former.model_file(place.name))
                    here = next(iter(past.parents), None)
                    entry = self._entry(here, path) if here else None
                else:
                    touched = next((each for each in past.changes if each.path == path), None)
                    if touched is None:
                        continue
                    entry = touched.old
                value, broken = self._read(pair, entry)
                if not broken:
                    return value, past.oid in self.store.repository.shallow()
                if here:
                    break
        return None, True

    def _layout_before(self, commit: HistoryCommit) -> Layout | None:
        """The layout before a commit that changed it; None where it did not."""
        path = self.store.prefix + SETTINGS_FILE
        touched = next((each for each in commit.changes if each.path == path), None)
        if touched is None or touched.old is None or touched.new is None:
            return None
        with suppress(InvalidInput):
            old = self.store.decoder.settings(touched.old, path).layout
            if old != self.store.decoder.settings(touched.new, path).layout:
                return Layout(old)
        return None

    def _read(self, pair: Pair, entry: Entry | None) -> tuple[Value | None, bool]:
        """What one side holds, and whether it is there but can't be decoded; a link is no manifest."""
        if entry is None or not entry.mode.startswith("100"):
            return None, False
        place, decoder = pair.place, self.store.decoder
        try:
            if place.kind == "settings":
                return decoder.settings(entry, pair.path), False
            if place.kind == "model":
                return decoder.model(entry, name=place.name, path=pair.path), False
            return decoder.version(entry, name=place.name, version=place.version, path=pair.path), False
        except InvalidInput:
            return None, True


def told_paths(store: Store) -> list[str]:
    """All that tells what happened, from the repository's root: ``NAMES``, and the files that hold rules."""
    return [*(store.prefix + name for name in NAMES), *rule_file_paths(store)]


def ordered(parts: Sequence[Part]) -> tuple[Change, ...]:
    """The changes of all parts of a commit as one compare of the whole gives them, then what lies beside."""
    if len(parts) == 1:
        return parts[0].changes
    compared = [change for part in parts if not part.beside for change in part.changes]
    beside = [change for part in parts if part.beside for change in part.changes]
    return (*sorted(compared, key=lambda change: change.model), *beside)


@dataclass(slots=True)
class _Side:
    """One side of a comparison, put together file by file."""

    settings: Settings | None = None
    models: dict[str, AnyModel] = field(default_factory=dict)
    versions: dict[str, dict[int, AnyVersion]] = field(default_factory=dict)

    def put(self, place: Place, value: Value | None) -> None:
        """Add what one file holds."""
        if isinstance(value, Settings):
            self.settings = value
        elif isinstance(value, AnyModel):
            self.models[place.name] = value
        elif value is not None:
            self.versions.setdefault(place.name, {})[place.version] = value

    def snapshot(self) -> Snapshot:
        """What was put in."""
        states = {
            name: ModelState(
                name=name, model=self.models.get(name), versions=versions_of(self.versions.get(name, {}))
            )
            for name in {*self.models, *self.versions}
        }
        return Snapshot(settings=self.settings, models=states)
