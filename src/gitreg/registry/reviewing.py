"""``gitreg review``: what a proposal would do, judged and set beside what holds the stages now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from shlex import join
from typing import TYPE_CHECKING, Any

from gitreg.domain.contrast import contrast
from gitreg.domain.contrast_model import RegistryContrast
from gitreg.domain.names import twin_key
from gitreg.domain.review import Approved, Approver, Move, Review, RulesChange, Ruling
from gitreg.domain.settings import ARCHIVED
from gitreg.errors import InvalidInput, NotARegistry
from gitreg.gitstore.ancestry import merge_base
from gitreg.registry.contrasting import diff
from gitreg.registry.verdict import Judged, Verdict

if TYPE_CHECKING:
    from gitreg.domain.changes import Change
    from gitreg.domain.model import ModelVersion
    from gitreg.domain.settings import Approvals
    from gitreg.policy.context import Entering, Judgement
    from gitreg.registry.store import Store

_MOVES = ("transition", "assign", "unassign")
_APPROVALS = "approvals"
_POLICY_RULES = ("policy", _APPROVALS)


def review(
    store: Store,
    base: str,
    head: str,
    *,
    now: datetime | None = None,
    proposal: bool = True,
    branch: str = "",
) -> Review:
    """Judge HEAD and gather what its reviewer needs: a function of the two commits and ``now`` alone.

    Args:
        store: The registry.
        base: Full hex id of the commit that it would be merged into; its policy counts.
        head: Full hex id of the proposal's head.
        now: Time of the judgement, aware; None: the commit's own.
        proposal: HEAD as it would be merged into BASE; else every first-parent commit after BASE is judged.
        branch: What ``gitreg merge`` is told, where it is known.
    """
    from gitreg.registry.judging import judge

    verdict = judge(store, base, head, now=now, proposal=proposal)
    return review_of(store, verdict, branch=branch)


def review_of(store: Store, verdict: Verdict, *, branch: str = "") -> Review:
    """What a verdict means to a reviewer; arguments as for ``review``."""
    asked = [judged for step in verdict.steps for judged in step.judged]
    moves = tuple(_move(judged) for judged in asked if not _aside(judged))
    moved = {id(move.change) for move in moves}
    others = tuple(
        change
        for step in verdict.steps
        for change in step.changes
        if id(change) not in moved and change.event != "approve"
    )
    rulings = [judgement for step in verdict.steps for judgement in step.policy]
    rules = None
    if rulings:
        approved = _approved(rulings, _approvals_of_rules(store, verdict.base))
        rules = RulesChange(rulings=_rulings(rulings), approved=approved)
    return Review(
        base=verdict.base,
        head=verdict.head,
        moves=moves,
        others=others,
        rules=rules,
        findings=verdict.findings,
        exit_code=verdict.exit_code,
        contrast=_whole(store, verdict) if _beyond_stages(others) else None,
        approve=_approve(moves, rules),
        merge=_merge(moves, branch),
    )


def _aside(judged: Judged) -> bool:
    """Whether it only makes room for another version, and no rule asks about it."""
    return judged.entering.stage.name == ARCHIVED and not judged.judgements


def _move(judged: Judged) -> Move:
    entering = judged.entering
    stage, version, incumbent = entering.stage, entering.version, entering.incumbent
    return Move(
        change=entering.change,
        version=version,
        incumbent=incumbent,
        takes=incumbent is not None and _left(entering, incumbent),
        rulings=_rulings(judged.judgements),
        approved=_approved(judged.judgements, stage.approvals),
        better={rule.metric: rule.direction for rule in stage.no_worse},
        contrast=contrast(incumbent, version) if incumbent else None,
        undo=_undo(entering.change, incumbent is not None),
    )


def _left(entering: Entering, incumbent: ModelVersion) -> bool:
    after = entering.after.live(incumbent.version)
    return after is None or entering.stage.name not in after.stages


def _rulings(judgements: Iterable[Judgement]) -> tuple[Ruling, ...]:
    return tuple(
        Ruling(rule=each.rule, passed=each.passed, message=each.message, help=each.help)
        for each in judgements
    )


def _approved(judgements: Iterable[Judgement], asked: Approvals | None) -> Approved | None:
    """The approvals that a rule has counted, by what it says of them in its detail."""
    detail = next((each.detail for each in judgements if each.rule in _POLICY_RULES and each.detail), None)
    if detail is None or "needed" not in detail:
        return Approved(needed=asked.count, may=_may(asked)) if asked else None
    return Approved(
        needed=int(detail["needed"]),
        given=tuple(map(_approver, detail.get("present", ()))),
        refused=tuple(map(_approver, detail.get("refused", ()))),
        may=_may(asked, frozenset(map(twin_key, detail.get("authors", ())))),
    )


def _may(asked: Approvals | None, authors: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Whom the rules name, but for those who have written it."""
    if asked is None:
        return ()
    named = (each for each in asked.approvers if twin_key(each) not in authors)
    return (*named, *(("the owners in CODEOWNERS",) if asked.codeowners else ()))


def _approver(told: Any) -> Approver:
    if not isinstance(told, Mapping):
        return Approver(principal=str(told))
    return Approver(
        principal=str(told.get("approver") or told.get("principal") or told.get("path") or ""),
        at=_time(told.get("at")),
        expires=_time(told.get("expires")),
        refused=str(told.get("reason") or ""),
        attester=str(told.get("attester") or ""),
    )


def _time(told: Any) -> datetime | None:
    if isinstance(told, str):
        try:
            return datetime.fromisoformat(told)
        except ValueError:
            return None
    return told if isinstance(told, datetime) else None


def _approvals_of_rules(store: Store, base: str) -> Approvals | None:
    try:
        return store.view(base).settings.policy.approvals
    except (InvalidInput, NotARegistry):
        return None


def _undo(change: Change, held: bool) -> str:
    """The command that gives the stage back, or takes it away where nobody held it."""
    subject, stage = change.subject, change.stage or ""
    if held:
        return join(["gitreg", "rollback", change.model, stage])
    return join(["gitreg", "unassign", subject, stage])


def _approve(moves: tuple[Move, ...], rules: RulesChange | None) -> str:
    for move in moves:
        if _waits(move.approved):
            return join(["gitreg", "approve", move.change.subject, move.stage])
    return "gitreg approve --policy" if rules and _waits(rules.approved) else ""


def _waits(approved: Approved | None) -> bool:
    return approved is not None and len(approved.given) < approved.needed


def _merge(moves: tuple[Move, ...], branch: str) -> str:
    entered = list(dict.fromkeys((move.change.subject, move.stage) for move in moves))
    if len(entered) == 1 and (not branch or branch.startswith("gitreg/promote/")):
        return join(["gitreg", "merge", *entered[0]])
    return join(["gitreg", "merge", branch]) if branch else ""


def _beyond_stages(others: Iterable[Change]) -> bool:
    return any(change.event not in _MOVES for change in others)


def _whole(store: Store, verdict: Verdict) -> RegistryContrast | None:
    """The difference from where the proposal left the branch: what came there since is not its own."""
    since = merge_base(store.repository, verdict.base, verdict.head) or verdict.base
    try:
        found = diff(store.view(since), store.view(verdict.head)).contrast
    except (InvalidInput, NotARegistry):  # findings tell which file can't be read
        return None
    return found if isinstance(found, RegistryContrast) and not found.equal else None
