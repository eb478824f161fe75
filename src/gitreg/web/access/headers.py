"""Headers that every answer has, whatever made it.

Sources: the Fetch standard (X-Content-Type-Options), Content Security Policy 3, HTML (Cross-Origin-*-Policy).
"""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Pages get everything from this server, nothing inline, and stand in nobody's frame."""

# Where the answer has one of these already, that stays.
_EVERY: tuple[Header, ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # What is answered depends on who asks.
    (b"cache-control", b"private, no-cache"),
)


def completed(headers: Iterable[Header]) -> list[Header]:
    """An answer's headers, and those of every answer that it lacks."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    return given + [(name, value) for name, value in _EVERY if name not in names]
