"""What the facade reads: rows of the index at one commit, as MLflow's values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeVar

from gitreg.domain.settings import NO_STAGE, Settings
from gitreg.errors import IntegrityError
from gitreg.index.filter.fields import MODEL_UPDATED
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE, UNREADABLE
from gitreg.index.search import Hit, ModelHit
from gitreg.manifest import decode
from gitreg.mlflow.values import milliseconds, version_details
from gitreg.registry.entities import ModelVersionDetails, RegisteredModelDetails
from gitreg.registry.store import Store

V = TypeVar("V")
Maker = Callable[[str, int, Mapping[str, Any], Settings], V]
"""Makes a version from its model's name, its number, its manifest's data and the settings."""

_read = json.JSONDecoder().raw_decode  # json.loads looks for white space round each document, too
_NO_HOLDING = "NOT EXISTS (SELECT 1 FROM holding h WHERE h.name = v.name AND h.number = v.number AND $h)"


@lru_cache(32)
def _settings(doc: str) -> Settings:
    return decode.settings(json.loads(doc))


class Model(NamedTuple):
    """A registered model: its manifest's data, and its last update in milliseconds (``MODEL_UPDATED``)."""

    name: str
    data: dict[str, Any]
    updated: int

    def aliases_of(self, version: int) -> tuple[str, ...]:
        """The aliases that point to a version, sorted."""
        return tuple(sorted(alias for alias, number in self.aliases.items() if number == version))

    @property
    def aliases(self) -> dict[str, int]:
        """Alias → version."""
        return self.data.get("aliases") or {}


class Look:
    """The registry at one commit.

    Args:
        store: The registry.
        part: The index at that commit.
    """

    def __init__(self, store: Store, part: Slice) -> None:
        self.store = store
        self.part = part
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """What ``gitreg.yaml`` says."""
        if self._settings is None:
            rows = self.part.rows("SELECT s.doc FROM settings s WHERE $s")
            known = bool(rows and rows[0][0])
            self._settings = _settings(rows[0][0]) if known else self.store.view(self.part.commit).settings
        return self._settings

    def model(self, name: str) -> Model | None:
        """The registered model ``name``; None where there is none.

        Raises:
            InvalidManifests: It can't be read.
        """
        rows = self.part.rows(
            f"SELECT m.state, m.doc, {MODEL_UPDATED} FROM model m WHERE m.name = ? AND $m", name
        )
        if rows and rows[0][0] == UNREADABLE:
            self._unreadable(name)
        if not rows or rows[0][0] != LIVE:
            return None
        return Model(name, json.loads(rows[0][1]), rows[0][2])

    def version(self, name: str, number: int) -> ModelVersionDetails | None:
        """One version with its aliases; None where there is none.

        Raises:
            InvalidManifests: It can't be read.
        """
        if not 0 < number < 2**63:
            return None
        rows = self.part.rows(
            "SELECT v.state, v.doc, m.state, m.doc FROM version v CROSS JOIN model m "
            "ON m.name = v.name AND $m WHERE v.name = ? AND v.number = ? AND $v",
            name,
            number,
        )
        if not rows:
            return None
        state, doc, model_state, model_doc = rows[0]
        if UNREADABLE in (state, model_state):
            self._unreadable(name, number)
        if state != LIVE or model_state != LIVE:
            return None
        model = Model(name, json.loads(model_doc), 0)
        return self.details(name, number, json.loads(doc), aliases=model.aliases_of(number))

    def artifact_uri(self, name: str, number: int) -> str:
        """Where a version's files lie when that is not its source; ``""``: it is."""
        rows = self.part.rows(
            "SELECT json_extract(v.doc, '$.artifact.uri') FROM version v "
            "WHERE v.name = ? AND v.number = ? AND $v",
            name,
            number,
        )
        return str(rows[0][0] or "") if rows else ""

    def details(
        self, name: str, number: int, data: dict[str, Any], *, aliases: Iterable[str] = (), asked: str = ""
    ) -> ModelVersionDetails:
        """A version's data in MLflow's words."""
        return version_details(name, number, data, self.settings, aliases=aliases, asked=asked)

    def latest(self, names: Sequence[str]) -> dict[str, dict[str, ModelVersionDetails]]:
        """Model → stage (``None`` included) → the highest version that holds it."""
        listed = json.dumps(names)
        held = self.part.rows(
            "SELECT h.name, h.stage, max(h.number) FROM holding h "
            "WHERE h.name IN (SELECT value FROM json_each(?)) AND $h GROUP BY h.name, h.stage",
            listed,
        )
        none = self.part.rows(
            f"SELECT j.value, (SELECT v.number FROM version v WHERE v.name = j.value AND v.state = {LIVE} "
            f"AND $v AND {_NO_HOLDING} ORDER BY v.number DESC LIMIT 1) FROM json_each(?) j",
            listed,
        )
        wanted = [(name, stage, number) for name, stage, number in held]
        wanted += [(name, NO_STAGE, number) for name, number in none if number is not None]
        documents = self._documents({(name, number) for name, _, number in wanted})
        order = {stage.name: place for place, stage in enumerate(self.settings.stages)}
        found: dict[str, dict[str, ModelVersionDetails]] = {name: {} for name in names}
        for name, stage, number in sorted(wanted, key=lambda each: order.get(each[1], -1)):
            if (name, number) in documents:
                found[name][stage] = self.details(name, number, documents[name, number], asked=stage)
        return found

    def _documents(self, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
        rows = self.part.rows(
            "SELECT v.name, v.number, v.doc FROM json_each(?) j CROSS JOIN version v "
            "ON v.name = json_extract(j.value, '$[0]') AND v.number = json_extract(j.value, '$[1]') "
            f"AND v.state = {LIVE} AND $v",
            json.dumps(sorted(wanted)),
        )
        return {(name, number): json.loads(doc) for name, number, doc in rows}

    def model_details(self, model: Model, latest: Iterable[ModelVersionDetails]) -> RegisteredModelDetails:
        """A model in MLflow's words."""
        data = model.data
        return RegisteredModelDetails(
            name=model.name,
            creation_timestamp=milliseconds(data["created"]),
            last_updated_timestamp=model.updated,
            description=data.get("description", ""),
            latest_versions=tuple(latest),
            tags=data.get("tags") or {},
            aliases=model.aliases,
        )

    def models_found(self, hits: Sequence[ModelHit]) -> list[RegisteredModelDetails]:
        """Found models with their latest versions."""
        models = [Model(data["name"], data, hit.updated) for hit in hits for data in [json.loads(hit.doc)]]
        latest = self.latest([model.name for model in models])
        return [self.model_details(model, latest[model.name].values()) for model in models]

    def versions_found(self, hits: Sequence[Hit], made: Maker[V]) -> list[V]:
        """Found versions, as ``made`` makes them; MLflow tells no aliases here."""
        settings = self.settings
        return [made(hit.name, hit.number, _read(hit.doc)[0], settings) for hit in hits]

    def _unreadable(self, name: str, number: int | None = None) -> NoReturn:
        """Raise what is wrong with a manifest."""
        state = self.store.view(self.part.commit).state(name)
        if number is not None:
            _ = state.versions[number]
        raise IntegrityError(
            "the index calls a manifest broken that can be read", where=name, hint="gitreg index"
        )
