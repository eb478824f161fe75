"""The truth about a registry's history, the slow way: plain Git reads every tree, compare sees all of each.

Nothing here knows how the index is made. It asks Git for the first-parent chain and for every file of
every commit's tree, decodes the manifests, and compares whole neighbouring trees.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    ModelState,
    ModelVersion,
    RegisteredModel,
    versions_of,
)
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidManifests
from gitreg.manifest import codec
from gitreg.manifest.layout import Layout, Place

Value = Settings | AnyModel | AnyVersion
Holding = tuple[str, int, str, int]
"""Model, version, stage, and since when by the manifest (milliseconds since 1970)."""


APPROVAL = re.compile(
    r"approvals/(?:([^/]+)/([1-9]\d*)/([A-Za-z]\w*)/([1-9]\d*)|\.policy/([0-9a-f]{16}))"
    r"/((?:[^/%]|%[0-9A-F]{2})+)\.sig"
)

OWNERS = (
    *(f"{folder}/CODEOWNERS" for folder in (".github", ".gitlab", ".gitea", "docs")),
    "CODEOWNERS",
)


class Unreadable:
    """A manifest that stands in the tree and can't be decoded."""

    def __repr__(self) -> str:
        return "<unreadable>"


UNREADABLE = Unreadable()


@dataclass(frozen=True)
class File:
    """A file as ``git ls-tree`` tells it."""

    mode: str
    oid: str


@dataclass(frozen=True)
class Commit:
    oid: str
    parents: tuple[str, ...]
    author: str
    email: str
    author_time: str  # seconds and zone, as in the commit
    committer: str
    committer_email: str
    commit_time: str
    subject: str
    body: str


@dataclass(frozen=True)
class Tree:
    """What one commit's tree holds: every manifest, decoded, or told to be unreadable."""

    settings: Settings | Unreadable | None
    models: Mapping[str, AnyModel | Unreadable]
    versions: Mapping[tuple[str, int], AnyVersion | Unreadable]

    @property
    def names(self) -> set[str]:
        return {*self.models, *(name for name, _ in self.versions)}

    def holdings(self) -> set[Holding]:
        return {
            (name, number, stage, milliseconds(at))
            for (name, number), value in self.versions.items()
            if isinstance(value, ModelVersion)
            for stage, at in value.stages.items()
        }

    def aliases(self) -> set[tuple[str, str, int]]:
        return {
            (name, alias, number)
            for name, value in self.models.items()
            if isinstance(value, RegisteredModel)
            for alias, number in value.aliases.items()
        }


@dataclass(frozen=True)
class Moment:
    """One commit of the chain, what it changed, and what the registry was after it."""

    seq: int
    commit: Commit
    tree: Tree
    changes: tuple[Change, ...]
    unread: frozenset[str]


@dataclass
class Truth:
    """A repository's whole first-parent history."""

    moments: list[Moment] = field(default_factory=list)

    @property
    def head(self) -> Moment:
        return self.moments[-1]

    def at(self, oid: str) -> Moment:
        return next(moment for moment in self.moments if moment.commit.oid == oid)

    def spans(self) -> set[tuple[Holding, int, int | None]]:
        """Who held which stage from which commit up to which (None: still): as long as nothing changed."""
        found = set()
        since: dict[Holding, int] = {}
        for moment in self.moments:
            now = moment.tree.holdings()
            found |= {(held, since.pop(held), moment.seq) for held in set(since) - now}
            for held in now - set(since):
                since[held] = moment.seq
        return found | {(held, begun, None) for held, begun in since.items()}

    def registered(self) -> list[dict[tuple[str, int], int]]:
        """For each commit: which one brought each version that stands there, under whatever name."""
        out = []
        ever: dict[tuple[str, int], int] = {}
        for moment in self.moments:
            former = {str(c.after): c.model for c in moment.changes if c.event == "rename"}
            for name, number in moment.tree.versions:
                was = ever.get((former[name], number)) if name in former else None
                if was is not None:
                    ever[name, number] = was
                ever.setdefault((name, number), moment.seq)
            out.append({at: ever[at] for at in moment.tree.versions})
        return out


def utf8(text: str) -> str:
    # What is no UTF-8 stands as it is or as an escape; no one may ask for more.
    return text.encode("utf-8", "backslashreplace").decode()


def milliseconds(when: object) -> int:
    return round(when.timestamp() * 1000)  # type: ignore[attr-defined]


