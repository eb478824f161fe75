"""Tree objects: read as mappings, changed by splicing their bytes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gitreg.errors import IntegrityError

FILE = "100644"
FOLDER = "40000"

_ENTRY = {size: re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}
_Raw = tuple[bytes, bytes]  # mode and binary id
_MANY = 64  # changes at once: then all bytes are joined anew, for each splice copies the whole folder


class Entry(NamedTuple):
    """One entry of a tree: its mode in octal as Git stores it (``100644``, ``40000``), and object id."""

    mode: str
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """One path that differs between two trees; None where it does not exist."""

    path: str
    old: Entry | None
    new: Entry | None


class Tree(Mapping[str, Entry]):
    """A tree object as a mapping from name to entry, in Git's order.

    Args:
        raw: The object's bytes.
        size: Bytes of an object id: 20 or 32.

    Attributes:
        kept: Of a tree that ``spliced`` made: how many bytes of the former one stand unchanged at the
            front, and how many at the end. (0, 0): it is not known.

    Raises:
        IntegrityError: The bytes are no tree.
    """

    __slots__ = ("_entries", "_order", "kept", "raw", "size")

    def __init__(
        self,
        raw: bytes,
        size: int,
        entries: dict[bytes, _Raw] | None = None,
        order: list[bytes] | None = None,
        kept: tuple[int, int] = (0, 0),
    ) -> None:
        self.raw = raw
        self.size = size
        self.kept = kept
        if entries is None:
            found = _ENTRY[size].findall(raw)
            if sum(len(mode) + len(name) for mode, name, _ in found) + len(found) * (size + 2) != len(raw):
                raise IntegrityError("a tree object is malformed", hint="git fsck")
            entries = {name: (mode, oid) for mode, name, oid in found}
        self._entries = entries
        self._order = order  # sort keys; None: the entries stand in Git's order

    def __getitem__(self, name: str) -> Entry:
        mode, oid = self._entries[encode_name(name)]
        return Entry(mode.decode(), oid.hex())

    def __iter__(self) -> Iterator[str]:
        if self._order is None:
            return map(decode_name, self._entries)
        return (decode_name(key.removesuffix(b"/")) for key in self._order)

    def __len__(self) -> int:
        return len(self._entries)

    def joined_names(self) -> bytes:
        """All names with NUL between them, in no order: for one search over thousands of them."""
        return b"\0".join(self._entries)

    def differing(self, other: Tree) -> list[str]:
        """Names, sorted as bytes, whose entry differs between the two."""
        changed = self._entries.items() ^ other._entries.items()
        return [decode_name(name) for name in sorted({name for name, _ in changed})]

    def spliced(self, changes: Mapping[str, Entry | None]) -> Tree:
        """The tree with some entries set or, where the value is None, taken out.

        The bytes are spliced, not encoded anew: in a folder of 1,000 names that saves a millisecond.
        """
        new = {
            encode_name(name): (entry.mode.encode(), bytes.fromhex(entry.oid)) if entry else None
            for name, entry in changes.items()
        }
        if len(new) > _MANY:
            return self._rebuilt(new)
        size = len(self.raw)
        spliced = _Splice(self.raw, dict(self._entries), self._sort_keys(), size, size)
        for key, entry in new.items():
            spliced.set(key, entry)
        return Tree(
            spliced.raw, self.size, spliced.entries, spliced.order, kept=(spliced.front, spliced.back)
        )

    def _rebuilt(self, changes: dict[bytes, _Raw | None]) -> Tree:
        entries = {key: entry for key, entry in (self._entries | changes).items() if entry is not None}
        ordered = dict(sorted(entries.items(), key=lambda item: _sort_key(item[0], item[1][0])))
        return Tree(b"".join(_line(key, *entry) for key, entry in ordered.items()), self.size, ordered)

    def _sort_keys(self) -> list[bytes]:
        if self._order is not None:
            return self._order.copy()
        return [_sort_key(key, mode) for key, (mode, _) in self._entries.items()]


@dataclass(slots=True)
class _Splice:
    """A tree in the making: its bytes, its entries in any order, and its sort keys in Git's.

    ``front`` and ``back`` count the bytes at both ends that were not touched yet.
    """

    raw: bytes
    entries: dict[bytes, _Raw]
    order: list[bytes]
    front: int
    back: int

    def set(self, key: bytes, new: _Raw | None) -> None:
        """Set one entry, or take it out."""
        old = self.entries.get(key)
        if old is not None:
            was = _line(key, *old)
            at = self.raw.index(was)  # a whole entry with its id: it can't match but where it stands
            if new is not None and _sort_key(key, old[0]) == _sort_key(key, new[0]):
                self._put(key, new, at, at + len(was))
                return
            del self.entries[key], self.order[bisect_left(self.order, _sort_key(key, old[0]))]
            self._cut(at, at + len(was), b"")
        if new is None:
            return
        wanted = _sort_key(key, new[0])
        rank = bisect_left(self.order, wanted)
        at = self._offset(self.order[rank]) if rank < len(self.order) else len(self.raw)
        self._put(key, new, at, at)
        self.order.insert(rank, wanted)

    def _put(self, key: bytes, new: _Raw, start: int, end: int) -> None:
        self.entries[key] = new
        self._cut(start, end, _line(key, *new))

    def _cut(self, start: int, end: int, line: bytes) -> None:
        self.front = min(self.front, start)
        self.back = min(self.back, len(self.raw) - end)
        self.raw = b"".join((self.raw[:start], line, self.raw[end:]))

    def _offset(self, sort_key: bytes) -> int:
        name = sort_key.removesuffix(b"/")
        return self.raw.index(_line(name, *self.entries[name]))


def encode_tree(entries: Mapping[str, Entry]) -> bytes:
    """A tree's bytes from its entries, which may come in any order."""
    raw = [
        (encode_name(name), entry.mode.encode(), bytes.fromhex(entry.oid)) for name, entry in entries.items()
    ]
    raw.sort(key=lambda item: _sort_key(item[0], item[1]))
    return b"".join(_line(*item) for item in raw)


def encode_name(name: str) -> bytes:
    """A path or name as Git's bytes."""
    return name.encode("utf-8", "surrogateescape")


def decode_name(raw: bytes) -> str:
    """Git's bytes as a path or name; bytes that are not UTF-8 survive the way back."""
    return raw.decode("utf-8", "surrogateescape")


def _line(name: bytes, mode: bytes, oid: bytes) -> bytes:
    return b"%s %s\0%s" % (mode, name, oid)


def _sort_key(name: bytes, mode: bytes) -> bytes:
    return name + b"/" if mode == b"40000" else name  # base_name_compare in Git's tree.c
