"""What a site tells programs: a document for each model, version, stage and alias, as the API would answer.

The same documents stand in scripts, because a page that was opened from disk can load nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gitreg import __version__
from gitreg.domain.model import RegisteredModel
from gitreg.domain.names import twin_key
from gitreg.domain.references import PREFIX
from gitreg.domain.settings import Settings
from gitreg.index.reading import Slice
from gitreg.index.schema import GONE, LIVE
from gitreg.manifest.encode import encode_settings, time_text
from gitreg.registry.catalog import Row
from gitreg.registry.documents import listed_version_document, summary_document
from gitreg.registry.documents_past import entry_document
from gitreg.registry.hands import Hands
from gitreg.registry.log import LogEntry
from gitreg.registry.overview import Summary
from gitreg.registry.view import VersionDocument
from gitreg.web.rendering import colour_of
from gitreg.web.site.places import Places, address

Document = dict[str, Any]
_SHORT = 90
"""Characters of a description that the list shows."""
_WORDS = 400
"""Characters of a description or of all tags that can be searched as one types."""


@dataclass(frozen=True)
class ModelData:
    """A model and its versions, from two questions to the index.

    Args:
        part: The index at the commit.
        model: The registered model.
        order: The stages in the configured order.
    """

    part: Slice
    model: RegisteredModel
    order: Sequence[str]

    @cached_property
    def versions(self) -> dict[int, Document]:
        """Number → the version as the API tells it, the newest first; deleted ones are left out."""
        return dict(self._found(LIVE))

    @cached_property
    def tombstones(self) -> dict[int, Document]:
        """Number → what is left of a deleted version."""
        return dict(self._found(GONE))

    @cached_property
    def numbers(self) -> list[int]:
        """The numbers of all versions, of those that are deleted or can't be read, too; newest first."""
        rows = self.part.rows(
            "SELECT v.number FROM version v WHERE v.name = ? AND $v ORDER BY v.number DESC", self.model.name
        )
        return [number for (number,) in rows]

    @cached_property
    def stages(self) -> dict[str, list[int]]:
        """Stage → the versions that hold it, highest first; stages in the configured order."""
        found: dict[str, list[int]] = {}
        for number, version in self.versions.items():
            for stage in version["stages"]:
                found.setdefault(stage, []).append(number)
        places = {stage: at for at, stage in enumerate(self.order)}
        return {each: found[each] for each in sorted(found, key=lambda one: (places.get(one, 99), one))}

    def summary(self) -> Document:
        """The model at a glance, with all its versions."""
        latest = next(iter(self.versions), None)
        changes = [time for each in self.versions.values() for time in each["stages"].values()]
        if latest is not None:
            changes.append(self.versions[latest]["created"])
        found = summary_document(
            Summary(
                model=self.model,
                count=len(self.versions),
                latest=latest,
                stages={stage: tuple(held) for stage, held in self.stages.items()},
                updated=self.model.updated,
            )
        )
        found["updated"] = max([found["updated"], *changes])
        return {**found, "versions": list(self.versions.values())}

    def files(self, places: Places) -> Iterator[tuple[str, bytes]]:
        """Path and contents of everything that programs are told about the model."""
        name = self.model.name
        whole = text(self.summary())
        yield places.model_data(name), whole
        yield places.model_script(name), b"gitregSite.model(" + _script(whole) + b");\n"
        shown = {number: text(version) for number, version in self.versions.items()}
        for number, data in shown.items():
            yield places.version_data(name, number), data
        for number, version in self.tombstones.items():
            yield places.version_data(name, number), text(version)
        for stage, held in _apart(self.stages):
            yield places.stage_data(name, stage), shown[held[0]]
        for alias, number in sorted(self.model.aliases.items()):
            path = places.alias_data(name, alias)
            if path is not None and number in shown:
                yield path, shown[number]

    def _found(self, state: int) -> Iterator[tuple[int, Document]]:
        name = self.model.name
        aliases: dict[tuple[str, int], list[str]] = {}
        for alias in sorted(self.model.aliases):
            aliases.setdefault((name, self.model.aliases[alias]), []).append(alias)
        told = 0 if self.part.shallow else -1  # what a shallow clone begins with was not registered there
        rows = self.part.rows(
            "SELECT v.number, v.doc, v.registered, c.oid, c.author, c.email FROM version v "
            "JOIN chain c ON c.seq = v.registered WHERE v.name = ? AND v.state = ? AND $v "
            "ORDER BY v.number DESC",
            name,
            state,
        )
        for number, doc, seq, oid, author, email in rows:
            data = json.loads(doc)
            if state == GONE:
                yield number, {"name": name, **data}
                continue
            found = listed_version_document(VersionDocument(name, number, data), aliases)
            if seq - 1 != told:
                found["registered"] = {"commit": oid, "author": {"name": author, "email": email}}
            yield number, {**found, "uri": f"{PREFIX}{name}/{number}"}


