"""Versions beside each other: of one model or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitreg.domain.contrast import Row, Section
from gitreg.domain.contrast_many import ManyRow, ManySection, contrast_many, differing
from gitreg.domain.model import ModelVersion
from gitreg.domain.natural import natural
from gitreg.domain.settings import ARCHIVED, Direction, Settings
from gitreg.errors import GitregError, InvalidInput, InvalidManifests, NotFound
from gitreg.registry.offering import held, model_names, numbers
from gitreg.render.compare_svg import Measured, compare_svg
from gitreg.render.contrast_words import NOTHING, change, line_changes, title, value, verdict
from gitreg.web.pages.cut import brief, cut, more
from gitreg.web.pages.look import Look, Page

MOST = 8
"""Versions that are compared at once."""
_MOST_ROWS = 100  # of one section
_MOST_PICTURES = 12  # metrics
_SUGGESTED = 6
_LISTED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One version: how it was asked for, the version, its aliases, and the address without it."""

    asked: str
    version: ModelVersion
    aliases: tuple[str, ...]
    without: str

    @property
    def name(self) -> str:
        """``churn/12``."""
        return f"{self.version.name}/{self.version.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value, what changed against the first version, and whether it is the best or differs."""

    text: str
    change: str = ""
    verdict: str = ""
    best: bool = False
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A section of the table: rows of a key and a cell for each version."""

    title: str
    of: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A version that could be added: its name, why, and the address with it."""

    name: str
    why: str
    address: str


def compare(look: Look) -> Page:
    """Up to eight versions, the first that were asked for: what differs, or with ``?all=1`` everything."""
    asked = list(dict.fromkeys(one.strip() for one in look.query.get("version", ()) if one.strip()))
    left, asked = len(asked[MOST:]), asked[:MOST]
    everything = bool(look.one("all"))
    columns, refused = _columns(look, asked)
    better = better_of(look.settings)
    versions = [each.version for each in columns]
    several = len(columns) > 1
    sections = contrast_many(versions, [each.aliases for each in columns], better) if several else ()
    kept = sections if everything else differing(sections)
    names = [each.name for each in columns]
    return Page(
        template="compare.html",
        title="Compare " + (", ".join(names) if names else "versions"),
        section="models",
        status=200 if refused is None else 404 if isinstance(refused, NotFound) else 400,
        values={
            "columns": columns,
            "refused": refused,
            "faults": _faults(refused),
            "everything": everything,
            "sections": [_shown(each, better) for each in kept],
            "equal": several and not differing(sections),
            "picture": compare_svg(names, _measured(look, versions, kept)) if several else "",
            "toggle": look.links.to("compare", version=names, all=None if everything else 1),
            "suggestions": _suggestions(look, names),
            "listed": _listed(look, columns),
            "text": _text(versions) if len(versions) == 2 else (),
            "full": len(columns) >= MOST,
            "left": left,
            "most": MOST,
        },
    )


def _faults(error: GitregError | None) -> list[str]:
    """What else is wrong with a manifest that can't be read, with its file."""
    findings = error.findings if isinstance(error, InvalidManifests) else ()
    return [cut(f"{each.location}: {each.message}") for each in findings[1:6]]


def better_of(settings: Settings) -> dict[str, Direction]:
    """The metrics whose good direction the rules of the stages tell; the last stage's word counts."""
    return {rule.metric: rule.direction for stage in settings.stages for rule in stage.no_worse}


def _columns(look: Look, asked: Sequence[str]) -> tuple[list[Column], GitregError | None]:
    """The versions, each once, and what is wrong with the first that is none."""
    found: dict[tuple[str, int], tuple[str, ModelVersion]] = {}
    refused: GitregError | None = None
    for text in asked:
        try:
            version = look.view.version(text)
        except (InvalidInput, NotFound) as error:
            refused = refused or error
            continue
        found.setdefault((version.name, version.version), (text, version))
    names = [f"{name}/{number}" for name, number in found]
    columns = [
        Column(
            asked=text,
            version=version,
            aliases=look.view.aliases(version),
            without=look.links.to(
                "compare", version=[each for each in names if each != f"{version.name}/{version.version}"]
            ),
        )
        for text, version in found.values()
    ]
    return columns, refused


