"""Make the tags of what was merged, and tell where tags and history disagree.

Merge commits, squashes and rebases made elsewhere arrive without tags: these are made here from the
first-parent history of the registry's own branch. Where that branch follows a remote one, the commits that
the remote is known to hold count: a rebase may still replace the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from gitreg.domain.findings import Finding
from gitreg.domain.settings import Settings
from gitreg.domain.tagging import style_of
from gitreg.errors import EnvironmentFailure, MovedRef, NotARegistry
from gitreg.gitstore.log import first_parents
from gitreg.gitstore.tagrefs import TAGS
from gitreg.gitstore.writer import Session
from gitreg.registry import standing
from gitreg.registry.expected import (
    Wanted,
    fault_of,
    no_event,
    planned,
    registry_tags,
    tags_of,
    wanted_tags,
)
from gitreg.registry.history import commits_between
from gitreg.registry.signer import session_of
from gitreg.registry.store import Store
from gitreg.registry.tag_note import TagNote, read_note, total_of, write_note
from gitreg.registry.tagbook import TagBook

TRIES = 5  # another process may make the same tags at the same moment
_MOST_NEW = 5000  # commits; for more the whole walk is no dearer


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Where the history is read that tags are made for.

    Attributes:
        name: The registry's own branch.
        ref: Full name of the ref that is followed: that branch, or the remote one behind it.
        head: Full hex id of its commit.
        settings: The registry's settings there.
    """

    name: str
    ref: str
    head: str
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How tags and history compare; nothing was changed to find out.

    Attributes:
        followed: The history.
        present: Name without ``refs/tags/`` → id, of all tags that have the form of the registry's.
        missing: Tags that the history makes and that are not there.
        drift: Tags that are there and must not be, or are not what the history makes.
    """

    followed: Followed
    present: Mapping[str, str]
    missing: tuple[Wanted, ...] = ()
    drift: tuple[Finding, ...] = ()

    @property
    def right(self) -> dict[str, str]:
        """The tags that are there and as they must be, name → id."""
        wrong = {each.path for each in self.drift}
        return {name: oid for name, oid in self.present.items() if name not in wrong}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What was done.

    Attributes:
        followed: The history.
        made: Names of the tags that were made, without ``refs/tags/``.
        drift: What is wrong and stays so: registry tags are never moved or deleted here.
        right: The tags that are as they must be now, name → id.
    """

    followed: Followed
    made: tuple[str, ...]
    drift: tuple[Finding, ...]
    right: Mapping[str, str]


def reconcile(store: Store) -> Reconciled:
    """Make the tags that the history lacks; a second run finds nothing to do.

    Raises:
        EnvironmentFailure: A shallow clone, or the disk or a lock failed.
        NotARegistry: There is no branch of the registry.
    """
    for _ in range(TRIES - 1):
        with suppress(MovedRef):
            return _attempt(store)
    return _attempt(store)


def survey(store: Store) -> Survey:
    """How tags and history compare.

    Raises:
        EnvironmentFailure: A shallow clone can't tell.
    """
    followed = follow(store)
    rules = followed.settings.tags
    if rules.made_for == "none":
        return Survey(followed=followed, present={})
    if store.repository.shallow():
        raise EnvironmentFailure(
            "a shallow clone does not hold the history that tags are made from (GR309)",
            where=str(store.repository.root),
            hint="git fetch --unshallow",
        )
    present = registry_tags(store, rules)
    return _since_last(store, followed, present) or _whole(store, followed, present)


