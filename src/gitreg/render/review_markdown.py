"""A review as the Markdown of one comment: marked, capped, and with nothing of the registry's alive in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitreg.domain.contrast import Contrast
from gitreg.domain.review import Review
from gitreg.render.contrast_markdown import registry_markdown, version_markdown
from gitreg.render.markdown import code, table_head, table_row
from gitreg.render.review import MET, UNMET, Page, Part, Quoted, State, Words, page
from gitreg.render.text import plural

MARKER = "<!-- gitreg-review -->"
"""The first line of the comment: by it the same comment is found again."""

LONGEST = 60_000
"""Characters of the comment: one on GitHub holds 65,536."""

_LONGEST_FOLD = 12_000  # of one difference that is folded away
_SHORTEST_FOLD = 1_000
_STATES: dict[State, str] = {"ready": "✅", "waiting": "⏳", "wrong": "❌"}
_SIGNS = {MET: "✅", UNMET: "❌"}


def markdown(review: Review, *, longest: int = LONGEST) -> str:
    """The comment.

    Args:
        review: What is told.
        longest: Characters at most.
    """
    found = page(review)
    head = [MARKER, "", _words(found.sentence)]
    if found.verdict:
        head += ["", f"{_STATES[found.state]} **{_words(found.verdict)}**"]
    tail = _tail(found, review)
    room = longest - _length(head) - _length(tail) - 100  # for the line that counts what is left out
    shown, left_out = _fitting(found.parts, room)
    body = [line for part in shown for line in ["", *part]]
    if left_out:
        body += ["", f"Cut here: {plural(left_out, 'more part')} would not fit. `gitreg review` shows them."]
    return "\n".join([*head, *body, *tail]) + "\n"


def _fitting(parts: Sequence[Part], room: int) -> tuple[list[list[str]], int]:
    """The parts that fit, in order, and how many don't: what is folded away has what the others leave."""
    kept: dict[int, list[str]] = {}
    for at, part in enumerate(parts):
        if part.folded:
            continue
        lines = _part(part, room)
        if _length(lines) + 1 > room:
            break
        room -= _length(lines) + 1
        kept[at] = lines
    last = max(kept, default=-1)
    for at, part in enumerate(parts):
        if part.folded and at <= last + 1 and room > _SHORTEST_FOLD:
            lines = _part(part, min(room, _LONGEST_FOLD))
            room -= _length(lines) + 1
            kept[at] = lines
    return [kept[at] for at in sorted(kept)], len(parts) - len(kept)


def _tail(found: Page, review: Review) -> list[str]:
    lines = [f"- {label}: {code(command, most=1000)}" for label, command in found.commands]
    told = f"<sub>gitreg review {review.base[:12]} {review.head[:12]}</sub>"
    return [*(["", "### Next", "", *lines] if lines else []), "", told]


def _part(part: Part, room: int) -> list[str]:
    heading = [f"{'#' * (part.level + 2)} {_words(part.title)}"] if part.title else []
    lines = list(heading)
    if part.rows:
        rows = (table_row(_words(cell) for cell in row) for row in part.rows)
        lines += [*([""] if lines else []), *table_head([_words((one,)) for one in part.columns]), *rows]
    if part.lines:
        lines += [*([""] if lines else []), *(f"- {_words(words)}" for words in part.lines)]
    if part.more:
        lines += ["", part.more]
    if part.contrast is not None:
        inner = _contrast(part, room - 200).rstrip("\n").split("\n")
        lines += [*([""] if lines else []), f"<details><summary>{part.folded}</summary>", "", *inner]
        lines += ["", "</details>"]
    return lines


def _contrast(part: Part, room: int) -> str:
    better = part.move.better if part.move else {}
    if isinstance(part.contrast, Contrast):
        return version_markdown(part.contrast, part.labels, better=better, level=4, longest=room)
    assert part.contrast is not None
    return registry_markdown(part.contrast, part.labels, level=4, longest=room)


def _words(words: Iterable[str] | Words) -> str:
    """Own words as they are, the registry's as code spans; a lone sign as one that stands out."""
    told = [code(one) if isinstance(one, Quoted) else one for one in words]
    return _SIGNS.get(told[0], told[0]) if len(told) == 1 else "".join(told)


def _length(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)
