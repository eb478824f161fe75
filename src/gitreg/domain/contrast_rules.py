"""The rules of a registry at two commits: what differs, by meaning, and which way each change goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from gitreg.domain.approval import address_key
from gitreg.domain.contrast_gate import Demand, demands
from gitreg.domain.contrast_keys import KeyLine, contrast_keys
from gitreg.domain.effects import INVERSE, Effect
from gitreg.domain.settings import Approvals, NoWorse, Settings, Stage

Kind = Literal["stage", "policy", "merge_keys", "settings", "key", "gate", "file"]
Said = str | int | float | bool | None

_ORDER: tuple[Effect, ...] = ("lowers", "changes", "raises", "none")
_LONGEST_GATE = 100_000  # characters that are looked through
_OF_NOBODY = ("name", "description", "format")  # settings that ask nothing of anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A file that holds rules, beside ``gitreg.yaml``.

    Attributes:
        path: From the repository's root.
        digest: Of its bytes.
        told: What it is in short: a key's fingerprint; ``""`` where the text has to be read.
        text: What is compared line by line, in a form that depends on the meaning alone where there is
            one; None: not text.
        schema: The text is a JSON Schema, none of whose keys stands twice.
    """

    path: str
    digest: str
    told: str = ""
    text: str | None = None
    schema: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules at one commit.

    Attributes:
        settings: What ``gitreg.yaml`` says; None where it can't be read, or is not there.
        asked: The approvals that a change of the rules needs; None: nobody is asked.
        keys: The lines of ``keys/allowed_signers``; None where they can't be read: they are told as a file.
        files: The files, as they are named to people, that differ from the other side's.
    """

    settings: Settings | None
    asked: Approvals | None = None
    keys: tuple[KeyLine, ...] | None = ()
    files: Mapping[str, RuleFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One rule, before and after.

    Attributes:
        kind: What sort of thing ``subject`` is.
        subject: A stage, a file as people name it, or ``policy`` for what a change of the rules needs.
        rule: The rule's name: ``approvals.count``; ``""`` for a stage or file as a whole.
        before: What it was; None: not there.
        after: What it is.
        effect: Which way it goes; ``none``: nobody is asked for anything else.
        texts: Of a file whose text differs: both sides.
        path: Of a file, from the repository's root.
    """

    kind: Kind
    subject: str
    rule: str = ""
    before: Said = None
    after: Said = None
    effect: Effect = "changes"
    texts: tuple[str, str] | None = None
    path: str = ""


def contrast_rules(before: Rules, after: Rules) -> tuple[RuleChange, ...]:
    """What differs between the rules of two commits, those changes first that lower the bar."""
    found = [*_of_settings(before, after), *_of_keys(before, after), *_of_files(before, after)]
    return tuple(sorted(found, key=lambda each: _ORDER.index(each.effect)))


def settings_change(key: str, before: Said, after: Said) -> RuleChange:
    """A setting that is no rule, as one of the changes that need the rules' own approvals."""
    idle = key in _OF_NOBODY or key.startswith("x-") or key.endswith(".description")
    effect: Effect = "none" if idle else "changes"
    return RuleChange(
        kind="settings", subject="gitreg.yaml", rule=key, before=before, after=after, effect=effect
    )


def _of_settings(before: Rules, after: Rules) -> Iterator[RuleChange]:
    was, now = before.settings, after.settings
    if was is None or now is None or was == now:
        return
    old, new = ({stage.name.casefold(): stage for stage in side.stages} for side in (was, now))
    for key in dict.fromkeys((*old, *new)):
        yield from _stage(old.get(key), new.get(key))
    yield from _approvals("policy", "policy", before.asked, after.asked)
    if was.policy.signed != now.policy.signed:
        yield _switch("policy", "policy", "signed", was.policy.signed, now.policy.signed)
    for told in _members(was.merge_keys, now.merge_keys, alike=str):
        # Whatever is signed by such a key passes.
        yield _widened("merge_keys", "gitreg.yaml", "merge_keys", told)


def _stage(was: Stage | None, now: Stage | None) -> Iterator[RuleChange]:
    if was is None or now is None:
        there = was or now
        assert there is not None
        lost: Effect = "lowers" if was is not None and was.guarded else "changes"
        yield RuleChange(
            kind="stage",
            subject=there.name,
            before=None if was is None else was.name,
            after=None if now is None else now.name,
            effect=lost,
        )
        if was is None:
            for each in _rules_of(Stage(name=there.name), there):
                yield replace(each, effect="changes")  # nobody could enter it before
        return
    if was.name != now.name:
        yield RuleChange(kind="stage", subject=now.name, rule="name", before=was.name, after=now.name)
    yield from _rules_of(was, now)


