"""A registry in memory, for tests of the rules: decide, lay over, decide again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gitreg.domain import names
from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare, compare_edit
from gitreg.domain.decide import decide
from gitreg.domain.edits import Edit
from gitreg.domain.model import ModelState, Origin
from gitreg.domain.references import Selector, version_selector
from gitreg.domain.requests import Register, Request, Transition
from gitreg.domain.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    settings: Settings = field(default_factory=Settings)
    states: dict[str, ModelState] = field(default_factory=dict)
    ticks: int = 0

    def lookup(self, name: str) -> ModelState:
        return self.states.get(name) or ModelState(name=name)

    def twin(self, name: str) -> str | None:
        key = names.twin_key(name)
        return next((n for n in self.states if n != name and names.twin_key(n) == key), None)

    def decide(self, request: Request) -> Edit:
        self.ticks += 1
        now = START + timedelta(minutes=self.ticks)
        return decide(request, lookup=self.lookup, twin=self.twin, settings=self.settings, now=now)

    def do(self, request: Request) -> tuple[Change, ...]:
        before = dict(self.states)
        edit = self.decide(request)
        for name, part in edit.items():
            self.states[name] = part.after
        changes = compare_edit(edit)
        whole = compare(Snapshot(models=before), Snapshot(models=self.states))
        assert changes == whole, "the touched files and the whole registry tell the same story"
        return changes

    def register(self, name: str = "m", **more: object) -> tuple[Change, ...]:
        return self.do(Register(name=name, origin=Origin(source="s3://x"), **more))  # type: ignore[arg-type]

    def transition(
        self, version: int, stage: str, name: str = "m", archive: bool = False
    ) -> tuple[Change, ...]:
        return self.do(
            Transition(name=name, selector=version_selector(version), stage=stage, archive_existing=archive)
        )

    def stages(self, version: int, name: str = "m") -> set[str]:
        found = self.states[name].live(version)
        assert found
        return set(found.stages)


LATEST_VERSION = Selector(kind="latest")
