"""``gitreg review``: what a proposal would do, judged and set beside what holds the stages now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitreg.domain.contrast import contrast
from gitreg.domain.contrast_model import RegistryContrast
from gitreg.domain.names import twin_key
from gitreg.domain.review import Approved, Approver, Move, Review, RulesChange, Ruling
from gitreg.domain.settings import ARCHIVED
from gitreg.errors import InvalidInput, NotARegistry
from gitreg.gitstore.ancestry import merge_base
from gitreg.registry.commands import command
from gitreg.registry.contrasting import diff
from gitreg.registry.contrasting_rules import told_to_approve
from gitreg.registry.proposal_names import promoted
from gitreg.registry.verdict import Judged, Verdict

if TYPE_CHECKING:
    from gitreg.domain.changes import Change
    from gitreg.domain.model import ModelVersion
    from gitreg.domain.settings import Approvals
    from gitreg.policy.context import Entering, Judgement
    from gitreg.registry.store import Store

_MOVES = ("transition", "assign", "unassign")
_LEAVING = ("transition", "unassign", "delete")
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
        branch: The proposal's branch or number, as ``gitreg merge`` takes it; ``""``: nobody knows, and
            no command is named that needs it.
    """
    from gitreg.registry.judging import judge

    verdict = judge(store, base, head, now=now, proposal=proposal)
    return review_of(store, verdict, branch=branch)


def review_of(store: Store, verdict: Verdict, *, branch: str = "") -> Review:
    """What a verdict means to a reviewer; arguments as for ``review``."""
    asked = [judged for step in verdict.steps for judged in step.judged]
    moved = [judged for judged in asked if not _aside(judged)]
    moves = tuple(_move(judged, moved) for judged in moved)
    told = {id(move.change) for move in moves}
    others = tuple(
        change
        for step in verdict.steps
        for change in step.changes
        if id(change) not in told and change.event != "approve"
    )
    rules = _rules_change(store, verdict)
    return Review(
        base=verdict.base,
        head=verdict.head,
        moves=moves,
        others=others,
        vacated=tuple(_vacated(store, verdict.base, moves, others)),
        rules=rules,
        findings=verdict.findings,
        exit_code=verdict.exit_code,
        contrast=_whole(store, verdict) if _beyond_stages(others) else None,
        approve=_approve(moves, rules, branch),
        merge=_merge(moves, verdict, branch),
    )


def _rules_change(store: Store, verdict: Verdict) -> RulesChange | None:
    """What the rules would ask for otherwise, told even where something else keeps them from being judged."""
    rulings = [judgement for step in verdict.steps for judgement in step.policy]
    changes = told_to_approve(store, _since(store, verdict), verdict.head) if verdict.steps else ()
    if not (rulings or changes):
        return None
    approved = _approved(rulings, _approvals_of_rules(store, verdict.base)) if rulings else None
    return RulesChange(rulings=_rulings(rulings), approved=approved, changes=changes)


def _aside(judged: Judged) -> bool:
    """Whether it only makes room for another version, and no rule asks about it."""
    return judged.entering.stage.name == ARCHIVED and not judged.judgements


def _move(judged: Judged, moved: list[Judged]) -> Move:
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
        undo="" if _makes_room(judged, moved) else _undo(entering),
    )


def _makes_room(judged: Judged, moved: list[Judged]) -> bool:
    """Whether the version moves because another one takes its stage: what takes that back moves it, too."""
    for other in moved:
        if other is judged:
            return False  # of two that change places the first is told how to go back
        if judged.entering.version in _losers(other.entering):
            return True
    return False


def _left(entering: Entering, holder: ModelVersion) -> bool:
    after = entering.after.live(holder.version)
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
    from gitreg.policy.enforce import asked_of_policy  # gates are slow to import

    try:
        return asked_of_policy(store.view(base).settings)
    except (InvalidInput, NotARegistry):
        return None


def _holders(entering: Entering) -> list[ModelVersion]:
    """The other versions that hold the stage before."""
    number = entering.version.version
    return [each for each in entering.before.holders(entering.stage.name) if each.version != number]


