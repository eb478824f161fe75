"""The rules that a commit holds: settings, gates, keys and CODEOWNERS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from gitreg.domain.settings import Settings
from gitreg.gitstore.trees import FILE, FOLDER, Entry
from gitreg.manifest.layout import CODEOWNERS_FILES, GATES_DIR, KEYS_DIR, SETTINGS_FILE, SIGNERS_FILE
from gitreg.policy.codeowners import Dialect, dialect_of
from gitreg.registry.differing import root_tree
from gitreg.registry.store import Store
from gitreg.signing.signers import Signers


class RuleBook:
    """The rules of one commit, each part read when it is asked for.

    Args:
        store: The registry.
        commit: Full hex id of the commit whose rules count.
    """

    def __init__(self, store: Store, commit: str) -> None:
        self.store = store
        self.commit = commit
        self._root = root_tree(store, commit)

    @cached_property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says.

        Raises:
            InvalidInput, NotARegistry: It can't be read, or is not there.
        """
        return self.store.view(self.commit).settings

    @cached_property
    def signers(self) -> Signers:
        """Whose keys count.

        Raises:
            InvalidManifests: A line of ``keys/allowed_signers`` can't be read.
        """
        return Signers.parse(self.file(SIGNERS_FILE) or b"")

    @cached_property
    def pgp_keys(self) -> Mapping[str, bytes]:
        """Principal → armored OpenPGP key, from ``keys/PRINCIPAL.asc``."""
        files = ((path.removeprefix(f"{KEYS_DIR}/"), entry) for path, entry in self._below(KEYS_DIR))
        named = {path.removesuffix(".asc"): entry for path, entry in files if path.endswith(".asc")}
        return {name: self.store.reader.blob(entry.oid) for name, entry in sorted(named.items())}

    @cached_property
    def merge_keys(self) -> tuple[bytes, ...]:
        """The keys that hosting services sign with: SSH keys as lines, OpenPGP keys armored."""
        named = self.settings.merge_keys
        return tuple(
            (self.file(key) or b"") if key.startswith(f"{KEYS_DIR}/") else key.encode() for key in named
        )

    def gate(self, path: str) -> bytes | None:
        """The bytes of a gate; None where it is not there, or no plain file."""
        return self.file(path)

    def codeowners(self) -> tuple[Dialect, bytes] | None:
        """The first CODEOWNERS where hosting services look for it: its dialect, and its bytes."""
        for path in CODEOWNERS_FILES:
            entry = self._in_repository(path)
            if entry is not None:
                dialect = dialect_of(path, self.settings.proposals.forge)
                return dialect, self.store.reader.blob(entry.oid)
        return None

    @cached_property
    def mark(self) -> tuple[tuple[str, str], ...]:
        """What two commits with the same rules share: paths and ids, found without reading a file."""
        found = []
        for name in (SETTINGS_FILE, GATES_DIR, KEYS_DIR):
            entry = self.store.reader.tree(self._root).get(name) if self._root else None
            if entry:
                found.append((name, f"{entry.mode} {entry.oid}"))
        return (*found, *((path, entry.oid) for path, entry in self._codeowners()))

    def files(self, *, codeowners: bool) -> dict[str, bytes]:
        """The files that hold the rules, by path; those of CODEOWNERS where somebody goes by them."""
        settings = self._entry(SETTINGS_FILE)
        entries = {SETTINGS_FILE: settings} if settings else {}
        for folder in (GATES_DIR, KEYS_DIR):
            entries.update(self._below(folder))
        if codeowners:
            entries.update(self._codeowners())
        read = self.store.reader.blob
        # A link or a submodule is told by its mode and id: it has no text of its own that could count.
        return {
            path: read(entry.oid) if entry.mode == FILE else f"{entry.mode} {entry.oid}".encode()
            for path, entry in entries.items()
        }

    @cached_property
    def goes_by_codeowners(self) -> bool:
        """Whether any rule lets the owners in CODEOWNERS approve."""
        asked = [stage.approvals for stage in self.settings.stages] + [self.settings.policy.approvals]
        return any(each is not None and each.codeowners for each in asked)

    def file(self, path: str) -> bytes | None:
        """The bytes of one plain file below the registry's root; None where there is none."""
        entry = self._entry(path)
        return self.store.reader.blob(entry.oid) if entry and entry.mode == FILE else None

    def _entry(self, path: str) -> Entry | None:
        found = self.store.reader.entry(self._root, path) if self._root else None
        return found if found and found.mode != FOLDER else None

    def _below(self, folder: str) -> Iterator[tuple[str, Entry]]:
        entry = self.store.reader.entry(self._root, folder) if self._root else None
        if entry and entry.mode == FOLDER:
            yield from self.store.reader.walk(entry.oid, f"{folder}/")
        elif entry:
            yield folder, entry

    def _codeowners(self) -> Iterator[tuple[str, Entry]]:
        for path in CODEOWNERS_FILES:
            entry = self._in_repository(path)
            if entry is not None:
                yield path, entry

    def _in_repository(self, path: str) -> Entry | None:
        found = self.store.reader.entry(self.store.reader.commit(self.commit).tree, path)
        return found if found and found.mode == FILE else None
