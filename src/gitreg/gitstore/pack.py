"""New objects as one pack with its index, written and synced in process (gitformat-pack(5)).

One pack costs three fsyncs, however many objects it holds; a loose object costs two for each
(docs/decisions/0003).
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from gitreg.gitstore.durable import disk_failure, sync_all, sync_path
from gitreg.gitstore.objects import object_id

KEEP_MARK = "gitreg"  # first word of a .keep file of ours
TEMPORARY = "gitreg-"  # not tmp_*: those a `git prune --expire=now` beside us would take away

_KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_OFS_DELTA = 6
_DEPTH = 50  # of a chain of trees, Git's own: a reader of the last one must rebuild them all
_SEGMENT = 32 << 20  # bytes of one pack, held in memory until it is flushed
_SMALL = 8 << 10  # bytes that zlib's window need not be larger for
_TINY = 100  # bytes that are not worth the try
_COPY_MAX = 0xFFFFFF
_INSERT_MAX = 127


class Likeness(NamedTuple):
    """An object of the same kind that a new one grew from.

    Attributes:
        oid: Its id.
        data: Its bytes.
        front: So many bytes at least stand unchanged at the front.
        back: And so many at the end of what is behind them.
    """

    oid: str
    data: bytes
    front: int = 0
    back: int = 0


class PackSink:
    """Collects a session's new objects; they can be relied on after ``flush`` only.

    Each flush makes one pack, held by a ``.keep`` until the refs stand: Git deletes no kept pack, so
    that a ``gc --prune=now`` beside us is harmless.

    Args:
        objects: The repository's ``objects`` folder.
        algorithm: ``sha1`` or ``sha256``.

    Attributes:
        flushes: How many packs were written: what came before the last one can be read from the disk.
    """

    def __init__(self, objects: Path, algorithm: str) -> None:
        self.flushes = 0
        self._folder = objects / "pack"
        self._algorithm = algorithm
        self._kept: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 12  # the header's
        self._places: dict[str, tuple[int, int]] = {}  # id → offset and depth

    def write(self, kind: str, data: bytes, *, like: Likeness | None = None) -> str:
        """Take an object in and give its id; it is told as a difference from ``like`` where that pays."""
        oid = object_id(kind, data, self._algorithm)
        if oid in self._places:
            return oid
        depth, chunk = self._encoded(kind, data, like)
        self._places[oid] = (self._size, depth)
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > _SEGMENT:
            self.flush()
        return oid

    def _encoded(self, kind: str, data: bytes, like: Likeness | None) -> tuple[int, bytes]:
        if like is not None and like.oid in self._places:
            offset, depth = self._places[like.oid]
            delta = splice_delta(like.data, data, like.front, like.back) if depth < _DEPTH else data
            if len(delta) < len(data) // 2:
                head = _object_head(_OFS_DELTA, len(delta)) + _distance(self._size - offset)
                return depth + 1, head + _deflated(delta)
        return 0, _object_head(_KINDS[kind], len(data)) + _deflated(data)

    def flush(self) -> None:
        """Write what was collected as one pack, and make it durable.

        Raises:
            EnvironmentFailure: The disk is full, read-only or broken.
        """
        if not self._places:
            return
        head = struct.pack(">4sII", b"PACK", 2, len(self._places))
        digest = hashlib.new(self._algorithm, head)
        for chunk in self._chunks:
            digest.update(chunk)
        trailer = digest.digest()
        index = _index(self._places, self._chunks, trailer, self._algorithm)
        name = f"{self._folder}/pack-{trailer.hex()}"
        try:
            self._folder.mkdir(exist_ok=True)
            Path(f"{name}.keep").write_text(f"{KEEP_MARK} {os.getpid()}\n")
            self._kept.append(f"{name}.keep")
            # Git looks for indexes: while there is none the pack does not exist for it.
            _write_files({f"{name}.pack": [head, *self._chunks, trailer], f"{name}.idx": [index]})
            sync_path(self._folder)
        except OSError as error:
            raise disk_failure(error, "the objects can't be written") from None
        self.flushes += 1
        self._begin()

    def stands(self) -> None:
        """The refs hold the objects: the packs need no protection any more."""
        for path in self._kept:
            Path(path).unlink(missing_ok=True)
        self._kept.clear()

    def drop(self) -> None:
        """The refs will never hold what is not flushed; gc may sweep up the rest."""
        self._begin()
        self.stands()


def _deflated(data: bytes) -> bytes:
    if len(data) > _SMALL:
        return zlib.compress(data, 1)
    if len(data) < _TINY:  # a delta, most often: one stored block (RFC 1951, 3.2.4)
        head = struct.pack("<BHH", 1, len(data), len(data) ^ 0xFFFF)
        return b"\x78\x01" + head + data + struct.pack(">I", zlib.adler32(data))
    # With its usual window zlib clears 256 kB before it begins: nine tenths of its time for a manifest.
    small = zlib.compressobj(1, zlib.DEFLATED, 13, 5)
    return small.compress(data) + small.flush()


def _index(
    places: dict[str, tuple[int, int]], chunks: Sequence[bytes], trailer: bytes, algorithm: str
) -> bytes:
    """The pack's index, version 2. Objects lie in the order in which they were placed."""
    rows = sorted(
        (bytes.fromhex(oid), zlib.crc32(chunk), offset)
        for (oid, (offset, _)), chunk in zip(places.items(), chunks, strict=True)
    )
    counts = [0] * 256
    for oid, _, _ in rows:
        counts[oid[0]] += 1
    count = len(rows)
    table = b"".join(
        (
            b"\xfftOc\0\0\0\2",
            struct.pack(">256I", *accumulate(counts)),
            *(oid for oid, _, _ in rows),
            struct.pack(f">{count}I", *(crc for _, crc, _ in rows)),
            struct.pack(f">{count}I", *(offset for _, _, offset in rows)),
            trailer,
        )
    )
    return table + hashlib.new(algorithm, table).digest()


