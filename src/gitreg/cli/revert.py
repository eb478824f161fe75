"""``gitreg revert``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import current_registry
from gitreg.cli.reading import slice_at
from gitreg.cli.sentences import commit_of, each
from gitreg.cli.writing import How, Target, report, writes

if TYPE_CHECKING:
    from gitreg.registry.receipt import Receipt
    from gitreg.registry.undo import Reversal


@click.command("revert")
@click.argument("commit", metavar="COMMIT[:N]")
@writes
def command(commit: str, how: How) -> None:
    """Take back what a commit changed, by meaning, in one new commit.

    COMMIT is any commit on the branch: an id as gitreg log prints it, a tag, HEAD. With :N only its
    N-th change is taken back, counted as gitreg log tells them, from 1.

    Stages, aliases, tags, texts and settings become what they were before, a version or model that
    was registered is deleted, one that was deleted comes back, a new name gives way to the old one.
    Files keep their comments. Nothing is done when a later commit changed the same: that one is named.
    Evaluations are only ever added to and stay. A revert can itself be reverted.
    """
    from gitreg.registry.undo import revert

    registry = current_registry()
    slice_at(registry.store, None)  # with a progress bar, where the history is read for the first time
    done = revert(registry, commit, message=how.message, dry_run=how.dry_run)
    asked = done.reversal
    short = asked.link.oid[:10]
    if asked.changes:
        unchanged = f"what commit {short} changed is as before already"
    else:
        unchanged = f"commit {short} changed nothing in the registry"
    report(
        registry,
        done.receipt,
        _target(done.receipt),
        how,
        unchanged=unchanged,
        told=lambda receipt: _told(asked, receipt),
        more={"reverted": asked.link.oid, "change": asked.number},
    )
    if done.receipt.commit and not how.as_json and not how.propose:
        output.hint(f"to undo: gitreg revert {done.receipt.commit[:10]}")


def _told(asked: Reversal, receipt: Receipt) -> list[str]:
    what = f"change {asked.number} of commit" if asked.number is not None else "commit"
    first = f"Took back {what} {asked.link.oid[:10]}: {asked.link.subject} ({commit_of(receipt)})"
    return [first, *(f"  {text}" for text in each(receipt.changes))]


def _target(receipt: Receipt) -> Target | None:
    """The one model or version that was changed; None where there are several, or none."""
    about = {(change.after if change.event == "rename" else change.model) for change in receipt.changes}
    if len(about) != 1 or about == {""}:
        return None
    numbers = {change.version for change in receipt.changes}
    return Target(name=about.pop(), version=numbers.pop() if len(numbers) == 1 else None)
