"""``gitreg rollback``: the history of a stage, asked of the index, and the commit that goes back in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from gitreg.domain import rollback as domain
from gitreg.domain.model import ModelVersion
from gitreg.domain.references import living
from gitreg.domain.rollback import Hold, Plan
from gitreg.domain.undo import Overtaken
from gitreg.errors import Conflict, EnvironmentFailure, UsageError
from gitreg.registry.holdings import holds_in
from gitreg.registry.indexing import slice_of
from gitreg.registry.receipt import Receipt

if TYPE_CHECKING:
    from gitreg.index.reading import Slice
    from gitreg.registry.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """When a version held a stage: committer times of the commits that gave and took it (None: not taken)."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """What a rollback did, or would do.

    Attributes:
        name: The model.
        stage: The stage's exact name.
        receipt: The outcome of the write.
        plan: Who gets and who loses the stage.
        held: Version → the last time that it held the stage: of those that have it again, and of
            ``plan.later``.
    """

    name: str
    stage: str
    receipt: Receipt
    plan: Plan
    held: dict[int, Time]

    def versions(self, registry: Registry) -> list[ModelVersion]:
        """The versions that hold the stage now, highest number first."""
        written = self.receipt.versions(self.name)
        missing = [number for number in self.plan.back if number not in written]
        state = registry.at().state(self.name) if missing else None
        found = dict(written) | {n: v for n in missing if state and (v := state.live(n))}
        return [found[number] for number in sorted(self.plan.back, reverse=True) if number in found]


def rollback(
    registry: Registry,
    name: str,
    stage: str,
    *,
    to: int | None = None,
    message: str = "",
    dry_run: bool = False,
) -> Rolled:
    """Give ``stage`` back to the version that held it before, in one commit.

    Args:
        registry: Where.
        name: The model.
        stage: The stage, whatever its case.
        to: The version to go back to; None: the previous holder.
        message: Why.
        dry_run: Only find out what would be done.

    Raises:
        NotFound: There is no such model.
        InvalidInput: There is no such stage, or ``to`` never held it.
        Conflict: Nothing held it before, or what did is deleted or deprecated; or another writer changed
            who holds it since this was planned: what goes back is what was seen, never one further.
        EnvironmentFailure: The clone is shallow, and no version was named.
    """
    if registry.batching:
        raise UsageError("a rollback is a commit of its own", hint="call it outside of the batch")
    rolled = _planned(registry, name, stage, to)
    try:
        if dry_run:
            receipt = registry.preview(rolled.plan.request, message=message)
        else:
            receipt = registry.apply(rolled.plan.request, message=message, title=_title(rolled))
    except Overtaken as error:
        raise _overtaken(registry, rolled, error) from error
    return replace(rolled, receipt=receipt)


def _overtaken(registry: Registry, rolled: Rolled, error: Overtaken) -> Conflict:
    """``error`` with what holds the stage by now."""
    stage, expected = rolled.stage, rolled.plan.request.expected
    now = {version.version for version in registry.at().state(rolled.name).holders(stage)}
    told, where = f"{error.message} while the rollback was being made", error.where
    if now != {number for number, held in expected.items() if stage in held}:
        numbers = " and ".join(str(number) for number in sorted(now))
        held = f"version{'s' * (len(now) > 1)} {numbers}" if now else "no version"
        told = f"the holder of {stage} changed while the rollback was being made: now {held}"
        where = rolled.name
    look = f"gitreg timeline {rolled.name} --stage {stage}"
    return Conflict(told, where=where, hint=f"look, then run it again: {look}")


def _planned(registry: Registry, name: str, stage: str, to: int | None) -> Rolled:
    store = registry.store
    part = slice_of(store)
    view = store.view(part.commit)
    state = view.state(view.model(name).name)
    living(state)
    exact = view.settings.stage(stage).name
    if part.shallow and to is None:
        raise EnvironmentFailure(
            f"the clone is shallow: what held {exact} before can't be known",
            where=name,
            hint=f"git fetch --unshallow; or name the version: gitreg rollback {name} {exact} --to NUMBER",
        )
    plan = domain.plan(holds_in(part, name), exact, state=state, settings=view.settings, to=to)
    told = dict(plan.held)
    if plan.later:
        told[plan.later.number] = plan.later
    held = {number: _time(part, hold) for number, hold in told.items()}
    return Rolled(name=name, stage=exact, receipt=Receipt(), plan=plan, held=held)


def _time(part: Slice, hold: Hold) -> Time:
    until = part.link(hold.until).time if hold.until is not None else None
    return Time(since=part.link(hold.since).time, until=until)


def _title(rolled: Rolled) -> str:
    back = " and ".join(str(number) for number in rolled.plan.back)
    return f"{rolled.name}: roll {rolled.stage} back to version{'s' * (len(rolled.plan.back) > 1)} {back}"
