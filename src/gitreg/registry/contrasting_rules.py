"""The rules of two commits side by side: settings, keys, gates and CODEOWNERS, each read where it differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gitreg.domain.contrast_keys import KeyLine
from gitreg.domain.contrast_model import contrast_settings
from gitreg.domain.contrast_rules import (
    RuleChange,
    RuleFile,
    Rules,
    Said,
    contrast_rules,
    settings_change,
)
from gitreg.domain.settings import Approvals, Settings
from gitreg.errors import InvalidInput, InvalidManifests, NotAllowed, NotARegistry
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import FILE, FOLDER, Entry, Touched
from gitreg.manifest.layout import CODEOWNERS_FILES, GATES_DIR, KEYS_DIR, SETTINGS_FILE, SIGNERS_FILE
from gitreg.registry.differing import root_tree
from gitreg.registry.store import Store
from gitreg.registry.view import View
from gitreg.signing.pgp import fingerprints
from gitreg.signing.signers import SignerLine, Signers

_MOST_BYTES = 1024 * 1024  # of a file that is read to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A registry at a commit, whether its settings can be read or not.

    Attributes:
        reader: Reads its objects.
        tree: Id of the commit's tree.
        root: Id of the registry's own tree; None where it holds none.
        prefix: The registry's folder, with a slash at its end.
        settings: None where they can't be read, or are not there.
    """

    reader: Reader
    tree: str
    root: str | None
    prefix: str
    settings: Settings | None

    def entry(self, path: str) -> Entry | None:
        """A file or folder of the registry."""
        return self.reader.entry(self.root, path) if self.root else None

    def folder(self, path: str) -> str | None:
        """Id of a folder's tree."""
        found = self.entry(path)
        return found.oid if found and found.mode == FOLDER else None

    def bytes_of(self, path: str) -> bytes:
        """Of a plain file; none of any other."""
        found = self.entry(path)
        return self.reader.blob(found.oid) if found and found.mode == FILE else b""


def rules_between(before: View, after: View) -> tuple[RuleChange, ...]:
    """What differs in the rules of two commits, those changes first that lower the bar."""
    return contrast_rules(*_rules(_seen(before), _seen(after)))


def told_to_approve(store: Store, before: str, after: str) -> tuple[RuleChange, ...]:
    """All that who approves a change of the rules consents to: other settings and mere spelling, too.

    Args:
        store: The registry.
        before: Full hex id of the commit before; its settings need not be readable, nor those of ``after``.
        after: Full hex id of the commit whose rules are to be approved.
    """
    sides = _at(store, before), _at(store, after)
    found = contrast_rules(*_rules(*sides))
    was, now = (each.settings for each in sides)
    if was is None or now is None:
        return found
    others = tuple(_other_settings(was, now))
    if not others and all(each.kind in ("file", "key") for each in found):
        others = tuple(_spelling(*sides))
    return (*found, *others)


def _seen(view: View) -> _Place:
    states = view.states
    tree = states.reader.commit(view.commit).tree
    return _Place(reader=states.reader, tree=tree, root=states.root, prefix="", settings=view.settings)


def _at(store: Store, commit: str) -> _Place:
    try:
        settings: Settings | None = store.view(commit).settings
    except (InvalidInput, NotARegistry):
        settings = None
    return _Place(
        reader=store.reader,
        tree=store.reader.commit(commit).tree,
        root=root_tree(store, commit),
        prefix=store.prefix,
        settings=settings,
    )


def _other_settings(was: Settings, now: Settings) -> Iterator[RuleChange]:
    """The settings that are no rules, but for stages that come or go: they are told as such."""
    names = [{stage.name.casefold() for stage in side.stages} for side in (was, now)]
    for section in contrast_settings(was, now):
        for row in section.rows:
            if row.key != "stages" or names[0] == names[1]:
                yield settings_change(row.key, _said(row.before), _said(row.after))


def _said(value: object) -> Said:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _spelling(before: _Place, after: _Place) -> Iterator[RuleChange]:
    """That ``gitreg.yaml`` says the same in other words."""
    was, now = before.entry(SETTINGS_FILE), after.entry(SETTINGS_FILE)
    if was != now:
        path = after.prefix + SETTINGS_FILE
        yield RuleChange(kind="file", subject=SETTINGS_FILE, effect="none", path=path)


def _rules(before: _Place, after: _Place) -> tuple[Rules, Rules]:
    keys = _keys(before), _keys(after)
    readable = None not in keys
    touched = list(_touched(before, after, keys=not readable))
    if readable and keys[0] == keys[1]:  # other comments, or another order
        touched += list(_one(before, after, SIGNERS_FILE))
    files = [dict(_files(side, touched, new=at == 1)) for at, side in enumerate((before, after))]
    was, now = (
        Rules(settings=side.settings, asked=_asked(side.settings), keys=lines, files=found)
        for side, lines, found in zip((before, after), keys, files, strict=True)
    )
    return was, now


