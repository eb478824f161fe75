"""A review as the Markdown of one comment: marked, capped, and with nothing of the registry's alive in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from gitreg.domain.contrast import Contrast
from gitreg.domain.review import Review
from gitreg.render.contrast_markdown import registry_markdown, version_markdown, words_markdown
from gitreg.render.markdown import code, fenced, table_head, table_row
from gitreg.render.quoted import Words
from gitreg.render.review import MET, UNMET, Page, Part, page
from gitreg.render.review_words import State
from gitreg.render.text import plural

MARKER = "<!-- gitreg-review -->"
"""The first line of the comment: by it the same comment is found again."""

LONGEST = 60_000
"""Characters of the comment: one on GitHub holds 65,536, of up to four bytes."""

_LONGEST_FOLD = 12_000  # of one difference that is folded away
_SHORTEST_FOLD = 1_000
_OPEN_LINES = 20  # of a text that is not folded away
_ROOM_OF_FOLD = 100  # the lines that begin and end what is folded away together
_STATES: dict[State, str] = {"ready": "✅", "waiting": "⏳", "wrong": "❌"}
_SIGNS = {MET: "✅", UNMET: "❌"}


def marker_of(prefix: str) -> str:
    """The marker of a registry that is a folder of its repository: each has a comment of its own.

    Args:
        prefix: The folder, with a slash at its end; ``""``: the repository is the registry.
    """
    # What ends an HTML comment is in no folder's name then.
    return (
        f"<!-- gitreg-review {quote(prefix[:-1], errors='surrogateescape').replace('-', '%2D')} -->"
        if prefix
        else MARKER
    )


def markdown(review: Review, *, prefix: str = "", longest: int = LONGEST) -> str:
    """The comment.

    Args:
        review: What is told.
        prefix: See ``marker_of``.
        longest: Characters at most.
    """
    found = page(review)
    head = [marker_of(prefix), "", _words(found.sentence)]
    if found.verdict:
        head += ["", f"{_STATES[found.state]} **{_words(found.verdict)}**"]
    again = f"gitreg review {review.base[:12]} {review.head[:12]}"
    tail = _tail(found, again, prefix)
    room = longest - _length(head) - _length(tail) - 200  # for the line that counts what is left out
    kept = _fitting(found.parts, room)
    body = list(_body(found.parts, kept))
    if len(kept) < len(found.parts):
        left_out = plural(len(found.parts) - len(kept), "more part")
        body += ["", f"Cut here: {left_out} would not fit. {code(f'{again} --all')} shows everything."]
    return "\n".join([*head, *body, *tail]) + "\n"


def _fitting(parts: Sequence[Part], room: int) -> dict[int, list[str]]:
    """The parts that fit, by their place: what is folded away has what the others leave."""
    kept: dict[int, list[str]] = {}
    for grouped in (False, True):
        for at, part in enumerate(parts):
            if part.folded or bool(part.group) != grouped:
                continue
            lines = _part(part, room)
            if _length(lines) + _ROOM_OF_FOLD > room:
                break
            room -= _length(lines) + 1
            kept[at] = lines
    for at, part in enumerate(parts):
        # What it belongs to stands before it.
        if part.folded and room > _SHORTEST_FOLD and (at == 0 or at - 1 in kept):
            lines = _part(part, min(room, _LONGEST_FOLD))
            room -= _length(lines) + 1
            kept[at] = lines
    return kept


def _body(parts: Sequence[Part], kept: dict[int, list[str]]) -> Iterator[str]:
    group = ""
    for at in sorted(kept):
        if parts[at].group != group:
            yield from ["", "</details>"] if group else []
            group = parts[at].group
            yield from ["", f"<details><summary>{group}</summary>"] if group else []
        yield from ["", *kept[at]]
    yield from ["", "</details>"] if group else []


def _tail(found: Page, again: str, prefix: str) -> list[str]:
    lines = [f"- {label}: {code(command, most=1000)}" for label, command in found.commands]
    told = f"<sub>{f'{code(prefix[:-1])}: ' if prefix else ''}{again}</sub>"
    return [*(["", "### Next", "", *lines] if lines else []), "", told]


def _part(part: Part, room: int) -> list[str]:
    heading = [f"{'#' * (part.level + 2)} {_words(part.title)}"] if part.title else []
    lines = list(heading)
    if part.rows:
        rows = (table_row(_words(cell) for cell in row) for row in part.rows)
        lines += [*([""] if lines else []), *table_head([_words((one,)) for one in part.columns]), *rows]
    lines += _text(part)
    if part.lines:
        lines += [*([""] if lines else []), *(f"- {_words(words)}" for words in part.lines)]
    if part.more:
        lines += ["", part.more]
    if part.contrast is not None:
        inner = _contrast(part, room - 200).rstrip("\n").split("\n")
        lines += [*([""] if lines else []), f"<details><summary>{part.folded}</summary>", "", *inner]
        lines += ["", "</details>"]
    return lines


def _text(part: Part) -> list[str]:
    """The changed lines of a text, folded away where they are many."""
    if not part.text:
        return []
    fence = fenced([f"{sign} {line}".rstrip() for sign, line in part.text], "diff")
    if len(part.text) <= _OPEN_LINES:
        return ["", *fence]
    return ["", f"<details><summary>{plural(len(part.text), 'line')}</summary>", "", *fence, "", "</details>"]


def _contrast(part: Part, room: int) -> str:
    better = part.move.better if part.move else {}
    if isinstance(part.contrast, Contrast):
        return version_markdown(part.contrast, part.labels, better=better, level=4, longest=room)
    assert part.contrast is not None
    return registry_markdown(part.contrast, part.labels, level=4, longest=room)


def _words(words: Iterable[str] | Words) -> str:
    """Own words as they are, the registry's as code spans; a lone sign as one that stands out."""
    told = tuple(words)
    return _SIGNS.get(told[0], words_markdown(told)) if len(told) == 1 else words_markdown(told)


def _length(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)
