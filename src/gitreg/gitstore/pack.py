"""Many objects as one pack, made here and taken in by ``git index-pack`` (gitformat-pack(5))."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitreg.gitstore.durable import disk_failure, sync_path
from gitreg.gitstore.loose import Likeness
from gitreg.gitstore.objects import object_id
from gitreg.gitstore.process import DURABLE, garbage, run

KEEP_MARK = "gitreg"  # first word of a .keep file of ours

_KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_OFS_DELTA = 6
_DEPTH = 16  # of a chain of trees: a reader of the last one must rebuild them all
_SEGMENT = 128 << 20  # bytes of one pack, held in memory until it is flushed
_COPY_MAX = 0xFFFFFF
_INSERT_MAX = 127


class PackSink:
    """Collects objects and writes them as one pack, held by a ``.keep`` until the refs stand.

    Git deletes no kept pack, so that a ``gc --prune=now`` beside us is harmless.

    Args:
        repository_root: Folder in which Git finds the repository.
        objects: The repository's ``objects`` folder.
        algorithm: ``sha1`` or ``sha256``.
        held: Descriptors that the child inherits.
    """

    def __init__(self, repository_root: Path, objects: Path, algorithm: str, held: Sequence[int]) -> None:
        self._at = repository_root
        self._folder = objects / "pack"
        self._algorithm = algorithm
        self._held = held
        self._kept: list[Path] = []
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
        if like is not None and like[0] in self._places:
            offset, depth = self._places[like[0]]
            delta = splice_delta(like[1], data)
            if depth < _DEPTH and len(delta) < len(data) // 2:
                head = _object_head(_OFS_DELTA, len(delta)) + _distance(self._size - offset)
                return depth + 1, head + zlib.compress(delta, 1)
        return 0, _object_head(_KINDS[kind], len(data)) + zlib.compress(data, 1)

    def flush(self) -> None:
        """Hand the pack to Git, which checks every object and link, and sync it.

        Raises:
            GitFailure: Git refused it, or the disk is full.
        """
        if not self._places:
            return
        head = struct.pack(">4sII", b"PACK", 2, len(self._places))
        digest = hashlib.new(self._algorithm, head)
        for chunk in self._chunks:
            digest.update(chunk)
        stream = b"".join((head, *self._chunks, digest.digest()))
        self._begin()
        args = ["index-pack", "--stdin", "--strict", f"--keep={KEEP_MARK} {os.getpid()}"]
        answer = run(args, at=self._at, stdin=stream, held=self._held, settings=DURABLE, timeout=600.0)
        words = answer.stdout.decode("ascii", "replace").split()
        if len(words) != 2 or words[0] not in ("keep", "pack"):
            raise garbage(args, self._at, answer.stdout)
        self._kept.append(self._folder / f"pack-{words[1]}.keep")
        try:
            sync_path(self._folder)
        except OSError as error:
            raise disk_failure(error, "the pack can't be made durable") from None

    def stands(self) -> None:
        """The refs hold the objects: the packs need no protection any more."""
        for path in self._kept:
            path.unlink(missing_ok=True)
        self._kept.clear()

    def drop(self) -> None:
        """The refs will never hold them: gc may sweep them up."""
        self._begin()
        self.stands()


def splice_delta(old: bytes, new: bytes) -> bytes:
    """A delta for two objects that differ in one stretch: copy, insert, copy."""
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
