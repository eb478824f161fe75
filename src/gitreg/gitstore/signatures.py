"""Signatures inside of commits and tags: what was signed, and by which bytes (git's commit.c, tag.c)."""

from __future__ import annotations

_HEADERS = (b"gpgsig", b"gpgsig-sha256")
_BEGINS = (
    b"-----BEGIN SSH SIGNATURE-----",
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
)


def split_commit(raw: bytes, *, algorithm: str = "sha1") -> tuple[bytes, bytes | None]:
    """What a commit's signature signs, and the signature; None where it has none.

    Args:
        raw: The commit's bytes.
        algorithm: The repository's object format, which says whose header counts.
    """
    own = _HEADERS[0] if algorithm == "sha1" else _HEADERS[1]
    head, blank, body = raw.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    name = b""
    for line in head.split(b"\n"):
        goes_on = line.startswith(b" ")
        if not goes_on:
            name, _, line_rest = line.partition(b" ")
        if name not in _HEADERS:
            kept.append(line)
        elif name == own:
            signature.append(line[1:] if goes_on else line_rest)
    text = b"".join(line + b"\n" for line in signature)
    return b"\n".join(kept) + blank + body, text or None


def sign_commit(payload: bytes, signature: bytes, *, algorithm: str = "sha1") -> bytes:
    """A commit's bytes with its signature, as Git puts it in: the last header."""
    own = _HEADERS[0] if algorithm == "sha1" else _HEADERS[1]
    head, blank, body = payload.partition(b"\n\n")
    folded = signature.rstrip(b"\n").replace(b"\n", b"\n ")
    return b"%s\n%s %s%s%s" % (head, own, folded, blank, body)


def split_tag(raw: bytes) -> tuple[bytes, bytes | None]:
    """What a tag's signature signs, and the signature that stands at its end; None where it has none."""
    at = -1
    start = 0
    while start < len(raw):
        if raw.startswith(_BEGINS, start):
            at = start  # the last one, as Git takes it
        end = raw.find(b"\n", start)
        start = len(raw) if end < 0 else end + 1
    return (raw, None) if at < 0 else (raw[:at], raw[at:])


def sign_tag(payload: bytes, signature: bytes) -> bytes:
    """A tag's bytes with its signature."""
    return payload + signature
