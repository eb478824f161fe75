"""What happened, read from the commits themselves: what a writer needs to know about the past."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.changes import Change
from gitreg.domain.model import ModelState, ModelTombstone
from gitreg.errors import NotARegistry, NotFound
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.foreseen import ForeseenReader
from gitreg.gitstore.log import history
from gitreg.manifest.layout import Layout
from gitreg.registry.feed import Feed, told_paths
from gitreg.registry.store import Store


def commits_between(
    store: Store, base: str | None, head: str
) -> list[tuple[HistoryCommit, tuple[Change, ...]]]:
    """The commits after ``base`` (None: all) up to ``head``, oldest first, with their changes."""
    reader = ForeseenReader(store.reader)
    feed = Feed(store.through(reader), _layout_at(store, base))
    walk = history(store.repository, head=head, after=base, paths=told_paths(store), oldest_first=True)
    return [(commit, feed.changes(commit)[0]) for commit in reader.along(walk) if commit.changes]


def _layout_at(store: Store, commit: str | None) -> Layout:
    try:
        return Layout(store.view(commit).settings.layout) if commit else Layout()
    except NotARegistry:
        return Layout()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A state that was: the last one in which something stood, and the commit that held it."""

    commit: str
    state: ModelState


def last_state_with(store: Store, head: str, name: str, version: int | None) -> Past:
    """The newest commit in which a model, or one version of it, was not deleted yet.

    Raises:
        NotFound: The history that is here never held it.
    """
    layout = Layout(store.view(head).settings.layout)
    path = layout.model_file(name) if version is None else layout.version_file(name, version)
    for commit in history(store.repository, head=head, paths=(store.prefix + path,)):
        if not commit.parents:
            break
        state = store.view(commit.parents[0]).state(name)
        alive = state.live(version) if version else not isinstance(state.model, ModelTombstone | None)
        if alive:
            return Past(commit=commit.parents[0], state=state)
    what = name if version is None else f"{name}/{version}"
    raise NotFound(f"the history holds no {what} to restore", hint=f"gitreg log {name}")
