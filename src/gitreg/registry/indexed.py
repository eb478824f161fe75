"""The states of models as the index holds them for one commit; what it can't answer is read from the tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gitreg.domain import names
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    ModelState,
    ModelVersion,
    RegisteredModel,
    Versions,
)
from gitreg.domain.settings import Settings
from gitreg.errors import NotARegistry
from gitreg.index.reading import Link, Slice
from gitreg.index.schema import GONE, LIVE, OPEN, UNREADABLE
from gitreg.manifest import decode
from gitreg.manifest.layout import Layout
from gitreg.registry.states import tree_states

if TYPE_CHECKING:
    from gitreg.gitstore.reader import Reader
    from gitreg.gitstore.trees import Entry
    from gitreg.registry.states import Decoder, TreeStates
    from gitreg.registry.store import Store


class IndexedStates:
    """The registry at one commit, as ``TreeStates`` gives it.

    Args:
        store: The registry, for manifests that can't be read: the tree tells what is wrong with them.
        part: The index at that commit.
    """

    def __init__(self, store: Store, part: Slice) -> None:
        self.store = store
        self.part = part
        self._models: dict[str, AnyModel | None] = {}

    @cached_property
    def tree(self) -> TreeStates:
        """The same registry, read from Git."""
        return tree_states(self.store.decoder, self.part.commit, self.store.prefix)

    @property
    def reader(self) -> Reader:
        """What reads objects."""
        return self.store.reader

    @property
    def decoder(self) -> Decoder:
        """What decodes manifests."""
        return self.store.decoder

    def folders(self) -> Iterator[tuple[str, Entry]]:
        """Name and tree of every model folder, as the tree has them."""
        return self.tree.folders()

    @property
    def root(self) -> str:
        """Id of the registry's own tree."""
        return self.tree.root

    @cached_property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says."""
        rows = self.part.rows("SELECT s.doc FROM settings s WHERE $s")
        if not rows:
            raise NotARegistry("there is no gitreg.yaml in this commit", hint="gitreg init")
        return decode.settings(json.loads(rows[0][0])) if rows[0][0] else self.tree.settings

    @cached_property
    def layout(self) -> Layout:
        """Where things lie."""
        return Layout(self.settings.layout)

    def state(self, name: str) -> ModelState:
        """The state of the model ``name``; empty where there is none."""
        model = self._model(name)
        return ModelState(name=name, model=model, versions=_IndexedVersions(self, name))

    def _model(self, name: str) -> AnyModel | None:
        if name not in self._models:
            rows = self.part.rows("SELECT m.state, m.doc FROM model m WHERE m.name = ? AND $m", name)
            if rows and rows[0][0] == UNREADABLE:
                return self.tree.state(name).model  # raises: says what is wrong with it
            self._models[name] = decode.model(json.loads(rows[0][1])) if rows else None
        return self._models[name]

    def states(self) -> Iterator[ModelState]:
        """Every model's state, deleted and renamed ones too, by name."""
        for name, doc in self.part.rows("SELECT m.name, m.doc FROM model m WHERE $m ORDER BY m.name"):
            if doc is None:
                self.tree.state(name)  # raises
            self._models[name] = decode.model(json.loads(doc))
            yield self.state(name)

    def living(self) -> Iterator[ModelState]:
        """The states of the registered models that are neither deleted nor renamed, by name."""
        return (state for state in self.states() if isinstance(state.model, RegisteredModel))

    def twin(self, name: str) -> str | None:
        """A model, alive or not, whose name differs from ``name`` in case or Unicode form alone."""
        key = names.twin_key(name)
        for (other,) in self.part.rows("SELECT m.name FROM model m WHERE $m"):
            if other != name and names.twin_key(other) == key:
                return str(other)
        return None

    def documents(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Number and data of each version of a model that can be read, highest number first."""
        sql = f"SELECT v.number, v.doc FROM version v WHERE v.name = ? AND v.state = {LIVE} AND $v"
        below, many = OPEN, 1
        while True:  # whoever wants the newest alone reads no more
            rows = self.part.rows(f"{sql} AND v.number < ? ORDER BY v.number DESC LIMIT ?", name, below, many)
            for number, doc in rows:
                yield number, json.loads(doc)
            if len(rows) < many:
                return
            below, many = rows[-1][0], 20_000

    def registration(self, version: ModelVersion) -> Link | None:
        """The commit that brought a version; None where a shallow clone does not hold it."""
        rows = self.part.rows(
            "SELECT v.registered FROM version v WHERE v.name = ? AND v.number = ? AND $v",
            version.name,
            version.version,
        )
        if not rows or (rows[0][0] == 1 and self.part.shallow):
            return None
        return self.part.link(rows[0][0])

    def held_stage(self, text: str) -> str | None:
        """The exact name of a stage that a version holds, whatever the settings say."""
        rows = self.part.rows(
            "SELECT h.stage FROM holding h WHERE h.stage = ? COLLATE NOCASE AND $h LIMIT 1", text
        )
        return str(rows[0][0]) if rows else None

    def unreadable(self, name: str | None) -> list[tuple[str, int]]:
        """Model and version of the manifests that can't be decoded; 0 for the model's own."""
        found = []
        for table, number in (("model", "0"), ("version", "t.number")):
            which, params = _named("t", name)
            sql = f"SELECT t.name, {number} FROM {table} t WHERE t.state = {UNREADABLE} AND $t{which}"
            found += [(model, version) for model, version in self.part.rows(sql, *params)]
        return sorted(found)

    def held(self, name: str | None) -> list[tuple[str, str, int, int]]:
        """Model, stage, version and time (ms) of each stage held, highest version first."""
        which, params = _named("h", name)
        sql = f"SELECT h.name, h.stage, h.number, h.at FROM holding h WHERE $h{which} ORDER BY h.number DESC"
        return [(model, stage, number, at) for model, stage, number, at in self.part.rows(sql, *params)]

    def changed(self, model: RegisteredModel) -> datetime:
        """The latest of a model's own update, its newest version's creation and its stage changes."""
        newest = f"SELECT v.created FROM version v WHERE v.name = ? AND v.state = {LIVE} AND $v"
        rows = self.part.rows(f"{newest} ORDER BY v.number DESC LIMIT 1", model.name)
        rows += self.part.rows("SELECT max(h.at) FROM holding h WHERE h.name = ? AND $h", model.name)
        return max([model.updated, *(moment_of(at) for (at,) in rows if at is not None)])

    def counted(self, name: str | None) -> Iterator[tuple[RegisteredModel, int, int | None, int | None]]:
        """Each registered model, by name: how many versions, the highest, and when that was made (ms)."""
        which, params = _named("m", name)
        # Counted from an index alone; the newest of each is then looked up.
        rows = self.part.rows(
            "SELECT m.doc, coalesce(n.count, 0), n.latest, v.created FROM model m LEFT JOIN "
            f"(SELECT v.name, count(*) AS count, max(v.number) AS latest FROM version v "
            f"WHERE v.state = {LIVE} AND $v{which.replace('m.', 'v.')} GROUP BY v.name) n ON n.name = m.name "
            f"LEFT JOIN version v ON v.name = m.name AND v.number = n.latest AND $v "
            f"WHERE m.state = {LIVE} AND $m{which} ORDER BY m.name",
            *params,
            *params,
        )
        for doc, count, latest, created in rows:
            model = decode.model(json.loads(doc))
            assert isinstance(model, RegisteredModel)
            yield model, count, latest, created

    def holders(self, stage: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Model, number and data of every version that holds ``stage``, by name and then highest first."""
        rows = self.part.rows(
            "SELECT v.name, v.number, v.doc FROM holding h "
            "JOIN version v ON v.name = h.name AND v.number = h.number "
            f"JOIN model m ON m.name = h.name AND m.state = {LIVE} "
            "WHERE h.stage = ? AND $h AND $v AND $m ORDER BY h.name, h.number DESC",
            stage,
        )
        for name, number, doc in rows:
            yield name, number, json.loads(doc)

    def aliases(self) -> list[tuple[str, int, str]]:
        """Model, version and alias of all aliases, sorted by alias."""
        rows = self.part.rows("SELECT a.name, a.number, a.alias FROM alias a WHERE $a ORDER BY a.alias")
        return [(name, number, alias) for name, number, alias in rows]


def moment_of(milliseconds: int) -> datetime:
    """A time as the index holds it."""
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return whole.replace(microsecond=milliseconds % 1000 * 1000)


def _named(alias: str, name: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if name is None else (f" AND {alias}.name = ?", (name,))


class _IndexedVersions(Versions):
    """The versions of one model: nothing is read before it is asked for, not even their numbers."""

    __slots__ = ("_listed", "_states", "_title")

    def __init__(self, states: IndexedStates, name: str) -> None:
        self._states = states
        self._title = name
        self._known: dict[int, AnyVersion] = {}
        self._listed: dict[int, None] | None = None

    @property
    def _numbers(self) -> dict[int, None]:  # type: ignore[override]  # here they are looked up late
        if self._listed is None:
            rows = self._states.part.rows(
                "SELECT v.number FROM version v WHERE v.name = ? AND $v ORDER BY v.number", self._title
            )
            self._listed = dict.fromkeys(number for (number,) in rows)
        return self._listed

    def __getitem__(self, number: int) -> AnyVersion:
        known = self._known.get(number)
        if known is None:
            rows = self._states.part.rows(
                "SELECT v.doc FROM version v WHERE v.name = ? AND v.number = ? AND $v", self._title, number
            )
            if not rows:
                raise KeyError(number)
            known = self._known[number] = self._decoded(number, rows[0][0])
        return known

    def _decoded(self, number: int, doc: str | None) -> AnyVersion:
        if doc is None:
            return self._states.tree.state(self._title).versions[number]  # raises: says what is wrong
        return decode.version(json.loads(doc), self._title)

    def mentioning(self, word: str) -> list[int]:
        """Numbers of the versions that hold the stage ``word``, and, for ``deleted``, of the tombstones."""
        part, name = self._states.part, self._title
        held = part.rows("SELECT h.number FROM holding h WHERE h.name = ? AND h.stage = ? AND $h", name, word)
        found = {number for (number,) in held}
        odd = "SELECT v.number FROM version v WHERE v.name = ? AND v.state = {} AND $v"
        if word == "deleted":
            found |= {number for (number,) in part.rows(odd.format(GONE), name)}
        unreadable = {number for (number,) in part.rows(odd.format(UNREADABLE), name)}
        if unreadable:  # only their text can tell
            found |= unreadable.intersection(self._states.tree.state(name).versions.mentioning(word))
        return sorted(found)

    def descending(self) -> Iterator[AnyVersion]:
        """All versions, highest number first; a caller that wants the first few reads no more than these."""
        below, many = OPEN, 1
        while True:
            rows = self._states.part.rows(
                "SELECT v.number, v.doc FROM version v WHERE v.name = ? AND $v AND v.number < ? "
                "ORDER BY v.number DESC LIMIT ?",
                self._title,
                below,
                many,
            )
            for number, doc in rows:
                yield self._known.get(number) or self._decoded(number, doc)
            if len(rows) < many:
                return
            below, many = rows[-1][0], min(many * 16, 4096)
