"""Differences as Markdown for a reviewer's page: nothing from the registry can steer it, and it is capped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gitreg.domain.contrast import Contrast, Row, Section, Value
from gitreg.domain.contrast_model import ModelContrast, RegistryContrast, VersionChange
from gitreg.domain.contrast_rules import RuleChange
from gitreg.render.contrast import FATES, beside_stages
from gitreg.render.contrast_words import Better, change, line_changes, pair, title
from gitreg.render.markdown import code, fenced, table_head, table_row
from gitreg.render.quoted import Quoted
from gitreg.render.rules_words import rule_lines, rule_texts, rule_words
from gitreg.render.text import plural

LONGEST = 60_000
"""Characters of a page: a comment on GitHub holds 65,536."""

_UNKNOWN: Better = MappingProxyType({})
_MOST_ROWS = 50  # of one table
_MOST_LINES = 60
_LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that make sense together alone; ``rows`` can be cut off at any place, ``end`` stays."""

    head: tuple[str, ...]
    rows: tuple[str, ...] = ()
    end: tuple[str, ...] = ()


def version_markdown(
    found: Contrast,
    labels: tuple[str, str],
    *,
    everything: bool = False,
    better: Better = _UNKNOWN,
    level: int = 3,
    longest: int = LONGEST,
) -> str:
    """Two versions side by side.

    Args:
        found: What was compared.
        labels: What the two sides are called.
        everything: Whether equal rows are shown, too.
        better: Metrics whose good direction is known: a change of one is told as better or worse.
        level: Level of the page's heading; its sections stand one deeper.
        longest: Characters at most; what does not fit is counted at the end.
    """
    sections = found.shown(everything=everything)
    blocks = [_heading(level, labels), *_blocks(sections, labels, better, level + 1)]
    return _joined(blocks if sections else [*blocks, _NO_DIFFERENCES], longest)


def model_markdown(
    found: ModelContrast,
    labels: tuple[str, str],
    *,
    better: Better = _UNKNOWN,
    level: int = 3,
    longest: int = LONGEST,
) -> str:
    """A model at two commits; arguments as for ``version_markdown``."""
    blocks = [_heading(level, labels, found.name), *_model(found, labels, better, level + 1)]
    return _joined([*blocks, _NO_DIFFERENCES] if found.equal else blocks, longest)


def registry_markdown(
    found: RegistryContrast, labels: tuple[str, str], *, level: int = 3, longest: int = LONGEST
) -> str:
    """A whole registry at two commits; arguments as for ``version_markdown``."""
    blocks = [_heading(level, labels), *_blocks(found.settings, labels, _UNKNOWN, level + 1)]
    blocks += _rules(found.rules, level + 1)
    for model in found.models:
        blocks.append(_Block((f"{'#' * (level + 1)} {code(model.name)}",)))
        blocks += _model(model, labels, _UNKNOWN, level + 2, in_full=False)
    return _joined([*blocks, _NO_DIFFERENCES] if found.equal else blocks, longest)


_NO_DIFFERENCES = _Block(("No differences.",))


def _heading(level: int, labels: tuple[str, str], name: str = "") -> _Block:
    of = f"{code(name)}: " if name else ""
    return _Block((f"{'#' * level} {of}{code(labels[0])} → {code(labels[1])}",))


def _model(
    found: ModelContrast, labels: tuple[str, str], better: Better, level: int, *, in_full: bool = True
) -> Iterator[_Block]:
    if found.fate != "change":
        told = code(found.former or found.told) if found.former or found.told else ""
        joint = (" from " if found.former else " to ") if found.fate == "rename" else ": "
        yield _Block((f"The model was {FATES[found.fate]}{joint if told else ''}{told}.",))
    yield from _blocks(found.sections, labels, better, level)
    if found.versions:
        rows = tuple(_version(each) for each in found.versions)
        yield _Block((f"{'#' * level} Versions", "", *table_head(("Version", "What", ""))), *_capped(rows))
    for each in found.versions:
        sections = beside_stages(each.contrast) if in_full else ()
        if sections:
            yield _Block((f"{'#' * level} Version {each.number}",))
            yield from _blocks(sections, labels, better, level + 1)
    for holder in found.holders if in_full else ():
        old, new = holder.contrast.before.version, holder.contrast.after.version
        yield _Block((f"{'#' * level} {code(holder.stage)}: version {old} → {new}",))
        sections = beside_stages(holder.contrast)
        yield from _blocks(sections, (f"{found.name}/{old}", f"{found.name}/{new}"), better, level + 1)
    if found.unread:
        yield _Block(
            ("Changed, and can't be read:", ""), *_capped(tuple(f"- {code(path)}" for path in found.unread))
        )


