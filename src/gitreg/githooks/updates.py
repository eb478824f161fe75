"""What Git tells a hook of a push: which refs move from where to where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitreg.errors import UsageError
from gitreg.gitstore.objects import is_oid

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
FOR = "refs/for/"
PROPOSALS = "refs/proposals/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One ref of a push: ``old`` None where it is new, ``new`` None where it is removed."""

    ref: str
    old: str | None
    new: str | None


def received(text: bytes) -> list[Update]:
    """The lines ``OLD NEW REF`` that pre-receive and post-receive read (githooks(5))."""
    rows = (_words(line, 3) for line in _lines(text))
    return [Update(ref=ref, old=_oid(old), new=_oid(new)) for old, new, ref in rows]


def pushed(text: bytes) -> list[Update]:
    """The lines ``LOCAL-REF LOCAL-OID REMOTE-REF REMOTE-OID`` that pre-push reads (githooks(5))."""
    rows = (_words(line, 4) for line in _lines(text))
    return [Update(ref=ref, old=_oid(old), new=_oid(new)) for _, new, ref, old in rows]


def _lines(text: bytes) -> Iterator[str]:
    return (line.decode("utf-8", "surrogateescape") for line in text.split(b"\n") if line)


def _words(line: str, count: int) -> Iterable[str]:
    # The names of refs hold no spaces; a local "ref" of pre-push may be any expression: `HEAD~1`.
    words = line.split(" ") if count == 3 else line.rsplit(" ", 3)
    if len(words) != count:
        raise UsageError(
            f"the hook's input is not what Git writes: {line[:80]!r}",
            hint="Git runs this hook; see githooks(5)",
        )
    return words


def _oid(text: str) -> str | None:
    if not is_oid(text):
        raise UsageError(f"not an object id: {text[:80]!r}", hint="Git runs this hook; see githooks(5)")
    return text if text.strip("0") else None