class Reference:
    """Reads one repository; what was read once is remembered by its object id, which can't lie.

    Args:
        place: The repository.
        prefix: The registry's folder in it: ``""`` or ``sub/folder/``.
    """

    def __init__(self, place: Path, prefix: str = "") -> None:
        self.place = place
        self.prefix = prefix
        self._trees: dict[str, dict[str, File]] = {}
        self._commits: dict[str, Commit] = {}
        self._blobs: dict[str, bytes] = {}

    def truth(self, head: str = "HEAD") -> Truth:
        """The history that ends in ``head``."""
        oids = self._git("rev-list", "--first-parent", "--reverse", head).decode().split()
        self._load(oids)
        found = Truth()
        before: dict[str, File] = {}
        layout = Layout()
        self._last: dict[Place, Value] = {}
        for seq, oid in enumerate(oids, 1):
            after = self._trees[oid]
            was, layout = layout, self._layout(after, layout)
            tree = self._tree(after, layout)
            changes, unread = self._changes((was, before), (layout, after))
            self._remember(layout, after)
            found.moments.append(
                Moment(seq=seq, commit=self._commits[oid], tree=tree, changes=changes, unread=unread)
            )
            before = after
        return found

    def tree(self, rev: str) -> Tree:
        """What any commit holds, on the chain or not."""
        oid = self._git("rev-parse", "--verify", f"{rev}^{{commit}}").decode().strip()
        self._load([oid])
        files = self._trees[oid]
        return self._tree(files, self._layout(files, Layout()))

    # Git

    def _git(self, *args: str, data: bytes | None = None) -> bytes:
        return subprocess.run(
            ["git", *args], cwd=self.place, input=data, capture_output=True, check=True
        ).stdout

    def _load(self, oids: Iterable[str]) -> None:
        new = [oid for oid in oids if oid not in self._trees]
        for oid in new:
            self._trees[oid] = self._listing(oid)
        self._commits |= {told.oid: told for told in self._told(new)} if new else {}
        wanted = {file.oid for oid in new for path, file in self._trees[oid].items() if self._ours(path)}
        self._blobs |= self._contents(sorted(wanted - set(self._blobs)))

    def _ours(self, path: str) -> bool:
        own = ("models/", "gitreg.yaml", "approvals/")  # of the files of rules only the ids are told
        return path.startswith(tuple(f"{self.prefix}{name}" for name in own))

    def _listing(self, oid: str) -> dict[str, File]:
        found = {}
        for line in self._git("ls-tree", "-r", "-z", "--full-tree", oid).split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            mode, _, blob = head.decode().split()
            found[os.fsdecode(path)] = File(mode, blob)
        return found

    def _contents(self, oids: list[str]) -> dict[str, bytes]:
        out, found, at = self._git("cat-file", "--batch", data="\n".join([*oids, ""]).encode()), {}, 0
        for oid in oids:
            end = out.index(b"\n", at)
            words = out[at:end].split()
            if words[1] == b"missing":  # the commit of a submodule
                at = end + 1
                continue
            size = int(words[2])
            found[oid] = out[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def _told(self, oids: list[str]) -> Iterator[Commit]:
        form = "%x00".join(("%H", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%s", "%b", ""))
        out = self._git(
            *("log", "--no-walk=unsorted", "-z", "--no-mailmap", "--no-notes", "--encoding=UTF-8"),
            *("--date=raw", f"--format={form}", "--stdin"),
            data="\n".join([*oids, ""]).encode(),
        )
        text = out.decode("utf-8", "surrogateescape").split("\0")
        for at in range(0, len(oids) * 11, 11):  # ten fields, and the end of the record
            yield Commit(text[at], tuple(text[at + 1].split()), *text[at + 2 : at + 10])

    # Manifests

    def _settings(self, files: Mapping[str, File]) -> Settings | Unreadable | None:
        own = files.get(f"{self.prefix}gitreg.yaml")
        return self._value(Place(kind="settings"), own) if own else None  # type: ignore[return-value]

    def _layout(self, files: Mapping[str, File], before: Layout) -> Layout:
        """Where things lie: as the settings say; while they can't be read, where they lay before."""
        settings = self._settings(files)
        return Layout(settings.layout) if isinstance(settings, Settings) else before

    def _placed(self, layout: Layout, files: Mapping[str, File]) -> dict[Place, tuple[str, File]]:
        found = {}
        for path, file in files.items():
            place = layout.parse(path[len(self.prefix) :]) if path.startswith(self.prefix) else None
            if place and place.kind in ("settings", "model", "version"):
                found[place] = (path, file)
            folder = path.rpartition("/")[0]  # it may stand where a manifest belongs
            place = layout.parse(folder[len(self.prefix) :]) if folder.startswith(self.prefix) else None
            if place and place.kind in ("model", "version"):
                found[place] = (folder, File("40000", ""))
        return found

    def _value(self, place: Place, file: File) -> Value | Unreadable:
        return decoded(place, file, self._blobs.get(file.oid, b""))

    def _tree(self, files: Mapping[str, File], layout: Layout) -> Tree:
        models: dict[str, AnyModel | Unreadable] = {}
        versions: dict[tuple[str, int], AnyVersion | Unreadable] = {}
        for place, (_, file) in self._placed(layout, files).items():
            if place.kind == "model":
                models[place.name] = self._value(place, file)  # type: ignore[assignment]
            elif place.kind == "version":
                versions[place.name, place.version] = self._value(place, file)  # type: ignore[assignment]
        return Tree(self._settings(files), models, versions)

    def _remember(self, layout: Layout, files: Mapping[str, File]) -> None:
        """Keep what each file held when it could be read last, for as long as it stands there."""
        now = {
            place: self._value(place, file)
            for place, (_, file) in self._placed(layout, files).items()
            if _plain(file)
        }
        self._last = {
            place: value if value is not UNREADABLE else self._last.get(place)  # type: ignore[misc]
            for place, value in now.items()
        }

    def _changes(
        self, before: tuple[Layout, Mapping[str, File]], after: tuple[Layout, Mapping[str, File]]
    ) -> tuple[tuple[Change, ...], frozenset[str]]:
        """What compare finds between two whole trees, each read by its own layout.

        A file that is unreadable afterwards is left out on both sides, and told where it changed; one
        that was unreadable before counts as what it held when it could be read last. A link or a
        submodule is no file of the registry: it counts as not there.
        """
        olds, news = self._placed(*before), self._placed(*after)
        sides = (_Side(), _Side())
        unread = set()
        for place in {*olds, *news}:
            files = [files[place][1] if place in files else None for files in (olds, news)]
            values = [self._value(place, file) if file and _plain(file) else None for file in files]
            if values[0] is UNREADABLE and values[1] is not UNREADABLE:
                values[0] = self._last.get(place)
            if UNREADABLE in values:
                if files[0] != files[1]:
                    unread.add((news.get(place) or olds[place])[0])
                continue
            for side, value in zip(sides, values, strict=True):
                side.put(place, value)
        compared = compare(sides[0].snapshot(), sides[1].snapshot())
        beside = (*self._approvals(before[1], after[1]), *self._rules(before[1], after[1]))
        return (*compared, *beside), frozenset(unread)

    def _rules(self, before: Mapping[str, File], after: Mapping[str, File]) -> Iterator[Change]:
        """The files that hold rules and differ; CODEOWNERS counts where approvals go by it."""
        if f"{self.prefix}gitreg.yaml" not in before:
            return
        owned = any(
            isinstance(settings := self._settings(files), Settings)
            and any(
                asked and asked.codeowners
                for asked in (*(stage.approvals for stage in settings.stages), settings.policy.approvals)
            )
            for files in (before, after)
        )
        folders = tuple(f"{self.prefix}{name}" for name in ("gates", "keys"))
        for path in sorted({*before, *after}):
            ours = path in folders or path.startswith(tuple(f"{name}/" for name in folders))
            if before.get(path) != after.get(path) and (ours or (owned and path in OWNERS)):
                yield Change(
                    event="policy",
                    field=utf8(path if path in OWNERS else path[len(self.prefix) :]),
                    before=before[path].oid if path in before else None,
                    after=after[path].oid if path in after else None,
                )

    def _approvals(self, before: Mapping[str, File], after: Mapping[str, File]) -> Iterator[Change]:
        """The approvals that stand there now and did not before, whatever they hold."""
        for path in sorted({*after} - {*before}):
            match = APPROVAL.fullmatch(path[len(self.prefix) :]) if path.startswith(self.prefix) else None
            if match and after[path].mode == "100644":
                folder, number, stage, time, digest, who = match.groups()
                told = {"approver": unquote(who)} | ({} if digest else {"number": int(time)})
                with suppress(ValueError, KeyError, TypeError, RecursionError):
                    text = self._blobs[after[path].oid].partition(b"-----BEGIN SSH SIGNATURE-----")[0]
                    told["proposed_by"] = tuple(json.loads(text)["predicate"]["proposed_by"])
                yield Change(
                    event="approve",
                    model=unquote(folder or ""),
                    version=int(number) if number else None,
                    stage=stage,
                    field=path[len(self.prefix) :],
                    after=told,
                )


def _plain(file: File) -> bool:
    return file.mode.startswith("100")


@lru_cache(maxsize=100_000)
def decoded(place: Place, file: File, data: bytes) -> Value | Unreadable:
    """What a manifest holds."""
    if file.mode != "100644":
        return UNREADABLE
    try:
        if place.kind == "settings":
            return codec.decode_settings(data)
        if place.kind == "model":
            return codec.decode_model(data, name=place.name, path="model.yaml")
        return codec.decode_version(data, name=place.name, version=place.version, path="N.yaml")
    except InvalidManifests:
        return UNREADABLE


class _Side:
    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.models: dict[str, AnyModel] = {}
        self.versions: dict[str, dict[int, AnyVersion]] = {}

    def put(self, place: Place, value: object) -> None:
        if value is None:
            return
        if place.kind == "settings":
            self.settings = value  # type: ignore[assignment]
        elif place.kind == "model":
            self.models[place.name] = value  # type: ignore[assignment]
        else:
            self.versions.setdefault(place.name, {})[place.version] = value  # type: ignore[assignment]

    def snapshot(self) -> Snapshot:
        states = {name: self._state(name) for name in {*self.models, *self.versions}}
        return Snapshot(settings=self.settings, models=states)

    def _state(self, name: str) -> ModelState:
        return ModelState(
            name=name, model=self.models.get(name), versions=versions_of(self.versions.get(name, {}))
        )


def told(truth: Truth) -> Iterator[Moment]:
    """The moments that a log tells, newest first."""
    return (moment for moment in reversed(truth.moments) if moment.changes or moment.unread)
