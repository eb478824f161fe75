"""Page tokens: where a page ended, at which commit, of which search."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gitreg.errors import InvalidInput
from gitreg.index.filter.order import Key, Place

_MOST = 2**63
_LONGEST = 1_000_000
_COMMIT = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToken:
    """Where a page ended.

    Attributes:
        commit: Full hex id of the commit at which the first page was answered; all others are, too.
        search: Digest of what is searched for (``digest``).
        place: The values of the order's keys in the last row.
    """

    commit: str
    search: str
    place: Place

    def text(self) -> str:
        """The token as it is given out; its readers should look at it as opaque."""
        body = json.dumps([self.commit, self.search, self.place], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(_sum(body) + body).decode().rstrip("=")

    def check(self, search: str, keys: Sequence[Key]) -> Place:
        """The place, when the token belongs to this search.

        Raises:
            InvalidInput: It was given out for another filter or order.
        """
        fits = len(self.place) == len(keys) and all(
            key.nullable or value is not None for key, value in zip(keys, self.place, strict=True)
        )
        if self.search != search or not fits:
            raise InvalidInput(
                "the page token belongs to another search",
                where="page token",
                hint="give the filter and order of the first page",
            )
        return self.place


def digest(*parts: str) -> str:
    """What tells one search from another."""
    from hashlib import sha256  # loads OpenSSL, which a search of one page does without

    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_token(text: str) -> PageToken:
    """Read a page token.

    Raises:
        InvalidInput: It is damaged, or none of ours.
    """
    try:
        if len(text) > _LONGEST:
            raise ValueError
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if _sum(data[8:]) != data[:8]:
            raise ValueError
        commit, search, place = json.loads(data[8:])
        if not isinstance(commit, str) or not commit or not set(commit) <= _COMMIT:
            raise ValueError
        if not isinstance(search, str) or not isinstance(place, list) or not all(map(_is_value, place)):
            raise ValueError
        return PageToken(commit=commit, search=search, place=tuple(place))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            "this is no page token", where="page token", hint="leave it out for the first page"
        ) from error


def _is_value(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < _MOST
    return value is None or (isinstance(value, float) and value == value)  # noqa: PLR0124 (not NaN)


def _sum(body: bytes) -> bytes:
    from hashlib import sha256

    return sha256(b"gitreg page\0" + body).digest()[:8]
