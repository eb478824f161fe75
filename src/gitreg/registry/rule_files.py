"""Changes of the files that hold rules beside ``gitreg.yaml``, as events: gates, keys and CODEOWNERS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from gitreg.domain.changes import Change
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.trees import Entry, Touched
from gitreg.manifest.layout import CODEOWNERS_FILES, GATES_DIR, KEYS_DIR, SETTINGS_FILE
from gitreg.registry.store import Store

_FOLDERS = (GATES_DIR, KEYS_DIR)


def rule_file_paths(store: Store) -> list[str]:
    """Where such files lie, from the repository's root: CODEOWNERS is no part of the registry's folder."""
    return [*(store.prefix + name for name in _FOLDERS), *CODEOWNERS_FILES]


def rule_files_changed(store: Store, commit: HistoryCommit) -> tuple[Change, ...]:
    """The rules' files that a commit adds, changes or removes, by path, with their blobs' ids.

    The commit that sets a registry up changes no rules, and CODEOWNERS is one of them only where somebody
    approves by it: the other teams of a larger repository have it for themselves.
    """
    found = [each for each in commit.changes if _is_rules(store, each.path)]
    if not found or not commit.parents:
        return ()
    before = _settings_entry(store, commit.parents[0])
    if before is None:
        return ()
    owned = any(each.path in CODEOWNERS_FILES for each in found) and any(
        _by_codeowners(store, entry) for entry in (before, _settings_entry(store, commit.oid))
    )
    meant = [each for each in found if owned or each.path not in CODEOWNERS_FILES]
    return tuple(_changes(store, meant))


def _is_rules(store: Store, path: str) -> bool:
    below = path.removeprefix(store.prefix) if path.startswith(store.prefix) else ""
    return below.partition("/")[0] in _FOLDERS or path in CODEOWNERS_FILES


def _changes(store: Store, touched: list[Touched]) -> Iterator[Change]:
    for each in sorted(touched, key=lambda one: one.path):
        path = each.path if each.path in CODEOWNERS_FILES else each.path.removeprefix(store.prefix)
        yield Change(
            event="policy",
            # SQLite and JSON hold UTF-8: bytes that are none are told as escapes.
            field=path.encode("utf-8", "backslashreplace").decode(),
            before=each.old.oid if each.old else None,
            after=each.new.oid if each.new else None,
        )


def _settings_entry(store: Store, commit: str) -> Entry | None:
    return store.reader.entry(store.reader.commit(commit).tree, store.prefix + SETTINGS_FILE)


def _by_codeowners(store: Store, entry: Entry | None) -> bool:
    settings: Settings | None = None
    if entry is not None and entry.mode.startswith("100"):
        with suppress(InvalidInput):
            settings = store.decoder.settings(entry, store.prefix + SETTINGS_FILE)
    if settings is None:
        return False
    asked = [*(stage.approvals for stage in settings.stages), settings.policy.approvals]
    return any(each is not None and each.codeowners for each in asked)
