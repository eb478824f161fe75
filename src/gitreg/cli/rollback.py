"""``gitreg rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import NAME, STAGE, current_registry
from gitreg.cli.reading import slice_at
from gitreg.cli.sentences import commit_of
from gitreg.cli.writing import How, Target, no_selector, report, writes
from gitreg.registry.commands import command as next_command
from gitreg.render.text import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitreg.registry.receipt import Receipt
    from gitreg.registry.rollback import Rolled, Time


@click.command("rollback")
@click.argument("name", type=NAME)
@click.argument("stage", type=STAGE)
@click.option(
    "--to", type=click.IntRange(min=1), metavar="NUMBER", help="Go back to this version, which held it once."
)
@writes
def command(name: str, stage: str, to: int | None, how: How) -> None:
    """Give a stage back to the version that held it before, in one commit.

    The version that held the stage when the present one got it gets it again; if it was archived, it
    leaves Archived. The present one returns to the stage that it came from, or to none. When nothing
    holds the stage, the version that lost it last gets it. When several versions hold it, the one that
    got it last loses it.

    A rollback returns to a point of history: a second one goes one further back, never to the version
    that the first one left. --to 12 goes to version 12, which is then the only holder.
    """
    from gitreg.registry.documents import rolled_document
    from gitreg.registry.rollback import rollback

    registry = current_registry()
    model = no_selector(registry, name, "is rolled back")
    slice_at(registry.store, None)  # with a progress bar, where the history is read for the first time
    rolled = rollback(registry, model, stage, to=to, message=how.message, dry_run=how.dry_run)
    if not how.as_json:
        _remark(rolled, to=to)
        if how.dry_run and rolled.receipt.changes:
            for text in _said(rolled, would=True):
                output.line(text)
    report(
        registry,
        rolled.receipt,
        Target(name=model, version=max(rolled.plan.back)),
        how,
        unchanged=f"{model}/{rolled.plan.back[0]} alone holds {rolled.stage} already",
        told=lambda receipt: _told(rolled, receipt),
        more=rolled_document(rolled),
    )
    if rolled.receipt.commit and not how.as_json and not how.propose:
        output.hint(f"to undo: gitreg revert {rolled.receipt.commit[:10]}")


def _remark(rolled: Rolled, *, to: int | None) -> None:
    for number in rolled.plan.passed_over:
        output.warning(f"version {number} held {rolled.stage} before and is deleted: it is passed over")
    for stage, numbers in rolled.plan.vacated.items():
        leave = "leaves" if len(numbers) == 1 else "leave"
        output.warning(f"{_versions(numbers)} {leave} {stage}, which no version holds then")
    taken, further = max(rolled.plan.back), rolled.plan.further
    if further is not None:
        again = next_command("rollback", rolled.name, rolled.stage, options=["--to", str(further)])
        output.warning(
            f"version {taken} is the one that was taken out of {rolled.stage} last; "
            f"to go back to the one before it: {again}"
        )
    later = rolled.plan.later
    if later and to is None:
        output.note(
            f"version {later.number} held {rolled.stage} later ({_held(rolled.held[later.number])}); to go "
            f"there instead: gitreg rollback {rolled.name} {rolled.stage} --to {later.number}"
        )


def _told(rolled: Rolled, receipt: Receipt) -> list[str]:
    first, *rest = _said(rolled)
    return [f"{first} ({commit_of(receipt)})", *rest]


def _said(rolled: Rolled, *, would: bool = False) -> list[str]:
    """What happened, in words: who has the stage, then what became of the others."""
    plan, request = rolled.plan, rolled.plan.request
    back = [number for number in plan.back if rolled.stage not in request.expected[number]]
    kept = [number for number in plan.back if number not in back]
    if back:
        held = "; ".join(f"held it {_held(rolled.held[number])}" for number in back)
        give = "Would give" if would else "Gave"
        lines = [f"{give} {rolled.stage} of {rolled.name} back to {_versions(back)} ({held})"]
    else:
        held = f"since {moment(rolled.held[kept[0]].since)}"
        leave = "Would leave" if would else "Left"
        lines = [f"{leave} {rolled.stage} of {rolled.name} to {_versions(kept)} (which held it {held})"]
    for number in (*plan.left, *back):
        was, now = request.expected[number], request.following[number]
        again = sorted(now - was - ({rolled.stage} if number in back else set()))
        if again:
            lines.append(f"Version {number} is in {', '.join(again)} again")
        elif number in plan.left:
            lines.append(f"Version {number} holds {', '.join(sorted(now)) or 'no stage'}")
        elif was - now:
            lines.append(f"Version {number} is out of {', '.join(sorted(was - now))}")
    return lines


def _versions(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    return f"versions {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _held(time: Time) -> str:
    until = moment(time.until) if time.until else "now"
    return f"{moment(time.since)} … {until}"