def _losers(entering: Entering) -> list[ModelVersion]:
    """Those of them that lose it and are still there, as they are afterwards."""
    left = [each for each in _holders(entering) if _left(entering, each)]
    return [after for each in left if (after := entering.after.live(each.version)) is not None]


def _undo(entering: Entering) -> str:
    """The command that gives the stage back, or takes it away again where nobody lost it.

    A rollback alone goes one step further back where this very move is a rollback, so the version is named.
    """
    version, stage = entering.version, entering.stage
    subject = f"{version.name}/{version.version}"
    losers = _losers(entering)
    if losers:
        alone = len(losers) == len(_holders(entering)) == 1
        to = ["--to", str(losers[0].version)] if alone else []
        # What approvals are asked for is no direct write.
        options = [*to, *(["--propose"] if stage.approvals and stage.rollback_approvals != 0 else [])]
        return command("rollback", version.name, stage.name, options=options)
    origin = entering.change.origin
    if entering.change.event == "transition" and len(origin) == 1:
        return command("transition", subject, origin[0])
    return command("unassign", subject, stage.name)


def _approve(moves: tuple[Move, ...], rules: RulesChange | None, branch: str) -> str:
    policy = ["--policy"] if rules and _waits(rules.approved) else []
    if not branch or not (policy or any(_waits(move.approved) for move in moves)):
        return ""
    return command("approve", *_target(moves, branch), options=policy)


def _waits(approved: Approved | None) -> bool:
    return approved is not None and len(approved.given) < approved.needed


def _merge(moves: tuple[Move, ...], verdict: Verdict, branch: str) -> str:
    contradicts = verdict.exit_code == 6  # what can never be merged
    return "" if contradicts or not branch else command("merge", *_target(moves, branch))


def _target(moves: tuple[Move, ...], branch: str) -> list[str]:
    """The proposal as a person names it: by the promotion, where its branch is that promotion's."""
    for move in moves:
        told = promoted(branch)
        if told and (told.subject, told.stage) == (move.change.subject, move.stage):
            return [move.change.subject, move.stage]
    return [branch]


def _vacated(
    store: Store, base: str, moves: tuple[Move, ...], others: tuple[Change, ...]
) -> Iterator[tuple[str, str]]:
    """The stages but Archived that versions hold at ``base`` and none would hold any more."""
    left: dict[str, list[Change]] = {}
    for change in others:
        if change.event in _LEAVING:
            left.setdefault(change.model, []).append(change)
    if not left:
        return
    entered = {(move.version.name, move.stage) for move in moves}
    entered |= {(each.model, each.stage or "") for each in others if each.event in ("transition", "assign")}
    view = store.view(base)
    for name, changes in left.items():
        state = view.state(name)
        for stage in (each.name for each in view.settings.stages if each.name != ARCHIVED):
            holders = [] if (name, stage) in entered else list(state.holders(stage))
            if holders and all(any(_leaves(each, holder, stage) for each in changes) for holder in holders):
                yield name, stage


def _leaves(change: Change, version: ModelVersion, stage: str) -> bool:
    """Whether the change takes a stage from a version that holds it."""
    if change.version is None:
        return change.event == "delete"
    if change.version != version.version:
        return False
    return change.event in ("delete", "transition") or change.stage == stage


def _beyond_stages(others: Iterable[Change]) -> bool:
    return any(change.event not in _MOVES for change in others)


def _since(store: Store, verdict: Verdict) -> str:
    """Where the proposal left the branch: what came there since is not its own."""
    return merge_base(store.repository, verdict.base, verdict.head) or verdict.base


def _whole(store: Store, verdict: Verdict) -> RegistryContrast | None:
    """The difference of all that the proposal changes itself."""
    since = _since(store, verdict)
    try:
        found = diff(store.view(since), store.view(verdict.head)).contrast
    except (InvalidInput, NotARegistry):  # findings tell which file can't be read
        return None
    return found if isinstance(found, RegistryContrast) and not found.equal else None
