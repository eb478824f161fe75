"""Adds up events: the registry as they alone tell it."""

from __future__ import annotations

from collections.abc import Iterable

from gitreg.domain.changes import Change
from gitreg.domain.model import ModelTombstone, ModelVersion, RegisteredModel
from gitreg.registry.log import LogEntry
from tests.index.reference import Moment, Truth


class Sum:
    """The registry as the events alone tell it: which models and versions live, and who holds what."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.versions: dict[tuple[str, int], set[str]] = {}  # the living → stages
        self.gone: set[tuple[str, int]] = set()
        self._kept: dict[str, Sum] = {}  # what a deleted model had

    def take(self, changes: Iterable[Change]) -> None:
        """One commit's changes."""
        moved = {str(c.after): c.model for c in changes if c.event == "rename"}
        parts = {name: self._part(old) for name, old in moved.items()}
        for old in moved.values():
            self._drop(old)
            self.models.discard(old)
        for name, part in parts.items():
            self._drop(name)
            self._put(part, name)
        for change in changes:
            if change.version is None:
                self._model(change)
            else:
                self._version(change, (change.model, change.version))

    def _model(self, change: Change) -> None:
        name = change.model
        if change.event == "register":
            self.models.add(name)
        elif change.event in ("delete", "vanish") and change.field is None:
            self.models.discard(name)
            if change.event == "delete":
                self._kept[name] = self._part(name)
                self._drop(name)
        elif change.event == "restore":
            self._put(self._kept.pop(name), name)

    def _version(self, change: Change, at: tuple[str, int]) -> None:
        match change.event:
            case "register" | "restore":
                self.versions[at] = set()
                self.gone.discard(at)
            case "delete":
                self.versions.pop(at, None)
                self.gone.add(at)
            case "vanish":
                self.versions.pop(at, None)
                self.gone.discard(at)
            case "transition":
                assert self.versions[at] == set(change.origin)
                self.versions[at] = {change.stage} if change.stage else set()
            case "assign":
                assert change.stage
                self.versions[at].add(change.stage)
            case "unassign":
                assert change.stage
                self.versions[at].discard(change.stage)
            case _:
                pass

    def _part(self, name: str) -> Sum:
        part = Sum()
        part.versions = {at: set(held) for at, held in self.versions.items() if at[0] == name}
        part.gone = {at for at in self.gone if at[0] == name}
        return part

    def _drop(self, name: str) -> None:
        self.versions = {at: held for at, held in self.versions.items() if at[0] != name}
        self.gone = {at for at in self.gone if at[0] != name}

    def _put(self, part: Sum, name: str) -> None:
        self.models.add(name)
        self.versions |= {(name, number): held for (_, number), held in part.versions.items()}
        self.gone |= {(name, number) for _, number in part.gone}


def check_sum(entries: Iterable[LogEntry], truth: Truth) -> None:
    """Adding up the events gives the state after each commit, up to the first that can't be read.

    It ends where the clock goes back, too: a model that was created before it was deleted counts as restored.
    """
    events = {entry.commit.oid: entry.changes for entry in entries}
    total, clock = Sum(), 0
    for moment in truth.moments:
        before, clock = clock, int(moment.commit.commit_time.split()[0])
        if moment.unread or not whole(moment) or clock < before:
            return
        total.take(events.get(moment.commit.oid, ()))
        tree = moment.tree
        living = {name for name, model in tree.models.items() if isinstance(model, RegisteredModel)}
        assert total.models == living
        held = {
            at: set(v.stages)
            for at, v in tree.versions.items()
            if isinstance(v, ModelVersion) and at[0] in living
        }
        assert {at: stages for at, stages in total.versions.items() if at[0] in living} == held


def whole(moment: Moment) -> bool:
    """Whether no version stands beside the tombstone of its model, which says that it went with it."""
    gone = {name for name, model in moment.tree.models.items() if isinstance(model, ModelTombstone)}
    return not any(name in gone for name, _ in moment.tree.versions)