def _version(each: VersionChange) -> str:
    what = ""
    if each.contrast:
        what = ", ".join(dict.fromkeys(title(section)[0].lower() for section in each.contrast.shown()))
    elif each.event == "delete":
        what = code(each.reason) if each.reason else ""
    elif each.version:
        what = code(each.version.source)
    return table_row((str(each.number), FATES[each.event], what))


def _blocks(
    sections: Iterable[Section], labels: tuple[str, str], better: Better, level: int
) -> Iterator[_Block]:
    for section in sections:
        named, of = title(section)
        heading = f"{'#' * level} {named} {code(of) if of else ''}".rstrip()
        if section.kind == "description":
            yield _description(heading, section.rows[0])
            continue
        changes = [change(section, row, better) for row in section.rows]
        head = ["", code(labels[0]), code(labels[1]), *(["Change"] if any(changes) else [])]
        rows = tuple(
            table_row((code(row.key), *_sides(section, row), *([told] if len(head) > 3 else [])))
            for row, told in zip(section.rows, changes, strict=True)
        )
        yield _Block((heading, "", *table_head(head)), *_capped(rows))


def _rules(changes: Sequence[RuleChange], level: int) -> Iterator[_Block]:
    if not changes:
        return
    rows = tuple(f"- {words_markdown(rule_words(each))}" for each in changes)
    yield _Block((f"{'#' * level} Rules", ""), *_capped(rows))
    for each in rule_texts(changes):
        lines, left = rule_lines(each)
        more = ("", f"and {plural(left, 'more line')}, which git diff shows") if left else ()
        fence = fenced([f"{sign} {line}".rstrip() for sign, line in lines], "diff")
        yield _Block((f"{'#' * (level + 1)} {code(each.subject)}", "", *fence, *more))


def words_markdown(words: Iterable[str]) -> str:
    """Own words as they are, the registry's as code spans."""
    return "".join(code(one) if isinstance(one, Quoted) else one for one in words)


def _sides(section: Section, row: Row) -> tuple[str, str]:
    before, after = pair(section, row)
    return _cell(row.before, before), _cell(row.after, after)


def _cell(value: Value, told: str) -> str:
    return code(told) if isinstance(value, str) else told


def _capped(rows: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    more = len(rows) - _MOST_ROWS
    return rows[:_MOST_ROWS], ("", f"and {more:,} more") if more > 0 else ()


def _description(heading: str, row: Row) -> _Block:
    texts = [value if isinstance(value, str) else "" for value in (row.before, row.after)]
    lines = [f"{sign} {line}".rstrip()[:_LONGEST_LINE] for sign, line in line_changes(texts[0], texts[1])]
    more = len(lines) - _MOST_LINES
    end = ("", f"and {plural(more, 'more line')}") if more > 0 else ()
    return _Block((heading, "", *fenced(lines[:_MOST_LINES], "diff"), *end))


def _joined(blocks: Sequence[_Block], longest: int) -> str:
    """The page, with whole blocks and rows left out at its end where it would be too long."""
    room = longest - 80  # for the sentence that says what is missing
    lines: list[str] = []
    left_out = 0
    for block in blocks:
        head = ["", *block.head] if lines else list(block.head)
        need = _length(head) + _length(block.end)
        if left_out or need > room:
            left_out += max(1, len(block.rows))
            continue
        room -= need
        kept = 0
        while kept < len(block.rows) and len(block.rows[kept]) + 1 <= room:
            room -= len(block.rows[kept]) + 1
            kept += 1
        left_out += len(block.rows) - kept
        lines += [*head, *block.rows[:kept], *block.end]
    if left_out:
        lines += ["", f"Cut here: {plural(left_out, 'more row')} would not fit."]
    return "\n".join(lines) + "\n"


def _length(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)
