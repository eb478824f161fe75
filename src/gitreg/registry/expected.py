"""The Git tags that the first-parent history makes: their names and bytes, whether they are there or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitreg.domain.changes import Change
from gitreg.domain.findings import Finding
from gitreg.domain.settings import TagSettings
from gitreg.domain.tagging import Planner, TagName, style_of
from gitreg.gitstore.objects import Person, Signature, encode_tag, object_id
from gitreg.gitstore.signatures import split_tag
from gitreg.gitstore.tagrefs import tags
from gitreg.registry import standing
from gitreg.registry.history import commits_between

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.gitstore.commits import HistoryCommit
    from gitreg.registry.store import Store

Commits = Sequence[tuple["HistoryCommit", Sequence[Change]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A tag that the history makes.

    Attributes:
        name: Without ``refs/tags/``.
        commit: Full hex id of the commit that it is about.
        target: Full hex id of the commit that it points at.
        message: Its text.
        tagger: The commit's committer.
        when: The tagger's time: the commit's, or later where the style needs an order.
        change: What it stands for.
    """

    name: str
    commit: str
    target: str
    message: str
    tagger: Person
    when: datetime
    change: Change

    @property
    def data(self) -> bytes:
        """The tag object's bytes, without a signature."""
        signature = Signature(person=self.tagger, when=self.when)
        return encode_tag(name=self.name, target=self.target, tagger=signature, message=self.message)


def parse_tag(name: str, settings: TagSettings) -> TagName | None:
    """What a tag's name says; None for a name that no registry tag has.

    Args:
        name: Without ``refs/tags/``.
        settings: Of the registry: how tags are made, and which.
    """
    return style_of(settings).parse(name)


def registry_tags(store: Store, settings: TagSettings) -> dict[str, str]:
    """The tags that have the form of the registry's: name without ``refs/tags/`` → id."""
    style = style_of(settings)
    return {name: oid for name, oid in tags(store.repository).items() if style.parse(name)}


def wanted_tags(store: Store, head: str, settings: TagSettings) -> Iterator[Wanted]:
    """Every tag that the history up to ``head`` makes, oldest first, by a walk of the whole of it."""
    return planned(commits_between(store, None, head), style_of(settings).planner(standing.none(store)))


def planned(commits: Iterable[tuple[HistoryCommit, Sequence[Change]]], planner: Planner) -> Iterator[Wanted]:
    """The tags of some commits, oldest first; ``planner`` knows those of the commits before."""
    seen: set[str] = set()
    for commit, changes in commits:
        for plan in planner.plan(changes, commit.oid, commit.commit_time):
            if plan.name in seen:
                continue  # a version removed by hand that came back: its first registration has the tag
            seen.add(plan.name)
            yield Wanted(
                name=plan.name,
                commit=commit.oid,
                target=plan.target,
                message=plan.message,
                tagger=commit.committer,
                when=plan.when,
                change=plan.change,
            )


def tags_of(store: Store, commits: Commits, present: Mapping[str, str], rules: TagSettings) -> frozenset[str]:
    """The tags that are there for what some commits did, the newest of the history."""
    here = {commit.oid for commit, _ in commits}
    changes = [change for _, found in commits for change in found]
    models = {one.model for one in changes} | {one.after for one in changes if one.event == "rename"}
    series: dict[str, list[tuple[int, str]]] = {}
    for name in present:
        found = parse_tag(name, rules)
        if found and found.model in models:
            series.setdefault(found.series, []).append((found.place, name))
    own = set()
    for places in series.values():
        for _, name in sorted(places, reverse=True):
            if standing.event_commit(store, present[name]) not in here:
                break  # what is before it in the series was made before
            own.add(name)
    return frozenset(own)


def fault_of(store: Store, wanted: Wanted, oid: str) -> Finding | None:
    """What is wrong with a tag that is there under the right name; a signature at its end is none.

    Args:
        store: The registry.
        wanted: What it must be.
        oid: The id that the ref holds.
    """
    if oid == object_id("tag", wanted.data, store.repository.algorithm):
        return None
    kind, data = store.reader.object(oid)
    if kind != "tag":
        return _finding("GR306", wanted.name, "is a lightweight one: it says neither who nor when")
    if split_tag(data)[0] == wanted.data:
        return None
    made = f"is not the one that the history makes, for the commit {wanted.commit[:10]}"
    return _finding("GR303", wanted.name, made)


def no_event(name: str) -> Finding:
    """The finding about a tag that has the form of the registry's but stands for nothing in it."""
    return Finding(
        code="GR305",
        message=f"the tag {name} names nothing that is in the registry's history",
        path=name,
        help=f"git tag -d {name}; tags of another kind need another name (tags.prefix in gitreg.yaml)",
    )


def _finding(code: str, name: str, what: str) -> Finding:
    help_ = f"git tag -d {name}; gitreg reconcile"
    return Finding(code=code, message=f"the tag {name} {what}", path=name, help=help_)
