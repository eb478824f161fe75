"""What is wrong with the manifests that differ between two commits, whatever the size of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from gitreg.domain.findings import Finding
from gitreg.domain.model import RegisteredModel
from gitreg.errors import InvalidInput
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.trees import FILE, FOLDER, Entry
from gitreg.manifest.layout import MODELS_DIR, SETTINGS_FILE, Layout, is_policy_file
from gitreg.registry.check import check
from gitreg.registry.content import Content, in_commit, rules_in_commit
from gitreg.registry.ground import file_in
from gitreg.registry.store import Store

Look = Callable[[str, str], Entry | None]
"""A commit, and a path from the registry's root → the file that stands there; see ``ground.file_in``."""


def judge_difference(
    store: Store,
    base: str,
    head: str,
    paths: Sequence[str] | None = None,
    *,
    look: Look | None = None,
) -> tuple[Finding, ...]:
    """What is wrong with the manifests that differ between two commits.

    Args:
        store: The registry.
        base: Full hex id of the commit before.
        head: Full hex id of the commit that is judged.
        paths: What ``touched`` gives, where it is known; None: it is looked up.
        look: Finds files in the two commits faster than their trees tell; None: there is nothing faster.
    """
    if paths is None:
        paths = touched(store, base, head)
    if not paths:
        return ()
    look = look or partial(file_in, store)
    ruled = SETTINGS_FILE in paths
    if ruled and _meaning(store, look(base, SETTINGS_FILE)) != _meaning(store, look(head, SETTINGS_FILE)):
        return check(in_commit(store, head), in_commit(store, base)).findings
    part = _Part(store, paths, _layout(store, look(head, SETTINGS_FILE)), base, look)
    # An alias may name a version that is gone now: the model's own file is looked at with each of them.
    chosen = frozenset((*paths, *map(part.layout.model_file, part.names)))
    before, after = part.of(base), part.of(head)
    if ruled:
        before, after = _with_rules(store, base, before), _with_rules(store, head, after)
    return check(
        after, before, chosen=lambda path: path in chosen or (ruled and is_policy_file(path))
    ).findings


def _meaning(store: Store, settings: Entry | None) -> object:
    """What the settings make of every manifest: where these with other ones differ, all are checked."""
    try:
        found = store.decoder.settings(settings, SETTINGS_FILE) if settings else None
    except InvalidInput:
        return settings
    return found and (found.layout, [(stage.name, stage.exclusive) for stage in found.stages])


def _with_rules(store: Store, commit: str, part: Content) -> Content:
    rules = rules_in_commit(store, commit)
    return replace(part, modes={**part.modes, **rules.modes}, oids={**part.oids, **rules.oids})


def touched(store: Store, base: str, head: str) -> list[str]:
    """The registry's own files that differ between two commits, from its root."""
    old, new = root_tree(store, base), root_tree(store, head)
    found = []
    for name in (SETTINGS_FILE, MODELS_DIR):
        before, after = (store.reader.tree(tree).get(name) if tree else None for tree in (old, new))
        was, now = (one.oid if one and one.mode == FOLDER else None for one in (before, after))
        if before != after and not (was and now):  # a file may have given way to a folder
            found.append(name)
        found += [one.path for one in diff_trees(store.reader, was, now, f"{name}/")]
    return found


def is_manifest_path(path: str) -> bool:
    """Whether ``touched`` would give a path below the registry's root."""
    return path in (SETTINGS_FILE, MODELS_DIR) or path.startswith(f"{MODELS_DIR}/")


def root_tree(store: Store, commit: str) -> str | None:
    """Id of the registry's own folder in a commit; None where it holds none."""
    entry = store.reader.entry(store.reader.commit(commit).tree, store.prefix.rstrip("/"))
    return entry.oid if entry and entry.mode == FOLDER else None


def _layout(store: Store, settings: Entry | None) -> Layout:
    try:
        return Layout(store.decoder.settings(settings, SETTINGS_FILE).layout) if settings else Layout()
    except InvalidInput:  # it was so before: the settings did not change
        return Layout()


class _Part:
    """The files of a commit that a check of some of them asks about.

    The touched files, of each model its own file and the versions that its aliases name, the settings, and,
    where a model is new, the mere names of all others.
    """

    def __init__(self, store: Store, touched: Sequence[str], layout: Layout, base: str, look: Look) -> None:
        self.store = store
        self.layout = layout
        self.touched = touched
        self.look = look
        places = [layout.parse(path) for path in touched]
        self.names = sorted({place.name for place in places if place and place.name})
        # Then a twin may have come.
        self.others = not all(self._stood(base, name) for name in self.names)

    def _stood(self, base: str, name: str) -> bool:
        """Whether a model had a folder before."""
        if self.look(base, self.layout.model_file(name)):
            return True
        root = root_tree(self.store, base)
        return bool(root and self.store.reader.entry(root, self.layout.model_dir(name)))

    def of(self, commit: str) -> Content:
        """That part of one commit."""
        entries = dict(self._entries(commit))
        return Content(
            store=self.store,
            modes={path: entry.mode for path, entry in entries.items()},
            oids={path: entry.oid for path, entry in entries.items()},
            name=commit[:10],
        )

    def _entries(self, commit: str) -> Iterator[tuple[str, Entry]]:
        root = root_tree(self.store, commit) if self.others else None
        for folder in self._folders(root) if root else ():
            yield f"{folder}/model.yaml", Entry(FILE, "")  # for the names alone; it is not read
        for path in (SETTINGS_FILE, *self.touched):
            entry = self.look(commit, path)
            if entry:
                yield path, entry
        for name in self.names:
            path = self.layout.model_file(name)
            entry = self.look(commit, path)
            if entry:
                yield path, entry
                yield from self._named(commit, name, entry)

    def _named(self, commit: str, name: str, entry: Entry) -> Iterator[tuple[str, Entry]]:
        """The versions that a model's aliases name."""
        try:
            model = self.store.decoder.model(entry, name=name, path=self.layout.model_file(name))
        except InvalidInput:  # told as a finding when the file's turn comes
            return
        for number in model.aliases.values() if isinstance(model, RegisteredModel) else ():
            path = self.layout.version_file(name, number)
            found = self.look(commit, path)
            if found:
                yield path, found

    def _folders(self, root: str) -> Iterator[str]:
        reader = self.store.reader
        mine = {self.layout.model_dir(name) for name in self.names}
        models = reader.entry(root, MODELS_DIR)
        above = [(MODELS_DIR, models)] if models and models.mode == FOLDER else []
        if self.layout.kind == "sharded":
            above = [
                (f"{folder}/{name}", entry)
                for folder, tree in above
                for name, entry in reader.tree(tree.oid).items()
                if entry.mode == FOLDER
            ]
        for folder, tree in above:
            for name, entry in reader.tree(tree.oid).items():
                if entry.mode == FOLDER and f"{folder}/{name}" not in mine:
                    yield f"{folder}/{name}"
