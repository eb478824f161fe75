"""Git tags in the form that GTO reads: ``churn@v12.0.0``, ``churn#Production#3``, ``churn#Production!#4``.

GTO finds the version that a stage tag is about by the commit that it points at, which must be the one of the
version's registration, and orders all tags of an artifact by the second of the tagger's time. So each tag of
a model is at least a second later than the one before it, and stage tags name the commit of their own event
in the message. A registration has no number, as ``gto register`` makes it; everything else is numbered
through, model by model, as ``gto assign`` does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gitreg.domain.changes import Change
from gitreg.domain.names import shown
from gitreg.domain.settings import Settings, TagSettings
from gitreg.domain.tag_style import Standing, TagName, TagPlan

COMMIT = "Gitreg-Commit: "
"""The line of a tag's message that names the commit of the event, where the tag points at another."""

_BACK = "gitreg-restored"  # a stage that no version ever held: its loss tells GTO that a model is in use
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_FIT = re.compile(_NAME)
_FORM = re.compile(
    rf"(?P<model>{_NAME})(?:#(?P<stage>{_NAME})!?|@(?:v(?P<semver>[0-9][^#!]*)!?|deprecated|created))"
    r"(?:#(?P<number>[0-9]{1,9}))?"
)
_OURS = re.compile(r"([1-9][0-9]{0,8})\.0\.0")


def fits(name: str) -> bool:
    """Whether GTO takes the name of a model or a stage: letters and digits, ``_`` and ``-`` between them."""
    return bool(_FIT.fullmatch(name))


def fault_of_settings(settings: Settings) -> tuple[str, str]:
    """The field and the reason where settings ask for tags that GTO can't read; two empty texts else."""
    if settings.tags.style != "gto" or settings.tags.made_for == "none":
        return "", ""
    if settings.tags.prefix:
        return "tags.prefix", "tags in GTO's form begin with the model's name: tags.prefix must be empty"
    if settings.tags.made_for != "all":
        return "tags.for", "GTO tells stages by the tags of versions: tags.for must be all (or none)"
    for stage in settings.stages:
        if not fits(stage.name):
            return "stages", f"{shown(stage.name)} can't be a stage of GTO: it ends in {stage.name[-1]}"
    return "", ""


class GtoStyle:
    """Tags in GTO's form."""

    examples = "NAME@v12.0.0, NAME#STAGE#3 or NAME#STAGE!#4"

    def __init__(self, settings: TagSettings) -> None:
        self.settings = settings

    def version_tag(self, model: str, version: int) -> str:
        """``churn@v12.0.0``."""
        return f"{model}@v{version}.0.0"

    def stage_patterns(self, stage: str) -> tuple[str, str]:
        """A glob and a regular expression for the tags that assign ``stage``."""
        return f"*#{stage}#*", rf"[^\/#@]+#{stage}#[0-9]+"

    def parse(self, name: str) -> TagName | None:
        """What a tag's name says; a version that is no ``vN.0.0`` is none of ours, but GTO would read it."""
        match = _FORM.fullmatch(name) if self.settings.made_for != "none" else None
        if match is None:
            return None
        ours = _OURS.fullmatch(match["semver"] or "")
        version = int(ours[1]) if ours else None
        number = int(match["number"]) if match["number"] else None
        model = match["model"]
        numbered = number is not None
        return TagName(
            model=model,
            version=version,
            stage=match["stage"],
            number=number,
            series=f"{model}#" if numbered else f"{model}@",
            place=number if number is not None else version or 0,
        )

    def planner(self, standing: Standing) -> GtoPlanner:
        """What plans the tags that follow on those that stand."""
        return GtoPlanner(self, standing)

    def misfit(self, changes: Sequence[Change]) -> str:
        """Why the tags can't tell what one commit changed; ``""`` where they can."""
        new: Counter[str] = Counter()
        for change in changes:
            if change.event not in ("register", "restore", "rename"):
                continue
            name = change.after if change.event == "rename" else change.model
            if not fits(name):
                return (
                    f"{shown(name)} can't be the name of a GTO artifact: letters and digits, "
                    "with _ and - between them"
                )
            new[name] += change.version is not None
        crowded = [name for name, count in new.items() if count > 1]
        if crowded:
            which = f"{new[crowded[0]]} of {crowded[0]}"
            return f"GTO tells versions by their commits, and one commit would register {which}"
        return ""