def _shown(section: ManySection, better: Mapping[str, Direction]) -> Shown:
    named, of = title(Section(kind=section.kind, of=section.of, rows=()))
    return Shown(
        title=named,
        of=of,
        rows=tuple((cut(row.key), _cells(section, row, better)) for row in _ordered(section)[:_MOST_ROWS]),
        more=more(len(section.rows) - _MOST_ROWS, "row"),
    )


def _ordered(section: ManySection) -> Sequence[ManyRow]:
    """The rows, so that ``layer_2`` stands before ``layer_10``; a signature's own order says something."""
    return (
        section.rows
        if section.kind == "signature"
        else sorted(section.rows, key=lambda row: natural(row.key))
    )


def _cells(section: ManySection, row: ManyRow, better: Mapping[str, Direction]) -> tuple[Cell, ...]:
    plain = Section(kind=section.kind, of=section.of, rows=())
    told = [_value(plain, one) for one in row.rows]
    if len(set(told)) == 1 and not row.same:  # they would look alike and are not
        told = [NOTHING if one.after is None else str(one.after) for one in row.rows]
    return tuple(
        Cell(
            text="" if text == NOTHING else brief(text) if len({*map(brief, told)}) > 1 else cut(text),
            change=_change(plain, one, better),
            verdict=verdict(plain, one, better),
            best=place in row.best,
            differs=not one.same,
        )
        for place, (one, text) in enumerate(zip(row.rows, told, strict=True))
    )


def _value(section: Section, row: Row) -> str:
    return value(section, row, row.after)


def _change(section: Section, row: Row, better: Mapping[str, Direction]) -> str:
    """The change in figures; that something came or went the empty cells show."""
    return "" if row.change is None else change(section, row, better)


def _text(versions: Sequence[ModelVersion]) -> tuple[tuple[str, str], ...]:
    """The lines of two descriptions that differ."""
    old, new = (each.description for each in versions)
    found = line_changes(old, new) if old != new else ()
    return tuple((sign, cut(line)) for sign, line in found)[:_MOST_ROWS]


def _measured(
    look: Look, versions: Sequence[ModelVersion], sections: Sequence[ManySection]
) -> tuple[Measured, ...]:
    """The metrics that are drawn, those that a rule asks about first."""
    better = better_of(look.settings)
    stages = [_main_stage(version, look.settings) for version in versions]
    rows = [
        (section.of, row)
        for section in sections
        if section.kind in ("metrics", "evaluations")
        for row in section.rows
    ]
    rows.sort(key=lambda each: (each[1].key not in better, each[0], natural(each[1].key)))
    return tuple(
        Measured(
            metric=f"{of}: {row.key}" if of else row.key,
            values=tuple(one.after if isinstance(one.after, int | float) else None for one in row.rows),
            best=row.best,
            better=better.get(row.key),
            stages=tuple(stages),
            order=tuple(stage.name for stage in look.settings.stages),
        )
        for of, row in rows[:_MOST_PICTURES]
    )


def _main_stage(version: ModelVersion, settings: Settings) -> str:
    """The stage by which a version is coloured: the last in the configured order, Archived aside."""
    held = [each.name for each in settings.stages if each.name in version.stages and each.name != ARCHIVED]
    return held[-1] if held else ""


def _suggestions(look: Look, names: Sequence[str]) -> list[Suggestion]:
    """Versions that are likely wanted beside those: the holders of stages, and the newest."""
    wanted: dict[str, str] = {}
    for model in dict.fromkeys(name.rpartition("/")[0] for name in names):
        for number, stage in held(look.part, model, most=_SUGGESTED):
            if stage != ARCHIVED:
                wanted.setdefault(f"{model}/{number}", stage)
        for place, number in enumerate(numbers(look.part, model, most=3)):
            wanted.setdefault(f"{model}/{number}", "" if place else "latest")
    return [
        Suggestion(name=name, why=why, address=look.links.to("compare", version=[*names, name]))
        for name, why in wanted.items()
        if name not in names
    ][:_SUGGESTED]


def _listed(look: Look, columns: Sequence[Column]) -> list[str]:
    """What the field offers to type: versions of the models that are compared, else names of models."""
    models = list(dict.fromkeys(each.version.name for each in columns))
    if not models:
        return [f"{name}/latest" for name in model_names(look.part, most=_LISTED)]
    return [
        f"{model}/{number}"
        for model in models
        for number in numbers(look.part, model, most=_LISTED // len(models))
    ]
