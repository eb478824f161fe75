"""What a proposal that is made anew takes over from the one before it, and what is to be known of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitreg.gitstore.ancestry import merge_base
from gitreg.gitstore.log import history
from gitreg.manifest.layout import APPROVALS_DIR, Layout
from gitreg.registry.feed import NAMES, Feed
from gitreg.registry.messages import trailers_of

if TYPE_CHECKING:
    from gitreg.domain.changes import Change
    from gitreg.gitstore.commits import HistoryCommit
    from gitreg.gitstore.objects import Person
    from gitreg.registry.receipt import Receipt
    from gitreg.registry.store import Store

_MOST_NAMED = 3
_OURS = ("- ", "Gitreg-", "Change-Id: ")


def reason_of(commit: HistoryCommit) -> str:
    """What a commit says in its author's own words: neither its list of details nor its trailers."""
    paragraphs = commit.body.strip().split("\n\n")
    return "\n\n".join(each for each in paragraphs if not each.startswith(_OURS)).strip()


def reasons_of(store: Store, commits: Sequence[HistoryCommit]) -> list[str]:
    """What the commits of a proposal say in their authors' own words, but for those that approve it."""
    told = (reason_of(each) for each in commits if len(each.parents) == 1 and not _approves(store, each))
    return list(dict.fromkeys(filter(None, told)))


def reason_before(store: Store, base: str, before: str, changes: Sequence[Change]) -> str:
    """Why the same was proposed before; ``""`` where that was something else, or nobody said why.

    Args:
        store: The registry.
        base: Full hex id of what proposals begin with.
        before: Of the proposal's newest commit.
        changes: What is proposed now.
    """
    commits = commits_of(store, base, before)
    told = [each for each in trailers_of(changes[:1]) if each.startswith(("Gitreg-Event", "Gitreg-Model"))]
    same = commits and told and commits[0].body.partition(told[0])[2].startswith("\n".join(["", *told[1:]]))
    return reason_of(commits[0]) if same else ""


def remarks(
    store: Store, base: str, before: str, *, receipt: Receipt, author: Person, branch: str
) -> tuple[str, ...]:
    """What is other than in the proposal whose place this one takes, one sentence each.

    Args:
        store: The registry.
        base: Full hex id of what proposals begin with.
        before: Of that proposal's newest commit.
        receipt: What was made.
        author: Who asked for it.
        branch: Where it is now.
    """
    commits = commits_of(store, base, before)
    old = _changes(store, base, commits)
    notes = [*_renumbered(receipt, old)]
    if commits and commits[0].author.email != author.email:
        who = commits[0].author.name
        notes.append(f"it takes the place of what {who} proposed (commit {before[:10]})")
    left = [each for each in commits[1:] if len(each.parents) == 1 and not _approves(store, each)]
    if left:
        named = ", ".join(f'"{each.subject}" by {each.author.name}' for each in left[:_MOST_NAMED])
        more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
        picked = " ".join(each.oid[:10] for each in left)
        notes.append(
            f"what was added to it is left out: {named}{more}; to add it again: "
            f"git switch {branch}, git cherry-pick {picked}, and push it"
        )
    return tuple(notes)


def _renumbered(receipt: Receipt, old: Sequence[Change]) -> list[str]:
    was = {each.model: each.version for each in old if each.event == "register" and each.version}
    return [
        f"{change.model}/{number} was taken meanwhile: what was proposed is {change.subject} now"
        for change in receipt.changes
        if change.event == "register" and change.version
        if (number := was.get(change.model)) and number != change.version
    ]


def commits_of(store: Store, base: str, head: str) -> list[HistoryCommit]:
    """Those of a proposal, on whatever it began, oldest first."""
    since = merge_base(store.repository, base, head)
    return list(history(store.repository, head=head, after=since))[::-1] if since else []


def _changes(store: Store, base: str, commits: Sequence[HistoryCommit]) -> list[Change]:
    if not commits:
        return []
    feed = Feed(store, Layout(store.view(commits[0].parents[0]).settings.layout))
    watched = tuple(store.prefix + name for name in NAMES)
    found: list[Change] = []
    for commit in commits:
        ours = tuple(each for each in commit.changes if each.path.startswith(watched))
        found += feed.changes(replace(commit, changes=ours))[0] if ours else ()
    return found


def _approves(store: Store, commit: HistoryCommit) -> bool:
    """Whether a commit brings approvals and nothing else."""
    folder = f"{store.prefix}{APPROVALS_DIR}/"
    return all(each.path.startswith(folder) for each in commit.changes)
