"""Up to which commit all tags were found right, and what they were: ``gitreg/reconciled`` in the Git folder.

It is a mere shortcut: a tag moved since then changes what the tags add up to, and without the file the whole
history is looked at.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitreg.gitstore.objects import is_oid
from gitreg.registry.store import Store

_WIDTH = 64  # hex digits of a sum


@dataclass(frozen=True, slots=True, kw_only=True)
class TagNote:
    """What was found.

    Attributes:
        head: Full hex id of the commit.
        total: What the tags up to there add up to, see ``total_of``.
    """

    head: str
    total: str


def total_of(tags: Mapping[str, str], *, before: str = "") -> str:
    """What some tags (name → id) add up to, in whatever order: each is a number made from name and id.

    Args:
        tags: Names without ``refs/tags/``.
        before: What others add up to already.
    """
    total = int(before or "0", 16)
    for name, oid in tags.items():
        text = f"{name}\0{oid}".encode("utf-8", "surrogateescape")
        total += int.from_bytes(hashlib.sha256(text).digest(), "big")
    return f"{total % 16**_WIDTH:0{_WIDTH}x}"


def read_note(store: Store) -> TagNote | None:
    """The note; None where there is none that can be read."""
    try:
        head, total = _file(store).read_text(encoding="ascii").split()
    except (OSError, ValueError):  # not there, damaged, or of another version
        return None
    return TagNote(head=head, total=total) if is_oid(head) and is_oid(total) else None


def write_note(store: Store, note: TagNote | None) -> None:
    """Put a note in the former one's place; None: there is nothing to go on from."""
    file = _file(store)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):  # without it the next run takes longer
        if note is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(exist_ok=True)
        aside.write_text(f"{note.head}\n{note.total}\n", encoding="ascii")
        os.replace(aside, file)


def _file(store: Store) -> Path:
    # Registries in sub-folders of one repository each have their own.
    own = store.prefix.strip("/").replace("%", "%25").replace("/", "%2F")
    return store.repository.state_dir / (f"reconciled.{own}" if own else "reconciled")
