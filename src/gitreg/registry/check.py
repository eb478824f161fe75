"""Check a registry: each file alone, the files together, and against the state that they follow on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gitreg.domain import names
from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.findings import Finding
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    ModelState,
    ModelTombstone,
    ModelVersion,
    RegisteredModel,
    VersionTombstone,
    versions_of,
)
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput
from gitreg.manifest import codec
from gitreg.manifest.check import check_file, check_mode
from gitreg.manifest.layout import SETTINGS_FILE, Layout, Place, is_policy_file
from gitreg.manifest.yaml import parse
from gitreg.registry.content import EXECUTABLE, Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found, by path and line, and how many files it looked at."""

    findings: tuple[Finding, ...]
    files: int


def check(
    content: Content, base: Content | None, *, chosen: Callable[[str], bool] = lambda path: True
) -> Report:
    """Check a registry.

    Args:
        content: The state to be checked.
        base: The state that it follows on, for the rules about change (GR103 to GR105, GR110);
            None: there is none.
        chosen: Path below the registry's root → whether its file is checked. Rules about several
            files look at those that are.
    """
    return _Check(content, base, chosen).report()


@dataclass(slots=True, kw_only=True)
class _Side:
    """The manifests of one state that differ from the other's, put together for ``compare``."""

    models: dict[str, AnyModel] = field(default_factory=dict)
    versions: dict[str, dict[int, AnyVersion]] = field(default_factory=dict)

    def put(self, place: Place, value: AnyModel | AnyVersion) -> None:
        if isinstance(value, ModelVersion | VersionTombstone):
            self.versions.setdefault(place.name, {})[place.version] = value
        else:
            self.models[place.name] = value

    def snapshot(self) -> Snapshot:
        states = {
            name: ModelState(
                name=name, model=self.models.get(name), versions=versions_of(self.versions.get(name, {}))
            )
            for name in {*self.models, *self.versions}
        }
        return Snapshot(models=states)


