"""The Git tags that the first-parent history makes: their names and bytes, whether they are there or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitreg.domain import names
from gitreg.domain.changes import Change
from gitreg.domain.findings import Finding
from gitreg.domain.settings import TagSettings
from gitreg.domain.tagging import plan_tags, stage_tags, version_tag
from gitreg.gitstore.objects import Person, Signature, encode_tag, object_id
from gitreg.gitstore.signatures import split_tag
from gitreg.registry.history import commits_between

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.gitstore.commits import HistoryCommit
    from gitreg.registry.store import Store

_FORM = re.compile(
    r"(?P<folder>[^/]+)/(?:v(?P<version>[1-9][0-9]{0,8})|(?P<stage>[A-Za-z][A-Za-z0-9_-]*)/(?P<number>[1-9][0-9]{0,8}))"
)

Commits = Sequence[tuple["HistoryCommit", Sequence[Change]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagName:
    """What the name of a registry tag says.

    Attributes:
        model: The model's name.
        version: For ``NAME/v12`` its number, else None.
        stage: For ``NAME/Production/3`` the stage, else None.
        number: Which assignment of that stage it is, else None.
    """

    model: str
    version: int | None = None
    stage: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A tag that the history makes.

    Attributes:
        name: Without ``refs/tags/``.
        commit: Full hex id of the commit that it marks.
        message: Its text.
        tagger: The commit's committer.
        when: The time of the commit.
        change: What it stands for.
    """

    name: str
    commit: str
    message: str
    tagger: Person
    when: datetime
    change: Change

    @property
    def data(self) -> bytes:
        """The tag object's bytes, without a signature."""
        signature = Signature(person=self.tagger, when=self.when)
        return encode_tag(name=self.name, target=self.commit, tagger=signature, message=self.message)


def parse_tag(name: str, settings: TagSettings) -> TagName | None:
    """What a tag's name says; None for a name that no registry tag has.

    Args:
        name: Without ``refs/tags/``.
        settings: Of the registry: the prefix, and which tags are made.
    """
    if not name.startswith(settings.prefix) or settings.made_for == "none":
        return None
    match = _FORM.fullmatch(name, len(settings.prefix))
    model = names.from_folder(match["folder"]) if match else None
    if match is None or model is None:
        return None
    if match["version"]:
        return TagName(model=model, version=int(match["version"]))
    return TagName(model=model, stage=match["stage"], number=int(match["number"]))


def wanted_tags(store: Store, head: str, settings: TagSettings) -> Iterator[Wanted]:
    """Every tag that the history up to ``head`` makes, oldest first, by a walk of the whole of it."""
    numbers: dict[tuple[str, str], int] = {}

    def following(name: str, stage: str) -> int:
        numbers[name, stage] = numbers.get((name, stage), 0) + 1
        return numbers[name, stage]

    return planned(commits_between(store, None, head), settings, following)


def planned(
    commits: Iterable[tuple[HistoryCommit, Sequence[Change]]],
    settings: TagSettings,
    next_number: Callable[[str, str], int],
) -> Iterator[Wanted]:
    """The tags of some commits, oldest first; ``next_number`` as of ``plan_tags``."""
    seen: set[str] = set()
    for commit, changes in commits:
        for plan in plan_tags(changes, settings, next_number):
            if plan.name in seen:
                continue  # a version removed by hand that came back: its first registration has the tag
            seen.add(plan.name)
            yield Wanted(
                name=plan.name,
                commit=commit.oid,
                message=plan.message,
                tagger=commit.committer,
                when=commit.commit_time,
                change=plan.change,
            )


def tags_of(store: Store, commits: Commits, present: Mapping[str, str], rules: TagSettings) -> frozenset[str]:
    """The tags that are there for what some commits did: those that point at one of them."""
    here = {commit.oid for commit, _ in commits}
    changes = [change for _, found in commits for change in found if change.version is not None]
    named = {version_tag(one.model, one.version or 0, rules) for one in changes if one.event == "register"}
    prefixes = {stage_tags(one.model, one.stage, rules) for one in changes if one.stage}
    for prefix in prefixes:
        for number in sorted(numbers_of(present, prefix), reverse=True):
            if _target(store, present[f"{prefix}{number}"]) not in here:
                break
            named.add(f"{prefix}{number}")
    return frozenset(name for name in named if name in present and _target(store, present[name]) in here)


def numbers_of(present: Mapping[str, str], prefix: str) -> list[int]:
    """The numbers of the tags whose names begin with ``prefix``, see ``stage_tags``."""
    return [int(name[len(prefix) :]) for name in present if name.startswith(prefix)]


def _target(store: Store, oid: str) -> str:
    kind, data = store.reader.object(oid)
    return data[7 : data.find(b"\n")].decode("ascii", "replace") if kind == "tag" else oid


def counter(before: Mapping[str, str], rules: TagSettings) -> Callable[[str, str], int]:
    """What numbers the assignments of stages that follow on those of the tags ``before``."""
    last: dict[str, int] = {}

    def following(name: str, stage: str) -> int:
        prefix = stage_tags(name, stage, rules)
        last[prefix] = last.get(prefix, max(numbers_of(before, prefix), default=0)) + 1
        return last[prefix]

    return following


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
