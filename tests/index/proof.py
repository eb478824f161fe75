"""Holds what gitreg answers against the reference: views, log, rows of the index, and the sum of the events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from gitreg.domain.changes import Change
from gitreg.domain.model import RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidManifests, NotARegistry
from gitreg.index.schema import OPEN
from gitreg.registry.indexing import slice_of
from gitreg.registry.log import LogEntry
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from tests.index.adding import check_sum
from tests.index.reference import UNREADABLE, Commit, Moment, Reference, Tree, Truth, told, utf8
from tests.index.rows import check_rows


def check(registry: Registry, reference: Reference, *, views: Iterable[Moment] | None = None) -> Truth:
    """Everything at once; returns the truth.

    Args:
        registry: What is judged.
        reference: Of the same repository.
        views: The commits at which views are opened. None: all.
    """
    truth = reference.truth()
    for moment in truth.moments if views is None else views:
        check_view(registry, moment.commit.oid, moment.tree)
    check_log(registry, truth)
    if UNREADABLE not in truth.head.tree.models.values():
        check_named(registry, truth)
    part = slice_of(registry.store)
    check_rows(part, truth)
    check_sum(registry.log(), truth)
    return truth


# Views


def check_view(registry: Registry, rev: str, tree: Tree) -> None:
    """``registry.at(rev)`` holds exactly what the tree of that commit holds."""
    if not isinstance(tree.settings, Settings):
        with pytest.raises(InvalidManifests if tree.settings is UNREADABLE else NotARegistry):
            registry.at(rev).settings  # noqa: B018
        return
    view = registry.at(rev)
    assert view.settings == tree.settings
    for name in tree.names:
        _check_state(view, name, tree)
    assert view.state("nobody").model is None
    assert not list(view.state("nobody").versions)
    if UNREADABLE in tree.models.values():
        with pytest.raises(InvalidManifests):
            list(view.models())
    else:
        living = [state.name for state in view.models()]
        assert living == sorted(n for n, m in tree.models.items() if isinstance(m, RegisteredModel))
    if UNREADABLE not in [*tree.models.values(), *tree.versions.values()]:
        _check_stages(view, tree)


def _check_state(view: View, name: str, tree: Tree) -> None:
    if tree.models.get(name) is UNREADABLE:
        with pytest.raises(InvalidManifests):
            view.state(name)
        return
    state = view.state(name)
    assert state.model == tree.models.get(name)
    numbers = {number for owner, number in tree.versions if owner == name}
    assert set(state.versions) == numbers
    for number in numbers:
        value = tree.versions[name, number]
        if value is UNREADABLE:
            with pytest.raises(InvalidManifests):
                state.versions[number]
        else:
            assert state.versions[number] == value


def _check_stages(view: View, tree: Tree) -> None:
    living = {name for name, model in tree.models.items() if isinstance(model, RegisteredModel)}
    for stage in view.settings.stages:
        held = [(name, number) for name, number, held, _ in tree.holdings() if held == stage.name]
        told = [(version.name, version.version) for version in view.holders(stage.name)]
        assert sorted(told) == sorted(at for at in held if at[0] in living)


# Log


def check_log(registry: Registry, truth: Truth) -> None:
    """The log tells each commit that changed something, newest first, with what compare finds in the trees."""
    expected = list(told(truth))
    entries = list(registry.log())
    assert [entry.commit.oid for entry in entries] == [moment.commit.oid for moment in expected]
    for entry, moment in zip(entries, expected, strict=True):
        assert list(map(same, entry.changes)) == list(map(same, moment.changes))
        assert set(entry.unread) == moment.unread
        check_commit(entry, moment.commit)


def same(change: Change) -> object:
    """A change for comparing: NaN is unlike itself."""
    return change if "nan" not in repr(change) else repr(change)


def check_commit(entry: LogEntry, commit: Commit) -> None:
    """The entry names its commit as Git does."""
    ours = entry.commit
    assert ours.parents == commit.parents
    pairs = [
        (ours.author.name, commit.author),
        (ours.author.email, commit.email),
        (ours.committer.name, commit.committer),
        (ours.committer.email, commit.committer_email),
        (ours.subject, commit.subject),
        (ours.body.rstrip("\n"), commit.body.rstrip("\n")),
    ]
    assert [utf8(got) for got, _ in pairs] == [utf8(due) for _, due in pairs]
    for got, due in ((ours.author_time, commit.author_time), (ours.commit_time, commit.commit_time)):
        seconds, zone = due.split()
        assert int(got.timestamp()) == int(seconds)
        assert got.strftime("%z") == zone


def check_named(registry: Registry, truth: Truth) -> None:
    """The log of a model tells what happened to it under all its names, and of another one nothing."""
    for name, spans in lives(truth).items():
        expected = []
        for moment in reversed(truth.moments):
            # A rename ends the span of the former name, and is told under it.
            kept = [
                change
                for change in moment.changes
                if any(change.model == name and since <= moment.seq <= until for name, since, until in spans)
            ]
            if kept:
                expected.append((moment.commit.oid, [same(change) for change in kept]))
        told = [
            (entry.commit.oid, list(map(same, entry.changes)))
            for entry in registry.log(name)
            if entry.changes
        ]
        assert told == expected, name


def lives(truth: Truth) -> dict[str, list[tuple[str, int, int]]]:
    """Every living model → the names it has had: each with the commits from which and up to which.

    After a deletion the same model goes on; after a rename the name it gave up begins anew.
    """
    found: dict[str, list[tuple[str, int, int]]] = {}
    given_up: set[str] = set()
    for moment in truth.moments:
        moved = {c.model: str(c.after) for c in moment.changes if c.event == "rename"}
        pasts = {old: found.get(old, [(old, 1, OPEN)]) for old in moved}
        for old, new in moved.items():
            *before, (name, since, _) = pasts[old]
            found[new] = [*before, (name, since, moment.seq), (new, moment.seq, OPEN)]
        given_up = (given_up | set(moved)) - set(moved.values())
        for change in moment.changes:
            if change.event == "register" and change.version is None and change.model in given_up:
                found[change.model] = [(change.model, moment.seq, OPEN)]
                given_up.discard(change.model)
    return {
        name: found.get(name, [(name, 1, OPEN)])
        for name, model in truth.head.tree.models.items()
        if isinstance(model, RegisteredModel)
    }


# Slices at each commit


def check_slices(registry: Registry, truth: Truth) -> None:
    """``slice_of`` at each commit answers as of that commit, and finds it by its time."""
    for moment in truth.moments:
        part = slice_of(registry.store, moment.commit.oid)
        assert (part.commit, part.seq) == (moment.commit.oid, moment.seq)
        held = part.rows("SELECT h.name, h.number, h.stage, h.at FROM holding h WHERE $h")
        assert sorted(held) == sorted(moment.tree.holdings())
        link = part.link(moment.seq)
        assert (link.oid, link.parents, utf8(link.author)) == (
            moment.commit.oid,
            moment.commit.parents,
            utf8(moment.commit.author),
        )
        for (name, number), value in moment.tree.versions.items():
            assert part.version(name, number) == (None if value is UNREADABLE else value)
        for name, value in moment.tree.models.items():
            assert part.model(name) == (None if value is UNREADABLE else value)
        when = int(moment.commit.commit_time.split()[0])
        before = [m.seq for m in truth.moments[: moment.seq] if int(m.commit.commit_time.split()[0]) <= when]
        assert part.at_time(datetime.fromtimestamp(when, UTC)) == max(before)
