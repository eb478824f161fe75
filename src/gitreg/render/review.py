"""A review as a page of sections that Markdown and the terminal show alike.

What a registry, or who pushed to it, has written is ``Quoted``: each renderer makes it harmless in its
own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gitreg.domain.approval import address_key
from gitreg.domain.contrast import Contrast, Row, Section
from gitreg.domain.contrast_model import RegistryContrast
from gitreg.domain.model import ModelVersion
from gitreg.domain.review import Approved, Approver, Move, Review, Ruling
from gitreg.render import contrast_words
from gitreg.render.contrast_words import MEASURES, change, pair
from gitreg.render.quoted import Quoted, Words
from gitreg.render.review_words import (
    BY_APPROVAL,
    FEW,
    State,
    besides_approvals,
    sentence,
    untold,
    urgent_first,
    verdict,
    weighty_first,
    would,
)
from gitreg.render.rules_words import git_diff, rule_lines, rule_texts, rule_words
from gitreg.render.text import moment, number, plural, size

_MOST_ROWS = 50
_MOST_METRICS = 20
_MOST_TEXTS = 3  # files of rules whose lines are shown
MET, UNMET = "✓", "✗"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section of the page.

    Attributes:
        title: Its heading; empty for none.
        level: 1 for a section, 2 for one inside of it.
        columns: Of ``rows``; empty where there are none.
        rows: A table.
        text: Changed lines of a text: sign (``-``, ``+``, ``" "``, ``…``) and line.
        lines: A list.
        more: What a table or list leaves out, counted.
        contrast: Two versions, or the registry at two commits, side by side; ``labels`` are the sides'.
        folded: What stands on it where it is folded away; ``""``: it is open.
        group: What stands on all parts of the same group that follow each other, where they are folded
            away together; ``""``: it is in none.
        move: The move that it belongs to, for what is known of metrics.
    """

    title: Words = ()
    level: int = 1
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Words, ...], ...] = ()
    text: tuple[tuple[str, str], ...] = ()
    lines: tuple[Words, ...] = ()
    more: str = ""
    contrast: Contrast | RegistryContrast | None = None
    labels: tuple[str, str] = ("", "")
    folded: str = ""
    group: str = ""
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
        return Page(sentence=sentence(review), verdict=(), state="ready")
    state, told = verdict(review)
    review = replace(review, moves=urgent_first(review.moves))
    return Page(
        sentence=sentence(review),
        verdict=told,
        state=state,
        parts=tuple(_parts(review)),
        commands=tuple(_commands(review)),
    )


def _parts(review: Review) -> Iterator[Part]:
    yield from _of_rules(review)
    if review.moves:
        yield _moves(review.moves)
    yield from _findings(review)
    many = len(review.moves) > FEW
    if many:
        yield from _unmet(review.moves)
    else:
        yield from _each(review.moves)
    yield from _others(review)
    if many:
        group = f"Each of the {plural(len(review.moves), 'version')}"
        yield from (replace(part, group=group) for part in _each(review.moves))
    rest = review.contrast
    if rest and review.rules:  # they are told already
        rest = replace(rest, settings=(), rules=())
    if rest and not rest.equal:
        yield Part(
            contrast=rest,
            labels=("before", "after"),
            level=2,
            folded="Every difference",
        )


def _of_rules(review: Review) -> Iterator[Part]:
    """What the rules would ask for otherwise. Nothing stands before it: who approves it must have seen it."""
    if review.rules is None:
        return
    changes = review.rules.changes
    lines = tuple(map(rule_words, changes[:_MOST_ROWS]))
    texts = rule_texts(changes)
    unshown = tuple(
        ("the lines of ", Quoted(each.subject), ": ", Quoted(git_diff(each, review.base, review.head)))
        for each in texts[_MOST_TEXTS:_MOST_ROWS]
    )
    yield Part(title=("The rules",), lines=(*lines, *unshown), more=_more(len(changes)))
    for each in texts[:_MOST_TEXTS]:
        text, left = rule_lines(each)
        all_of_it = Quoted(git_diff(each, review.base, review.head))
        rest: tuple[Words, ...] = (
            ((f"{plural(left, 'line')} cut or left out, all of it: ", all_of_it),) if left else ()
        )
        yield Part(title=(Quoted(each.subject),), level=2, text=text, lines=rest)
    yield from _rules(review.rules.rulings, title="What a change of the rules needs")
    yield from _approvals(review.rules.approved, of=" of the change of the rules")


def _each(moves: tuple[Move, ...]) -> Iterator[Part]:
    alone = len(moves) == 1  # then its parts are the page's own
    for move in moves:
        if not alone:
            yield Part(title=(Quoted(move.change.subject), " → ", Quoted(move.stage)))
        yield from (replace(part, level=part.level - alone) for part in _of_move(move))


