"""Take over a GTO repository: each tag that changes what GTO shows becomes a commit with its time and tagger.

The trailer ``Gto-Tag`` names the tag, so that a second import knows it and brings only what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitreg.domain import requests as ask
from gitreg.domain.model import ModelState, RegisteredModel
from gitreg.errors import Conflict, EnvironmentFailure, NotARegistry
from gitreg.gitstore.log import history
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.importers.gto.annotations import Annotation, Annotations, address_of
from gitreg.importers.gto.events import GtoEvent, read_events
from gitreg.importers.gto.names import models_of, stages_of, with_stages
from gitreg.importers.gto.plan import TRAILER, VERSION, Model, Plan
from gitreg.importers.gto.report import GtoReport
from gitreg.importers.gto.standing import Artifact, Key
from gitreg.registry.clock import utc_now
from gitreg.registry.configure import Amendment
from gitreg.registry.receipt import Receipt
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.registry.write import Ask, apply_each

Told = Callable[[int, int], None]
"""Called with the number of events done and of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GtoWish:
    """What to take over.

    Attributes:
        path: A folder of the GTO repository, or a bare one.
        rename: Artifact → the name of its model, where that is another.
        stages: GTO's stage → the registry's, where that is another.
        many: See ``Artifact``.
        dry_run: Count, and write nothing.
    """

    path: Path
    rename: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    many: bool = False
    dry_run: bool = False


def import_gto(registry: Registry, wish: GtoWish, *, told: Told = lambda done, total: None) -> GtoReport:
    """Take over what is new in a GTO repository.

    Raises:
        NotARegistry: There is no Git repository.
        Conflict: It is the registry's own, and the registry's tags have GTO's form.
        GitregError: As ``apply_each``; then nothing was written, but for stages that were added.
    """
    repository = _repository(wish.path)
    store = registry.store
    view = store.view(store.head())
    own = repository.common_dir.resolve() == store.repository.common_dir.resolve()
    if own and view.settings.tags.style == "gto":
        raise Conflict(
            "the registry's own tags have GTO's form: they can't be told from those to take over",
            where="tags.style",
            hint="take over into another repository, or set tags.style to gitreg for good",
        )
    with Reader(repository) as reader:
        return _TakeOver(registry, reader, wish, view, own=own).run(told)


def _repository(path: Path) -> Repository:
    here = path.absolute()
    for folder in (here, *here.parents):
        try:
            return Repository.at(folder)
        except NotARegistry:
            continue
    raise NotARegistry("no Git repository here or in any folder above", where=str(path), hint="git clone URL")