@dataclass(slots=True)
class _Shelf:
    """What GTO knows of one model: made from the tags that stand, and kept up with those that are planned.

    Attributes:
        number: The highest number of a tag.
        latest: The time of the newest tag.
        used: Versions whose plain tag is taken.
        living: Versions that are registered.
        gone: Whether the model counts as deprecated.
    """

    number: int = 0
    latest: datetime | None = None
    used: set[int] = field(default_factory=set)
    living: set[int] = field(default_factory=set)
    gone: bool = False
    commits: dict[int, str] = field(default_factory=dict)  # of the registrations, as far as they are known
    tags: dict[int, str] = field(default_factory=dict)  # ids of the tags that tell the others
    staged: list[str] = field(default_factory=list)  # ids of the stage tags that stand, in order
    lost: dict[str, tuple[str, bool]] = field(default_factory=dict)  # such an id → stage, whether lost
    # What was planned since: version, stage ("": all of them), whether it was lost.
    moves: list[tuple[int, str, bool]] = field(default_factory=list)


class GtoPlanner:
    """Plans tags so that GTO reads from them the versions and stages that the registry has."""

    def __init__(self, style: GtoStyle, standing: Standing) -> None:
        self.style = style
        self._standing = standing
        self._shelves: dict[str, _Shelf] = {}

    def plan(self, changes: Sequence[Change], commit: str, when: datetime) -> list[TagPlan]:
        """The tags of one commit: models that moved first, then version by version."""
        if self.style.settings.made_for == "none":
            return []
        desk = _Desk(self, commit, when)
        for change in sorted(changes, key=lambda one: (one.event != "rename", one.version is not None)):
            if change.version is not None:
                desk.version(change, change.version)
            elif change.event == "rename":
                desk.moved(change)
            elif change.event in ("delete", "vanish"):
                desk.departed(change)
            elif change.event == "restore":
                desk.returned(change)
        return desk.plans

    def shelf(self, model: str) -> _Shelf:
        """What GTO knows of a model."""
        found = self._shelves.get(model)
        if found is None:
            found = self._shelves[model] = self._read(model) if fits(model) else _Shelf()
        return found

    def _read(self, model: str) -> _Shelf:
        shelf = _Shelf()
        named = {**self._standing.named(f"{model}@"), **self._standing.named(f"{model}#")}
        told = [(found, name) for name in named if (found := self.style.parse(name))]
        told.sort(key=lambda pair: (pair[0].number or 0, pair[0].place))
        for found, name in told:
            oid, taken = named[name], "!" in name
            if found.stage is not None:
                shelf.staged.append(oid)
                shelf.lost[oid] = (found.stage, taken)
            elif found.version is not None and taken:
                shelf.living.discard(found.version)
            elif found.version is not None:
                shelf.living.add(found.version)
                shelf.used.add(found.version)
                shelf.tags[found.version] = oid
            if found.number:
                shelf.number = found.number
                shelf.gone = name.startswith(f"{model}@deprecated")
        ends = [named[name] for found, name in told[-1:] if found.number]
        ends += [named[name] for found, name in told if not found.number][-1:]
        times = [seen.when for seen in map(self._standing.seen, ends) if seen.when]
        shelf.latest = max(times, default=None)
        return shelf

    def commit_of(self, shelf: _Shelf, version: int) -> str:
        """The commit that a living version was registered in."""
        found = shelf.commits.get(version)
        if found is None:
            found = shelf.commits[version] = self._standing.seen(shelf.tags[version]).target
        return found

    def held(self, shelf: _Shelf) -> dict[int, set[str]]:
        """The stages that each living version holds, by the tags."""
        found: dict[int, set[str]] = {version: set() for version in shelf.living}
        owners = {self.commit_of(shelf, version): version for version in shelf.living} if shelf.staged else {}
        past = [(owners.get(self._standing.seen(oid).target, 0), *shelf.lost[oid]) for oid in shelf.staged]
        for version, stage, lost in (*past, *shelf.moves):
            if version not in found:
                continue
            if lost:
                found[version] = found[version] - {stage} if stage else set()
            else:
                found[version].add(stage)
        return found