def _rules_of(was: Stage, now: Stage) -> Iterator[RuleChange]:
    name = now.name
    yield from _approvals("stage", name, was.approvals, now.approvals)
    if was.rollback_approvals != now.rollback_approvals:
        yield _count("stage", name, "rollback_approvals", _for_rollback(was), _for_rollback(now))
    for rule in ("exclusive", "signed"):
        if getattr(was, rule) != getattr(now, rule):
            yield _switch("stage", name, rule, getattr(was, rule), getattr(now, rule))
    if was.allowed_from != now.allowed_from:
        yield from _from(name, was.allowed_from, now.allowed_from)
    if was.gate != now.gate:
        effect: Effect = "raises" if was.gate is None else "lowers" if now.gate is None else "changes"
        yield RuleChange(
            kind="stage", subject=name, rule="gate", before=was.gate, after=now.gate, effect=effect
        )
    yield from _no_worse(name, was.no_worse, now.no_worse)
    for told in _members(was.requires, now.requires):
        yield _narrowed("stage", name, "requires", told)


def _approvals(
    kind: Kind, subject: str, was: Approvals | None, now: Approvals | None
) -> Iterator[RuleChange]:
    if was == now:
        return
    counts = was.count if was else 0, now.count if now else 0
    if counts[0] != counts[1]:
        yield _count(kind, subject, "approvals.count", *counts)
    if now is None:
        return
    for told in _members(was.approvers if was else (), now.approvers):
        found = _widened(kind, subject, "approvals.approvers", told)
        # Where nobody was asked, it is no wider circle.
        yield (
            found
            if was
            else RuleChange(kind=kind, subject=subject, rule=found.rule, after=found.after, effect="changes")
        )
    if was is None:
        if now.codeowners:
            yield RuleChange(
                kind=kind, subject=subject, rule="approvals.codeowners", before=False, after=True
            )
        return
    if was.codeowners != now.codeowners:
        effect: Effect = "lowers" if now.codeowners else "raises"
        yield RuleChange(
            kind=kind,
            subject=subject,
            rule="approvals.codeowners",
            before=was.codeowners,
            after=now.codeowners,
            effect=effect,
        )
    if was.valid_days != now.valid_days:
        yield _count(kind, subject, "approvals.valid_days", was.valid_days, now.valid_days, more="lowers")
    for told in _members(was.signed_in, now.signed_in):
        yield _widened(kind, subject, "approvals.signed_in", told)


def _for_rollback(stage: Stage) -> int:
    """How many approve a rollback."""
    if stage.approvals is None:
        return 0
    return stage.approvals.count if stage.rollback_approvals is None else stage.rollback_approvals


def _from(name: str, was: tuple[str, ...] | None, now: tuple[str, ...] | None) -> Iterator[RuleChange]:
    old, new = (None if side is None else {each.casefold() for each in side} for side in (was, now))
    if old == new:
        return
    if old is None or (new is not None and new < old):
        effect: Effect = "raises"
    else:
        effect = "lowers" if new is None or new > old else "changes"
    told = [None if side is None else ", ".join(side) for side in (was, now)]
    yield RuleChange(kind="stage", subject=name, rule="from", before=told[0], after=told[1], effect=effect)


def _no_worse(name: str, was: Iterable[NoWorse], now: Iterable[NoWorse]) -> Iterator[RuleChange]:
    old, new = (_by_metric(side) for side in (was, now))
    for key in dict.fromkeys((*old, *new)):
        mine, theirs = old.get(key, ()), new.get(key, ())
        if mine == theirs:
            continue
        if len(mine) > 1 or len(theirs) > 1:
            effect: Effect = "changes"
        elif not mine or not theirs:
            effect = "lowers" if mine else "raises"
        else:
            effect = _slack(mine[0], theirs[0])
        metric, evaluation = key
        of = f" of {evaluation}" if evaluation else ""
        turned = len({each.direction for each in (*mine, *theirs)}) > 1
        yield RuleChange(
            kind="stage",
            subject=name,
            rule=f"no_worse.{metric}{of}",
            before=_bars(mine, directions=turned),
            after=_bars(theirs, directions=turned),
            effect=effect,
        )


def _by_metric(rules: Iterable[NoWorse]) -> dict[tuple[str, str | None], tuple[NoWorse, ...]]:
    found: dict[tuple[str, str | None], tuple[NoWorse, ...]] = {}
    for rule in rules:
        key = rule.metric, rule.evaluation
        found[key] = (*found.get(key, ()), rule)
    return found


def _bars(rules: Iterable[NoWorse], *, directions: bool) -> str | None:
    """By how much a metric may be worse; with the good direction where that is not the same for all."""
    return (
        "; ".join(
            (f"{rule.percent:g}%" if rule.percent else f"{rule.tolerance:g}")
            + (f" ({rule.direction} is better)" if directions else "")
            for rule in rules
        )
        or None
    )