class _TakeOver:
    def __init__(self, registry: Registry, reader: Reader, wish: GtoWish, view: View, *, own: bool) -> None:
        self.registry = registry
        self.reader = reader
        self.wish = wish
        self.view = view
        self.notes = Annotations(reader)
        self.report = GtoReport(place=address_of(reader))
        found = read_events(reader)
        self.events = [event for event in found.events if not (own and _is_ours(reader, event))]
        for tag, reason in found.ignored.items():
            self.report.remark("lost", tag, reason)
        self.brought = self._brought()
        self._new: set[str] = set()  # models of a dry run

    def run(self, told: Told) -> GtoReport:
        """Take over, and tell what came of it."""
        annotated = self._annotated()
        models = self._models((*(event.artifact for event in self.events), *annotated))
        self.report.events = len(self.events)
        self.report.known = sum(event.tag in self.brought for event in self.events)
        people = self.registry.asked(())
        plan = Plan(
            models=models,
            stages=self._set_up_stages(models, people),
            brought=self.brought,
            notes=self.notes,
            address=self.report.place,
            committer=people.committer,
            report=self.report,
        )
        asks = self._asks(plan, models, annotated, told)
        if self.wish.dry_run:
            for each in asks:
                self._expected(each)
        else:
            apply_each(self.registry.store, asks, lambda receipt: self._done(plan, receipt))
        for fault in dict.fromkeys(self.notes.faults.values()):
            self.report.remark("lost", "annotations", fault)
        return self.report

    def _brought(self) -> frozenset[str]:
        """The tags that were taken over before."""
        found = set()
        for commit in history(self.registry.store.repository, head=self.view.commit):
            last = commit.body.rstrip().rpartition("\n\n")[2]
            found |= {line[len(TRAILER) :] for line in last.splitlines() if line.startswith(TRAILER)}
        return frozenset(found)

    def _annotated(self) -> Mapping[str, Annotation]:
        """What artifacts.yaml says now; also of artifacts that have no tag."""
        head = self.reader.repository.head().oid
        return self.notes.at(head) if head else {}

    def _models(self, artifacts: Iterable[str]) -> dict[str, Model]:
        by_artifact: dict[str, list[GtoEvent]] = {artifact: [] for artifact in artifacts}
        for event in self.events:
            by_artifact[event.artifact].append(event)
        chosen = models_of(by_artifact, self.wish.rename, self.view, self.report)
        found = {}
        for artifact, name in chosen.items():
            events = by_artifact[artifact]
            state = self.view.state(name)
            there = isinstance(state.model, RegisteredModel)
            if not there and any(event.tag in self.brought for event in events):
                self.report.remark("lost", artifact, "it was taken over before and is deleted here")
                continue
            standing = Artifact(events, many=self.wish.many)
            found[artifact] = Model(name=name, artifact=standing, there=there, numbers=_numbers(state))
        return found

    def _set_up_stages(self, models: Mapping[str, Model], people: Ask) -> Mapping[str, str]:
        """GTO's stage → the registry's; stages that it lacks are added to its settings."""
        fresh = (one for one in self.events if one.tag not in self.brought and one.artifact in models)
        used = dict.fromkeys(event.stage for event in fresh if event.kind == "assign")
        head = self.reader.repository.head().oid
        listed = [stage for stage in (self.notes.stages(head) if head else ()) if stage in used]
        settings = self.view.settings
        for name in self.wish.stages.values():
            settings.stage(name)  # one that is named must be there; others are added
        found = stages_of(
            [*listed, *(s for s in used if s not in listed)], self.wish.stages, settings, self.report
        )
        added = dict.fromkeys(name for name in found.values() if not settings.has_stage(name))
        self.report.added = tuple(added)
        if added and not self.wish.dry_run:
            amendment = Amendment(
                asked=lambda now: with_stages(now, added),
                author=people.author,
                committer=people.committer,
                when=utc_now(),
                title=f"registry: add stages of GTO: {', '.join(added)}",
            )
            self._take_down(self.registry.configure(amendment))
        # An end of an assignment that was never made here has no stage to end.
        ends = {event.stage for event in self.events} - set(found)
        known = {end: self.wish.stages.get(end, end) for end in ends}
        return {**{end: settings.stage(n).name for end, n in known.items() if settings.has_stage(n)}, **found}

    def _asks(
        self, plan: Plan, models: Mapping[str, Model], annotated: Mapping[str, Annotation], told: Told
    ) -> Iterator[Ask]:
        for done, event in enumerate(self.events):
            told(done, len(self.events))
            yield from plan.of(event)
        tagged = {event.artifact for event in self.events}
        head = self.reader.repository.head().oid
        for artifact, note in annotated.items():
            if artifact in models and artifact not in tagged and not models[artifact].there and head:
                author = self.reader.commit(head).author
                yield from plan.annotated(artifact, note, author.person, author.when)

    def _done(self, plan: Plan, receipt: Receipt) -> None:
        self._take_down(receipt)
        for change in receipt.changes:
            if change.event == "register" and change.version is not None:
                plan.number = change.version
            self._count(change.event, version=change.version)

    def _take_down(self, receipt: Receipt) -> None:
        self.report.commits += receipt.commit is not None
        self.report.commit = receipt.commit or self.report.commit
        self.report.branch = receipt.branch
        self.report.warnings |= dict.fromkeys(receipt.warnings)

    def _expected(self, asked: Ask) -> None:
        """Count what a dry run would do."""
        for request in asked.requests:
            match request:
                case ask.CreateModel():
                    self._count("register", version=None)
                case ask.Register(name=name):
                    self._count("register", version=0)
                    if name not in self._new and not isinstance(self.view.state(name).model, RegisteredModel):
                        self._new.add(name)
                        self._count("register", version=None)
                case ask.Assign() | ask.Unassign():
                    self._count("assign", version=0)
                case ask.Deprecate() | ask.Undeprecate():
                    self._count("deprecate", version=0)

    def _count(self, event: str, *, version: int | None) -> None:
        report = self.report
        if event == "register":
            report.models += version is None
            report.versions += version is not None
        report.stages += event in ("transition", "assign", "unassign")
        report.retired += event == "deprecate"


def _is_ours(reader: Reader, event: GtoEvent) -> bool:
    """Whether a tag of the registry's own repository is one that the registry once made in GTO's form."""
    try:
        return "\nGitreg-Event: " in reader.commit(event.commit).message
    except EnvironmentFailure:
        return False


def _numbers(state: ModelState) -> dict[Key, int]:
    """The versions that were taken over before and are here."""
    found = {}
    for version in state.newest_first():
        code = version.origin.code
        if code is not None and code.commit:
            found[version.tags.get(VERSION, ""), code.commit] = version.version
    return found
