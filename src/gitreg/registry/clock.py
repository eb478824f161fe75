"""The clock that commands use; everything below is told the time."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time, UTC, cut to the milliseconds that manifests hold."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
