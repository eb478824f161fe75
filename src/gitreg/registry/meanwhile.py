"""What came to the registry's branch since a proposal left it.

It may hold the proposal already, by a squash or a rebase that leaves no trace of its commits; or it went on
otherwise, so that the two can't be joined, which is told by what happened and not by the lines of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitreg.domain.model import ModelState
from gitreg.domain.names import folder
from gitreg.domain.settings import ARCHIVED
from gitreg.errors import GitregError
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.log import history
from gitreg.gitstore.trees import Entry
from gitreg.manifest.layout import APPROVALS_DIR, MODELS_DIR, Layout
from gitreg.registry.commands import command
from gitreg.registry.proposal_names import Promotion, promoted
from gitreg.registry.store import Store

_AGAIN = "propose it again, so that it begins on what is there now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standoff:
    """Why a proposal can't be merged, and what makes it anew.

    Attributes:
        message: What happened.
        hint: What to do.
        command: The same as a command; ``""``: only its author knows.
    """

    message: str
    hint: str = _AGAIN
    command: str = ""

    @property
    def said(self) -> str:
        """Both in one line."""
        return f"{self.message}: {self.command} makes it anew" if self.command else self.message


def standoff(store: Store, *, since: str, base: str, head: str, conflicts: Sequence[str]) -> Standoff:
    """Why HEAD can't be merged into BASE.

    Args:
        store: The registry.
        since: Full hex id of the commit that both grew from.
        base: Of the registry's branch.
        head: Of the proposal's newest commit.
        conflicts: The paths on which they disagree, from the repository's root.
    """
    try:
        told = next(_taken(store, since, base, head, conflicts), None)
    except GitregError:  # what can't be read is told by its path
        told = None
    return told or Standoff(message=f"it can't be merged: {conflicts[0]} was changed on both sides")


def _taken(store: Store, since: str, base: str, head: str, conflicts: Sequence[str]) -> Iterator[Standoff]:
    views = [store.view(oid) for oid in (since, base, head)]
    layout = Layout(views[0].settings.layout)
    places = (layout.parse(path.removeprefix(store.prefix)) for path in conflicts)
    for name in dict.fromkeys(place.name for place in places if place and place.kind == "version"):
        old, ours, theirs = (view.state(name) for view in views)
        for stage in [each.name for each in views[1].settings.stages if each.name != ARCHIVED]:
            wanted = _entered(old, theirs, stage)
            others = _entered(old, ours, stage)
            if not wanted:
                continue
            subject = f"{name}/{wanted[0]}"
            again = command("promote", subject, stage)
            if wanted[0] in others:
                over = command("withdraw", subject, stage)
                yield Standoff(message=f"{subject} is in {stage} already", hint=over)
            elif others:
                who = " and ".join(f"{name}/{each}" for each in others)
                message = f"{who} took {stage} meanwhile"
                yield Standoff(message=message, hint=f"to propose it anew: {again}", command=again)


def _entered(before: ModelState, after: ModelState, stage: str) -> list[int]:
    held = {each.version for each in before.holders(stage)}
    return [each.version for each in after.holders(stage) if each.version not in held]


def holds(store: Store, *, since: str, base: str, head: str, branch: str = "") -> bool:
    """Whether what a proposal asks for has come to the branch already, whatever came after that.

    Args:
        store: The registry.
        since: Full hex id of the commit that both grew from.
        base: Of the registry's branch.
        head: Of the proposal's newest commit.
        branch: The proposal's; of a promotion it tells what was asked for.
    """
    reader = store.reader
    old, ours, theirs = (reader.commit(oid).tree for oid in (since, base, head))
    wanted = {each.path: each.new for each in diff_trees(reader, old, theirs)}
    if since == base or all(reader.entry(ours, path) == reader.entry(old, path) for path in wanted):
        return False
    asked = promoted(branch)
    besides = {path: new for path, new in wanted.items() if not _of_promotion(store, path, asked)}
    for commit in history(store.repository, head=base, after=since, paths=[*wanted]):
        if _same(store, commit.oid, wanted):
            return True
        if asked and gives(store, commit.oid, asked) and _same(store, commit.oid, besides):
            return True
    return False


def _of_promotion(store: Store, path: str, asked: Promotion | None) -> bool:
    """Whether a file is one that a promotion changes: its versions' manifests, and approvals."""
    parts = path.removeprefix(store.prefix).split("/")
    if asked is None or parts[0] == APPROVALS_DIR:
        return asked is not None
    return parts[0] == MODELS_DIR and parts[-3:-1] == [folder(asked.name), "versions"]


def _same(store: Store, oid: str, wanted: dict[str, Entry | None]) -> bool:
    tree = store.reader.commit(oid).tree
    return all(store.reader.entry(tree, path) == entry for path, entry in wanted.items())


def gives(store: Store, oid: str, asked: Promotion) -> bool:
    """Whether a commit brings a version to a stage."""
    parents = store.reader.commit(oid).parents
    try:
        before, after = (store.view(each).state(asked.name) for each in (parents[0], oid))
    except (GitregError, IndexError):
        return False
    was, now = before.live(asked.version), after.live(asked.version)
    return now is not None and asked.stage in now.stages and not (was and asked.stage in was.stages)
