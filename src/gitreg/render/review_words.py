"""What a review says in sentences, for somebody who does not know the registry; nothing is escaped yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from gitreg.domain.changes import Change, phrase, ranked
from gitreg.domain.contrast import Row, Section
from gitreg.domain.findings import Finding
from gitreg.domain.model import ModelVersion
from gitreg.domain.review import Move, Review, Ruling
from gitreg.domain.settings import NO_STAGE
from gitreg.render import contrast_words
from gitreg.render.contrast_words import MEASURES, pair
from gitreg.render.quoted import Quoted, Words
from gitreg.render.rules_words import bar_sentences
from gitreg.render.text import number, plural

FEW = 3  # moves that are told one by one
_FIGURES = 2  # metrics that are told of each
_BESIDES = 2  # other changes that are told
_NEVER = ("rewrite", "vanish", "reuse")  # what no registry allows
_APPROVAL_CODES = ("GR206", "GR208")
BY_APPROVAL = ("approvals", "policy")  # the rules that approvals meet

State = Literal["ready", "waiting", "wrong"]


def sentence(review: Review) -> Words:
    """What it would do."""
    told = [_grown(words) for words in _sentences(review)]
    if not told:
        wrong = "What it would do can't be told." if review.findings else "Nothing of the registry changes."
        return (wrong,)
    return tuple(piece for at, words in enumerate(told) for piece in ((" ", *words) if at else words))


def _sentences(review: Review) -> Iterator[Words]:
    if review.rules:
        so_far = review.rules.approved
        yield (
            "the rules of the registry themselves would change",
            f", with {so_far.count}." if so_far else ".",
        )
        yield from bar_sentences(review.rules.changes)
    moves = urgent_first(review.moves)
    registered = {each.subject for each in review.others if each.event == "register"}
    if len(moves) > FEW:
        yield _all_of(moves)
    else:
        yield from (tuple(_move(move, registered)) for move in moves)
    besides = _besides(review)
    for change in besides[:_BESIDES]:
        yield *would(change), "."
    more = len(besides) - _BESIDES
    if more > 0:
        yield (f"it would make {plural(more, 'more change')}.",)
    for name, stage in review.vacated[:FEW]:
        yield Quoted(name), f" would have no version in {stage} any more."
    if len(review.vacated) > FEW:
        yield (f"{plural(len(review.vacated) - FEW, 'more stage')} would be held by no version.",)


def _grown(words: Words) -> Words:
    """Words that begin a sentence; a name stays as it is."""
    first, *rest = words
    return words if isinstance(first, Quoted) else (first[:1].upper() + first[1:], *rest)


def urgent_first(moves: Iterable[Move]) -> tuple[Move, ...]:
    """The moves, those first that break a rule, those last that no rule asks about."""
    return tuple(sorted(moves, key=lambda move: (move.passed, not move.rulings)))


def weighty_first(changes: Sequence[Change]) -> list[Change]:
    """The changes, those first that no registry allows."""
    return sorted(ranked(changes), key=lambda change: change.event not in _NEVER)


def _besides(review: Review) -> list[Change]:
    """What has not to do with the moves nor with the rules."""
    left = {_named(move.incumbent) for move in review.moves if move.incumbent and move.takes}
    entered = {move.change.subject for move in review.moves}
    return [
        change
        for change in weighty_first(review.others)
        if not (change.event in ("transition", "unassign") and change.subject in left)
        and not (change.event in ("register", "unassign") and change.subject in entered)
        and not (change.event == "policy" and review.rules)
    ]


def _all_of(moves: Sequence[Move]) -> Words:
    stages = Counter(move.stage for move in moves)
    into = ", ".join(f"{count:,} {stage}" for stage, count in stages.items())
    takes = sum(move.takes for move in moves)
    told: list[str] = [f"{plural(len(moves), 'version')} would enter "]
    told.append(f"stages ({into})" if len(stages) > 1 else next(iter(stages)))
    told.append(f", {takes:,} of them in the place of another version: " if takes else ": ")
    for at, move in enumerate(moves[:FEW]):
        told += [", " if at else "", Quoted(move.change.subject)]
    return *(each for each in told if each), f" and {len(moves) - FEW:,} more."


def _move(move: Move, registered: Iterable[str]) -> Iterator[str]:
    yield Quoted(move.change.subject)
    yield ", which it registers, would " if move.change.subject in registered else " would "
    if move.incumbent is None:
        yield f"enter {move.stage}, which no version holds"
    elif move.takes:
        yield f"take {move.stage} from "
        yield Quoted(_named(move.incumbent))
    else:
        yield f"enter {move.stage} beside "
        yield Quoted(_named(move.incumbent))
    told: list[Words] = list(_figures(move))
    if move.approved:
        told.append((move.approved.count,))
    rules = besides_approvals(move)
    if rules:
        unmet = sum(not each.passed for each in rules)
        met = "all other rules are met" if move.approved else "all rules are met"
        told.append((f"{unmet} of {plural(len(rules), 'rule')} not met" if unmet else met,))
    for at, words in enumerate(told):
        yield ", " if at else ": "
        yield from words
    yield "."


def besides_approvals(move: Move) -> list[Ruling]:
    """What the rules say, but for those that approvals meet."""
    return [each for each in move.rulings if each.rule not in BY_APPROVAL]


def _figures(move: Move) -> Iterator[Words]:
    """The metrics that the stage asks about, worse ones first; else the first that both have."""
    if move.contrast is None:
        known = [key for key in move.better if key in move.version.metrics]
        for key in known[:_FIGURES]:
            yield Quoted(key), f" {number(move.version.metrics[key])}"
        return
    rows = [
        (section, row)
        for section in move.contrast.sections
        if section.kind in MEASURES
        for row in section.rows
        if row.before is not None and row.after is not None
    ]
    asked = [(section, row) for section, row in rows if row.key in move.better]
    asked.sort(key=lambda one: contrast_words.verdict(one[0], one[1], move.better) != "worse")
    for section, row in (asked or rows)[:_FIGURES]:
        yield _figure(section, row, move)


def _figure(section: Section, row: Row, move: Move) -> Words:
    before, after = pair(section, row)
    of = (" in ", Quoted(section.of)) if section.of else ()
    if row.same:
        return Quoted(row.key), *of, f" {after} (the same)"
    good = contrast_words.verdict(section, row, move.better)
    return Quoted(row.key), *of, f" {before} → {after}" + (f" ({good})" if good else "")


def _named(version: ModelVersion) -> str:
    return f"{version.name}/{version.version}"


def would(change: Change) -> Words:  # noqa: C901, PLR0912 (one branch for each event)
    """One change as a clause, such as ``churn/7 would move from Production to Archived``."""
    subject = Quoted(change.subject)
    key = Quoted((change.field or "").partition(".")[2] or (change.field or ""))
    match change.event:
        case "register":
            return subject, " would be registered"
        case "transition":
            held = f" from {', '.join(change.origin)}" if change.origin else ""
            return subject, f" would move{held} to {change.stage or NO_STAGE}"
        case "assign":
            return subject, f" would enter {change.stage}"
        case "unassign":
            return subject, f" would leave {change.stage}"
        case "alias" if change.after is None:
            return "the alias ", key, " of ", Quoted(change.model), " would be removed"
        case "alias":
            place = f" in the place of version {change.before}" if change.before is not None else ""
            told = f" would point at version {change.after}{place}"
            return "the alias ", key, " of ", Quoted(change.model), told
        case "tag" if change.after is None:
            return "the tag ", key, " of ", subject, " would be removed"
        case "tag":
            return subject, " would be tagged with ", key
        case "deprecate":
            return subject, " would be deprecated" if change.after else " would be deprecated no longer"
        case "evaluate":
            return subject, " would get the results of the evaluation ", Quoted(change.after.name)
        case "update":
            return "the field ", Quoted(change.field or ""), " of ", subject, " would change"
        case "rename":
            return subject, " would be renamed to ", Quoted(str(change.after))
        case "delete" | "restore":
            return subject, f" would be {change.event}d"
        case "policy":
            return "the setting ", Quoted(change.field or ""), " of the registry would change"
        case "rewrite":
            told = " would be rewritten, which never change after registration"
            return "the ", Quoted(change.field or ""), " of ", subject, told
        case "vanish":
            return "the manifest of ", subject, " would vanish"
        case "reuse":
            return "the number of ", subject, " would be used again"
        case _:
            return "it would ", Quoted(phrase(change)), " of ", subject


def untold(review: Review) -> list[Finding]:
    """What is wrong, but for what the rules say already."""
    rulings = [each for move in review.moves for each in move.rulings]
    rulings += review.rules.rulings if review.rules else ()
    told = tuple(each.message for each in rulings if not each.passed and each.message)
    return [each for each in review.findings if not any(one in each.message for one in told)]


def _for_rules(review: Review, missing: int) -> str:
    """That some of the approvals that are missing, or all, are for the change of the rules."""
    asked = review.rules.approved if review.rules else None
    of_these = max(0, asked.needed - len(asked.given)) if asked else 0
    if not of_these:
        return ""
    return " of the change of the rules" if of_these == missing else f", {of_these} of them for the rules"


def verdict(review: Review) -> tuple[State, Words]:
    """Whether it can be merged, and if not, how much it lacks."""
    if review.clean:
        asked = any(move.rulings for move in review.moves) or review.rules is not None
        return "ready", (f"Ready: {'every rule is met' if asked else 'no rule asks for anything'}.",)
    errors = [each for each in review.findings if each.severity == "error"]
    if review.exit_code == 6:
        found = plural(len(errors), "finding")
        return "wrong", (f"Refused: the registry would contradict itself ({found}).",)
    waited = [move.approved for move in review.moves] + ([review.rules.approved] if review.rules else [])
    missing = sum(max(0, each.needed - len(each.given)) for each in waited if each)
    if missing and all(each.code in _APPROVAL_CODES for each in errors):
        return "waiting", (f"Waiting for {plural(missing, 'approval')}{_for_rules(review, missing)}.",)
    rules = [each for move in review.moves for each in besides_approvals(move)]
    unmet = sum(not each.passed for each in rules)
    rest = sum(each.severity == "error" for each in untold(review))
    lacks = [
        f"{unmet:,} of {plural(len(rules), 'rule')} {'is' if unmet == 1 else 'are'} not met" if unmet else "",
        f"{plural(missing, 'approval')} {'is' if missing == 1 else 'are'} missing" if missing else "",
        plural(rest, "finding") if rest else "",
    ]
    told = ", ".join(each for each in lacks if each) or plural(len(errors), "finding")
    return "wrong", (f"Not ready: {told}.",)
