"""Make the tags of what just arrived, without a look at the others: what a server does after every push.

What is wrong elsewhere stays for ``reconcile`` to tell, which looks at all tags: the note that is left here
says what they must be, not what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from gitreg.domain.settings import TagSettings
from gitreg.domain.tagging import style_of
from gitreg.errors import InvalidInput, MovedRef, NotARegistry
from gitreg.gitstore.steps import steps_between
from gitreg.gitstore.tagrefs import TAGS
from gitreg.manifest.layout import Layout
from gitreg.registry.expected import Commits, Wanted, fault_of, planned
from gitreg.registry.feed import NAMES, Feed
from gitreg.registry.reconcile import TRIES, Followed, follow, make, reconcile
from gitreg.registry.store import Store
from gitreg.registry.tag_note import TagNote, read_note, total_of, write_note
from gitreg.registry.tagbook import TagBook
from gitreg.registry.tags_told import Counted


def make_new_tags(store: Store) -> tuple[str, ...]:
    """Make the tags that the newest commits lack; their names, without ``refs/tags/``.

    Raises:
        EnvironmentFailure, NotARegistry: As ``reconcile``, which does the work where the new commits alone
            don't tell.
    """
    for _ in range(TRIES):
        with suppress(MovedRef):
            made = _made(store)
            if made is not None:
                return made
            break
    return reconcile(store).made


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """The tags of some commits: those that stand, by name, and those that are missing."""

    there: Mapping[str, str]
    missing: tuple[Wanted, ...]


def _made(store: Store) -> tuple[str, ...] | None:
    note = read_note(store)
    if note is None or store.repository.shallow():
        return None
    followed = follow(store)
    rules = followed.settings.tags
    commits = _commits(store, note.head, followed)
    found = _found(store, commits, note.head, rules) if commits is not None else None
    if found is None:
        return None
    made = make(store, followed, found.missing)
    TagBook(store, followed.settings).completed(followed.head)
    total = total_of({**found.there, **made}, before=note.total)
    write_note(store, TagNote(head=followed.head, total=total))
    return tuple(made)


def _commits(store: Store, done: str, followed: Followed) -> Commits | None:
    """The commits since the note and what they changed; None where they are many, or not on the branch."""
    paths = [store.prefix + name for name in NAMES]
    found = steps_between(store.reader, done, followed.head, paths=paths)
    if found is None or followed.settings.tags.made_for == "none":
        return None
    try:
        feed = Feed(store, Layout(store.view(done).settings.layout))
    except (InvalidInput, NotARegistry):
        return None
    return [(commit, feed.changes(commit)[0]) for commit in found]


def _found(store: Store, commits: Commits, done: str, rules: TagSettings) -> _New | None:
    """What the commits make; None where a tag that stands is not what they make."""
    part = store.index.ready(done) if rules.style == "gitreg" else None
    if part is None:
        return None
    changes = [change for _, found in commits for change in found]
    # The history counts, not the tags: one that somebody forged may stand among them.
    planner = style_of(rules).planner(Counted(part, part.seq + 1, changes, rules))
    there, missing = {}, []
    for wanted in planned(commits, planner):
        oid = store.repository.refs.read(TAGS + wanted.name)
        if oid is None:
            missing.append(wanted)
        elif fault_of(store, wanted, oid) is None:
            there[wanted.name] = oid
        elif (
            wanted.change.event != "register"
        ):  # else of a restored version: its first registration has the tag
            return None
    return _New(there=there, missing=tuple(missing))
