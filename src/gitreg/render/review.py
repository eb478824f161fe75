"""A review as a page of sections that Markdown and the terminal show alike.

What a registry, or who pushed to it, has written is ``Quoted``: each renderer makes it harmless in its
own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from gitreg.domain.approval import address_key
from gitreg.domain.changes import phrase, ranked
from gitreg.domain.contrast import Contrast, Row, Section
from gitreg.domain.contrast_model import RegistryContrast
from gitreg.domain.model import ModelVersion
from gitreg.domain.review import Approved, Approver, Move, Review, Ruling
from gitreg.render.contrast_words import MEASURES, change, pair, title
from gitreg.render.text import moment, plural, size

_TOLD = 3  # moves that the first sentence tells
_FIGURES = 2  # metrics that it tells of each
_MOST_ROWS = 50
MET, UNMET = "✓", "✗"

State = Literal["ready", "waiting", "wrong"]


class Quoted(str):
    """Text that somebody else wrote."""

    __slots__ = ()


Words = tuple[str, ...]
"""Pieces that follow each other; those that are ``Quoted`` come from the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section of the page.

    Attributes:
        title: Its heading; empty for none.
        level: 1 for a section, 2 for one inside of it.
        columns: Of ``rows``; empty where there are none.
        rows: A table.
        lines: A list.
        more: What a table or list leaves out, counted.
        contrast: Two versions, or the registry at two commits, side by side; ``labels`` are the sides'.
        folded: What stands on it where it is folded away; ``""``: it is open.
        move: The move that it belongs to, for what is known of metrics.
    """

    title: Words = ()
    level: int = 1
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Words, ...], ...] = ()
    lines: tuple[Words, ...] = ()
    more: str = ""
    contrast: Contrast | RegistryContrast | None = None
    labels: tuple[str, str] = ("", "")
    folded: str = ""
    move: Move | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A review: what a manager reads, whether it can be merged, the parts, and the commands at its end.

    ``state``: it can be, approvals alone are missing, or something is wrong.
    """

    sentence: Words
    verdict: Words
    state: State
    parts: tuple[Part, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()


def page(review: Review) -> Page:
    """The page of a review."""
    if review.empty:
        return Page(sentence=("Nothing of the registry changes.",), verdict=(), state="ready")
    state, verdict = _verdict(review)
    return Page(
        sentence=sentence(review),
        verdict=verdict,
        state=state,
        parts=tuple(_parts(review)),
        commands=tuple(_commands(review)),
    )


def sentence(review: Review) -> Words:
    """What it would do, in words for somebody who does not know the registry."""
    told: list[str] = []
    for move in review.moves[:_TOLD]:
        told += [*([" "] if told else []), *_sentence(move)]
    more = len(review.moves) - _TOLD
    if more > 0:
        told.append(f" {plural(more, 'more version')} would move.")
    if review.rules:
        told.append((" " if told else "") + "The rules of the registry themselves would change")
        told.append(f", with {review.rules.approved.count}." if review.rules.approved else ".")
    elif review.others and not review.moves:
        first, *rest = ranked(review.others)
        told += ["It would ", Quoted(phrase(first)), " of " if first.model else "", Quoted(first.model)]
        told.append(f", and make {plural(len(rest), 'more change')}." if rest else ".")
    return tuple(one for one in told if one)


def _sentence(move: Move) -> Iterator[str]:
    yield Quoted(move.change.subject)
    if move.incumbent is None:
        yield f" would enter {move.stage}, which no version holds"
    elif move.takes:
        yield f" would take {move.stage} from "
        yield Quoted(_named(move.incumbent))
    else:
        yield f" would enter {move.stage} beside "
        yield Quoted(_named(move.incumbent))
    told: list[Words] = list(_figures(move))
    if move.approved:
        told.append((move.approved.count,))
    rules = _besides_approvals(move)
    if rules:
        unmet = sum(not each.passed for each in rules)
        met = "all other rules are met" if move.approved else "all rules are met"
        told.append((f"{unmet} of {plural(len(rules), 'rule')} not met" if unmet else met,))
    for at, words in enumerate(told):
        yield ", " if at else ": "
        yield from words
    yield "."


def _besides_approvals(move: Move) -> list[Ruling]:
    return [each for each in move.rulings if each.rule != "approvals"]


def _figures(move: Move) -> Iterator[Words]:
    """The metrics that the stage asks about, else the first that both have."""
    sections = move.contrast.sections if move.contrast else ()
    rows = [(section, row) for section in sections if section.kind in MEASURES for row in section.rows]
    both = [(section, row) for section, row in rows if row.before is not None and row.after is not None]
    asked = [one for one in both if one[1].key in move.better]
    for section, row in (asked or both)[:_FIGURES]:
        before, after = pair(section, row)
        word = _verdict_word(section, row, move)
        yield Quoted(row.key), f" {before} → {after}" + (f" ({word})" if word else "")


def _verdict_word(section: Section, row: Row, move: Move) -> str:
    told = change(section, row, move.better).rpartition(", ")[2] if row.key in move.better else ""
    if row.same:
        return "the same"
    return told if told in ("better", "worse") else ""


def _named(version: ModelVersion) -> str:
    return f"{version.name}/{version.version}"


def _verdict(review: Review) -> tuple[State, Words]:
    if review.clean:
        asked = any(move.rulings for move in review.moves) or review.rules is not None
        return "ready", (f"Ready: {'every rule is met' if asked else 'no rule asks for anything'}.",)
    errors = [each for each in review.findings if each.severity == "error"]
    if review.exit_code == 6:
        found = plural(len(errors), "finding")
        return "wrong", (f"Refused: the registry would contradict itself ({found}).",)
    waited = [move.approved for move in review.moves] + ([review.rules.approved] if review.rules else [])
    missing = sum(max(0, each.needed - len(each.given)) for each in waited if each)
    if missing and all(each.code in ("GR206", "GR208") for each in errors):
        return "waiting", (f"Waiting for {plural(missing, 'approval')}.",)
    return "wrong", (f"Not ready: {plural(len(errors), 'finding')}.",)


def _parts(review: Review) -> Iterator[Part]:
    if review.moves:
        yield _moves(review.moves)
    yield from _findings(review)
    alone = len(review.moves) == 1  # then its parts are the page's own
    for move in review.moves:
        if not alone:
            yield Part(title=(Quoted(move.change.subject), " → ", Quoted(move.stage)))
        yield from (replace(part, level=part.level - alone) for part in _of_move(move))
    if review.rules:
        yield Part(title=("Change of the rules",))
        yield from _rules(review.rules.rulings)
        yield from _approvals(review.rules.approved)
    if review.others:
        yield _others(review)
    if review.contrast:
        yield Part(
            contrast=review.contrast,
            labels=("before", "after"),
            level=2,
            folded="Every difference",
        )


def _moves(moves: tuple[Move, ...]) -> Part:
    rows = tuple(
        (
            (Quoted(move.stage),),
            (Quoted(move.change.subject),),
            (Quoted(", ".join(move.change.origin)),) if move.change.origin else ("–",),
            (Quoted(_named(move.incumbent)),) if move.incumbent else ("–",),
            (MET if all(each.passed for each in _besides_approvals(move)) else UNMET,),
            (move.approved.count.rpartition(" ")[0] if move.approved else "–",),
        )
        for move in moves[:_MOST_ROWS]
    )
    columns = ("Stage", "Version", "Comes from", "Holds it now", "Rules", "Approvals")
    return Part(columns=columns, rows=rows, more=_more(len(moves)))


def _more(count: int) -> str:
    return f"and {count - _MOST_ROWS:,} more" if count > _MOST_ROWS else ""


def _findings(review: Review) -> Iterator[Part]:
    """What is wrong, but for what the tables of rules tell already."""
    rulings = [each for move in review.moves for each in move.rulings]
    rulings += review.rules.rulings if review.rules else ()
    told = tuple(each.message for each in rulings if not each.passed and each.message)
    rest = [each for each in review.findings if not any(one in each.message for one in told)]
    lines = tuple(
        (f"{each.severity} {each.code}: ", Quoted(each.message), " in ", Quoted(each.location))
        for each in rest[:_MOST_ROWS]
    )
    if lines:
        yield Part(title=("Findings",), lines=lines, more=_more(len(rest)))


def _of_move(move: Move) -> Iterator[Part]:
    yield from _metrics(move)
    yield from _rules(move.rulings)
    yield from _approvals(move.approved)
    yield _lineage(move.version)
    if move.contrast and move.incumbent and not move.contrast.equal:
        yield Part(
            contrast=move.contrast,
            labels=(_named(move.incumbent), _named(move.version)),
            level=2,
            folded="Every difference between the two versions",
            move=move,
        )


def _metrics(move: Move) -> Iterator[Part]:
    """Candidate and incumbent side by side, equal figures too; those that the stage asks about come first."""
    if move.contrast is None or move.incumbent is None:
        metrics = sorted(move.version.metrics, key=lambda key: (key not in move.better, key))
        if metrics:
            told = replace(_side(move.version), lines=tuple(_figure(move.version, key) for key in metrics))
            yield replace(told, lines=told.lines[:_MOST_ROWS], more=_more(len(metrics)))
        return
    for section in move.contrast.sections:
        if section.kind not in MEASURES:
            continue
        named, of = title(section)
        rows = sorted(section.rows, key=lambda row: (row.key not in move.better, row.same))
        yield Part(
            title=(named, *((" ", Quoted(of)) if of else ())),
            level=2,
            columns=("Metric", Quoted(_named(move.incumbent)), Quoted(_named(move.version)), "Change"),
            rows=tuple(_metric(section, row, move) for row in rows[:_MOST_ROWS]),
            more=_more(len(rows)),
        )


def _metric(section: Section, row: Row, move: Move) -> tuple[Words, ...]:
    before, after = pair(section, row)
    told = change(section, row, move.better) or ("the same" if row.same else "")
    return (Quoted(row.key),), (before,), (after,), (told,)


def _side(version: ModelVersion) -> Part:
    return Part(title=("Metrics of ", Quoted(_named(version))), level=2)


def _figure(version: ModelVersion, key: str) -> Words:
    return Quoted(key), f" {version.metrics[key]:.6g}"


def _rules(rulings: Iterable[Ruling]) -> Iterator[Part]:
    told = sorted(rulings, key=lambda each: each.passed)
    if told:
        yield Part(
            title=("Rules",),
            level=2,
            columns=("", "Rule", "Why"),
            rows=tuple(
                ((MET if each.passed else UNMET,), (Quoted(each.rule),), (Quoted(each.message),))
                for each in told[:_MOST_ROWS]
            ),
            more=_more(len(told)),
        )


def _approvals(approved: Approved | None) -> Iterator[Part]:
    if approved is None:
        return
    rows = [_approval(each) for each in (*approved.given, *approved.refused)]
    missing = approved.needed - len(approved.given)
    lines: tuple[Words, ...] = ()
    if missing > 0:
        done = {address_key(each.principal) for each in approved.given}
        left = [one for one in approved.may if address_key(one) not in done]
        may = [word for one in left[:_MOST_ROWS] for word in (", ", Quoted(one))][1:]
        lines = ((f"{plural(missing, 'approval')} missing", *((": may be given by ", *may) if may else ())),)
    yield Part(
        title=(f"Approvals: {approved.count.rpartition(' ')[0]}",),
        level=2,
        columns=("", "Who", "When", "Until", "") if rows else (),
        rows=tuple(rows[:_MOST_ROWS]),
        lines=lines,
        more=_more(len(rows)),
    )


def _approval(each: Approver) -> tuple[Words, ...]:
    return (
        (UNMET if each.refused else MET,),
        (Quoted(each.principal),),
        (moment(each.at) if each.at else "–",),
        (_day(each.expires) if each.expires else "–",),
        _worth(each),
    )


def _worth(each: Approver) -> Words:
    if each.refused:
        return ("does not count: ", Quoted(each.refused))
    return ("counts: signed in at ", Quoted(each.attester)) if each.attester else ("counts",)


def _day(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d}"


def _lineage(version: ModelVersion) -> Part:
    origin = version.origin
    lines: list[Words] = [("Source: ", Quoted(origin.source))]
    if origin.run_id:
        lines.append(("Run: ", Quoted(origin.run_id)))
    if origin.code:
        code = origin.code
        at = (" at ", Quoted(code.commit)) if code.commit else ()
        dirty = (" with changes that were not committed",) if code.dirty else ()
        lines.append(("Code: ", Quoted(code.repository or code.path or "–"), *at, *dirty))
    for dataset in origin.datasets[:_MOST_ROWS]:
        known = dataset.digest or dataset.uri
        lines.append(("Data set: ", Quoted(dataset.name), *((" ", Quoted(known)) if known else ())))
    lines += [("Parent: ", Quoted(parent)) for parent in origin.parents[:_MOST_ROWS]]
    artifact = origin.artifact
    if artifact and artifact.digest:
        told = f", {size(artifact.size)}" if artifact.size is not None else ""
        lines.append(("Artifact: ", Quoted(artifact.digest), told))
    else:
        lines.append(("Artifact: no digest, so nobody can tell whether the bytes are still the same",))
    lines.append(("Registered: ", moment(version.created)))
    return Part(title=("Lineage of ", Quoted(_named(version))), level=2, lines=tuple(lines))


def _others(review: Review) -> Part:
    order = ranked(review.others)
    lines = tuple(
        (*((Quoted(each.model), ": ") if each.model else ("registry: ",)), Quoted(phrase(each)))
        for each in order[:_MOST_ROWS]
    )
    heading = "What else would change" if review.moves or review.rules else "What would change"
    return Part(title=(heading,), lines=lines, more=_more(len(order)))


def _commands(review: Review) -> Iterator[tuple[str, str]]:
    if review.approve:
        yield "to approve it", review.approve
    if review.merge:
        yield ("to merge it" if review.clean else "to merge it, once it is ready"), review.merge
    for undo in list(dict.fromkeys(move.undo for move in review.moves if move.undo))[:_TOLD]:
        yield "to take it back afterwards", undo