def _slack(was: NoWorse, now: NoWorse) -> Effect:
    if was.direction != now.direction:
        return "changes"
    old, new = (was.tolerance, was.percent), (now.tolerance, now.percent)
    if old[0] <= new[0] and old[1] <= new[1]:
        return "lowers"
    return "raises" if old[0] >= new[0] and old[1] >= new[1] else "changes"


def _of_keys(before: Rules, after: Rules) -> Iterator[RuleChange]:
    if before.keys is None or after.keys is None:
        return
    approvers = _approvers(before.settings) | _approvers(after.settings)
    for was, now, effect in contrast_keys(before.keys, after.keys, approvers):
        told = [side.told if side else None for side in (was, now)]
        yield RuleChange(
            kind="key", subject="keys/allowed_signers", before=told[0], after=told[1], effect=effect
        )


def _approvers(settings: Settings | None) -> frozenset[str]:
    if settings is None:
        return frozenset()
    asked = [*(stage.approvals for stage in settings.stages), settings.policy.approvals]
    return frozenset(address_key(one) for each in asked if each for one in each.approvers)


def _of_files(before: Rules, after: Rules) -> Iterator[RuleChange]:
    for name in sorted({*before.files, *after.files}):
        was, now = before.files.get(name), after.files.get(name)
        there = now or was
        if there is None or (was and now and was.digest == now.digest):
            continue
        texts = [side.text if side else "" for side in (was, now)]
        same = bool(was and now) and texts[0] is not None and texts[0] == texts[1]
        found = RuleChange(
            kind="file",
            subject=name,
            before=_short(was),
            after=_short(now),
            effect="none" if same else "changes",
            texts=None if same or None in texts or there.told else (texts[0] or "", texts[1] or ""),
            path=there.path,
        )
        asked = _demands(was, now) if was and now and not same else None
        if asked is None:
            yield found
        elif not asked:
            yield replace(found, effect="none")
        else:
            yield from _of_gate(found, asked)


def _demands(was: RuleFile, now: RuleFile) -> tuple[Demand, ...] | None:
    if not (was.schema and now.schema and was.text and now.text):
        return None
    if max(len(was.text), len(now.text)) > _LONGEST_GATE:
        return None
    return demands(json.loads(was.text), json.loads(now.text))


def _of_gate(file: RuleChange, asked: Iterable[Demand]) -> Iterator[RuleChange]:
    """What a gate asks for otherwise, one by one; the first has the text."""
    for at, each in enumerate(asked):
        yield RuleChange(
            kind="gate",
            subject=file.subject,
            rule=each.field,
            before=each.before,
            after=each.after,
            effect=each.effect,
            texts=None if at else file.texts,
            path=file.path,
        )


def _short(file: RuleFile | None) -> str | None:
    return None if file is None else file.told or f"sha256:{file.digest}"


def _members(
    was: Iterable[str], now: Iterable[str], *, alike: Callable[[str], str] = address_key
) -> Iterator[tuple[str | None, str | None]]:
    """What has gone, and what has come; ``alike`` makes one text of those that mean the same."""
    old, new = ({alike(each): each for each in side} for side in (was, now))
    yield from ((each, None) for key, each in old.items() if key not in new)
    yield from ((None, each) for key, each in new.items() if key not in old)


def _widened(kind: Kind, subject: str, rule: str, told: tuple[str | None, str | None]) -> RuleChange:
    """More is taken where something comes, and less where it goes."""
    effect: Effect = "lowers" if told[0] is None else "raises"
    return RuleChange(kind=kind, subject=subject, rule=rule, before=told[0], after=told[1], effect=effect)


def _narrowed(kind: Kind, subject: str, rule: str, told: tuple[str | None, str | None]) -> RuleChange:
    """Less is taken where something comes, and more where it goes."""
    effect: Effect = "raises" if told[0] is None else "lowers"
    return RuleChange(kind=kind, subject=subject, rule=rule, before=told[0], after=told[1], effect=effect)


def _switch(kind: Kind, subject: str, rule: str, was: bool, now: bool) -> RuleChange:
    effect: Effect = "raises" if now else "lowers"
    return RuleChange(kind=kind, subject=subject, rule=rule, before=was, after=now, effect=effect)


def _count(
    kind: Kind, subject: str, rule: str, was: int, now: int, *, more: Literal["raises", "lowers"] = "raises"
) -> RuleChange:
    effect: Effect = "none" if was == now else more if now > was else INVERSE[more]
    return RuleChange(kind=kind, subject=subject, rule=rule, before=was, after=now, effect=effect)
