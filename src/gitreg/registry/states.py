"""The states of models as one tree of the repository holds them, decoded when looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gitreg.domain import names
from gitreg.domain.model import AnyModel, AnyVersion, ModelState, RegisteredModel, Versions
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidManifests, NotARegistry
from gitreg.gitstore.trees import FILE, Entry, Tree
from gitreg.manifest.layout import MODELS_DIR, SETTINGS_FILE, Layout

if TYPE_CHECKING:
    from gitreg.gitstore.reader import Reader

_CACHE_LIMIT = 20_000
_VERSION_FILE = re.compile(rb"(?<![^\0])([1-9][0-9]*)\.yaml(?![^\0])")
_Value = TypeVar("_Value")


class Decoder:
    """Decodes manifests, remembering by blob: the same bytes are never parsed twice in a process.

    ``ahead`` holds the bytes of blobs that somebody fetched because they will soon be asked for.
    """

    def __init__(self, reader: Reader, known: dict[tuple[str, ...], Any] | None = None) -> None:
        self.reader = reader
        self.ahead: dict[str, bytes] = {}
        self._known: dict[tuple[str, ...], Any] = {} if known is None else known

    def on(self, reader: Reader) -> Decoder:
        """A decoder that reads elsewhere and shares what this one remembers."""
        return Decoder(reader, self._known)

    def settings(self, entry: Entry, path: str) -> Settings:
        """``gitreg.yaml`` of the blob ``entry``."""
        from gitreg.manifest import codec  # what the index answers needs no YAML

        return self._once((entry.oid,), lambda data: codec.decode_settings(data, path), entry, path)

    def model(self, entry: Entry, *, name: str, path: str) -> AnyModel:
        """``model.yaml`` of the model ``name``."""
        from gitreg.manifest import codec

        key = (entry.oid, name)
        return self._once(key, lambda data: codec.decode_model(data, name=name, path=path), entry, path)

    def version(self, entry: Entry, *, name: str, version: int, path: str) -> AnyVersion:
        """The manifest of one version."""
        from gitreg.manifest import codec

        def decode(data: bytes) -> AnyVersion:
            return codec.decode_version(data, name=name, version=version, path=path)

        return self._once((entry.oid, name, str(version)), decode, entry, path)

    def learn_model(self, entry: Entry, data: dict[str, Any]) -> AnyModel:
        """Remember the blob of a manifest that was just written, and give what reading it would give.

        Args:
            entry: Of its file.
            data: What it holds, as ``encode`` gave it.
        """
        from gitreg.manifest import decode

        found = decode.model(data)
        self._remember((entry.oid, found.name), found)
        return found

    def learn_version(self, entry: Entry, data: dict[str, Any], *, name: str) -> AnyVersion:
        """As ``learn_model``, for a version of the model ``name``."""
        from gitreg.manifest import decode

        found = decode.version(data, name)
        self._remember((entry.oid, name, str(found.version)), found)
        return found

    def _once(
        self, key: tuple[str, ...], decode: Callable[[bytes], _Value], entry: Entry, path: str
    ) -> _Value:
        from gitreg.manifest.check import check_mode

        fault = check_mode(path, entry.mode)
        if fault:
            raise InvalidManifests([fault])
        known: _Value | None = self._known.get(key)
        if known is None:
            data = self.ahead.get(entry.oid)
            known = decode(self.reader.blob(entry.oid) if data is None else data)
            self._remember(key, known)
        return known

    def _remember(self, key: tuple[str, ...], value: object) -> None:
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[key] = value


class States(Protocol):
    """The registry at one commit: ``TreeStates`` reads Git, ``IndexedStates`` the index."""

    @property
    def settings(self) -> Settings: ...  # noqa: D102

    @property
    def layout(self) -> Layout: ...  # noqa: D102

    @property
    def reader(self) -> Reader: ...  # noqa: D102

    @property
    def root(self) -> str: ...  # noqa: D102

    @property
    def decoder(self) -> Decoder: ...  # noqa: D102

    def folders(self) -> Iterator[tuple[str, Entry]]: ...  # noqa: D102

    def state(self, name: str) -> ModelState: ...  # noqa: D102

    def states(self) -> Iterator[ModelState]: ...  # noqa: D102

    def living(self) -> Iterator[ModelState]: ...  # noqa: D102

    def twin(self, name: str) -> str | None: ...  # noqa: D102


class TreeStates:
    """The registry that one tree holds.

    Args:
        decoder: Reads and decodes blobs.
        root: Id of the registry's own tree (of the sub-folder, where it lies in one).

    Raises:
        NotARegistry: The tree holds no ``gitreg.yaml``.
    """

    def __init__(self, decoder: Decoder, root: str) -> None:
        self.decoder = decoder
        self.reader = decoder.reader
        self.root = root
        entry = self.reader.entry(root, SETTINGS_FILE)
        if entry is None:
            raise NotARegistry(f"there is no {SETTINGS_FILE} in this commit", hint="gitreg init")
        self.settings = decoder.settings(entry, SETTINGS_FILE)
        self.layout = Layout(self.settings.layout)

    def state(self, name: str) -> ModelState:
        """The state of the model ``name``; empty where the tree has no such folder."""
        return self._read(name, {})

    def _read(self, name: str, told: dict[str, Iterable[int]]) -> ModelState:
        found = self.reader.entry(self.root, self.layout.model_dir(name))
        if found is None:
            return ModelState(name=name)
        tree = self.reader.tree(found.oid)
        return state_of(self.decoder, tree, name=name, layout=self.layout, told=told)

    def folders(self) -> Iterator[tuple[str, Entry]]:
        """Name and tree of every model folder, deleted and renamed ones too, in the tree's order."""
        models = self.reader.entry(self.root, MODELS_DIR)
        if models is None:
            return
        for folder, entry in self.reader.tree(models.oid).items():
            if self.settings.layout == "sharded":
                inner: Iterable[tuple[str, Entry]] = self.reader.tree(entry.oid).items()
            else:
                inner = ((folder, entry),)
            for leaf, tree in inner:
                name = names.from_folder(leaf)
                if name is not None and tree.mode == "40000":
                    yield name, tree

    def states(self) -> Iterator[ModelState]:
        """Every model's state, deleted and renamed ones too."""
        for name, entry in self.folders():
            yield state_of(self.decoder, self.reader.tree(entry.oid), name=name, layout=self.layout)

    def living(self) -> Iterator[ModelState]:
        """The states of the registered models that are neither deleted nor renamed, by name."""
        for state in sorted(self.states(), key=lambda s: s.name):
            if isinstance(state.model, RegisteredModel):
                yield state

    def twin(self, name: str) -> str | None:
        """A model, alive or not, whose name differs from ``name`` in case or Unicode form alone."""
        key = names.twin_key(name)
        for other, _ in self.folders():
            if other != name and names.twin_key(other) == key:
                return other
        return None


