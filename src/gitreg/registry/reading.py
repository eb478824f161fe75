"""``Reading``: what can be asked of a registry without writing to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.registry.log import LogEntry
from gitreg.registry.store import Store
from gitreg.registry.view import View

if TYPE_CHECKING:
    from gitreg.domain.lineage import Graph
    from gitreg.domain.series import Series
    from gitreg.domain.timeline import Timeline
    from gitreg.registry.blame import Blame
    from gitreg.registry.contrasting import Difference
    from gitreg.registry.searching import ModelPage, VersionPage


class Reading:
    """The reading half of ``Registry``."""

    store: Store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the Git process that reads objects."""
        self.store.close()

    def at(self, when: str | date | None = None) -> View:
        """The registry as it is (None), at a revision, or on a date (UTC unless a zone is given)."""
        return self.store.look(when)

    @property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says."""
        return self.at().settings

    def models(self) -> list[RegisteredModel]:
        """All registered models, by name."""
        return [state.model for state in self.at().models() if isinstance(state.model, RegisteredModel)]

    def model(self, name: str) -> RegisteredModel:
        """One registered model."""
        return self.at().model(name)

    def versions(self, name: str) -> list[ModelVersion]:
        """The versions of a model, newest first; deleted ones are left out."""
        view = self.at()
        view.model(name)
        return list(view.state(name).newest_first())

    def version(self, uri: str) -> ModelVersion:
        """One version, such as ``churn/Production``."""
        return self.at().version(uri)

    def resolve(self, uri: str) -> str:
        """The source of the version that ``uri`` means."""
        return self.version(uri).source

    def aliases(self, version: ModelVersion) -> tuple[str, ...]:
        """The aliases that point to a version."""
        return self.at().aliases(version)

    def diff(
        self,
        first: str | None = None,
        second: str | None = None,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> Difference:
        """What differs by meaning: between two versions, or in one thing between two times.

        Args:
            first: A version (``churn/Production``) or a model; None: the whole registry.
            second: The version to set beside it; None: ``first`` at another time.
            since: When ``first`` is read: a date or revision; None: as ``until``.
            until: When the other side is read; None: now.
        """
        from gitreg.registry.contrasting import diff

        return diff(None if since is None else self.at(since), self.at(until), first, second)

    def search(
        self,
        filter: str = "",
        order_by: Sequence[str] | str = (),
        *,
        max_results: int = 100,
        page_token: str | None = None,
        at: str | datetime | None = None,
    ) -> VersionPage:
        """A page of the versions that a filter leaves, the last updated first (docs/search.md).

        Args:
            filter: Such as ``metrics.auc > 0.9 AND stage = 'Production'``: MLflow's grammar and more.
            order_by: Such as ``metrics.auc DESC``.
            max_results: 1 to 200,000.
            page_token: ``next_page_token`` of the page before.
            at: Search the registry as it was at a revision or on a date.
        """
        from gitreg.registry import searching

        asked = searching.question(filter, order_by, max_results=max_results, page_token=page_token)
        return searching.find_versions(searching.page_slice(self.store, asked, at), asked)

    def search_models(
        self,
        filter: str = "",
        order_by: Sequence[str] | str = (),
        *,
        max_results: int = 100,
        page_token: str | None = None,
        at: str | datetime | None = None,
    ) -> ModelPage:
        """A page of the registered models that a filter leaves, by name; arguments as of ``search``."""
        from gitreg.registry import searching

        asked = searching.question(filter, order_by, max_results=max_results, page_token=page_token)
        return searching.find_models(searching.page_slice(self.store, asked, at), asked)

    def lineage(self, uri: str, *, upstream: bool = True, downstream: bool = True, depth: int = 5) -> Graph:
        """What a version came from, and what came from it, as a graph of values.

        Args:
            uri: Such as ``churn/Production``.
            upstream: Whether to tell what it came from.
            downstream: Whether to tell what came from it.
            depth: Generations of versions on either side.
        """
        from gitreg.registry.indexing import slice_of
        from gitreg.registry.lineage import Limits, lineage_of

        return lineage_of(
            self.store,
            slice_of(self.store),
            uri,
            upstream=upstream,
            downstream=downstream,
            limits=Limits(depth=depth),
        )

    def blame(self, uri: str) -> Blame:
        """Which commit gave each field of a version or a model the value that it has."""
        from gitreg.registry.blame import blame
        from gitreg.registry.indexing import slice_of

        return blame(self.store, slice_of(self.store), uri)

    def timeline(self, name: str) -> Timeline:
        """Who held each stage of a model when, its former names included.

        Raises:
            NotFound: There never was such a model, or it has another name now.
        """
        from gitreg.registry.indexing import slice_of
        from gitreg.registry.timeline import timeline

        return timeline(self.store, slice_of(self.store), name)

    def series(
        self, name: str, *metrics: str, evaluation: str | None = None, stage: str | None = None
    ) -> Series:
        """Metrics over the versions of a model, the main ones where none is named.

        Args:
            name: The model's name.
            metrics: Keys of the metrics.
            evaluation: Take them from the newest evaluation of this name, not from the registration.
            stage: The stage whose promotions are marked; None: Production.

        Raises:
            NotFound: There never was such a model, or it has another name now.
            InvalidInput: No version has such a metric or evaluation, or there is no such stage.
        """
        from gitreg.registry.indexing import slice_of
        from gitreg.registry.series import main_metrics, series

        part = slice_of(self.store)
        chosen = metrics or main_metrics(self.store, part, name, evaluation)
        return series(self.store, part, name, chosen, evaluation=evaluation, stage=stage)

    def log(
        self,
        uri: str | None = None,
        *,
        stage: str | None = None,
        alias: str | None = None,
        author: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[LogEntry]:
        """What happened to the registry, a model or a version, newest first.

        Args:
            uri: A model or version; a number is taken as it stands, also of a version that is deleted.
            stage: Only what gave or took this stage.
            alias: Only what moved this alias.
            author: Only what was done by this person: part of a name or e-mail address.
            since: Earliest committer time; a day means its beginning.
            until: Latest committer time; a day means its end.
            limit: Commits at most.
        """
        from gitreg.registry.log import log
        from gitreg.registry.looking import wanted_of

        part = self.store.index.slice()
        wanted = wanted_of(
            self.store, part, uri, stage=stage, alias=alias, author=author, since=since, until=until
        )
        return log(part, wanted, limit=limit)
