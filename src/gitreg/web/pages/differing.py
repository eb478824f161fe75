"""Differences by meaning, in the words and cells that pages show: bounded, whatever a registry holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitreg.domain.contrast import Row, Section
from gitreg.domain.contrast_model import ModelContrast, RegistryContrast, VersionChange
from gitreg.domain.contrast_rules import RuleChange
from gitreg.domain.natural import natural
from gitreg.domain.settings import ARCHIVED
from gitreg.render.contrast import FATES, beside_stages
from gitreg.render.contrast_words import NOTHING, Better, change, line_changes, pair, title, verdict
from gitreg.render.rules_words import rule_lines, rule_words
from gitreg.web.pages.cut import cut, more

_MOST_ROWS = 50  # of one table
_MOST_LINES = 60
_MOST_VERSIONS = 50  # of one model
_MOST_DETAILED = 5  # versions of one model
_MOST_MODELS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing on both sides.

    Attributes:
        key: What it is.
        before: The first side's value in short; ``""`` where it lacks it.
        after: The second side's.
        change: What happened, in words.
        verdict: ``better`` or ``worse`` where that is known, else ``""``.
    """

    key: str
    before: str
    after: str
    change: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A section of a difference.

    Attributes:
        title: What it is about.
        of: What that is called where the registry named it: an evaluation.
        lines: Its rows.
        text: Of a description instead: sign (``-``, ``+``, ``" "``, ``…``) and line.
        more: What is left out, counted.
    """

    title: str
    of: str = ""
    lines: tuple[Line, ...] = ()
    text: tuple[tuple[str, str], ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTold:
    """What became of one version: a word, and more about it; ``tables`` where it is told in detail."""

    number: int
    fate: str
    about: str
    there: bool
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderTold:
    """That a stage means another version now: the numbers, and how the two differ."""

    stage: str
    before: int
    after: int
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTold:
    """What differs in one model; ``there``: it is a registered model afterwards."""

    name: str
    fate: str
    there: bool
    tables: tuple[Table, ...]
    versions: tuple[VersionTold, ...]
    holders: tuple[HolderTold, ...]
    unread: tuple[str, ...]
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTold:
    """A change of a rule in words; of a file whose text differs its lines, and how many are left out."""

    words: str
    text: tuple[tuple[str, str], ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryTold:
    """What differs in a registry: its settings, its rules, then models."""

    settings: tuple[Table, ...]
    rules: tuple[RuleTold, ...]
    models: tuple[ModelTold, ...]
    more: str = ""


def tables(sections: Iterable[Section], better: Better) -> tuple[Table, ...]:
    """Sections of a difference as tables.

    Args:
        sections: As ``domain.contrast`` gives them.
        better: Metrics whose good direction is known.
    """
    return tuple(_table(section, better) for section in sections)


def registry(found: RegistryContrast) -> RegistryTold:
    """A registry at two commits."""
    return RegistryTold(
        settings=tables(found.settings, {}),
        rules=rules(found.rules),
        models=tuple(_model(each) for each in found.models[:_MOST_MODELS]),
        more=more(len(found.models) - _MOST_MODELS, "model"),
    )


def rules(changes: Sequence[RuleChange]) -> tuple[RuleTold, ...]:
    """Changes of the rules."""
    return tuple(map(_rule, changes[:_MOST_ROWS]))


def _rule(change: RuleChange) -> RuleTold:
    lines, left = rule_lines(change)
    return RuleTold(words="".join(map(cut, rule_words(change))), text=lines, more=more(left, "line"))


def _table(section: Section, better: Better) -> Table:
    named, of = title(section)
    if section.kind == "description":
        texts = [value if isinstance(value, str) else "" for value in _sides(section.rows[0])]
        lines = [(sign, cut(line)) for sign, line in line_changes(texts[0], texts[1])]
        return Table(
            title=named, text=tuple(lines[:_MOST_LINES]), more=more(len(lines) - _MOST_LINES, "line")
        )
    return Table(
        title=named,
        of=of,
        lines=tuple(_line(section, row, better) for row in _ordered(section)[:_MOST_ROWS]),
        more=more(len(section.rows) - _MOST_ROWS, "row"),
    )


def _ordered(section: Section) -> Sequence[Row]:
    """The rows, numbers in their keys in their order; a signature's own order says something."""
    return (
        section.rows
        if section.kind == "signature"
        else sorted(section.rows, key=lambda row: natural(row.key))
    )


def _sides(row: Row) -> tuple[object, object]:
    return row.before, row.after


def _line(section: Section, row: Row, better: Better) -> Line:
    before, after = (("" if told == NOTHING else cut(told)) for told in pair(section, row))
    said = change(section, row, better)
    good = verdict(section, row, better)
    return Line(key=cut(row.key), before=before, after=after, change=said, verdict=good)


def _model(found: ModelContrast) -> ModelTold:
    detailed = [each.number for each in found.versions if beside_stages(each.contrast)][:_MOST_DETAILED]
    shown: Sequence[VersionChange] = found.versions[:_MOST_VERSIONS]
    return ModelTold(
        name=found.name,
        fate=_fate(found),
        there=found.fate not in ("delete", "vanish") and not (found.fate == "rename" and not found.former),
        tables=tables(found.sections, {}),
        versions=tuple(_version(each, detailed=each.number in detailed) for each in shown),
        holders=tuple(
            HolderTold(
                stage=each.stage,
                before=each.contrast.before.version,
                after=each.contrast.after.version,
                tables=tables(beside_stages(each.contrast), {}),
            )
            for each in found.holders
            if each.stage != ARCHIVED
        ),
        unread=found.unread[:_MOST_ROWS],
        more=more(len(found.versions) - _MOST_VERSIONS, "version"),
    )


def _fate(found: ModelContrast) -> str:
    if found.fate == "change":
        return ""
    told = FATES[found.fate]
    if found.fate == "rename":
        return f"{told} from {cut(found.former)}" if found.former else f"{told} to {cut(found.told)}"
    return f"{told}: {cut(found.told)}" if found.told else told


def _version(each: VersionChange, *, detailed: bool) -> VersionTold:
    about = ""
    if each.contrast:
        about = ", ".join(dict.fromkeys(title(section)[0].lower() for section in each.contrast.shown()))
    elif each.event == "delete":
        about = each.reason
    elif each.version:
        about = each.version.source
    return VersionTold(
        number=each.number,
        fate=FATES[each.event],
        about=cut(about),
        there=each.event not in ("delete", "vanish"),
        tables=tables(beside_stages(each.contrast), {}) if detailed else (),
    )