def tree_states(decoder: Decoder, commit: str, prefix: str) -> TreeStates:
    """The registry that a commit holds.

    Args:
        decoder: Reads and decodes.
        commit: Full hex id of a commit.
        prefix: The registry's folder in the repository: ``""`` or ``sub/folder/``.

    Raises:
        NotARegistry: The commit holds no registry there.
    """
    return TreeStates(decoder, root_in(decoder.reader, commit, decoder.reader.commit(commit).tree, prefix))


def root_in(reader: Reader, commit: str, tree: str, prefix: str) -> str:
    """Id of the registry's own folder in the tree of a commit; arguments and errors as above."""
    if not prefix:
        return tree
    entry = reader.entry(tree, prefix.rstrip("/"))
    if entry is None:
        raise NotARegistry(f"there is no folder {prefix} in commit {commit[:10]}")
    return entry.oid


def state_of(
    decoder: Decoder,
    folder: Tree,
    *,
    name: str,
    layout: Layout,
    told: dict[str, Iterable[int]] | None = None,
) -> ModelState:
    """The state that a model's folder holds.

    Args:
        decoder: Reads and decodes.
        folder: The model's.
        name: The model's name.
        layout: Where its files lie.
        told: Stage → the versions that may hold it, as far as that is known: no text is looked at twice.
    """
    known = {} if told is None else told
    reader = decoder.reader
    manifest = folder.get("model.yaml")
    path = layout.model_file(name)
    model = decoder.model(manifest, name=name, path=path) if manifest else None
    versions = folder.get("versions")
    if versions is None:
        return ModelState(name=name, model=model)
    files = reader.tree(versions.oid)

    def load(number: int) -> AnyVersion:
        path = layout.version_file(name, number)
        return decoder.version(files[f"{number}.yaml"], name=name, version=number, path=path)

    def mentions(stage: str) -> Iterable[int]:
        if stage not in known:
            known[stage] = searched(stage)
        return known[stage]

    def searched(stage: str) -> list[int]:
        # A stage is held where its name stands in the text, or is hidden there by an escape.
        word = stage.encode()
        by_blob: dict[str, list[int]] = {}
        odd = []  # links and submodules hold no manifest: load tells so
        for number, entry in version_files(files).items():
            if entry.mode == FILE:
                by_blob.setdefault(entry.oid, []).append(number)
            else:
                odd.append(number)
        return odd + [
            number
            for oid, data in reader.blobs(by_blob)
            if word in data or b"\\" in data
            for number in by_blob[oid]
        ]

    return ModelState(name=name, model=model, versions=Versions(version_numbers(files), load, mentions))


def version_numbers(tree: Tree) -> list[int]:
    """The numbers of the files in a versions folder that are called like a version's manifest."""
    return [int(stem) for stem in _VERSION_FILE.findall(tree.joined_names())]


def version_files(tree: Tree) -> dict[int, Entry]:
    """Version number → entry, for all of them."""
    return {number: tree[f"{number}.yaml"] for number in version_numbers(tree)}