class _Desk:
    """The tags of one commit, in the making."""

    def __init__(self, planner: GtoPlanner, commit: str, when: datetime) -> None:
        self.plans: list[TagPlan] = []
        self._planner = planner
        self._commit = commit
        self._when = when
        self._arrived: set[str] = set()  # models that have a version at this commit already

    def version(self, change: Change, number: int) -> None:
        """What happened to one version."""
        shelf = self._planner.shelf(change.model)
        if change.event in ("register", "restore"):
            if change.model in self._arrived or number in shelf.living:
                return  # a second version of a commit is none to GTO; verify tells it
            self._arrived.add(change.model)
            self._clear(change, shelf)
            self._register(change, shelf, number, self._commit)
        elif change.event in ("delete", "vanish") and number in shelf.living:
            self._deregister(change, shelf, number)
        elif change.event in ("transition", "assign", "unassign") and number in shelf.living:
            for stage in _lost(change):
                self._stage(change, shelf, stage, lost=True)
            for stage in _gained(change):
                self._stage(change, shelf, stage, lost=False)

    def departed(self, change: Change) -> None:
        """A model that was deleted, or that has another name now."""
        shelf = self._planner.shelf(change.model)
        if not shelf.living or shelf.gone:
            return
        shelf.gone = True
        fate = f"renamed to {change.after}" if change.event == "rename" else "deleted"
        name = f"{change.model}@deprecated"
        self._numbered(change, shelf, name, f"{change.model} {fate}", self._commit)

    def returned(self, change: Change) -> None:
        """A deleted model that is back with versions and stages: GTO wants to see a newer event of it."""
        shelf = self._planner.shelf(change.model)
        if not shelf.gone:
            return
        shelf.gone = False
        target = self._planner.commit_of(shelf, max(shelf.living))
        self._numbered(change, shelf, f"{change.model}#{_BACK}!", f"{change.model} restored", target)

    def moved(self, change: Change) -> None:
        """A model's versions and stages are told anew under its new name, at the commits that they have."""
        planner = self._planner
        old, new = planner.shelf(change.model), planner.shelf(change.after)
        here = replace(change, event="register", model=change.after, after=None)
        self.returned(here)
        same = {n for n in old.living & new.living if planner.commit_of(old, n) == planner.commit_of(new, n)}
        for number in sorted(new.living - same):
            self._deregister(here, new, number)
        for number in sorted(old.living - same):
            self._register(here, new, number, planner.commit_of(old, number))
        was, now = planner.held(new), planner.held(old)
        for number in sorted(now):
            at = replace(here, event="assign", version=number, origin=tuple(sorted(was[number])))
            for stage in sorted(was[number] - now[number]):
                self._stage(at, new, stage, lost=True)
            for stage in sorted(now[number] - was[number]):
                self._stage(at, new, stage, lost=False)
        self.departed(change)

    def _clear(self, change: Change, shelf: _Shelf) -> None:
        """A new model under the name of a deleted one: the old versions would come back with it."""
        if shelf.gone:
            shelf.gone = False
            for number in sorted(shelf.living):
                self._deregister(change, shelf, number)

    def _register(self, change: Change, shelf: _Shelf, number: int, commit: str) -> None:
        name = self._planner.style.version_tag(change.model, number)
        said = f"{change.model} version {number}"
        told = replace(change, version=number)
        shelf.living.add(number)
        shelf.commits[number] = commit
        if number in shelf.used:  # it was deregistered meanwhile
            self._numbered(told, shelf, name, said, commit)
        else:
            shelf.used.add(number)
            self._add(told, shelf, name, said, commit)

    def _deregister(self, change: Change, shelf: _Shelf, number: int) -> None:
        commit = self._planner.commit_of(shelf, number)
        name = f"{self._planner.style.version_tag(change.model, number)}!"
        told = replace(change, event="delete", version=number)
        self._numbered(told, shelf, name, f"{change.model} version {number} deleted", commit)
        shelf.moves.append((number, "", True))
        shelf.living.discard(number)

    def _stage(self, change: Change, shelf: _Shelf, stage: str, *, lost: bool) -> None:
        number = change.version or 0
        if not fits(stage):
            return
        commit = self._planner.commit_of(shelf, number)
        shelf.moves.append((number, stage, lost))
        said = f"{change.model} version {number} {'no longer ' if lost else ''}in {stage}"
        event = "unassign" if lost else change.event
        told = replace(change, event=event, stage=stage)
        self._numbered(told, shelf, f"{change.model}#{stage}{'!' if lost else ''}", said, commit)

    def _numbered(self, change: Change, shelf: _Shelf, name: str, said: str, target: str) -> None:
        shelf.number += 1
        self._add(change, shelf, f"{name}#{shelf.number}", said, target)

    def _add(self, change: Change, shelf: _Shelf, name: str, said: str, target: str) -> None:
        if not fits(change.model):
            return
        when = self._when.replace(microsecond=0)
        if shelf.latest is not None and when <= shelf.latest:
            when = (shelf.latest + timedelta(seconds=1)).astimezone(when.tzinfo)
        shelf.latest = when
        message = f"{said}\n" if target == self._commit else f"{said}\n\n{COMMIT}{self._commit}\n"
        self.plans.append(TagPlan(name=name, message=message, change=change, target=target, when=when))


def _lost(change: Change) -> Iterator[str]:
    if change.event == "transition":
        yield from (stage for stage in change.origin if stage != change.stage)
    elif change.event == "unassign" and change.stage:
        yield change.stage


def _gained(change: Change) -> Iterable[str]:
    gained = change.event in ("transition", "assign") and change.stage not in (None, *change.origin)
    return (change.stage,) if gained and change.stage else ()
