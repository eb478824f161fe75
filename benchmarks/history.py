"""Registries with a past, made in minutes: a commit for each registration, and others between them.

Every change goes through the pure half of gitreg's write path (decide, compare, render, plan tags), so
that files, messages and tags are those that its commands make; trees and packs are written directly.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

from fixtures import BEGAN, PARAMS, Shape, Tagged, metrics, model_name, source, write_refs

from gitreg.domain import requests as ask
from gitreg.domain.compare import compare_edit
from gitreg.domain.decide import decide
from gitreg.domain.edits import ModelEdit
from gitreg.domain.model import Evaluation, ModelState, Origin, versions_of
from gitreg.domain.references import version_selector
from gitreg.domain.tagging import SeenTag, style_of
from gitreg.gitstore.objects import Person, Signature, encode_commit, encode_tag
from gitreg.gitstore.pack import Likeness, PackSink
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FILE, FOLDER, Entry, Tree
from gitreg.manifest import rendering
from gitreg.manifest.layout import Layout
from gitreg.registry.messages import commit_message
from gitreg.registry.store import Store
from gitreg.registry.tagbook import TagBook

TEAMS = ("risk", "growth")
"""Values of the tag ``team``: each is on every second version."""

_EVERY = 10  # registrations of a model between two changes of another kind
_PEOPLE = tuple(
    Person(name=name, email=f"{name.split()[0].lower()}@example.com")
    for name in ("Ada Byron", "Grace Murray", "Katherine Coleman", "Annie Jump", "Mary Somerville")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit to be: what is asked for, by whom, when, and why."""

    request: ask.Request
    author: Person
    when: datetime
    reason: str


