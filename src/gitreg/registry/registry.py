"""``Registry``: what ``gitreg.open`` gives, with a method for each thing that can be read or asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.domain import requests as ask
from gitreg.domain.model import (
    Code,
    Dataset,
    Evaluation,
    ModelVersion,
    Origin,
    RegisteredModel,
)
from gitreg.domain.references import Reference, Selector
from gitreg.errors import Conflict, InvalidInput, UsageError
from gitreg.gitstore.objects import Person
from gitreg.registry import history
from gitreg.registry.clock import utc_now
from gitreg.registry.reading import Reading
from gitreg.registry.receipt import Receipt
from gitreg.registry.store import Store
from gitreg.registry.view import View

if TYPE_CHECKING:
    from gitreg.registry.batch import Batch
    from gitreg.registry.configure import Amendment, Wish
    from gitreg.registry.write import Ask


class Registry(Reading):
    """A model registry in a Git repository.

    Each verb that changes something makes one commit and returns the value as it is afterwards, when
    the commit and its tags are on disk. Versions are named as in MLflow's model URIs, with or without
    ``models:/``: ``churn/12``, ``churn/Production``, ``churn/latest``, ``churn@champion``.

    Every method raises ``gitreg.errors.GitregError``: NotFound, InvalidInput, AlreadyExists, Conflict,
    EnvironmentFailure. After an error the repository is as before.
    """

    def __init__(
        self, store: Store, *, author: Person | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.store = store
        self.warnings: list[str] = []
        self._author = author
        self._clock = clock
        self._batch: Batch | None = None
        self._people: tuple[Person, Person] | None = None

    # Writing

    def apply(self, *requests: ask.Request, message: str = "", title: str = "") -> Receipt:
        """Make one commit of ``requests``, each decided on what the former ones leave.

        Inside ``batch`` nothing is committed yet; the receipt then has no commit.

        Args:
            requests: What is wanted.
            message: Why; it stands in the commit message.
            title: Takes the place of the commit's subject.
        """
        if self._batch is not None:
            return self._batch.add(requests)
        return self.carry_out(self.asked(requests, message=message, title=title))

    def carry_out(self, asked: Ask) -> Receipt:
        """Make one commit of what was asked: every writing verb ends here."""
        from gitreg.registry import write

        receipt = write.apply(self.store, asked)
        self.warnings += receipt.warnings
        return receipt

    def configure(self, wish: Wish | Amendment) -> Receipt:
        """Make one commit that changes settings."""
        from gitreg.registry import configure

        return configure.configure(self.store, wish)

    def preview(self, *requests: ask.Request, message: str = "") -> Receipt:
        """What ``apply`` would do now; nothing is written."""
        from gitreg.registry import write

        return write.preview(self.store, self.asked(requests, message=message))

    def asked(self, requests: Sequence[ask.Request], *, message: str = "", title: str = "") -> Ask:
        """``requests`` on behalf of the people of this registry, at its clock's time."""
        from gitreg.registry.write import Ask

        if self._people is None:
            repository = self.store.repository
            committer = repository.identity(os.environ, "committer")
            self._people = (self._author or repository.identity(os.environ, "author"), committer)
        author, committer = self._people
        return Ask(
            requests=requests,
            author=author,
            committer=committer,
            clock=self._clock,
            reason=message,
            title=title,
        )

    @property
    def batching(self) -> bool:
        """Whether a ``batch`` block is open."""
        return self._batch is not None

    @contextmanager
    def batch(self, message: str) -> Iterator[Registry]:
        """Make one commit of everything that is asked for inside the ``with`` block.

        Values returned inside are those that will stand; nothing is written when the block raises.

        Args:
            message: Subject of the commit.

        Raises:
            Conflict: Another writer came in between and took a number that was already given out.
            UsageError: Batches don't nest.
        """
        from gitreg.registry.batch import Batch

        if self._batch is not None:
            raise UsageError("a batch is open already")
        self._batch = batch = Batch(self.store.view(self.store.head()), self._clock())
        try:
            yield self
        finally:
            self._batch = None
        if batch.requests:
            asked = self.asked(batch.requests, title=message)
            self.carry_out(replace(asked, clock=lambda: batch.now, check=batch.check))

    def create_model(
        self,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        owners: Iterable[str] = (),
        message: str = "",
    ) -> RegisteredModel:
        """Create a registered model without versions; AlreadyExists when it is there."""
        request = ask.CreateModel(name=name, description=description, tags=tags or {}, owners=tuple(owners))
        return self.apply(request, message=message).model(name)

    def register(
        self,
        name: str,
        source: str | os.PathLike[str],
        *,
        version: int | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        aliases: Iterable[str] = (),
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, object] | None = None,
        datasets: Iterable[Dataset] = (),
        parents: Iterable[str] = (),
        run_id: str | None = None,
        code: Code | None = None,
        message: str = "",
    ) -> ModelVersion:
        """Register a version, and the model where it is new.

        Args:
            name: The registered model.
            source: Any URI; a local model folder (hashed, its ``MLmodel`` read); ``runs:/RUN_ID/PATH``
                (run, params, metrics, data sets and code are looked up in MLflow where it is set up).
            version: Insist on this number; Conflict when it is not the next one.
            metrics: Numbers, over those that were looked up.
            params: Values are written as text.
            parents: URIs of the versions that this one was made from.
            code: Repository and commit that it was trained from.
        """
        origin = self.describe(
            source,
            run_id=run_id,
            metrics=metrics,
            params={key: str(value) for key, value in (params or {}).items()},
            datasets=datasets,
            parents=parents,
            code=code,
        )
        request = ask.Register(
            name=name,
            origin=origin,
            version=version,
            description=description,
            tags=tags or {},
            aliases=tuple(aliases),
        )
        return max(self.apply(request, message=message).versions(name).values(), key=lambda v: v.version)

    def describe(
        self,
        source: str | os.PathLike[str],
        *,
        run_id: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        parents: Iterable[str] = (),
        **given: Any,
    ) -> Origin:
        """The origin of a version: what ``source`` tells, under what was given (see ``artifacts.origin``)."""
        from gitreg.artifacts.origin import describe, merge

        text = os.fspath(source)
        found = describe(text, env=os.environ, cwd=Path.cwd(), run_id=run_id, progress=progress)
        self.warnings += found.warnings
        return merge(found.origin, parents=[self.parent_uri(uri) for uri in parents], **given)

    def parent_uri(self, uri: str) -> str:
        """A parent as it is kept: with its number, which an alias or stage would lose."""
        if "://" in uri:
            return uri
        version = self._batch.version(uri) if self._batch else self.version(uri)
        return f"models:/{version.name}/{version.version}"

    def evaluate(
        self,
        uri: str,
        name: str,
        metrics: Mapping[str, float],
        *,
        run_id: str | None = None,
        dataset: Dataset | None = None,
        message: str = "",
    ) -> ModelVersion:
        """Append results called ``name`` to a version."""
        evaluation = Evaluation(
            name=name, at=self._clock(), run_id=run_id, dataset=dataset, metrics=dict(metrics)
        )
        return self._change(
            uri, lambda n, s: ask.Evaluate(name=n, selector=s, evaluation=evaluation), message
        )

    def update(
        self,
        uri: str,
        *,
        description: str | None = None,
        owners: Iterable[str] | None = None,
        status: str | None = None,
        status_message: str | None = None,
        message: str = "",
    ) -> RegisteredModel | ModelVersion:
        """Set fields of a model (``churn``: description, owners) or version (description, status)."""
        found = self._reference(uri)
        if found.selector is not None:
            if owners is not None:
                raise InvalidInput("a version has no owners", where="owners", hint=f"use {found.name}")
            request = ask.UpdateVersion(
                name=found.name,
                selector=found.selector,
                description=description,
                status=status,
                status_message=status_message,
            )
            return self._apply_to_version(found, request, message)
        if status is not None or status_message is not None:
            raise InvalidInput("a model has no status", where="status", hint=f"use {found.name}/VERSION")
        people = None if owners is None else tuple(owners)
        self.apply(ask.UpdateModel(name=found.name, description=description, owners=people), message=message)
        return self._now().model(found.name)

    def tag(self, uri: str, tags: Mapping[str, str], *, message: str = "") -> RegisteredModel | ModelVersion:
        """Set tags of a model or version."""
        return self._tag(uri, tags, (), message)

    def untag(self, uri: str, *keys: str, message: str = "") -> RegisteredModel | ModelVersion:
        """Remove tags of a model or version; a missing one is no error."""
        return self._tag(uri, {}, keys, message)

    def _tag(
        self, uri: str, put: Mapping[str, str], remove: tuple[str, ...], message: str
    ) -> RegisteredModel | ModelVersion:
        found = self._reference(uri)
        request = ask.Tag(name=found.name, selector=found.selector, put=put, remove=remove)
        if found.selector is not None:
            return self._apply_to_version(found, request, message)
        self.apply(request, message=message)
        return self._now().model(found.name)

    def alias(self, uri: str, alias: str, *, message: str = "") -> ModelVersion:
        """Point ``alias`` at a version."""
        return self._change(uri, lambda n, s: ask.SetAlias(name=n, selector=s, alias=alias), message)

    def unalias(self, name: str, alias: str, *, message: str = "") -> None:
        """Remove an alias of the model ``name``; a missing one is no error."""
        self.apply(ask.RemoveAlias(name=name, alias=alias), message=message)

    def transition(
        self, uri: str, stage: str, *, archive_existing: bool = False, message: str = ""
    ) -> ModelVersion:
        """Make a version hold ``stage`` alone (``None``: no stage)."""

        def request(name: str, selector: Selector) -> ask.Request:
            return ask.Transition(
                name=name, selector=selector, stage=stage, archive_existing=archive_existing
            )

        return self._change(uri, request, message)

    def assign(self, uri: str, stage: str, *, message: str = "") -> ModelVersion:
        """Add ``stage`` to those that a version holds."""
        return self._change(uri, lambda n, s: ask.Assign(name=n, selector=s, stage=stage), message)

    def unassign(self, uri: str, stage: str, *, message: str = "") -> ModelVersion:
        """Take ``stage`` from a version."""
        return self._change(uri, lambda n, s: ask.Unassign(name=n, selector=s, stage=stage), message)

    def deprecate(self, uri: str, *, reason: str = "", message: str = "") -> ModelVersion:
        """Mark a version as not to be used any more."""
        return self._change(uri, lambda n, s: ask.Deprecate(name=n, selector=s, reason=reason), message)

    def undeprecate(self, uri: str, *, message: str = "") -> ModelVersion:
        """Take that mark off."""
        return self._change(uri, lambda n, s: ask.Undeprecate(name=n, selector=s), message)

    def delete(self, uri: str, *, reason: str = "", message: str = "") -> None:
        """Delete a version, or a model with all its versions; ``restore`` brings either back."""
        found = self._reference(uri)
        if found.selector is None:
            self.apply(ask.DeleteModel(name=found.name, reason=reason), message=message)
        else:
            request = ask.DeleteVersion(name=found.name, selector=found.selector, reason=reason)
            self.apply(request, message=message)

    def restore(self, uri: str, *, message: str = "") -> RegisteredModel | ModelVersion:
        """Bring back a deleted model, or a deleted version (without its stages) by its number."""
        request = self.restoration(uri)
        self.apply(request, message=message)
        if isinstance(request, ask.RestoreModel):
            return self._now().model(request.name)
        return self._now().version(f"{request.name}/{request.version}")

    def restoration(self, uri: str) -> ask.RestoreModel | ask.RestoreVersion:
        """The request that brings ``uri`` back, with what the history holds of it."""
        found = self._reference(uri)
        if found.selector and found.selector.kind != "version":
            raise InvalidInput("name the version by its number", hint=f"gitreg restore {found.name}/NUMBER")
        number = found.selector.version if found.selector else None
        state = self._now().state(found.name)
        if state.live(number) if number else isinstance(state.model, RegisteredModel):
            raise Conflict(f"{found} is not deleted", hint=f"gitreg show {found}")
        past = history.last_state_with(self.store, self.store.head(), found.name, number)
        if number is None:
            return ask.RestoreModel(name=found.name, past=past.state, commit=past.commit)
        return ask.RestoreVersion(name=found.name, version=number, past=past.state, commit=past.commit)

    def rename(self, name: str, new_name: str, *, message: str = "") -> RegisteredModel:
        """Give a model a new name; its versions and their numbers come along."""
        return self.apply(ask.Rename(name=name, new_name=new_name), message=message).model(new_name)

    def rollback(
        self, name: str, stage: str, *, to: int | None = None, message: str = ""
    ) -> list[ModelVersion]:
        """Give ``stage`` back to the version that held it before, or to version ``to``: who holds it then.

        What held it goes back to the stages that it came from. A rollback after a rollback goes one
        further back.
        """
        from gitreg.registry.rollback import rollback

        return rollback(self, name, stage, to=to, message=message).versions(self)

    def revert(self, commit: str, *, message: str = "") -> Receipt:
        """Take back what a commit changed, or with ``COMMIT:2`` its second change as the log counts them.

        Conflict when a later commit changed the same again.
        """
        from gitreg.registry.undo import revert

        return revert(self, commit, message=message).receipt

    def _reference(self, uri: str) -> Reference:
        return self._now().reference(uri)

    def _now(self) -> View:
        return self._batch.view if self._batch is not None else self.at()

    def _change(
        self, uri: str, request: Callable[[str, Selector], ask.Request], message: str
    ) -> ModelVersion:
        found = self._reference(uri)
        if found.selector is None:
            raise InvalidInput(
                f"{found.name} is a model: say which version", hint=f"{found.name}/12, {found.name}/latest"
            )
        return self._apply_to_version(found, request(found.name, found.selector), message)

    def _apply_to_version(self, found: Reference, request: ask.Request, message: str) -> ModelVersion:
        # The number first: afterwards churn/Production may mean another version.
        before = self._now().version(str(found))
        receipt = self.apply(request, message=message)
        return receipt.versions(found.name).get(before.version, before)
