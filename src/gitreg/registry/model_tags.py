"""The tags that the history makes for one model, read from that model's own history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gitreg.domain.changes import Change
from gitreg.domain.settings import TagSettings
from gitreg.domain.tagging import style_of
from gitreg.errors import InvalidInput, NotARegistry
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.log import history
from gitreg.manifest.layout import Layout
from gitreg.registry import standing
from gitreg.registry.expected import Wanted, planned
from gitreg.registry.feed import NAMES, Feed
from gitreg.registry.history import commits_between
from gitreg.registry.store import Store

_FEW = 4  # models: their own histories are shorter than the whole one


class ModelTags:
    """What the first-parent history up to a commit makes, asked model by model.

    Args:
        store: The registry.
        head: Full hex id of the commit; None where there is none yet.
        settings: How tags are made.
    """

    def __init__(self, store: Store, head: str | None, settings: TagSettings) -> None:
        self.store = store
        self.head = head
        self.settings = settings
        self._known: dict[str, dict[str, Wanted]] = {}

    def of(self, model: str) -> Mapping[str, Wanted]:
        """Every tag of one model, by its name without ``refs/tags/``."""
        found = self._known.get(model)
        if found is None:
            commits = self._history(model) if self.head else ()
            found = self._known[model] = self._made(commits).get(model, {})
        return found

    def look_up(self, models: Collection[str]) -> None:
        """Read the history of many models in one walk; one or a few are read when they are asked for."""
        if len(models) > _FEW and self.head:
            found = self._made(commits_between(self.store, None, self.head))
            self._known = {model: found.get(model, {}) for model in models}

    def _made(
        self, commits: Iterable[tuple[HistoryCommit, Sequence[Change]]]
    ) -> dict[str, dict[str, Wanted]]:
        planner = style_of(self.settings).planner(standing.none(self.store))
        found: dict[str, dict[str, Wanted]] = {}
        for wanted in planned(commits, planner):
            found.setdefault(wanted.change.model, {})[wanted.name] = wanted
        return found

    def _with_changes(
        self, commits: Iterable[HistoryCommit]
    ) -> Iterator[tuple[HistoryCommit, Sequence[Change]]]:
        feed = Feed(self.store, Layout())
        for commit in commits:
            feed.layout = self._layout_before(commit)
            yield commit, feed.changes(commit)[0]

    def _history(self, model: str) -> list[tuple[HistoryCommit, Sequence[Change]]]:
        """The commits that touch a model under all the names that it had, oldest first."""
        names = {model}
        while True:
            found = list(self._with_changes(self._commits(names)))
            renamed = (one for _, changes in found for one in changes if one.event == "rename")
            former = {one.model for one in renamed if one.after in names}
            if former <= names:
                return found
            names |= former

    def _commits(self, models: Collection[str]) -> Iterator[HistoryCommit]:
        """The commits that touch some models, oldest first, each with all that it changed."""
        assert self.head is not None
        prefix = self.store.prefix
        layouts = (Layout("flat"), Layout("sharded"))
        paths = [prefix + layout.model_dir(name) for name in sorted(models) for layout in layouts]
        for commit in reversed(list(history(self.store.repository, head=self.head, paths=paths))):
            parent = commit.parents[0] if commit.parents else None
            before, after = (self._tree(oid) if oid else None for oid in (parent, commit.oid))
            changes = tuple(
                one
                for one in diff_trees(self.store.reader, before, after)
                if any(one.path == prefix + name or one.path.startswith(f"{prefix}{name}/") for name in NAMES)
            )
            yield replace(commit, changes=changes)

    def _tree(self, commit: str) -> str:
        return self.store.reader.commit(commit).tree

    def _layout_before(self, commit: HistoryCommit) -> Layout:
        try:
            return Layout(self.store.view(commit.parents[0]).settings.layout) if commit.parents else Layout()
        except (InvalidInput, NotARegistry):
            return Layout()
