"""What a change of the rules means, in words for who is to approve it. Nothing is escaped yet."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from gitreg.domain.contrast_rules import RuleChange
from gitreg.domain.effects import Effect
from gitreg.domain.settings import NO_STAGE
from gitreg.render.contrast_words import line_changes
from gitreg.render.quoted import Quoted, Words
from gitreg.render.text import number, plural

MOST_LINES = 60
"""Changed lines of one file that are shown."""

_LONGEST_LINE = 160
_CONTEXT = 3
_FEW = 3
_PLAIN_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*", re.ASCII)

MARKS: dict[Effect, str] = {
    "lowers": "▼ lowers the bar",
    "raises": "▲ raises the bar",
    "changes": "• changes",
    "none": "= asks for nothing else",
}
"""Which way a change goes, as it stands before the change."""


def rule_words(change: RuleChange) -> Words:
    """One change, with its effect before it: ``▼ lowers the bar: Production: approvals 2 → 1``."""
    return (f"{MARKS[change.effect]}: ", *bare_words(change))


def bare_words(change: RuleChange) -> Words:
    """One change alone: ``Production: approvals 2 → 1``."""
    subject = _subject(change)
    return (*subject, ": ", *_told(change)) if subject else _told(change)


def _subject(change: RuleChange) -> Words:
    match change.kind:
        case "policy":
            return ("a change of the rules",)
        case "merge_keys" | "settings":
            return ()
    return (Quoted(change.subject),)


def _told(change: RuleChange) -> Words:  # noqa: C901, PLR0912 (one branch for each rule)
    was, now = change.before, change.after
    match change.kind, change.rule:
        case "file", _:
            return _file(change)
        case "key", _:
            return _swapped("", was, now)
        case "gate", key:
            return _demand(key, was, now)
        case "settings", key:
            return _swapped(key, was, now, quoted=True)
        case "stage", "":
            lost = ", and its rules with it" if change.effect == "lowers" else ""
            return (f"the stage is removed{lost}" if now is None else "the stage is new",)
        case _, "name":
            return "the stage was called ", Quoted(str(was))
        case _, "approvals.count":
            return (f"approvals {was} → {now}",)
        case _, "rollback_approvals":
            return (f"approvals of a rollback {was} → {now}",)
        case _, "approvals.valid_days":
            return (
                f"an approval counts for {plural(int(was or 0), 'day')} → {plural(int(now or 0), 'day')}",
            )
        case _, "approvals.approvers":
            return _one(was, now, " may approve, too", " may no longer approve")
        case _, "approvals.codeowners":
            return (f"the owners in CODEOWNERS may {'approve, too' if now else 'no longer approve'}",)
        case _, "approvals.signed_in":
            gone = " may no longer vouch for who signed in there"
            return _one(was, now, " may vouch for an approver who signed in there, without a key", gone)
        case _, "merge_keys":
            told = _one(
                was, now, " counts as a hosting service's", " no longer counts as a hosting service's"
            )
            return "the key ", *told
        case _, "exclusive":
            return ("exclusive: one version at a time" if now else "no longer exclusive",)
        case _, "signed":
            return ("the commit must be signed" if now else "the commit need not be signed any more",)
        case _, "from":
            return "may come from ", _place(was), " → from ", _place(now)
        case _, "gate":
            return _gate(was, now)
        case _, "requires":
            return (f"{now} must be there" if now else f"{was} need not be there any more",)
    rule, _, of = change.rule.partition(".")
    if rule == "no_worse":
        return Quoted(of), f" may be worse by {_slack(was)} → {_slack(now)}"
    return _swapped(change.rule, was, now, quoted=True)


def _place(told: object) -> str:
    """The stages that a version may come from."""
    if not told:
        return "anywhere" if told is None else "nowhere"
    return Quoted(", ".join("no stage" if each == NO_STAGE else each for each in str(told).split(", ")))


def _demand(field: str, was: object, now: object) -> Words:
    if field.rpartition(".")[2] in ("required", "enum"):
        come = " is asked for" if field.endswith("required") else " will do, too"
        gone = " is not asked for any more" if field.endswith("required") else " will not do any more"
        return Quoted(field), ": ", *_one(was, now, come, gone)
    sides = ["any" if side is None else _value(side) for side in (was, now)]
    return Quoted(field), f" {sides[0]} → {sides[1]}"


def _slack(told: object) -> str:
    return "anything" if told is None else str(told)


def _one(was: object, now: object, come: str, gone: str) -> Words:
    return (Quoted(str(now)), come) if was is None else (Quoted(str(was)), gone)


def _gate(was: object, now: object) -> Words:
    if was is None:
        return "the gate ", Quoted(str(now)), " is asked"
    if now is None:
        return "the gate ", Quoted(str(was)), " is no longer asked"
    return "the gate ", Quoted(str(was)), " → ", Quoted(str(now))


def _swapped(key: str, was: object, now: object, *, quoted: bool = False) -> Words:
    lead = (Quoted(key), " ") if quoted and key else ()
    if was is None:
        return *lead, "added: ", Quoted(_value(now))
    if now is None:
        return *lead, "removed: ", Quoted(_value(was))
    return *lead, Quoted(_value(was)), " → ", Quoted(_value(now))


def _value(given: object) -> str:
    if isinstance(given, bool):
        return "yes" if given else "no"
    return number(given) if isinstance(given, int | float) else str(given)


def _file(change: RuleChange) -> Words:
    if change.effect == "none" and change.texts:
        return ("other remarks, nothing else is asked",)
    if change.effect == "none":
        return ("written otherwise, and means the same",)
    if change.before is None or change.after is None:
        did, side = ("new", change.after) if change.before is None else ("removed", change.before)
        return did, *((": read it",) if change.texts else (": ", Quoted(str(side))))
    if change.texts is None:
        return Quoted(str(change.before)), " → ", Quoted(str(change.after))
    return ("it asks for something else: read it",)


def rule_lines(change: RuleChange) -> tuple[tuple[tuple[str, str], ...], int]:
    """The changed lines of a file, signed as by ``line_changes``, and how many are left out or cut."""
    if change.texts is None:
        return (), 0
    found = list(line_changes(*change.texts, context=_CONTEXT))
    if not found and change.texts[0] != change.texts[1]:
        found = [("…", "only blanks or ends of lines differ")]
    shown = [(sign, _cut(line)) for sign, line in found[:MOST_LINES]]
    return tuple(shown), len(found) - len(shown) + sum(
        len(line) > _LONGEST_LINE for _, line in found[:MOST_LINES]
    )


def _cut(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    return f"{line[:_LONGEST_LINE]}… ({len(line):,} characters)"


def git_diff(change: RuleChange, base: str, head: str) -> str:
    """The command that shows all of it, what came to ``base`` since left aside."""
    path = change.path if _PLAIN_PATH.fullmatch(change.path) else f":(top,literal){change.path}"
    return shlex.join(["git", "diff", f"{base[:12]}...{head[:12]}", "--", path])


def bar_sentences(changes: Sequence[RuleChange]) -> Iterator[Words]:
    """For a manager: whose bar is lowered, or raised, by what, and what has to be read."""
    for effect in ("lowers", "raises"):
        these = [each for each in changes if each.effect == effect]
        subjects = list(dict.fromkeys(map(_whose, these)))
        for subject in subjects[:_FEW]:
            mine = [each for each in these if _whose(each) == subject]
            yield (f"it would {effect[:-1]} the bar for ", *subject, ": ", *_listed(mine), ".")
        if len(subjects) > _FEW:
            yield (f"it would {effect[:-1]} the bar for {len(subjects) - _FEW} more.",)
    texts = [each for each in rule_texts(changes) if each.effect == "changes"]
    if texts:
        named = [word for each in texts[:_FEW] for word in (", ", Quoted(each.subject))][1:]
        more = len(texts) - _FEW
        rest = (f" and {plural(more, 'more file')}",) if more > 0 else ()
        yield *named, *rest, " would change: what is asked there has to be read."
    if changes and all(each.effect == "none" for each in changes):
        yield ("nobody would be asked for anything else.",)


def _whose(change: RuleChange) -> Words:
    if change.kind == "stage":
        return (Quoted(change.subject),)
    if change.kind == "policy":
        return ("a change of the rules",)
    if change.kind == "gate":
        return "what ", Quoted(change.subject), " asks"
    return ("whose signature counts",)


def _listed(changes: Sequence[RuleChange]) -> Words:
    told: list[str] = []
    for at, change in enumerate(changes[:_FEW]):
        told += [", " if at else "", *_in_a_sentence(change)]
    more = len(changes) - _FEW
    return *(each for each in told if each), *((f" and {plural(more, 'more change')}",) if more > 0 else ())


def _in_a_sentence(change: RuleChange) -> Words:
    was, now = change.before, change.after
    if change.rule == "approvals.count":
        return (
            f"{plural(int(now or 0), 'approval')} instead of {was}"
            if now
            else f"no approvals instead of {was}",
        )
    if change.rule == "rollback_approvals":
        return (f"{plural(int(now or 0), 'approval')} of a rollback instead of {was}",)
    if change.kind in ("key", "merge_keys"):
        return _of_key(change)
    if change.kind == "gate" and was is not None and now is not None:
        return Quoted(change.rule), f" {_value(now)} instead of {_value(was)}"
    return _told(change)


def _of_key(change: RuleChange) -> Words:
    """Of a key only whose it is: the fingerprint stands among the changes."""
    if change.kind == "merge_keys":
        return (f"{'another' if change.before is None else 'no longer a'} key of a hosting service",)
    told = str(change.after if change.before is None else change.before)
    whose = Quoted(told.partition(" of ")[2] or told)
    if change.before is None:
        return "another key of ", whose
    return ("one key less of ", whose) if change.after is None else ("other limits of a key of ", whose)


def rule_texts(changes: Iterable[RuleChange]) -> list[RuleChange]:
    """Those whose text has to be read."""
    return [each for each in changes if each.texts is not None]