def _write_files(files: dict[str, list[bytes]]) -> None:
    """Write and sync files under other names, then give them theirs, in order."""
    token = os.urandom(8).hex()
    # No ending that Git knows: a gc beside us takes an .idx without its .pack for garbage.
    aside = {path: f"{os.path.dirname(path)}/{TEMPORARY}{token}-{at}" for at, path in enumerate(files)}
    try:
        with ExitStack() as stack:
            written = []
            for path, parts in files.items():
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                file = stack.enter_context(os.fdopen(os.open(aside[path], flags, 0o444), "wb"))
                file.writelines(parts)
                file.flush()
                written.append(file.fileno())
            sync_all(written)
        for path in files:
            os.replace(aside.pop(path), path)
    finally:
        for path in aside.values():
            Path(path).unlink(missing_ok=True)


def splice_delta(old: bytes, new: bytes, front: int = 0, back: int = 0) -> bytes:
    """A delta for two objects that differ in one stretch: copy, insert, copy.

    Args:
        old: What is there.
        new: What it becomes.
        front: How many bytes they are known to share at the front; 0 at both ends: it is looked for.
        back: And how many at the end.
    """
    if not front and not back:
        front = _common(old, new, 1)
        back = _common(old[front:], new[front:], -1)
    out = [_size_bytes(len(old)), _size_bytes(len(new)), *_copies(0, front)]
    middle = new[front : len(new) - back]
    for at in range(0, len(middle), _INSERT_MAX):
        piece = middle[at : at + _INSERT_MAX]
        out += [bytes([len(piece)]), piece]
    out += _copies(len(old) - back, back)
    return b"".join(out)


def _common(old: bytes, new: bytes, step: int) -> int:
    # Bisection over slices: comparing bytes one by one in Python would take milliseconds.
    low, high = 0, min(len(old), len(new))
    while low < high:
        size = (low + high + 1) // 2
        same = old[low:size] == new[low:size] if step > 0 else _tail(old, low, size) == _tail(new, low, size)
        low, high = (size, high) if same else (low, size - 1)
    return low


def _tail(data: bytes, low: int, size: int) -> bytes:
    return data[len(data) - size : len(data) - low]


def _copies(offset: int, size: int) -> Iterator[bytes]:
    while size > 0:
        part = min(size, _COPY_MAX)
        code, tail = 0x80, b""
        for bit, byte in enumerate(offset.to_bytes(4, "little") + part.to_bytes(3, "little")):
            if byte:
                code |= 1 << bit
                tail += bytes([byte])
        yield bytes([code]) + tail
        offset, size = offset + part, size - part


def _size_bytes(size: int) -> bytes:
    out = []
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size])


def _object_head(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 0x0F, size >> 4
    return bytes([first | 0x80]) + _size_bytes(size) if size else bytes([first])


def _distance(offset: int) -> bytes:
    out = [offset & 0x7F]
    offset >>= 7
    while offset:
        offset -= 1  # the format's own twist: no two codes for one number
        out.append(offset & 0x7F | 0x80)
        offset >>= 7
    return bytes(reversed(out))
