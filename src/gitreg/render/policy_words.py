"""The rules of a registry in sentences for somebody who has not read ``gitreg.yaml``. Nothing is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitreg.domain.settings import NO_STAGE, Approvals, NoWorse, Requirement, Settings, Stage
from gitreg.render.text import number, plural

_REQUIRED: dict[Requirement, str] = {
    "lineage": "where it comes from (a run, code or data sets)",
    "card": "the model card (README.md)",
    "digest": "the digest of its artifact",
}
_TAGS = {
    "all": "Each version and each assignment of a stage gets a Git tag",
    "stages": "Each assignment of a stage gets a Git tag",
    "none": "No Git tags are made",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What one rule asks: its name in ``gitreg.yaml``, and the sentence."""

    rule: str
    text: str


def of_stage(stage: Stage) -> tuple[Sentence, ...]:
    """What a version must satisfy to enter a stage, a sentence for each rule; none: everybody may move it."""
    return tuple(_of_stage(stage))


def _of_stage(stage: Stage) -> Iterator[Sentence]:
    if stage.exclusive:
        text = f"One version of a model holds {stage.name} at a time: the next one takes it."
        yield Sentence(rule="exclusive", text=text)
    if stage.allowed_from is not None:
        came = ["no stage at all" if each == NO_STAGE else each for each in stage.allowed_from]
        text = f"A version may come from {_or(came)} only." if came else "No version may come in."
        yield Sentence(rule="from", text=text)
    if stage.gate:
        text = f"Its manifest must satisfy the JSON Schema {stage.gate}."
        yield Sentence(rule="gate", text=text)
    for rule in stage.no_worse:
        yield Sentence(rule="no_worse", text=_no_worse(rule, stage.name))
    if stage.requires:
        text = f"It must tell {_and(_REQUIRED[each] for each in stage.requires)}."
        yield Sentence(rule="requires", text=text)
    if stage.approvals:
        yield Sentence(rule="approvals", text=of_approvals(stage.approvals))
    if stage.approvals and stage.rollback_approvals is not None:
        yield Sentence(rule="rollback_approvals", text=_of_rollback(stage.rollback_approvals))
    if stage.signed:
        text = "The commit that moves it must be signed by its author."
        yield Sentence(rule="signed", text=text)


def _no_worse(rule: NoWorse, stage: str) -> str:
    where = f" of the evaluation {rule.evaluation}" if rule.evaluation else ""
    allowed = f"{number(rule.percent)}%" if rule.percent else number(rule.tolerance)
    slack = f" by more than {allowed}" if rule.percent or rule.tolerance else ""
    worse = "lower" if rule.direction == "higher" else "higher"
    return (
        f"Its {rule.metric}{where} must not be {worse} than that of the version in {stage}{slack} "
        f"({rule.direction} is better)."
    )


def of_approvals(asked: Approvals) -> str:
    """How many must approve, who may, and for how long that counts."""
    who = [*asked.approvers, *(["the owners in CODEOWNERS"] if asked.codeowners else [])]
    persons = "1 person" if asked.count == 1 else f"{asked.count} persons"
    needed = (
        f"{asked.count} of {_and(who)} must approve."
        if who
        else f"{persons} must approve, but the rules name nobody who may."
    )
    return (
        f"{needed} Nobody approves what they made themselves; "
        f"an approval counts for {plural(asked.valid_days, 'day')}.{_signed_in(asked)}"
    )


def _of_rollback(needed: int) -> str:
    who = "Nobody need approve" if not needed else f"{needed} of them must approve"
    return f"{who} a rollback to a version that held the stage before."


def _signed_in(asked: Approvals) -> str:
    if not asked.signed_in:
        return ""
    return f" Who signs in at {' or '.join(asked.signed_in)} can approve there, without a key of their own."


def of_rules(settings: Settings, asked: Approvals | None) -> tuple[Sentence, ...]:
    """What a change of the rules themselves needs.

    Args:
        settings: The registry's.
        asked: The approvals of such changes; None: nobody is asked.
    """
    text = of_approvals(asked) if asked else "Nobody need approve: whoever may write may change the rules."
    found = [Sentence(rule="policy.approvals", text=text)]
    if asked and settings.policy.approvals is None:
        text = "The rules don’t say who approves their change: those of the stage that asks for most do."
        found.append(Sentence(rule="policy", text=text))
    if settings.policy.signed:
        text = "The commit that changes them must be signed by its author."
        found.append(Sentence(rule="policy.signed", text=text))
    return tuple(found)


def of_tags(settings: Settings) -> str:
    """Which Git tags are made, and how they are called."""
    tags = settings.tags
    if tags.made_for == "none":
        return f"{_TAGS['none']}."
    if tags.style == "gto":
        names = "in the form that GTO reads"
    else:
        stages = f"{tags.prefix}NAME/STAGE/3"
        names = f"called {tags.prefix}NAME/v12 and {stages}" if tags.made_for == "all" else f"called {stages}"
    return f"{_TAGS[tags.made_for]}, {names}."


def _and(words: Iterable[str]) -> str:
    return _joined(list(words), "and")


def _or(words: Iterable[str]) -> str:
    return _joined(list(words), "or")


def _joined(words: list[str], word: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {word} {words[-1]}"
