"""How long to wait before a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_ATTEMPTS = 20
"""After so many a webhook is parked: about two days."""

_FIRST = 10.0  # seconds
_LONGEST = 6 * 3600.0
_MOST_ASKED = 24 * 3600.0  # a receiver may ask for more, but waits no longer


def pause(attempts: int, *, jitter: float, asked: float | None = None) -> float:
    """Seconds until the next attempt: 10, 20, 40 …, six hours at most; a quarter more or less.

    Args:
        attempts: How many have failed, from 1.
        jitter: From 0 to 1, by chance: many webhooks don't come at the same moment.
        asked: Seconds that the receiver asked for (Retry-After); a day at most is granted.
    """
    usual = min(_FIRST * 2.0 ** (attempts - 1), _LONGEST) * (0.75 + jitter / 2)
    return max(usual, min(asked or 0.0, _MOST_ASKED))


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds that the header Retry-After asks for (RFC 9110, 10.2.3); None where it asks for nothing.

    Args:
        text: Seconds, or a date.
        now: Seconds since 1970.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.fromtimestamp(now, UTC)).total_seconds())
