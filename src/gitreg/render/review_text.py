"""A review as a person reads it on a terminal. Every line is safe to print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gitreg.domain.contrast import Contrast
from gitreg.domain.review import Review
from gitreg.render.contrast import PLAIN, Paper, registry_lines, version_lines
from gitreg.render.quoted import Quoted, Words
from gitreg.render.review import Page, Part, page
from gitreg.render.text import safe, width

_LONGEST = 100  # characters of a cell


def text(review: Review, *, columns: int = 100, everything: bool = False) -> str:
    """The review for a terminal.

    Args:
        review: What is told.
        columns: Width of the terminal.
        everything: Whether what Markdown folds away is shown, too.
    """
    found = page(review)
    lines = textwrap.wrap(_words(found.sentence), columns, break_long_words=False, break_on_hyphens=False)
    if found.verdict:
        lines += ["", _words(found.verdict)]
    paper = replace(PLAIN, columns=columns)
    for part in found.parts:
        if (part.folded or part.group) and not everything:
            continue
        told = list(_part(part, paper))
        lines += ["", *told] if told else []
    folded = dict.fromkeys(part.group for part in found.parts if part.group and not everything)
    lines += [line for group in folded for line in ("", f"{group}: --all")]
    return "\n".join([*lines, *_commands(found)]) + "\n"


def _commands(found: Page) -> Iterator[str]:
    if found.commands:
        longest = max(len(label) for label, _ in found.commands)
        yield ""
        for label, command in found.commands:
            yield f"{label:<{longest}}  {safe(command)}"


def _part(part: Part, paper: Paper) -> Iterator[str]:
    if part.title:
        yield _words(part.title)
    if part.folded:
        yield f"{part.folded}:"
    if part.rows:
        yield from _table(part.columns, [[_cell(cell) for cell in row] for row in part.rows])
    yield from (f"  {sign} {safe(line)}".rstrip() for sign, line in part.text)
    yield from (f"  {_words(words)}" for words in part.lines)
    if part.more:
        yield f"  {part.more}"
    if isinstance(part.contrast, Contrast):
        better = part.move.better if part.move else {}
        yield from version_lines(part.contrast, part.labels, replace(paper, better=better))
    elif part.contrast is not None:
        yield from registry_lines(part.contrast, part.labels, paper)


def _table(columns: Iterable[str], rows: list[list[str]]) -> Iterator[str]:
    heads = [safe(column) if isinstance(column, Quoted) else column.lower() for column in columns]
    widest = [max(width(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    for row in [heads, *rows]:
        cells = (cell + " " * (most - width(cell)) for cell, most in zip(row, widest, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _cell(words: Words) -> str:
    told = _words(words)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"


def _words(words: Words) -> str:
    return safe("".join(words))