class _Check:
    def __init__(self, content: Content, base: Content | None, chosen: Callable[[str], bool]) -> None:
        self.content = content
        self.base = base
        self.chosen = chosen
        self.findings: list[Finding] = []
        self.settings = self._settings(content)
        self.layout = Layout(self.settings.layout if self.settings else "flat")
        self.texts: dict[str, bytes] = {}
        self.values: dict[str, AnyModel | AnyVersion] = {}
        self.before, self.after = _Side(), _Side()
        self.broken: set[str] = set()

    def report(self) -> Report:
        places = self._places(self.content, self.layout)
        mine = {path: place for path, place in places.items() if self.chosen(path)}
        self._unmerged()
        readable = [path for path, place in mine.items() if self._mode_allows(path, place)]
        self._read(readable, mine)
        self.findings += self._twins(places)
        self.findings += self._orphans(mine)
        self.findings += self._missing_aliases()
        self.findings += self._exclusive()
        rules = self._rules()
        if self.base:
            self._vanished(self.base, places)
            self.findings += self._against_base()
        order = sorted(self.findings, key=lambda one: (one.path, one.line, one.column, one.code))
        return Report(findings=tuple(order), files=len(mine) + len(rules))

    def _rules(self) -> list[str]:
        """Gates and keys that are checked; with the settings they make the rules."""
        rules = {path: mode for path, mode in self.content.modes.items() if is_policy_file(path)}
        mine = [path for path in rules if self.chosen(path)]
        if mine:
            from gitreg.registry.rules_check import check_rules  # most commits leave the rules alone

            found = check_rules(rules, self.content.one)
            self.findings += (one for one in found if self.chosen(one.path))
        return [path for path in mine if path != SETTINGS_FILE]

    @staticmethod
    def _settings(content: Content) -> Settings | None:
        try:
            data = content.one(SETTINGS_FILE)
            return codec.decode_settings(data) if data is not None else None
        except InvalidInput:  # told as a finding when the file's turn comes
            return None

    @staticmethod
    def _places(content: Content, layout: Layout) -> dict[str, Place]:
        found = {path: layout.parse(path) for path in content.modes}
        return {path: place for path, place in found.items() if place is not None}

    def _orphans(self, places: Mapping[str, Place]) -> Iterator[Finding]:
        """Versions that no living model owns: a merge or a hand edit left them behind."""
        for path, place in places.items():
            if place.kind != "version":
                continue
            home = self.layout.model_file(place.name)
            model = self.values.get(home)
            if home not in self.content.modes:
                message, mend = f"the model {place.name} has no model.yaml", f"git log -- {home}"
            elif isinstance(model, ModelTombstone):
                gone = f"renamed to {model.renamed_to}" if model.renamed_to else "deleted"
                message, mend = (
                    f"the model {place.name} is {gone}",
                    "move the file to a living model, with its next number",
                )
            else:
                continue
            yield Finding(
                code="GR111", message=f"the version belongs to no model: {message}", path=path, help=mend
            )

    def _unmerged(self) -> None:
        for path in sorted(self.content.unmerged):
            self.broken.add(path)
            if self.chosen(path):
                self.findings.append(
                    Finding(
                        code="GR004",
                        message="unresolved merge",
                        path=path,
                        help=f"edit the file, then: git add {path}",
                    )
                )

    def _mode_allows(self, path: str, place: Place) -> bool:
        mode = self.content.modes[path]
        fault = check_mode(path, mode)
        if fault is None or place.kind == "card":
            return fault is None
        self.findings.append(fault)
        self.broken.add(path)
        return mode == EXECUTABLE

    def _read(self, paths: Sequence[str], places: Mapping[str, Place]) -> None:
        for path, oid, data in self.content.read(paths):
            place = places[path]
            found = check_file(data, path, self.layout, self.settings)
            self.findings += found
            if place.kind not in ("model", "version"):
                continue
            if any(one.severity == "error" and one.code != "GR012" for one in found):
                self.broken.add(path)
                continue
            changed = self.base is None or self.base.oids.get(path) != oid
            if changed or self._spans_files(place, data):
                self._keep(path, place, data, changed=changed and self.base is not None)

    def _spans_files(self, place: Place, data: bytes) -> bool:
        """Whether rules about several files ask for the value: aliases, tombstones, exclusive stages."""
        if place.kind == "model":
            return any(word in data for word in (b"aliases", b"deleted", b"renamed_to", b"\\"))
        exclusive = [stage.name for stage in self.settings.stages if stage.exclusive] if self.settings else []
        return any(name.encode() in data for name in exclusive) or (bool(exclusive) and b"\\" in data)

    def _keep(self, path: str, place: Place, data: bytes, *, changed: bool) -> None:
        value = _decode(place, data, path)
        self.values[path] = value
        self.texts[path] = data
        if changed:
            self.after.put(place, value)
            old = self._old(path, place)
            if old is not None:
                self.before.put(place, old)

    def _old(self, path: str, place: Place) -> AnyModel | AnyVersion | None:
        data = self.base.one(path) if self.base else None
        try:
            return _decode(place, data, path) if data is not None else None
        except InvalidInput:  # it was faulty before: nothing can be said about what was changed
            return None

    def _vanished(self, base: Content, places: Mapping[str, Place]) -> None:
        """Add to the state before what is not there any more."""
        settings = self._settings(base)
        layout = Layout(settings.layout if settings else "flat")
        for path, place in self._places(base, layout).items():
            if path in places or path in self.broken or not self.chosen(path):
                continue
            if place.kind == "settings":
                self.findings.append(self._gone(path, "the registry's settings are gone"))
            elif place.kind in ("model", "version"):
                old = self._old(path, place)
                if old is not None:
                    self.before.put(place, old)

    def _against_base(self) -> Iterator[Finding]:
        before, after = self.before.snapshot(), self.after.snapshot()
        for change in compare(before, after):
            path = self._path(change)
            if path in self.broken:
                continue
            if change.event == "vanish":
                yield self._gone(path, f"the manifest of {change.subject} is gone without a tombstone")
            elif change.event == "rewrite":
                yield self._rewritten(change, path)
            elif change.event == "reuse":
                yield self._at(
                    path,
                    ("last_version",),
                    code="GR110",
                    message=f"last_version: numbers up to {change.before} were used under this name",
                    help=f"write last_version: {change.before}",
                )
            elif change.event == "restore" and change.version is not None:
                yield from self._used_again(change, path, before)

    def _gone(self, path: str, message: str) -> Finding:
        mend = f"{self._checkout(path)}, then gitreg delete"
        return Finding(code="GR103", message=message, path=path, help=mend)

    def _checkout(self, path: str) -> str:
        return f"git checkout {self.base.name if self.base else 'HEAD'} -- {path}"

    def _path(self, change: Change) -> str:
        if change.version is None:
            return self.layout.model_file(change.model)
        return self.layout.version_file(change.model, change.version)

    def _rewritten(self, change: Change, path: str) -> Finding:
        name = change.field or "version"
        where: tuple[str | int, ...] = (name, *_first_difference(change.before, change.after))
        undo = f"take the edit back: {self._checkout(path)}"
        if name == "evaluations":
            message = f"evaluations: results of {change.subject} were edited or taken away"
            return self._at(path, where, code="GR105", message=message, help=undo)
        shown = ".".join(map(str, where))
        message = f"{shown}: this part of {change.subject} never changes after registration"
        return self._at(path, where, code="GR104", message=message, help=undo)

    def _used_again(self, change: Change, path: str, before: Snapshot) -> Iterator[Finding]:
        """A tombstone that gave way to a version made after the deletion: not restored, but new."""
        assert change.version is not None
        tombstone = before.models[change.model].versions[change.version]
        value = self.values[path]
        if (
            isinstance(tombstone, VersionTombstone)
            and isinstance(value, ModelVersion)
            and value.created > tombstone.deleted.at
        ):
            message = f"version: {change.version} was used before and deleted; numbers are never used again"
            mend = f"gitreg restore {change.subject} brings the old one back"
            yield self._at(path, ("version",), code="GR110", message=message, help=mend)

    def _twins(self, places: Mapping[str, Place]) -> Iterator[Finding]:
        """Models whose names differ in case or Unicode form alone; the one that came later is at fault."""
        old = self.base.modes if self.base else {}
        found = sorted({place.name for place in places.values() if place.name})
        first: dict[str, str] = {}
        for name in sorted(found, key=lambda one: self.layout.model_file(one) not in old):
            twin = first.setdefault(names.twin_key(name), name)
            path = self.layout.model_file(name)
            if twin != name and self.chosen(path):
                message = (
                    f"{names.shown(name)} differs from {names.shown(twin)} in case or Unicode form alone"
                )
                mend = f"use {twin}, or choose another name"
                yield Finding(code="GR101", message=message, path=path, help=mend)

    def _missing_aliases(self) -> Iterator[Finding]:
        for path, value in self.values.items():
            if not isinstance(value, RegisteredModel):
                continue
            for alias, number in value.aliases.items():
                target = self.layout.version_file(value.name, number)
                fault = self._target_fault(target, number)
                if fault:
                    name = value.name
                    mend = f"gitreg alias {name}/VERSION {alias}, or gitreg alias {name} {alias} --delete"
                    message = f"aliases.{alias}: {fault}"
                    yield self._at(path, ("aliases", alias), code="GR106", message=message, help=mend)

    def _target_fault(self, path: str, number: int) -> str:
        if path not in self.content.modes:
            return f"there is no version {number}"
        data = self.content.one(path)
        if data is None or b"deleted" not in data:
            return ""
        place = self.layout.parse(path)
        try:
            value = _decode(place, data, path) if place else None
        except InvalidInput:
            return ""  # told of that file
        return f"version {number} is deleted" if isinstance(value, VersionTombstone) else ""

    def _exclusive(self) -> Iterator[Finding]:
        exclusive = [stage.name for stage in self.settings.stages if stage.exclusive] if self.settings else []
        holders: dict[tuple[str, str], list[int]] = {}
        for value in self.values.values():
            if isinstance(value, ModelVersion):
                for stage in exclusive:
                    if stage in value.stages:
                        holders.setdefault((value.name, stage), []).append(value.version)
        for (name, stage), numbers in holders.items():
            *rest, last = sorted(numbers)
            if rest:
                told = " and ".join(f"{name}/{number}" for number in rest)
                yield self._at(
                    self.layout.version_file(name, last),
                    ("stages", stage),
                    code="GR109",
                    message=f"stages.{stage}: the stage is exclusive, and {told} holds it too",
                    help=f"gitreg unassign {name}/{rest[-1]} {stage}",
                )

    def _at(self, path: str, where: tuple[str | int, ...], *, code: str, message: str, help: str) -> Finding:
        """A finding at a field of a checked file; at its key, for stages and aliases."""
        document = parse(self.texts[path], path)
        if where[0] in ("stages", "aliases"):
            return document.key_finding(code, message, where, help=help)
        return document.finding(code, message, where, help=help)


@lru_cache(maxsize=512)  # what one commit holds is what the next one is compared with
def _decode(place: Place, data: bytes, path: str) -> AnyModel | AnyVersion:
    if place.kind == "model":
        return codec.decode_model(data, name=place.name, path=path)
    return codec.decode_version(data, name=place.name, version=place.version, path=path)


def _first_difference(before: Any, after: Any) -> tuple[str, ...]:
    """The first key of a mapping whose value differs, to point at it; empty for anything else."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = [key for key in (*after, *before) if before.get(key) != after.get(key)]
        return (str(keys[0]),) if keys else ()
    return ()
