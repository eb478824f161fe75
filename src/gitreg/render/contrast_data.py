"""Differences for programs: JSON data and flat rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from gitreg.domain.contrast import Contrast, Row, Section
from gitreg.domain.contrast_model import HolderChange, ModelContrast, RegistryContrast, VersionChange
from gitreg.domain.contrast_rules import RuleChange
from gitreg.manifest.encode import time_text
from gitreg.render.rules_words import bare_words, rule_lines
from gitreg.render.values import Document, change_document, plain

FlatRow = tuple[str, str, str | None, str | None, float | None]
ModelRow = tuple[str, int | None, str, str, str | None, str | None, float | None]


def version_data(found: Contrast, *, everything: bool = False) -> Document:
    """What differs between two versions: section → key → ``before``, ``after``, ``change``, ``percent``.

    Evaluations and signatures have one level more: the evaluation's name, the side of the signature.
    """
    return sections_data(found.shown(everything=everything))


def sections_data(sections: Iterable[Section]) -> Document:
    """Sections as ``version_data`` gives them."""
    data: Document = {}
    for section in sections:
        rows = {row.key: _row(row) for row in section.rows}
        if section.of:
            data.setdefault(section.kind, {})[section.of] = rows
        elif section.kind == "description":
            data[section.kind] = rows["description"]
        else:
            data[section.kind] = rows
    return data


def _row(row: Row) -> Document:
    data = {"before": plain(row.before), "after": plain(row.after)}
    if row.change is not None and not row.same:
        data["change"] = row.change
        data["percent"] = row.percent
    return data


def model_data(found: ModelContrast) -> Document:
    """What differs in a model between two commits; without what is empty."""
    data: Document = {"name": found.name, "event": found.fate}
    if found.former:
        data["former_name"] = found.former
    if found.told:
        data["renamed_to" if found.fate == "rename" else "reason"] = found.told
    data |= sections_data(found.sections)
    lists: dict[str, list[Any]] = {
        "versions": [_version(each) for each in found.versions],
        "holders": [_holder(each) for each in found.holders],
        "changes": [change_document(change) for change in found.changes],
        "unread": list(found.unread),
    }
    return data | {key: value for key, value in lists.items() if value}


def _version(each: VersionChange) -> Document:
    data: Document = {"version": each.number, "event": each.event}
    if each.reason:
        data["reason"] = each.reason
    if each.contrast:
        data |= version_data(each.contrast)
    elif each.version:
        data["source"] = each.version.source
    return data


def _holder(each: HolderChange) -> Document:
    sides = each.contrast.before, each.contrast.after
    numbers = {"before": sides[0].version, "after": sides[1].version}
    return {"stage": each.stage, **numbers, "difference": version_data(each.contrast)}


def registry_data(found: RegistryContrast) -> Document:
    """What differs in a registry between two commits."""
    rules = {"rules": [rule_document(each) for each in found.rules]} if found.rules else {}
    return sections_data(found.settings) | rules | {"models": [model_data(model) for model in found.models]}


def rule_document(change: RuleChange) -> Document:
    """One change of a rule; ``effect``: ``lowers``, ``raises`` or ``changes`` what is asked, or ``none``."""
    found: Document = {
        "subject": change.subject,
        "rule": change.rule,
        "before": change.before,
        "after": change.after,
        "effect": change.effect,
        "summary": "".join(bare_words(change)),
    }
    if change.texts is not None:
        lines, left = rule_lines(change)
        found["diff"] = [f"{sign} {line}".rstrip() for sign, line in lines]
        found["left_out"] = left
    return found


def flat_rows(sections: Iterable[Section]) -> Iterator[FlatRow]:
    """One row a difference: section, key, before, after, change."""
    for section in sections:
        for row in section.rows:
            key = f"{section.of}.{row.key}" if section.of else row.key
            yield section.kind, key, _cell(row.before), _cell(row.after), None if row.same else row.change


def model_rows(found: ModelContrast) -> Iterator[ModelRow]:
    """The same with model and version in front; ``event`` rows say what became of them."""
    if found.fate != "change":
        yield found.name, None, "event", found.fate, found.former or None, found.told or None, None
    for row in flat_rows(found.sections):
        yield (found.name, None, *row)
    for each in found.versions:
        if each.contrast is None:
            source = each.version.source if each.version else None
            gone = each.event in ("delete", "vanish")
            sides = (source, None) if gone else (None, source)
            yield found.name, each.number, "event", each.event, *sides, None
        else:
            for row in flat_rows(each.contrast.shown()):
                yield (found.name, each.number, *row)
    for path in found.unread:
        yield found.name, None, "unread", path, None, None, None


def registry_rows(found: RegistryContrast) -> Iterator[ModelRow]:
    """Those of all models, and of the settings and rules under the name ``""``."""
    for row in flat_rows(found.settings):
        yield ("", None, *row)
    for each in found.rules:
        key = ".".join(filter(None, (each.subject, each.rule)))
        yield "", None, "rules", key, _cell(each.before), _cell(each.after), None
    for model in found.models:
        yield from model_rows(model)


def _cell(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case datetime():
            return time_text(value)
        case tuple():
            return " ".join(map(str, value))
    return str(value)
