"""Differences as a page that a person reads on a terminal. Every line is safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gitreg.domain.contrast import Contrast, Row, Section
from gitreg.domain.contrast_model import ModelContrast, RegistryContrast, VersionChange
from gitreg.domain.contrast_rules import RuleChange
from gitreg.render.contrast_words import NOTHING, Better, change, line_changes, pair, title
from gitreg.render.rules_words import rule_lines, rule_texts, rule_words
from gitreg.render.text import plural, safe, width

_GAP = 2
_MOST_ROWS = 100
_MOST_LINES = 60
_MOST_DETAILED = 20  # versions of one model
_LONGEST = 500  # characters of one value: a tag may hold 100,000
_NARROWEST = 12

FATES = {
    "change": "changed",
    "register": "registered",
    "restore": "restored",
    "rename": "renamed",
    "delete": "deleted",
    "vanish": "removed without a tombstone",
}
"""What became of a model or version, in a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How a page is laid out.

    Attributes:
        columns: Width of the terminal.
        everything: Whether equal rows are shown, too.
        better: Metrics whose good direction is known.
    """

    columns: int = 100
    everything: bool = False
    better: Better = field(default_factory=dict)


PLAIN = Paper()


def version_lines(found: Contrast, labels: tuple[str, str], paper: Paper = PLAIN) -> list[str]:
    """Two versions side by side.

    Args:
        found: What was compared.
        labels: What the two sides are called at the head of their columns.
        paper: How to lay it out.
    """
    return _sections(found.shown(everything=paper.everything), labels, paper)


def model_lines(found: ModelContrast, labels: tuple[str, str], paper: Paper = PLAIN) -> list[str]:
    """A model at two commits, the version that each stage means now beside the one before."""
    lines = _fate(found)
    lines += _sections(found.sections, labels, paper)
    lines += ["", "Versions", *_versions(found.versions)] if found.versions else []
    told = [(each.number, beside_stages(each.contrast)) for each in found.versions]
    detailed = [(number, sections) for number, sections in told if sections]
    for number, sections in detailed[:_MOST_DETAILED]:
        lines += ["", safe(f"{found.name}/{number}"), *_sections(sections, labels, paper)]
    more = _more(len(detailed) - _MOST_DETAILED, "changed version")
    lines += ["", *more] if more else []
    for holder in found.holders:
        old, new = holder.contrast.before, holder.contrast.after
        lines += ["", safe(f"{holder.stage}: {found.name}/{old.version} → {found.name}/{new.version}")]
        numbers = f"{found.name}/{old.version}", f"{found.name}/{new.version}"
        lines += _sections(beside_stages(holder.contrast), numbers, paper)
    return [*lines, *_unread(found)]


def beside_stages(found: Contrast | None) -> tuple[Section, ...]:
    """What differs but for the stages, which a page about a model tells for all versions together."""
    return tuple(section for section in found.shown() if section.kind != "stages") if found else ()


def registry_lines(found: RegistryContrast, labels: tuple[str, str], paper: Paper = PLAIN) -> list[str]:
    """A whole registry at two commits, each model in short."""
    lines = [*_sections(found.settings, labels, paper), *_rules(found.rules)]
    for model in found.models:
        lines += ["", safe(model.name), *_fate(model)]
        lines += [f"  {line}" for line in _in_short(model.sections)]
        lines += [*_versions(model.versions), *_unread(model)]
    return lines


def _rules(changes: Sequence[RuleChange]) -> list[str]:
    """The rules that differ, then the lines of the files whose text does."""
    if not changes:
        return []
    lines = ["", "Rules", *(f"  {safe(''.join(rule_words(each)))}" for each in changes[:_MOST_ROWS])]
    lines += _more(len(changes) - _MOST_ROWS, "rule")
    for each in rule_texts(changes):
        told, left = rule_lines(each)
        lines += ["", safe(each.subject), *(f"  {sign} {safe(line)}".rstrip() for sign, line in told)]
        lines += [f"  and {plural(left, 'more line')}, which git diff shows"] if left else []
    return lines


def _fate(found: ModelContrast) -> list[str]:
    if found.fate == "change":
        return []
    told = FATES[found.fate]
    if found.fate == "rename":
        told += f" from {found.former}" if found.former else f" to {found.told}"
    elif found.told:
        told += f": {found.told}"
    return [f"  {_short(told)}"]


def _unread(found: ModelContrast) -> list[str]:
    return [f"  {safe(path)} changed and can't be read" for path in found.unread]


def _in_short(sections: Iterable[Section]) -> Iterator[str]:
    """``Production 3 → 5``, a line a row; of texts that they changed."""
    for section in sections:
        for row in section.rows:
            if section.kind == "description":
                yield "description changed"
                continue
            old, new = pair(section, row)
            yield f"{title(section)[0].lower()}: {_short(row.key)}  {_short(old)} → {_short(new)}"


def _versions(versions: Sequence[VersionChange]) -> list[str]:
    said = [(str(each.number), _version(each)) for each in versions[:_MOST_ROWS]]
    space = max((len(number) for number, _ in said), default=0)
    lines = [f"  {number:>{space}}  {_short(told)}" for number, told in said]
    return lines + _more(len(versions) - _MOST_ROWS, "version")


def _version(each: VersionChange) -> str:
    told = FATES[each.event]
    if each.event == "change" and each.contrast:
        names = dict.fromkeys(title(section)[0].lower() for section in each.contrast.shown())
        return f"{told}: {', '.join(names)}" if names else told
    if each.event == "delete" and each.reason:
        return f"{told}: {each.reason}"
    return f"{told}  {each.version.source}" if each.version else told


def _more(count: int, thing: str) -> list[str]:
    return [f"  and {plural(count, f'more {thing}')}, which --json shows"] if count > 0 else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """One row, said and made safe."""

    key: str
    before: str
    after: str
    change: str
    same: bool


def _sections(sections: Sequence[Section], labels: tuple[str, str], paper: Paper) -> list[str]:
    """The sections under one head, their columns aligned over all of them."""
    rows = {
        at: [_cells(section, row, paper) for row in section.rows[:_MOST_ROWS]]
        for at, section in enumerate(sections)
        if section.kind != "description"
    }
    grid = _grid([cells for each in rows.values() for cells in each], labels, paper.columns)
    lines = ["", *grid.head(labels)] if rows else [""] if sections else []
    for at, section in enumerate(sections):
        named, of = title(section)
        lines.append(f"{named} {safe(of)}".rstrip())
        lines += [line for cells in rows[at] for line in grid.row(cells)] if at in rows else _text(section)
        lines += _more(len(section.rows) - _MOST_ROWS, "row")
    return lines


def _cells(section: Section, row: Row, paper: Paper) -> _Cells:
    before, after = pair(section, row)
    told = change(section, row, paper.better)
    return _Cells(key=_short(row.key), before=_short(before), after=_short(after), change=told, same=row.same)


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return safe(text)
    return f"{safe(text[:_LONGEST])}… ({len(text):,} characters, --json shows all)"


def _text(section: Section) -> list[str]:
    before, after = (str(value or "") for value in (section.rows[0].before, section.rows[0].after))
    told = [f"  {sign} {_short(line)}".rstrip() for sign, line in line_changes(before, after)]
    return told[:_MOST_LINES] + _more(len(told) - _MOST_LINES, "line")


def _grid(rows: Sequence[_Cells], labels: tuple[str, str], columns: int) -> _Grid:
    """Columns as wide as what fits into them: a row with a longer value is written over two lines."""
    key = min(max((width(cells.key) for cells in rows), default=0), columns // 4)
    last = max((width(cells.change) for cells in rows), default=0)
    room = max((columns - 2 - key - last - 3 * _GAP) // 2, _NARROWEST)
    fitting = [cells for cells in rows if max(width(cells.before), width(cells.after)) <= room]
    return _Grid(
        key=key,
        before=max(width(text) for text in (labels[0], *(cells.before for cells in fitting))),
        after=max(width(text) for text in (labels[1], *(cells.after for cells in fitting))),
        room=room,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Widths of the columns; ``room`` is what a value may take."""

    key: int
    before: int
    after: int
    room: int

    def head(self, labels: tuple[str, str]) -> list[str]:
        """What the two sides are called."""
        names = safe(labels[0]), safe(labels[1])
        return replace(self, room=max(self.before, self.after)).row(
            _Cells(key="", before=names[0], after=names[1], change="", same=False)
        )

    def row(self, cells: _Cells) -> list[str]:
        """One row, on as many lines as it needs."""
        if width(cells.key) > self.key:
            return [f"  {cells.key}", *self.row(replace(cells, key=""))]
        if max(width(cells.before), width(cells.after)) > self.room:
            return self._stacked(cells)
        texts = (
            ("  " + cells.key, 2 + self.key),
            (cells.before, self.before),
            (cells.after, self.after),
            (cells.change, 0),
        )
        padded = (text + " " * max(0, space - width(text)) for text, space in texts)
        return [(" " * _GAP).join(padded).rstrip()]

    def _stacked(self, cells: _Cells) -> list[str]:
        if cells.same:
            told = [f"  {cells.before}"]
        else:
            sides = (("-", cells.before), ("+", cells.after))
            told = [f"{sign} {text}" for sign, text in sides if text != NOTHING]
        space = " " * max(0, self.key - width(cells.key))
        blank = " " * (2 + self.key + _GAP)
        first = f"  {cells.key}{space}{' ' * _GAP}{told[0]}"
        return [first, *(blank + text for text in told[1:])]
