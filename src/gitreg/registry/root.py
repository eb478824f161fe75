"""The trust root: the commit that set the registry up. What comes after it is judged by what it says.

The file ``gitreg/root`` in the Git folder pins it once it was seen: a history that begins with another one is
another registry, whoever pushed it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from gitreg.errors import IntegrityError, NotARegistry
from gitreg.gitstore.log import history, is_ancestor
from gitreg.gitstore.objects import is_oid
from gitreg.gitstore.process import handed_on
from gitreg.manifest.layout import SETTINGS_FILE
from gitreg.registry.store import Store


def root_of(store: Store, head: str) -> str:
    """Full hex id of the first commit of the first-parent history of ``head`` that holds the settings.

    Raises:
        NotARegistry: None does.
    """
    pinned = pin(store)
    if pinned is not None and is_ancestor(store.repository, pinned, head):
        return pinned
    found = _indexed(store, head)
    if found is not None:
        return found
    for commit in history(store.repository, head=head, paths=(store.prefix + SETTINGS_FILE,)):
        if any(each.old is None for each in commit.changes):
            found = commit.oid
    if found is None:
        raise NotARegistry("no commit of this history set up a registry", where=head[:10], hint="gitreg init")
    return found


def _indexed(store: Store, head: str) -> str | None:
    """The same by the index; None where it does not know this commit."""
    if store.repository.head().oid is None:  # the first push of all
        return None
    part = store.index.ready(head)
    if part is None:
        return None
    rows = part.rows("SELECT min(since) FROM settings WHERE since <= ?", part.seq)
    return part.index.oid_of(rows[0][0]) if rows[0][0] else None


def pinned_root(store: Store, head: str) -> str:
    """The same, and pin it where nothing is pinned yet.

    Raises:
        IntegrityError: Another root is pinned.
    """
    found, pinned = root_of(store, head), pin(store)
    if pinned is None:
        _write(store, found)
    elif pinned != found:
        raise IntegrityError(
            f"the history begins with {found[:10]}, but the registry was set up by {pinned[:10]}",
            where=str(_file(store)),
            hint="the branch was rewritten; where that is right, remove the file and verify again",
        )
    return found


def pin(store: Store) -> str | None:
    """The root that was seen before; None where none was."""
    try:
        text = _file(store).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if is_oid(text) else None


def _write(store: Store, root: str) -> None:
    if handed_on:  # objects of a push that may be refused
        return
    file = _file(store)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):  # a reader who may not write looks it up again each time
        file.parent.mkdir(exist_ok=True)
        aside.write_text(f"{root}\n", encoding="ascii")
        os.replace(aside, file)


def _file(store: Store) -> Path:
    # Registries in sub-folders of one repository each have their own.
    own = store.prefix.strip("/").replace("%", "%25").replace("/", "%2F")
    return store.repository.state_dir / (f"root.{own}" if own else "root")
