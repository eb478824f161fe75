"""The files of a registry as a check meets them: in the work tree, in the index, or in a commit."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitreg.errors import NotARegistry
from gitreg.gitstore.listing import index_entries, work_tree_paths
from gitreg.gitstore.objects import object_id
from gitreg.gitstore.trees import FILE, FOLDER, Entry
from gitreg.manifest.layout import GATES_DIR, KEYS_DIR, MODELS_DIR, SETTINGS_FILE
from gitreg.registry.store import Store

LINK = "120000"
EXECUTABLE = "100755"
SUBMODULE = "160000"

_OWN = (SETTINGS_FILE, MODELS_DIR, GATES_DIR, KEYS_DIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The files below a registry's root that are its own: settings, models, gates and keys.

    Attributes:
        store: Reads objects.
        modes: Path below the root → mode, as a tree holds it.
        oids: Path → blob. In a work tree only for files that a sparse checkout leaves out; the others
            are read from the disk.
        folder: The registry's root on the disk, for a work tree.
        unmerged: Paths that a merge left undecided.
        name: How ``git checkout`` is told of this state; ``""`` where it can't be.
    """

    store: Store
    modes: Mapping[str, str]
    oids: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    unmerged: frozenset[str] = frozenset()
    name: str = ""

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
        """Path, object id and bytes of each file; those on the disk come first."""
        stored = []
        for path in paths:
            if self.folder is None or path in self.oids:
                stored.append(path)
                continue
            data = (self.folder / path).read_bytes()
            yield path, object_id("blob", data, self.store.repository.algorithm), data
        oids = (self.oids[path] for path in stored)
        for path, (oid, data) in zip(stored, self.store.reader.blobs(oids), strict=True):
            yield path, oid, data

    def one(self, path: str) -> bytes | None:
        """The bytes of one plain file; None where there is none."""
        if self.modes.get(path) != FILE:
            return None
        return next(self.read([path]))[2]


def in_commit(store: Store, commit: str, *, name: str = "") -> Content:
    """The registry that a commit holds; without files where it holds none.

    Args:
        store: The registry.
        commit: Full hex id.
        name: What a person calls it. By default the beginning of the id.
    """
    return _of_commit(store, commit, _OWN, name or commit[:10])


def rules_in_commit(store: Store, commit: str) -> Content:
    """The same without the models: the settings, gates and keys, found without a look at the manifests."""
    return _of_commit(store, commit, [name for name in _OWN if name != MODELS_DIR], commit[:10])


def _of_commit(store: Store, commit: str, names: Iterable[str], told: str) -> Content:
    root = store.reader.entry(store.reader.commit(commit).tree, store.prefix.rstrip("/"))
    entries = dict(_walk(store, root.oid, names)) if root and root.mode == FOLDER else {}
    return Content(
        store=store,
        modes={path: entry.mode for path, entry in entries.items()},
        oids={path: entry.oid for path, entry in entries.items()},
        name=told,
    )


def _walk(store: Store, root: str, names: Iterable[str]) -> Iterator[tuple[str, Entry]]:
    for name in names:
        entry = store.reader.tree(root).get(name)
        if entry and entry.mode == FOLDER:
            yield from store.reader.walk(entry.oid, f"{name}/")
        elif entry:
            yield name, entry


def in_index(store: Store) -> Content:
    """The registry as the next commit would hold it."""
    _work_tree(store)
    found = index_entries(store.repository, _roots(store))
    unmerged = {each.path for each in found if each.stage}
    plain = {_below(store, each.path): each.entry for each in found if not each.stage}
    return Content(
        store=store,
        modes={path: entry.mode for path, entry in plain.items()},
        oids={path: entry.oid for path, entry in plain.items()},
        unmerged=frozenset(_below(store, path) for path in unmerged),
    )


def in_work_tree(store: Store) -> Content:
    """The registry as it stands on the disk; files that Git ignores don't count."""
    root = _work_tree(store)
    trusted = store.repository.setting("core.filemode", "true") == "true"
    found = work_tree_paths(store.repository, _roots(store))
    left_out = [path for path, sparse in found.items() if sparse and not _mode(root / path, trusted)]
    entries = (
        {each.path: each.entry for each in index_entries(store.repository, left_out)} if left_out else {}
    )
    modes = {path: _mode(root / path, trusted) for path in found} | {p: e.mode for p, e in entries.items()}
    return Content(
        store=store,
        modes={_below(store, path).rstrip("/"): mode for path, mode in modes.items() if mode},
        oids={_below(store, path): entry.oid for path, entry in entries.items()},
        folder=root / store.prefix,
    )


def _work_tree(store: Store) -> Path:
    root = store.repository.work_tree
    if root is None:
        raise NotARegistry(
            "a bare repository has neither work tree nor index",
            where=str(store.repository.git_dir),
            hint="gitreg check --rev HEAD",
        )
    return root


def _roots(store: Store) -> list[str]:
    return [f"{store.prefix}{name}" for name in _OWN]


def _below(store: Store, path: str) -> str:
    return path.removeprefix(store.prefix)


def _mode(path: Path, trusted: bool) -> str:
    """The mode that Git would give a file; ``""`` where there is none."""
    try:
        found = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISLNK(found):
        return LINK
    if stat.S_ISDIR(found):
        return SUBMODULE
    return EXECUTABLE if trusted and found & stat.S_IXUSR else FILE
