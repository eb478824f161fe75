"""Commits, tags and object ids, exactly as Git hashes them (gitformat-pack, git-commit-tree, git-mktag)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from gitreg.errors import IntegrityError

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SIGNED = re.compile(r"(.*?) ?<([^<>]*)>(?: (-?\d+)(?: ([+-]\d{4}))?)?", re.DOTALL)
_CRUD = " .,:;<>\"\\'"  # what Git strips from both ends of a name (ident.c)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wrote, committed or tagged."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A person and a moment (whole seconds, with a zone) in the head of a commit or tag."""

    person: Person
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit, parsed; ``message`` has no newline at its end taken away."""

    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


def is_oid(text: str) -> bool:
    """Whether ``text`` is a full object id (40 or 64 lower-case hex digits)."""
    return bool(_OID.fullmatch(text))


def object_id(kind: str, data: bytes, algorithm: str = "sha1") -> str:
    """The id of an object of ``kind`` (blob, tree, commit, tag) under that hash algorithm."""
    import hashlib  # loads OpenSSL, which a read command does without

    digest = hashlib.new(algorithm, b"%s %d\0" % (kind.encode(), len(data)))
    digest.update(data)  # apart: a folder of thousands would be copied
    return digest.hexdigest()


@lru_cache(maxsize=64)  # a person or two, asked for three times for each commit
def clean_ident(text: str) -> str:
    """``text`` without ``<``, ``>``, control characters, and Git's crud at both ends (ident.c)."""
    kept = "".join(char for char in text if char not in "<>" and ord(char) >= 32 and ord(char) != 127)
    return kept.strip(_CRUD)


def encode_commit(
    *, tree: str, parents: tuple[str, ...], author: Signature, committer: Signature, message: str
) -> bytes:
    """A commit's bytes; the message ends with one newline."""
    lines = [f"tree {tree}"]
    lines += [f"parent {parent}" for parent in parents]
    lines += [f"author {_signed(author)}", f"committer {_signed(committer)}", "", _text(message)]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def encode_tag(*, name: str, target: str, tagger: Signature, message: str) -> bytes:
    """An annotated tag's bytes for a commit: a pure function of the arguments."""
    lines = [
        f"object {target}",
        "type commit",
        f"tag {name}",
        f"tagger {_signed(tagger)}",
        "",
        _text(message),
    ]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def parse_commit(raw: bytes) -> Commit:
    """A commit's bytes as a value; headers that are not understood (signatures) are passed over.

    Raises:
        IntegrityError: It has no tree, author or committer.
    """
    head, _, body = raw.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        if not line.startswith(b" "):  # else it goes on with a header of several lines
            key, _, value = line.partition(b" ")
            fields.setdefault(key, []).append(value)
    try:
        encoding = fields.get(b"encoding", [b"utf-8"])[0].decode("ascii")
        return Commit(
            tree=fields[b"tree"][0].decode("ascii"),
            parents=tuple(parent.decode("ascii") for parent in fields.get(b"parent", [])),
            author=parse_signature(fields[b"author"][0]),
            committer=parse_signature(fields[b"committer"][0]),
            message=_decoded(body, encoding),
        )
    except (KeyError, UnicodeDecodeError):
        raise IntegrityError("a commit object is malformed", hint="git fsck") from None


def parse_signature(raw: bytes) -> Signature:
    """``NAME <EMAIL> SECONDS ZONE`` as a value; a broken time counts as 1970, as in Git."""
    found = _SIGNED.match(raw.decode("utf-8", "surrogateescape"))
    if not found:
        return Signature(person=Person(name="", email=""), when=datetime.fromtimestamp(0, UTC))
    name, email, seconds, zone = found.groups()
    return Signature(person=Person(name=name, email=email), when=moment(int(seconds or 0), zone or "+0000"))


def moment(seconds: int, zone: str = "+0000") -> datetime:
    """The time that Git writes as ``SECONDS ZONE``; what no calendar holds counts as 1970."""
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    if minutes >= 24 * 60:
        minutes = 0
    offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
    try:
        return datetime.fromtimestamp(seconds, timezone(offset) if offset else UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding, "surrogateescape")
    except LookupError:
        return body.decode("utf-8", "surrogateescape")


def _text(message: str) -> str:
    # Git ends a message at a NUL; a lone surrogate (half a character) has no bytes at all.
    safe = message.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return safe.rstrip("\n") + "\n"


def _signed(signature: Signature) -> str:
    offset = signature.when.utcoffset()
    if offset is None:
        raise ValueError("a commit's time needs a zone")
    minutes = int(offset.total_seconds()) // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    name, email = clean_ident(signature.person.name), clean_ident(signature.person.email)
    return f"{name} <{email}> {int(signature.when.timestamp())} {zone}"
