"""Registries of any size in seconds: gitreg's own objects, put into packs without its write path."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from programs import git

from gitreg.domain.model import ModelVersion, Origin, RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.gitstore.objects import Person, Signature, encode_commit, encode_tag
from gitreg.gitstore.pack import PackSink
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FILE, FOLDER, Entry, encode_tree
from gitreg.manifest import rendering
from gitreg.manifest.layout import Layout
from gitreg.registry.create import create, create_bare
from gitreg.registry.store import Store
from gitreg.registry.tagbook import TagBook

PERSON = Person(name="Bench Mark", email="bench@example.com")
PARAMS = {"criterion": "gini", "max_depth": "8", "n_estimators": "200", "random_state": "42"}
TAGS = {"team": "risk", "framework": "sklearn"}
PRODUCTION = 50  # the version of each model that holds the stage
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many models a registry has, and how many versions each of them."""

    models: int
    versions: int

    @property
    def total(self) -> int:
        """All versions."""
        return self.models * self.versions

    def __str__(self) -> str:
        return f"{self.total:,} versions ({self.models:,} × {self.versions:,})"


SMALL = Shape(models=1, versions=100)
MIDDLE = Shape(models=100, versions=100)
LARGE = Shape(models=1000, versions=100)


def model_name(number: int) -> str:
    """The name of the model ``number``, counted from 0."""
    return f"model-{number:04d}"


def source(name: str, version: int) -> str:
    """The URI of a version's model."""
    return f"s3://models/{name}/{version:06d}"


def metrics(version: int) -> dict[str, float]:
    """Four numbers that differ from version to version."""
    return {key: round(0.8 + (version * step) % 997 / 5000, 6) for key, step in _STEPS.items()}


_STEPS = {"accuracy": 7, "f1": 11, "log_loss": 13, "roc_auc": 17}


def manifest(name: str, version: int) -> bytes:
    """The text of a version's manifest, as gitreg writes it."""
    when = _BEGAN + timedelta(minutes=version)
    value = ModelVersion(
        name=name,
        version=version,
        created=when,
        updated=when,
        origin=Origin(source=source(name, version), params=PARAMS, metrics=metrics(version)),
        stages={"Production": when} if version == PRODUCTION else {},
        tags=TAGS,
    )
    return rendering.render_version(value, None, path=Layout().version_file(name, version))


class Workshop:
    """Makes registries in one folder; the originals that an earlier run left there are used again.

    Args:
        folder: Where they are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def clear(self) -> None:
        """Remove all registries but the originals."""
        for place in self.folder.glob("run-*"):
            shutil.rmtree(place)

    def bare(self, shape: Shape) -> Path:
        """A bare registry of its own, no file of it shared with another one."""
        return self._copy(self._original(shape))

    def work_tree(self, shape: Shape) -> Path:
        """A registry with a work tree."""
        bare = self._original(shape)
        place = self._place()
        create(place, settings=Settings(), branch=None, env=os.environ, now=_BEGAN)
        for name in ("objects", "packed-refs", "refs"):
            _replace(bare / name, place / ".git" / name)
        shutil.copy(bare / "gitreg" / "tagged", place / ".git" / "gitreg" / "tagged")
        git(place, "reset", "--hard", "--quiet")
        git(place, "update-index", "--refresh", "-q")
        return place

    def empty(self) -> Path:
        """A bare registry without models."""
        place = self._place()
        create_bare(place, settings=Settings(), branch=None, env=os.environ, now=_BEGAN)
        return place

    def _original(self, shape: Shape) -> Path:
        place = self.folder / f"original-{shape.models}x{shape.versions}.git"
        if not place.exists():
            aside = place.with_suffix(".making")
            shutil.rmtree(aside, ignore_errors=True)
            create_bare(aside, settings=Settings(), branch=None, env=os.environ, now=_BEGAN)
            _fill(aside, shape)
            aside.rename(place)
        return place

    def _copy(self, original: Path) -> Path:
        place = self._place()
        shutil.copytree(original, place)
        return place

    def _place(self) -> Path:
        self._made += 1
        return self.folder / f"run-{self._made}"


def _replace(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _fill(place: Path, shape: Shape) -> None:
    """Put all models and versions into one commit on top of the first, with their tags."""
    repository = Repository.at(place)
    with Store(repository) as store:
        sink = PackSink(place / "objects", repository.algorithm)
        base = store.branch().commit
        assert base is not None  # the registry was just made
        models = {model_name(n): _model(sink, model_name(n), shape.versions) for n in range(shape.models)}
        root = dict(store.reader.tree(store.reader.commit(base).tree))
        root["models"] = Entry(FOLDER, sink.write("tree", encode_tree(models)))
        signed = Signature(person=PERSON, when=_BEGAN + timedelta(days=1))
        data = encode_commit(
            tree=sink.write("tree", encode_tree(root)),
            parents=(base,),
            author=signed,
            committer=signed,
            message=f"register {shape.total:,} versions\n",
        )
        head = sink.write("commit", data)
        tags = {
            f"refs/tags/{name}": sink.write(
                "tag", encode_tag(name=name, target=head, tagger=signed, message=message)
            )
            for name, message in _tags(shape)
        }
        sink.flush()
        sink.stands()
        _write_refs(place, head, tags)
        TagBook(store, store.view(head).settings).completed(head)


def _model(sink: PackSink, name: str, versions: int) -> Entry:
    value = RegisteredModel(name=name, created=_BEGAN, updated=_BEGAN, description=f"Scores of {name}.")
    text = rendering.render_model(value, None, path=Layout().model_file(name))
    files = {
        f"{number}.yaml": Entry(FILE, sink.write("blob", manifest(name, number)))
        for number in range(1, versions + 1)
    }
    folder = {
        "model.yaml": Entry(FILE, sink.write("blob", text)),
        "versions": Entry(FOLDER, sink.write("tree", encode_tree(files))),
    }
    return Entry(FOLDER, sink.write("tree", encode_tree(folder)))


def _tags(shape: Shape) -> Iterator[tuple[str, str]]:
    for name in map(model_name, range(shape.models)):
        for number in range(1, shape.versions + 1):
            yield f"{name}/v{number}", f"{name} version {number}\n"
        yield f"{name}/Production/1", f"{name} version {PRODUCTION} in Production\n"


def _write_refs(place: Path, head: str, tags: dict[str, str]) -> None:
    # gitformat: git pack-refs --all; 100,000 loose refs first would take minutes.
    lines = ["# pack-refs with: peeled fully-peeled sorted "]
    for name, oid in sorted({"refs/heads/main": head, **tags}.items()):
        lines.append(f"{oid} {name}")
        if name in tags:
            lines.append(f"^{head}")
    (place / "packed-refs").write_text("\n".join(lines) + "\n")
    (place / "refs" / "heads" / "main").unlink()
