"""Git's pkt-lines (gitprotocol-common(5)): four hex digits of length, then the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from gitreg.errors import UsageError

_LONGEST = 65_520


def read_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines up to the next flush-pkt, without their newlines.

    Raises:
        UsageError: The stream ends early, or is not made of pkt-lines.
    """
    while True:
        head = stream.read(4)
        if len(head) != 4 or not all(byte in b"0123456789abcdefABCDEF" for byte in head):
            raise _broken(head)
        size = int(head, 16)
        if size == 0:
            return
        if not 4 <= size <= _LONGEST:
            raise _broken(head)
        line = stream.read(size - 4)
        if len(line) != size - 4:
            raise _broken(line)
        yield line.removesuffix(b"\n")


def write_lines(stream: IO[bytes], lines: Iterable[bytes]) -> None:
    """Write lines, then a flush-pkt."""
    for line in lines:
        stream.write(b"%04x%s\n" % (len(line) + 5, line))
    stream.write(b"0000")
    stream.flush()


def _broken(read: bytes) -> UsageError:
    return UsageError(f"not a pkt-line: {read[:40]!r}", hint="Git runs this hook; see githooks(5)")