def _apart(stages: Mapping[str, list[int]]) -> Iterator[tuple[str, list[int]]]:
    """Stages whose names differ in case alone (former ones may) can't both have a file: the first has."""
    seen: set[str] = set()
    for stage, held in stages.items():
        if twin_key(stage) not in seen:
            seen.add(twin_key(stage))
            yield stage, held


def registry_document(part: Slice, settings: Settings) -> Document:
    """The registry: its settings, where it stands, how much it holds."""
    link = part.link(part.seq)
    ((models,),) = part.rows("SELECT count(*) FROM model m WHERE m.state = ? AND $m", LIVE)
    ((versions,),) = part.rows("SELECT count(*) FROM version v WHERE v.state = ? AND $v", LIVE)
    return {
        "name": settings.name,
        "commit": part.commit,
        "time": time_text(link.time),
        "branch": settings.branch,
        "models": models,
        "versions": versions,
        "settings": encode_settings(settings),
        "gitreg": __version__,
    }


def models_document(rows: Iterable[Row], commit: str) -> Document:
    """All registered models at a glance."""
    return {
        "models": [
            summary_document(
                Summary(
                    model=row.model,
                    count=row.count,
                    latest=row.latest,
                    stages=row.stages,
                    updated=row.updated,
                )
            )
            for row in rows
        ],
        "next_page_token": None,
        "commit": commit,
    }


def activity_document(entries: Iterable[tuple[LogEntry, list[Hands]]], commit: str) -> Document:
    """What happened last, as the API's log tells it."""
    found = [entry_document(entry, people) for entry, people in entries]
    return {"entries": found, "next_page_token": None, "commit": commit}


def models_script(rows: Sequence[Row], places: Places, stages: Sequence[str]) -> bytes:
    """What the list of models and the search look through as one types, a model a line."""
    lines = [json.dumps(_brief(row, places), separators=(",", ":")) for row in rows]
    held = dict.fromkeys([*stages, *(stage for row in rows for stage in row.stages)])
    head = json.dumps({"colours": {stage: colour_of(stage, stages) for stage in held}})
    return f"gitregSite.models({head}, [\n".encode() + ",\n".join(lines).encode() + b"\n]);\n"


def _brief(row: Row, places: Places) -> Document:
    model = row.model
    first = model.description.split("\n")[0]
    words = " ".join([model.description[:_WORDS], *(f"{key}={value}" for key, value in model.tags.items())])
    metric = [row.metric, row.values[-1][1]] if row.metric and row.values else None
    return {
        "name": model.name,
        "at": address(f"models/{places.folder(model.name)}"),
        "about": first if len(first) <= _SHORT else first[:_SHORT] + "…",
        "words": words[: 2 * _WORDS],
        "owners": list(model.owners),
        "count": row.count,
        "latest": row.latest,
        "stages": {stage: list(held[:1]) for stage, held in row.stages.items()},
        "metric": metric,
        "updated": time_text(row.updated),
        "author": row.author,
    }


def text(document: Document | list[Document]) -> bytes:
    """A document as JSON."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).encode() + b"\n"


def _script(whole: bytes) -> bytes:
    return whole.rstrip().decode().replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
