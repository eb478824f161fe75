"""Changes as sentences about what is done: ``Moved churn/3 to Production (from Staging)``."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.domain.changes import Change, phrase, ranked, subject
from gitreg.registry.receipt import Receipt

MOST_SAID = 20


def done(receipt: Receipt) -> list[str]:
    """What a write did, the weightiest first, with the commit and its tags on the first line."""
    lines = each(receipt.changes)
    lines[0] += f" ({commit_of(receipt)})"
    return lines


def each(changes: Sequence[Change]) -> list[str]:
    """What was changed, the weightiest first."""
    order = ranked(changes)
    lines = [_sentence(change) for change in order[:MOST_SAID]]
    if len(order) > MOST_SAID:
        lines.append(f"and {len(order) - MOST_SAID:,} more changes")
    return lines


def would(changes: Sequence[Change]) -> list[str]:
    """What a dry run found, as the commit would tell it."""
    return [f"would do: {subject([change])}" for change in ranked(changes)]


def commit_of(receipt: Receipt) -> str:
    """``commit 0123456789, tags churn/Production/2``."""
    said = f"commit {(receipt.commit or '')[:10]}"
    if not receipt.tags:
        return said
    return f"{said}, {'tag' if len(receipt.tags) == 1 else 'tags'} {', '.join(receipt.tags)}"


def _sentence(change: Change) -> str:  # noqa: C901, PLR0912 (one branch for each event)
    what = change.subject
    key = (change.field or "").partition(".")[2]
    match change.event:
        case "register":
            return f"Registered {what}" if change.version else f"Created the model {what}"
        case "transition" if change.stage:
            held = f" (from {', '.join(change.origin)})" if change.origin else ""
            return f"Moved {what} to {change.stage}{held}"
        case "transition":
            return f"Took {', '.join(change.origin)} from {what}: it holds no stage"
        case "assign":
            return f"Gave {change.stage} to {what}"
        case "unassign":
            return f"Took {change.stage} from {what}"
        case "alias" if change.after:
            return f"Pointed {what}@{key} at version {change.after}"
        case "alias":
            return f"Removed the alias {what}@{key}"
        case "tag" if change.after is not None:
            return f"Tagged {what} with {key}={change.after}"
        case "tag":
            return f"Removed the tag {key} from {what}"
        case "evaluate":
            return f"Added the evaluation {change.after.name} to {what}"
        case "update":
            return f"Changed {change.field} of {what}"
        case "deprecate":
            return f"Deprecated {what}" if change.after else f"Took back the deprecation of {what}"
        case "rename":
            return f"Renamed {what} to {change.after}"
        case "delete" | "restore":
            return f"{change.event.capitalize()}d {what}"
        case _:
            return f"{what or 'registry'}: {phrase(change)}"
