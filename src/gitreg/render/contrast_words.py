"""The words in which differences are told, on a terminal and in Markdown alike. Nothing is escaped yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

from gitreg.domain.contrast import Row, Section, Value
from gitreg.render.text import moment, number, size

Better = Mapping[str, Literal["higher", "lower"]]
"""Metric → which of its directions is the better one; of a metric that is not in it nothing is said."""

NOTHING = "–"
MEASURES = ("metrics", "evaluations")

_TITLES: dict[str, str] = {
    "settings": "Settings",
    "stages": "Stages",
    "aliases": "Aliases",
    "owners": "Owners",
    "status": "Status",
    "metrics": "Metrics",
    "evaluations": "Evaluation",
    "evaluation_data": "Data of evaluations",
    "params": "Parameters",
    "signature": "Signature",
    "artifact": "Artifact",
    "flavors": "Flavors",
    "files": "Files",
    "lineage": "Lineage",
    "datasets": "Data sets",
    "parents": "Parents",
    "tags": "Tags",
    "description": "Description",
    "extra": "Other fields",
    "other_files": "Other files",
}
_DIGEST = "sha256:"
_CONTEXT = 1
_MOST_COMPARED = 400  # lines: the search for common ones takes their product


def title(section: Section) -> tuple[str, str]:
    """The heading of a section, and what it is about where a registry named that."""
    if section.kind == "signature":
        return f"Signature, {section.of}", ""
    return _TITLES[section.kind], section.of


def pair(section: Section, row: Row) -> tuple[str, str]:
    """Both values in short; longer where they would look alike and are not."""
    told = value(section, row, row.before), value(section, row, row.after)
    if row.same or told[0] != told[1]:
        return told
    return str(row.before), str(row.after)


def value(section: Section, row: Row, given: Value) -> str:
    """One value in short; ``NOTHING`` where the side lacks it."""
    match given:
        case None:
            return NOTHING
        case bool():
            return "yes" if given else "no"
        case datetime():
            return f"since {given.astimezone(UTC):%Y-%m-%d}" if section.kind == "stages" else moment(given)
        case tuple():
            return ", ".join(map(str, given))
        case int() if section.kind == "artifact":
            return size(given)
        case int() | float():
            return number(given)
    if given.startswith(_DIGEST):
        return f"{given[: len(_DIGEST) + 12]}…"
    return given[:10] if section.kind == "other_files" else given


def change(section: Section, row: Row, better: Better) -> str:
    """What happened in a row: ``+0.02 (+2.2 %)``, ``added``, ``removed``, or ``""``."""
    if row.same:
        return ""
    if row.before is None or row.after is None:
        return "added" if row.before is None else "removed"
    if row.change is None:
        return ""
    told = _signed(size(int(abs(row.change))) if section.kind == "artifact" else number(abs(row.change)), row)
    if row.percent is not None:
        told += f" ({_signed(percent(abs(row.percent)), row)} %)"
    good = verdict(section, row, better)
    return f"{told}, {good}" if good else told


def verdict(section: Section, row: Row, better: Better) -> str:
    """``better`` or ``worse``, where the metric changed and its good direction is known; else ``""``."""
    wanted = better.get(row.key) if section.kind in MEASURES else None
    if wanted is None or not row.change:
        return ""
    return "better" if (row.change > 0) == (wanted == "higher") else "worse"


def _signed(text: str, row: Row) -> str:
    return f"{'−' if row.change and row.change < 0 else '+'}{text}"


def percent(amount: float) -> str:
    """A part of a hundred, as exact as one looks at it: ``0.52``, ``12.3``, ``1,423``."""
    if 0.05 <= amount < 1000:
        return f"{amount:.1f}"
    if 1000 <= amount < 1e9:
        return f"{amount:,.0f}"
    return f"{amount:.2g}"


def line_changes(before: str, after: str, *, context: int = _CONTEXT) -> Iterator[tuple[str, str]]:
    """A small line diff: sign (``-``, ``+``, ``" "``; ``…`` where equal lines are left out) and line.

    Args:
        before: The first text.
        after: The second.
        context: Equal lines that are given around what differs.
    """
    old, new = before.splitlines(), after.splitlines()
    head, tail = _common(old, new)
    if max(len(old), len(new)) - head - tail > _MOST_COMPARED:
        yield from _edges(old, new, head, tail)
        return
    import difflib  # most differences need none

    skipped = max(0, head - context)
    kept = max(0, tail - context)
    old, new = old[skipped : len(old) - kept], new[skipped : len(new) - kept]
    groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
    for at, group in enumerate(groups):
        if at or group[0][1] or skipped:
            yield "…", ""
        for tag, start, end, begin, stop in group:
            if tag == "equal":
                yield from ((" ", line) for line in old[start:end])
                continue
            yield from (("-", line) for line in old[start:end])
            yield from (("+", line) for line in new[begin:stop])


def _common(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines are equal at the beginning and at the end of two texts."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _edges(old: list[str], new: list[str], head: int, tail: int) -> Iterator[tuple[str, str]]:
    """What stands between the equal beginning and the equal end of two long texts."""
    if head:
        yield "…", ""
    yield from (("-", line) for line in old[head : len(old) - tail])
    yield from (("+", line) for line in new[head : len(new) - tail])
