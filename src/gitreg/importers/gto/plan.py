"""What each event of GTO's asks of the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gitreg.domain import requests as ask
from gitreg.domain.references import version_selector
from gitreg.gitstore.objects import Person
from gitreg.importers.gto.annotations import Annotation, Annotations, origin_of
from gitreg.importers.gto.events import GtoEvent
from gitreg.importers.gto.names import ARTIFACT
from gitreg.importers.gto.report import GtoReport
from gitreg.importers.gto.standing import Artifact, Effect, Key
from gitreg.registry.clock import utc_now
from gitreg.registry.write import Ask

TRAILER = "Gto-Tag: "
"""The trailer of a commit that names the tag that was taken over."""

VERSION = "gto.version"
"""The tag of a version that says which it was."""


@dataclass(slots=True, kw_only=True)
class Model:
    """One artifact, and what of it is here.

    Attributes:
        name: The model that it is or becomes.
        artifact: What GTO makes of its events so far.
        there: Whether the model exists.
        numbers: The versions that are here.
        gone: Versions that were taken over and are here no more.
        noted: What artifacts.yaml said of it last.
    """

    name: str
    artifact: Artifact
    there: bool
    numbers: dict[Key, int]
    gone: set[Key] = field(default_factory=set)
    noted: Annotation = field(default_factory=Annotation)


class Plan:
    """Goes through the events and asks for what they change.

    Args:
        models: By artifact; events of others are passed over.
        stages: GTO's stage → the registry's; others are passed over.
        brought: Tags that were taken over before.
        address: See ``origin_of``.
        committer: Who takes over.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, Model],
        stages: Mapping[str, str],
        brought: Set[str],
        notes: Annotations,
        address: str,
        committer: Person,
        report: GtoReport,
    ) -> None:
        self.number: int | None = None  # of the version that the last ask has registered
        self._models = models
        self._stages = stages
        self._brought = brought
        self._notes = notes
        self._address = address
        self._committer = committer
        self._report = report

    def of(self, event: GtoEvent) -> Iterator[Ask]:
        """What one event asks for. The caller sets ``number`` before it goes on behind a registration."""
        model = self._models.get(event.artifact)
        if model is None:
            return
        key = model.artifact.subject(event)
        effect = model.artifact.happened(event)
        if event.tag in self._brought:
            self._recall(model, event, key)
            return
        asked = 0
        for requests in self._steps(model, event, key, effect):
            asked += 1
            yield self._ask(requests, event)
        self._report.idle += not asked

    def annotated(self, artifact: str, note: Annotation, author: Person, when: datetime) -> Iterator[Ask]:
        """A model for an artifact that artifacts.yaml names, and no tag."""
        model = self._models[artifact]
        tags = {ARTIFACT: artifact, **note.tags}
        request = ask.CreateModel(name=model.name, description=note.description, tags=tags)
        yield self._by([request], author, when)

    def _recall(self, model: Model, event: GtoEvent, key: Key | None) -> None:
        """An event that was taken over before: what it made may have been deleted here since."""
        if key is not None and key not in model.numbers:
            model.gone.add(key)
        if event.kind == "register":
            model.noted = self._note(event, model)

    def _steps(
        self, model: Model, event: GtoEvent, key: Key | None, effect: Effect
    ) -> Iterator[Sequence[ask.Request]]:
        if key is None and event.kind != "deprecate":
            reason = "several versions share its commit: GTO can't tell which is meant"
            self._report.remark("lost", event.tag, reason)
            return
        if key in model.gone:
            self._report.remark("lost", event.tag, "the version was taken over before and is deleted here")
        elif key is not None and key not in model.numbers:
            if event.kind == "deregister":
                self._report.remark("lost", event.tag, "the version was never registered")
            else:
                self.number = None
                yield self._registration(model, event, key)
                model.there = True
                model.numbers[key] = self.number or max(model.numbers.values(), default=0) + 1
        requests = list(self._requests(model, effect))
        if requests:
            yield requests

    def _registration(self, model: Model, event: GtoEvent, key: Key) -> list[ask.Request]:
        note = self._note(event, model)
        register = ask.Register(
            name=model.name,
            origin=origin_of(self._address, event.commit, note.path),
            description=note.description,
            tags={VERSION: key[0]} if key[0] else {},
        )
        found: list[ask.Request] = [register]
        if note.description and note.description != model.noted.description:
            found.append(ask.UpdateModel(name=model.name, description=note.description))
        before = model.noted.tags if model.there else {}
        tags = note.tags if model.there else {ARTIFACT: event.artifact, **note.tags}
        if tags != before:
            old = tuple(sorted(set(before) - set(tags)))
            found.append(ask.Tag(name=model.name, put=tags, remove=old))
        model.noted = note
        return found

    def _note(self, event: GtoEvent, model: Model) -> Annotation:
        """What artifacts.yaml says at the commit of an event; where it says nothing the last word counts."""
        found = self._notes.at(event.commit)
        return found.get(event.artifact, replace(model.noted, path=""))

    def _requests(self, model: Model, effect: Effect) -> Iterator[ask.Request]:
        def selected(key: Key) -> bool:
            return key in model.numbers

        name = model.name
        for key in filter(selected, effect.back):
            yield ask.Undeprecate(name=name, selector=version_selector(model.numbers[key]))
        for key, reason in effect.retired.items():
            if selected(key):
                selector = version_selector(model.numbers[key])
                yield ask.Deprecate(name=name, selector=selector, reason=_clean(reason))
        for key, stage in effect.lost:
            if selected(key) and stage in self._stages:
                selector = version_selector(model.numbers[key])
                yield ask.Unassign(name=name, selector=selector, stage=self._stages[stage])
        for key, stage in effect.gained:
            if selected(key) and stage in self._stages:
                selector = version_selector(model.numbers[key])
                yield ask.Assign(name=name, selector=selector, stage=self._stages[stage])

    def _ask(self, requests: Sequence[ask.Request], event: GtoEvent) -> Ask:
        tagger = event.tagger
        author = Person(name=tagger.name or tagger.email or "unknown", email=tagger.email)
        footer = f"{TRAILER}{event.tag}"
        return self._by(requests, author, event.when, reason=_clean(event.message), footer=footer)

    def _by(
        self,
        requests: Sequence[ask.Request],
        author: Person,
        when: datetime,
        *,
        reason: str = "",
        footer: str = "",
    ) -> Ask:
        return Ask(
            requests=requests,
            author=author,
            committer=self._committer,
            clock=lambda: when.astimezone(UTC),
            committed=utc_now,
            reason=reason,
            footer=footer,
        )


def _clean(text: str) -> str:
    """A tag's message without what a commit message can't hold."""
    return "".join(char for char in text if char in "\n\t" or (ord(char) >= 32 and ord(char) != 127))
