"""Looks a few paths up in Git's index file without a process (gitformat-index(5)).

Only what can be told for sure is told: forms of the index that are not understood here, and paths that
stand above others, are left to ``git ls-files``.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitreg.gitstore.trees import Entry, encode_name

_FIXED = 40  # times, device, inode, mode, owner, size: what stands before the object id
_MODES = frozenset({0o100644, 0o100755, 0o120000, 0o160000})
_EXTENDED, _SKIP_WORKTREE, _LENGTH = 0x4000, 0x4000, 0x0FFF
_NOT_UNDERSTOOD = (b"link", b"sdir")  # a split index, a sparse index


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the index holds for a path; ``skipped``: it is not to be in the work tree."""

    entry: Entry
    skipped: bool


def look_up(index: Path, paths: Sequence[str], *, id_bytes: int) -> dict[str, Found] | None:
    """The entries of ``paths``; None where Git must be asked instead.

    Args:
        index: The index file.
        paths: From the work tree's root.
        id_bytes: Bytes of an object id: 20 or 32.
    """
    try:
        with open(index, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _look_up(data, paths, id_bytes)
    except (OSError, ValueError):  # there is none yet, or it is empty
        return None


def _look_up(data: mmap.mmap, paths: Sequence[str], id_bytes: int) -> dict[str, Found] | None:
    if data[:4] != b"DIRC" or struct.unpack(">I", data[4:8])[0] not in (2, 3):
        return None
    if any(data.find(word) >= 0 for word in _NOT_UNDERSTOOD):
        return None
    found = {}
    for path in paths:
        name = encode_name(path)
        if data.find(name + b"/") >= 0:
            return None
        entries = list(_entries(data, name, id_bytes))
        if len(entries) > 1:
            return None  # unmerged
        if entries:
            found[path] = entries[0]
    return found


def _entries(data: mmap.mmap, name: bytes, id_bytes: int) -> Iterator[Found]:
    at = data.find(name + b"\0")
    while at >= 0:
        for more in (0, 2):  # flags, and further ones in version 3
            start = at - more - 2 - id_bytes - _FIXED
            if start < 12 or (start - 12) % 8:
                continue
            flags, mode = _number(data, at - more - 2, 2), _number(data, start + 24, 4)
            extended = bool(flags & _EXTENDED)
            if mode in _MODES and extended == bool(more) and flags & _LENGTH == min(len(name), _LENGTH):
                oid = data[start + _FIXED : start + _FIXED + id_bytes].hex()
                stage = flags >> 12 & 3
                skipped = extended and bool(_number(data, at - 2, 2) & _SKIP_WORKTREE)
                yield Found(entry=Entry(f"{mode:o}", "unmerged" if stage else oid), skipped=skipped)
        at = data.find(name + b"\0", at + 1)


def _number(data: mmap.mmap, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