def follow(store: Store) -> Followed:
    """The registry's own branch, or the remote one that it follows; HEAD may be elsewhere, or detached.

    Raises:
        NotARegistry: There is no such branch.
    """
    repository = store.repository
    head = repository.head().oid
    if head is None:
        raise NotARegistry("there is no commit yet", hint="gitreg init")
    named = store.view(head).settings
    upstream = repository.upstream(named.branch)
    elsewhere = f"refs/remotes/{named.proposals.remote}/{named.branch}"  # a job of CI has a detached HEAD
    for ref in (upstream, f"refs/heads/{named.branch}", elsewhere):
        oid = repository.refs.read(ref) if ref else None
        if ref and oid:
            return Followed(name=named.branch, ref=ref, head=oid, settings=store.view(oid).settings)
    raise NotARegistry(
        f"the registry's branch {named.branch} is not here",
        where=str(repository.root),
        hint=f"git fetch {named.proposals.remote} {named.branch}",
    )


def _whole(store: Store, followed: Followed, present: Mapping[str, str]) -> Survey:
    missing, drift, known = [], [], set()
    for wanted in wanted_tags(store, followed.head, followed.settings.tags):
        known.add(wanted.name)
        oid = present.get(wanted.name)
        if oid is None:
            missing.append(wanted)
        elif fault := fault_of(store, wanted, oid):
            drift.append(fault)
    drift += [no_event(name) for name in sorted(present) if name not in known]
    return Survey(followed=followed, present=present, missing=tuple(missing), drift=tuple(drift))


def _since_last(store: Store, followed: Followed, present: Mapping[str, str]) -> Survey | None:
    """The same by the new commits alone; None where the shortcut does not hold."""
    note = read_note(store)
    new = _new_commits(store, note.head, followed.head) if note else None
    if note is None or new is None:
        return None
    rules = followed.settings.tags
    commits = commits_between(store, note.head, followed.head) if new else []
    own = tags_of(store, commits, present, rules)
    before = {name: oid for name, oid in present.items() if name not in own}
    if total_of(before) != note.total:
        return None
    missing, drift, made = [], [], set()
    for wanted in planned(commits, style_of(rules).planner(standing.among(store, before))):
        if wanted.name in before:
            continue  # of a restored version: its first registration has the tag
        made.add(wanted.name)
        oid = present.get(wanted.name)
        if oid is None:
            missing.append(wanted)
        elif fault := fault_of(store, wanted, oid):
            drift.append(fault)
    drift += [no_event(name) for name in sorted(own - made)]
    return Survey(followed=followed, present=present, missing=tuple(missing), drift=tuple(drift))


def _new_commits(store: Store, done: str, head: str) -> list[str] | None:
    """The commits after ``done`` on the first-parent chain; None where it is not on it, or long ago."""
    new: list[str] = []
    for oid in first_parents(store.repository, head):
        if oid == done:
            return new
        new.append(oid)
        if len(new) > _MOST_NEW:
            return None
    return None


def _attempt(store: Store) -> Reconciled:
    found = survey(store)
    made = make(store, found.followed, found.missing)
    right = found.right | made
    # Writers go on from here: without the note they would number what was just tagged once more.
    TagBook(store, found.followed.settings).completed(found.followed.head)
    if found.followed.settings.tags.made_for != "none":
        note = TagNote(head=found.followed.head, total=total_of(right))
        write_note(store, None if found.drift else note)
    return Reconciled(followed=found.followed, made=tuple(made), drift=found.drift, right=right)


def make(store: Store, followed: Followed, missing: Iterable[Wanted]) -> dict[str, str]:
    """Make tags that are missing; name → id.

    Raises:
        MovedRef: The branch moved, or a tag came, meanwhile: look again.
    """
    wanted = list(missing)
    if not wanted:
        return {}
    with session_of(store, followed.ref) as session:
        if session.base != followed.head:
            raise MovedRef("the branch moved while its tags were looked at", where=followed.ref)
        made = {each.name: _make(store, session, each) for each in wanted}
        session.publish()
    return made


def _make(store: Store, session: Session, wanted: Wanted) -> str:
    if store.repository.refs.exists(TAGS + wanted.name):
        raise MovedRef("the tag came while it was to be made", where=TAGS + wanted.name)
    return session.tag(
        name=wanted.name,
        target=wanted.target,
        message=wanted.message,
        tagger=wanted.tagger,
        when=wanted.when,
    )