def _unmet(moves: tuple[Move, ...]) -> Iterator[Part]:
    """Of many moves what stands in the way of some."""
    lines: list[Words] = [
        (Quoted(move.change.subject), " → ", Quoted(move.stage), ": ", Quoted(each.message))
        for move in moves
        for each in besides_approvals(move)
        if not each.passed
    ]
    if lines:
        yield Part(title=("Rules that are not met",), lines=tuple(lines[:_MOST_ROWS]), more=_more(len(lines)))


def _moves(moves: tuple[Move, ...]) -> Part:
    rows = tuple(
        (
            (Quoted(move.stage),),
            (Quoted(move.change.subject),),
            (Quoted(", ".join(move.change.origin)),) if move.change.origin else ("–",),
            (Quoted(_named(move.incumbent)),) if move.incumbent else ("–",),
            (_rules_sign(move),),
            (move.approved.count.rpartition(" ")[0] if move.approved else "–",),
        )
        for move in moves[:_MOST_ROWS]
    )
    columns = ("Stage", "Version", "Comes from", "Holds it now", "Rules", "Approvals")
    return Part(columns=columns, rows=rows, more=_more(len(moves)))


def _rules_sign(move: Move) -> str:
    rules = besides_approvals(move)
    if not rules:
        return "–"
    return MET if all(each.passed for each in rules) else UNMET


def _more(count: int, most: int = _MOST_ROWS) -> str:
    return f"and {count - most:,} more" if count > most else ""


def _findings(review: Review) -> Iterator[Part]:
    """What is wrong, but for what the tables of rules tell already."""
    rest = untold(review)
    lines = tuple(
        (
            f"{each.severity} {each.code}: ",
            Quoted(each.message),
            *((" in ", Quoted(each.location)) if each.path or each.line else ()),
            *((" – ", Quoted(each.help)) if each.help else ()),
        )
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
            yield Part(
                title=("Metrics of ", Quoted(_named(move.version))),
                level=2,
                lines=tuple(_figure(move.version, key) for key in metrics[:_MOST_METRICS]),
                more=_more(len(metrics), _MOST_METRICS),
            )
        return
    for section in move.contrast.sections:
        if section.kind not in MEASURES:
            continue
        named, of = contrast_words.title(section)
        rows = sorted(section.rows, key=lambda row: (row.key not in move.better, row.same))
        yield Part(
            title=(named, *((" ", Quoted(of)) if of else ())),
            level=2,
            columns=("Metric", Quoted(_named(move.incumbent)), Quoted(_named(move.version)), "Change"),
            rows=tuple(_metric(section, row, move) for row in rows[:_MOST_METRICS]),
            more=_more(len(rows), _MOST_METRICS),
        )


def _metric(section: Section, row: Row, move: Move) -> tuple[Words, ...]:
    before, after = pair(section, row)
    told = change(section, row, move.better) or ("the same" if row.same else "")
    return (Quoted(row.key),), (before,), (after,), (told,)


def _figure(version: ModelVersion, key: str) -> Words:
    return Quoted(key), f" {number(version.metrics[key])}"


def _rules(rulings: Iterable[Ruling], *, title: str = "Rules") -> Iterator[Part]:
    told = sorted(rulings, key=lambda each: each.passed)
    # Who is to approve stands with the approvals.
    mend = {
        each.help: each.rule
        for each in told
        if not each.passed and each.help and each.rule not in BY_APPROVAL
    }
    if told:
        yield Part(
            title=(title,),
            level=2,
            columns=("", "Rule", "Why"),
            rows=tuple(
                ((MET if each.passed else UNMET,), (Quoted(each.rule),), (Quoted(each.message),))
                for each in told[:_MOST_ROWS]
            ),
            lines=tuple(("to meet ", Quoted(rule), ": ", Quoted(what)) for what, rule in mend.items()),
            more=_more(len(told)),
        )


def _approvals(approved: Approved | None, *, of: str = "") -> Iterator[Part]:
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
        title=(f"Approvals{of}: {approved.count.rpartition(' ')[0]}",),
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


def _others(review: Review) -> Iterator[Part]:
    told = review.rules is not None and review.rules.changes
    order = [each for each in weighty_first(review.others) if not (told and each.event == "policy")]
    heading = "What else would change" if review.moves or review.rules else "What would change"
    lines = tuple(would(each) for each in order[:_MOST_ROWS])
    if lines:
        yield Part(title=(heading,), lines=lines, more=_more(len(order)))


def _commands(review: Review) -> Iterator[tuple[str, str]]:
    if review.approve:
        yield "to approve it", review.approve
    if review.merge:
        yield ("to merge it" if review.clean else "to merge it, once it is ready"), review.merge
    undo = list(dict.fromkeys(move.undo for move in review.moves if move.undo))
    if len(undo) > FEW:
        yield "to take all of it back afterwards, by the commit that merged it", "gitreg revert COMMIT"
        return
    for each in undo:
        yield "to take it back afterwards", each


def _named(version: ModelVersion) -> str:
    return f"{version.name}/{version.version}"