def steps(shape: Shape) -> Iterator[Step]:
    """The whole history, oldest first, a minute apart.

    Neighbours are of different models, which is the harder order. The tenth part as many commits as
    there are registrations come on top of them: each model has them one kind after the other.
    """
    number = 0
    for version, model in product(range(1, shape.versions + 1), range(shape.models)):
        name = model_name(model)
        wanted = [(_register(name, version, TEAMS[(model + version) % len(TEAMS)]), "")]
        turn, rest = divmod(model + version, _EVERY)
        if rest == 0:
            kind, reason = _KINDS[(turn + model // 7) % len(_KINDS)]
            wanted.append((kind(name, version), reason))
        for request, reason in wanted:
            author = _PEOPLE[(model + number // 7) % len(_PEOPLE)]
            when = BEGAN + timedelta(days=1, minutes=number)
            yield Step(request=request, author=author, when=when, reason=reason)
            number += 1


def middle(shape: Shape) -> datetime:
    """The time when one half of the history was made."""
    return BEGAN + timedelta(days=1, minutes=shape.total * (_EVERY + 1) // (2 * _EVERY))


def _register(name: str, version: int, team: str) -> ask.Request:
    origin = Origin(
        source=source(name, version),
        run_id=f"{zlib.crc32(name.encode()):08x}{version:024x}",
        params=PARAMS,
        metrics=metrics(version),
    )
    return ask.Register(name=name, origin=origin, tags={"framework": "sklearn", "team": team})


def _staging(name: str, version: int) -> ask.Request:
    return ask.Transition(name=name, selector=version_selector(version), stage="Staging")


def _production(name: str, version: int) -> ask.Request:
    return ask.Transition(
        name=name, selector=version_selector(version), stage="Production", archive_existing=True
    )


def _champion(name: str, version: int) -> ask.Request:
    return ask.SetAlias(name=name, selector=version_selector(version), alias="champion")


def _describe(name: str, version: int) -> ask.Request:
    text = f"Trained on the data of week {version}.\n\nCompared with version {max(1, version - 1)}."
    return ask.UpdateVersion(name=name, selector=version_selector(version), description=text)


def _reviewed(name: str, version: int) -> ask.Request:
    return ask.Tag(name=name, selector=version_selector(version), put={"reviewed": "yes"})


def _tier(name: str, version: int) -> ask.Request:
    return ask.Tag(name=name, put={"tier": str(version % 3)})


def _evaluate(name: str, version: int) -> ask.Request:
    result = Evaluation(name="holdout", at=BEGAN + timedelta(days=version), metrics=metrics(version))
    return ask.Evaluate(name=name, selector=version_selector(version), evaluation=result)


def _deprecate(name: str, version: int) -> ask.Request:
    return ask.Deprecate(
        name=name, selector=version_selector(max(1, version - _EVERY)), reason="trained on leaked labels"
    )


_KINDS: tuple[tuple[Callable[[str, int], ask.Request], str], ...] = (
    (_staging, ""),
    (_production, "Better than the incumbent on the holdout set."),
    (_champion, ""),
    (_describe, ""),
    (_production, "Weekly promotion."),
    (_evaluate, ""),
    (_reviewed, "Reviewed with the business."),
    (_production, "Weekly promotion."),
    (_deprecate, ""),
    (_tier, ""),
)


def fill(place: Path, shape: Shape) -> None:
    """Put the history on top of the first commit, with its tags."""
    repository = Repository.at(place)
    with Store(repository) as store:
        sink = PackSink(place / "objects", repository.algorithm)
        base = store.branch().commit
        assert base is not None  # the registry was just made
        line = _Line(store, sink, base)
        for step in steps(shape):
            line.add(step)
        sink.flush()
        sink.stands()
        write_refs(place, line.head, line.tags)
        TagBook(store, line.settings).completed(line.head)


class _Untagged:
    """The tags of a registry that has none yet."""

    def named(self, start: str) -> Mapping[str, str]:
        return {}

    def seen(self, oid: str) -> SeenTag:
        raise KeyError(oid)


class _Line:
    """The branch in the making; all states and trees are held in memory, all text goes to the sink.

    Attributes:
        head: Its last commit.
        tags: All tags so far.
    """

    def __init__(self, store: Store, sink: PackSink, base: str) -> None:
        self.head = base
        self.tags: dict[str, Tagged] = {}
        self.settings = store.view(base).settings
        self._sink = sink
        self._states: dict[str, ModelState] = {}
        self._trees = {"": store.reader.tree(store.reader.commit(base).tree)}
        self._oids = {"": store.reader.commit(base).tree}
        self._planner = style_of(self.settings.tags).planner(_Untagged())

    def add(self, step: Step) -> None:
        """Commit one step and tag it."""
        edit = decide(
            step.request, lookup=self._state, twin=lambda name: None, settings=self.settings, now=step.when
        )
        changes = compare_edit(edit)
        for name, part in edit.items():
            self._write_model(name, part)
            self._follow(name, part)
        signed = Signature(person=step.author, when=step.when)
        data = encode_commit(
            tree=self._oids[""],
            parents=(self.head,),
            author=signed,
            committer=signed,
            message=commit_message(changes, reason=step.reason),
        )
        self.head = self._sink.write("commit", data)
        for plan in self._planner.plan(changes, self.head, step.when):
            data = encode_tag(name=plan.name, target=self.head, tagger=signed, message=plan.message)
            self.tags[plan.name] = Tagged(oid=self._sink.write("tag", data), target=self.head)

    def _state(self, name: str) -> ModelState:
        if name not in self._states:
            self._states[name] = ModelState(name=name, versions=versions_of({}))
        return self._states[name]

    def _follow(self, name: str, part: ModelEdit) -> None:
        state = self._states[name]
        for number, version in part.versions.items():
            state.versions.put(number, version)  # in place: a copy for each commit would take hours
        if part.model is not None:
            self._states[name] = replace(state, model=part.model)

    def _write_model(self, name: str, part: ModelEdit) -> None:
        layout = Layout()
        files: dict[str, Entry | None] = {}
        for number, version in part.versions.items():
            text = rendering.render_version(version, None, path=layout.version_file(name, number))
            files[f"{number}.yaml"] = Entry(FILE, self._sink.write("blob", text))
        folder: dict[str, Entry | None] = {}
        if files:
            folder["versions"] = self._grown(f"{name}/versions", files)
        if part.model is not None:
            text = rendering.render_model(part.model, None, path=layout.model_file(name))
            folder["model.yaml"] = Entry(FILE, self._sink.write("blob", text))
        models = self._grown("models", {name: self._grown(name, folder)})
        self._grown("", {"models": models})

    def _grown(self, key: str, entries: Mapping[str, Entry | None]) -> Entry:
        before = self._trees.get(key) or Tree(b"", 20, {})
        after = self._trees[key] = before.spliced(entries)
        like = Likeness(self._oids[key], before.raw, *after.kept) if key in self._oids else None
        self._oids[key] = self._sink.write("tree", after.raw, like=like)
        return Entry(FOLDER, self._oids[key])
