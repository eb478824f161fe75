"""The commit message of a change: subject, reason, details, trailers."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.domain.changes import Change, details, ranked, subject
from gitreg.errors import InvalidInput

# Past this many changes a message would be longer than what it sums up; the trees say it all.
MOST_LISTED = 20

_UNTRAILED = frozenset({"rewrite", "vanish", "reuse"})  # no command makes these


def commit_message(changes: Sequence[Change], *, reason: str = "", title: str = "", footer: str = "") -> str:
    """The message of the commit that makes ``changes``.

    Args:
        changes: What the commit changes; at least one.
        reason: The user's own words (``-m``); they stand between subject and trailers, in a paragraph
            of their own, so that no line of theirs is ever read as a trailer.
        title: Takes the place of the subject, for a batch.
        footer: One more trailer, which a service wants.
    """
    parts = [title or subject(changes)]
    if reason.strip():
        parts.append(check_reason(reason).strip())
    listed = _every(changes) if title else details(changes, most=MOST_LISTED)
    if listed:
        parts.append("\n".join(f"- {line}" for line in listed))
    trailers = [*trailers_of(changes), *([footer] if footer else [])]
    if trailers:
        parts.append("\n".join(trailers))
    return "\n\n".join(parts) + "\n"


def _every(changes: Sequence[Change]) -> list[str]:
    lines = [subject([change]) for change in ranked(changes)[:MOST_LISTED]]
    more = len(changes) - len(lines)
    return [*lines, f"and {more:,} more"] if more else lines


def check_reason(reason: str) -> str:
    """Return ``reason`` unless it holds what a commit message can't or shouldn't."""
    if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in reason):
        raise InvalidInput("the message holds a control character", where="message")
    try:
        reason.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("the message is not UTF-8", where="message") from error
    return reason


def trailers_of(changes: Sequence[Change]) -> list[str]:
    """The trailers of a commit that makes ``changes``, the weightiest change first."""
    lines: list[str] = []
    for change in ranked(changes)[:MOST_LISTED]:
        if change.event in _UNTRAILED:
            continue
        lines.append(f"Gitreg-Event: {change.event}")
        if change.model:
            lines.append(f"Gitreg-Model: {change.model}")
        if change.version is not None:
            lines.append(f"Gitreg-Version: {change.version}")
        if change.stage:
            lines.append(f"Gitreg-Stage: {change.stage}")
        if change.origin:
            lines.append(f"Gitreg-From: {', '.join(change.origin)}")
    return lines
