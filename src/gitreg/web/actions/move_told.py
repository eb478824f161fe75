"""What the stage button tells of a move: each rule in words, and the proposal that is open for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitreg.domain.model import ModelVersion
from gitreg.errors import GitregError
from gitreg.registry.numbered import Numbered
from gitreg.registry.proposal_names import promotion
from gitreg.registry.proposals_shown import find, look_at
from gitreg.registry.store import Store
from gitreg.registry.verdict import Judged
from gitreg.render.policy_words import of_stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one rule says of a move.

    Attributes:
        passed: Whether the move satisfies it.
        found: What it found.
        asks: What it asks for, in a sentence; ``""``: unknown.
        help: What to do where it is not satisfied.
    """

    passed: bool
    found: str
    asks: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The open proposal for a move.

    Attributes:
        name: By what its page knows it.
        head: Full hex id of its newest commit.
        author: Who proposed it.
        words: ``1 of 2 approvals``; ``""`` where none are asked for.
        approvers: Who approved it.
    """

    name: str
    head: str
    author: str
    words: str
    approvers: tuple[str, ...]


def rulings(
    judged: Judged | None, holders: Sequence[ModelVersion], proposed: Standing | None
) -> list[Ruling]:
    """Every rule of a stage in words.

    Args:
        judged: What the rules say; None: there is nothing to judge.
        holders: The versions that hold the stage now, and leave it where one alone may.
        proposed: The open proposal for the move, which has the approvals.
    """
    if judged is None:
        return []
    stage = judged.entering.stage
    sentences: dict[str, list[str]] = {}
    for each in of_stage(stage):
        sentences.setdefault(each.rule, []).append(each.text)
    found = []
    for one in judged.judgements:
        asks = sentences.get(one.rule, [])  # a sentence for each judgement, or one for all
        text = one.message
        if one.rule == "exclusive" and one.passed and holders:
            numbers = " and ".join(f"version {each.version}" for each in holders)
            text = f"{numbers} {'leaves' if len(holders) == 1 else 'leave'} {stage.name}"
        if one.rule == "approvals" and proposed is not None and proposed.words:
            text = proposed.words
        found.append(
            Ruling(
                passed=one.passed,
                found=text,
                asks=asks.pop(0) if asks else "",
                help="" if one.passed or one.rule == "approvals" else one.help,
            )
        )
    return found


def standing(store: Store, name: str, number: int, stage: str) -> Standing | None:
    """The open proposal that brings a version to a stage; None: there is none.

    Args:
        store: The registry.
        name: The model.
        number: The version.
        stage: The stage's exact name.
    """
    try:
        up, one = find(store, promotion(name, number, stage, prefix=store.prefix))
        found = None if isinstance(one, Numbered) else look_at(store, up, one)
    except GitregError:  # there is none, or no way to tell: proposing says more
        return None
    if found is None or isinstance(one, Numbered):
        return None
    verdict = found.listed.verdict
    details = (
        [each.detail for step in verdict.steps for all_ in step.judged for each in all_.judgements]
        if verdict
        else []
    )
    present = [str(given["approver"]) for detail in details for given in detail.get("present", ())]
    return Standing(
        name=str(one.number or one.branch),
        head=one.head,
        author=one.by or found.listed.author.name,
        words=", ".join(each.words for each in found.approvals),
        approvers=tuple(dict.fromkeys(present)),
    )
