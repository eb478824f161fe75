"""What a GTO repository says beside its tags: artifacts.yaml at a commit, ``.gto``, and its own address."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gitreg.artifacts.uris import has_scheme, without_secrets
from gitreg.domain.model import Code, Origin
from gitreg.errors import EnvironmentFailure, InvalidInput
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import FOLDER
from gitreg.manifest.yaml import parse

INDEX = "artifacts.yaml"
CONFIG = ".gto"
_SCP = re.compile(r"(?P<host>(?:[^/:@]+@)?[^/:]+):(?P<path>[^/].*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What artifacts.yaml says of one artifact at one commit."""

    type: str = ""
    path: str = ""
    labels: tuple[str, ...] = ()
    description: str = ""
    custom: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """Type, labels and custom data as tags of a registered model."""
        found = {"gto.type": self.type, "gto.labels": ",".join(self.labels), "gto.custom": self.custom}
        return {key: value for key, value in found.items() if value}


class Annotations:
    """Reads artifacts.yaml, each version of the file once.

    Attributes:
        faults: Commit → why the file could not be read there.
    """

    def __init__(self, reader: Reader) -> None:
        self.faults: dict[str, str] = {}
        self._reader = reader
        self._known: dict[str, Mapping[str, Annotation]] = {}

    def at(self, commit: str) -> Mapping[str, Annotation]:
        """Artifact → what the file says of it; nothing where there is no file, or it can't be read."""
        oid = self._blob(commit, INDEX)
        if oid is None:
            return {}
        if oid not in self._known:
            try:
                self._known[oid] = _annotations(parse(self._reader.blob(oid), INDEX).data)
            except InvalidInput as error:
                self.faults[commit] = f"{INDEX} can't be read at {commit[:10]}: {error.message}"
                self._known[oid] = {}
        return self._known[oid]

    def stages(self, commit: str) -> tuple[str, ...]:
        """The stages that ``.gto`` allows, in order; empty where it names none."""
        oid = self._blob(commit, CONFIG)
        try:
            data = parse(self._reader.blob(oid), CONFIG).data if oid else None
        except InvalidInput:
            return ()
        found = data.get("stages") if isinstance(data, dict) else None
        return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()

    def _blob(self, commit: str, path: str) -> str | None:
        try:
            entry = self._reader.entry(self._reader.commit(commit).tree, path)
        except EnvironmentFailure:  # a shallow clone, or a tag of something that is no commit
            self.faults[commit] = f"the commit {commit[:10]} is not there"
            return None
        return entry.oid if entry and entry.mode != FOLDER else None


def _annotations(data: Any) -> dict[str, Annotation]:
    if not isinstance(data, dict):
        return {}
    return {name: _annotation(one) for name, one in data.items() if isinstance(one, dict)}


def _annotation(data: Mapping[str, Any]) -> Annotation:
    labels = data.get("labels")
    custom = data.get("custom")
    return Annotation(
        type=_text(data.get("type")),
        path=_text(data.get("path")),
        labels=tuple(map(_text, labels)) if isinstance(labels, list) else (),
        description=_text(data.get("description")),
        custom="" if custom is None else json.dumps(custom, ensure_ascii=False, sort_keys=True),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def address_of(reader: Reader) -> str:
    """Where others find the repository: the address of ``origin``, else its path as a URI; no secrets."""
    repository = reader.repository
    url = repository.setting("remote.origin.url")
    if not url:
        return repository.root.absolute().as_uri()
    if not has_scheme(url) and (scp := _SCP.fullmatch(url)):
        return f"ssh://{scp['host']}/{scp['path']}"
    if not has_scheme(url):
        return (repository.root.absolute() / url).resolve().as_uri()
    return without_secrets(url)


def origin_of(address: str, commit: str, path: str) -> Origin:
    """Where a version comes from: the file of that commit, or the URI that artifacts.yaml gives as its path.

    ``git+https://example.com/team/models.git@COMMIT#models/churn.pkl`` names the bytes for good.
    """
    if path and has_scheme(path) and path.isprintable():
        return Origin(source=without_secrets(path), code=Code(repository=address, commit=commit))
    fragment = f"#{quote(path)}" if path else ""
    code = Code(repository=address, commit=commit, path=path or None)
    return Origin(source=f"git+{address}@{commit}{fragment}", code=code)
