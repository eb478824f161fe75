"""The rules on the laptop: what a command may not commit to the registry's own branch directly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gitreg.domain.changes import Change
from gitreg.domain.model import ModelTombstone
from gitreg.domain.settings import Settings
from gitreg.errors import NotAllowed
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.objects import Person, Signature
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import Entry
from gitreg.registry.commands import command

if TYPE_CHECKING:
    from gitreg.gitstore.pending import PendingReader
    from gitreg.policy.context import Entering, Judgement
    from gitreg.registry.setting import Coming
    from gitreg.registry.store import Store
    from gitreg.registry.verdict import Judged


def asks_rules(changes: Sequence[Change], settings: Settings) -> bool:
    """Whether any rule is asked about some changes: most are nobody's business but the writer's."""
    moved = {
        change.stage
        for change in changes
        if change.event in ("transition", "assign") and change.stage not in change.origin
    }
    revived = any(change.event == "restore" and change.version is None for change in changes)
    if not moved and not revived:
        return False
    return any(stage.guarded and (revived or stage.name in moved) for stage in settings.stages)


def refuse(store: Store, reader: Reader, commit: str, *, base: str, coming: Coming | None = None) -> None:
    """Refuse a commit that is about to be made, where the rules of the one before it forbid it.

    Args:
        store: The registry.
        reader: Sees the commit.
        commit: Full hex id of the commit.
        base: Full hex id of the newest commit that stands already.
        coming: Of a commit that is only thought of: tells the signature that it will bear.

    Raises:
        NotAllowed: A rule is not met; the hint says how to propose it, or what else to do.
    """
    for judged in judged_of(store, reader, commit, base=base, coming=coming):
        if not judged.passed:
            raise _refused(judged)


def thought(
    store: Store, base: str, changes: Mapping[str, bytes | Entry | None], author: Person, now: datetime
) -> tuple[PendingReader, str]:
    """A commit that is not made, and the reader that sees it.

    Args:
        store: The registry.
        base: Full hex id of the commit that it would follow on.
        changes: Path below the registry's root → what would stand there.
        author: Who would make it.
        now: When.
    """
    from gitreg.gitstore.overlay import lay_over, overlay

    reader = overlay(store.reader)
    placed = {f"{store.prefix}{path}": content for path, content in changes.items()}
    like = Signature(person=author, when=now)
    return reader, lay_over(reader, reader.commit(base).tree, placed, parents=(base,), like=like)


def judged_of(
    store: Store, reader: Reader, commit: str, *, base: str, coming: Coming | None = None
) -> tuple[Judged, ...]:
    """What the rules say of a commit that is not made yet; arguments as for ``refuse``."""
    from gitreg.registry.judging import pending, watched
    from gitreg.registry.past import Past

    found = reader.commit(commit)
    before = reader.commit(found.parents[0]).tree
    changes = tuple(one for one in diff_trees(reader, before, found.tree) if watched(store, one.path))
    step = pending(
        store,
        store.through(reader),
        HistoryCommit(
            oid=commit,
            parents=found.parents,
            author=found.author.person,
            author_time=found.author.when,
            committer=found.committer.person,
            commit_time=found.committer.when,
            subject="",
            body="",
            changes=changes,
        ),
        Past(store, base),
        coming=coming,
    )
    return step.judged


def _refused(judged: Judged) -> NotAllowed:
    entering = judged.entering
    failed = [each for each in judged.judgements if not each.passed]
    subject = f"{entering.version.name}/{entering.version.version}"
    why = "; ".join(each.message for each in failed)
    return NotAllowed(
        f"{subject} can't enter {entering.stage.name} like this: {why}",
        where=f"gitreg.yaml, stages.{entering.stage.name}",
        hint=_mend(failed, entering),
    )


def _mend(failed: Sequence[Judgement], entering: Entering) -> str:
    others = dict.fromkeys(each.help for each in failed if each.rule != "approvals" and each.help)
    if others:
        return "; ".join(others)
    name, version, stage = entering.version.name, entering.version.version, entering.stage.name
    if isinstance(entering.before.model, ModelTombstone):
        return f"propose it: {command('restore', name, options=['--propose'])}"
    if entering.returning():
        to = ["--to", str(version)] if entering.stage.exclusive else []
        return f"propose it: {command('rollback', name, stage, options=[*to, '--propose'])}"
    return f"propose it: {command('promote', f'{name}/{version}', stage)}"


def refuse_policy(settings: Settings) -> None:
    """Refuse a direct change of the rules where they ask for approvals of such changes.

    Raises:
        NotAllowed: They do.
    """
    from gitreg.policy.enforce import asked_of_policy

    asked = asked_of_policy(settings)
    if asked is not None:
        count = "1 approval" if asked.count == 1 else f"{asked.count} approvals"
        raise NotAllowed(
            f"a change of the rules needs {count}",
            where="gitreg.yaml, policy.approvals",
            hint="propose it: the same command with --propose",
        )