def _asked(settings: Settings | None) -> Approvals | None:
    if settings is None:
        return None
    from gitreg.policy.enforce import asked_of_policy  # gates are slow to import

    return asked_of_policy(settings)


def _keys(side: _Place) -> tuple[KeyLine, ...] | None:
    try:
        lines = Signers.parse(side.bytes_of(SIGNERS_FILE)).lines
    except InvalidManifests:
        return None
    return tuple(map(_key_line, lines))


def _key_line(line: SignerLine) -> KeyLine:
    return KeyLine(
        principals=line.principals,
        key=f"{line.key.key_type} {line.key.fingerprint}",
        since=line.valid_after,
        until=line.valid_before,
        namespaces=line.namespaces,
    )


def _touched(before: _Place, after: _Place, *, keys: bool) -> Iterator[Touched]:
    """The files that hold rules and differ, by path from the registry's root; CODEOWNERS by its own.

    Args:
        before: The one side.
        after: The other.
        keys: Whether ``keys/allowed_signers`` is told as a file, for want of lines that could be read.
    """
    for folder in (GATES_DIR, KEYS_DIR):
        found = diff_trees(after.reader, before.folder(folder), after.folder(folder), f"{folder}/")
        yield from (each for each in found if keys or each.path != SIGNERS_FILE)
        if not (before.folder(folder) and after.folder(folder)):
            yield from _one(before, after, folder)
    if before.settings is None or after.settings is None:
        yield from _one(before, after, SETTINGS_FILE)
    if _goes_by_codeowners(before.settings) or _goes_by_codeowners(after.settings):
        for path in CODEOWNERS_FILES:
            old, new = (side.reader.entry(side.tree, path) for side in (before, after))
            if old != new:
                yield Touched(path=path, old=old, new=new)


def _one(before: _Place, after: _Place, path: str) -> Iterator[Touched]:
    old, new = (
        entry if (entry := side.entry(path)) and entry.mode != FOLDER else None for side in (before, after)
    )
    if old != new:
        yield Touched(path=path, old=old, new=new)


def _goes_by_codeowners(settings: Settings | None) -> bool:
    if settings is None:
        return True  # nobody knows
    asked = [*(stage.approvals for stage in settings.stages), settings.policy.approvals]
    return any(each is not None and each.codeowners for each in asked)


def _files(side: _Place, touched: Iterable[Touched], *, new: bool) -> Iterator[tuple[str, RuleFile]]:
    for each in touched:
        entry = each.new if new else each.old
        if entry is not None and entry.mode != FOLDER:
            # Bytes that are no UTF-8 are told as escapes.
            name = each.path.encode("utf-8", "backslashreplace").decode()
            yield name, _file(side, each.path, entry)


def _file(side: _Place, path: str, entry: Entry) -> RuleFile:
    whole = path if path in CODEOWNERS_FILES else side.prefix + path
    if entry.mode != FILE:  # a link has no text that could count
        told = f"no plain file (mode {entry.mode})"
        return RuleFile(path=whole, digest=f"{entry.mode} {entry.oid}", told=told)
    data = side.reader.blob(entry.oid)
    digest = hashlib.sha256(data).hexdigest()
    if path == SIGNERS_FILE:
        text = "" if _keys(side) is not None else _text(data)
        return RuleFile(path=whole, digest=digest, text=text)
    if path.startswith(f"{KEYS_DIR}/") and path.endswith(".asc"):
        return RuleFile(path=whole, digest=digest, told=_open_pgp(data, digest))
    text = _canonical(data) if path.startswith(f"{GATES_DIR}/") else None
    if text is not None:
        return RuleFile(path=whole, digest=digest, text=text, schema=True)
    return RuleFile(path=whole, digest=digest, text=_text(data))


def _open_pgp(data: bytes, digest: str) -> str:
    try:
        return f"OpenPGP {', '.join(fingerprints(data))} (sha256:{digest[:12]}…)"
    except NotAllowed:
        return f"sha256:{digest}"


def _text(data: bytes) -> str | None:
    if len(data) > _MOST_BYTES or b"\0" in data:
        return None
    return data.decode("utf-8", "backslashreplace")


def _canonical(data: bytes) -> str | None:
    """JSON with a line for each value, its keys in order: what it says, however it is written."""
    if len(data) > _MOST_BYTES:
        return None
    try:
        found = json.loads(data, object_pairs_hook=_unique)
        return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once: of twins nobody can tell which counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
