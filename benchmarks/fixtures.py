"""Registries of any size in seconds: gitreg's own objects, put into packs without its write path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from gitreg.domain.model import ModelVersion, Origin, RegisteredModel
from gitreg.gitstore.objects import Person, Signature, encode_commit, encode_tag
from gitreg.gitstore.pack import PackSink
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FILE, FOLDER, Entry, encode_tree
from gitreg.manifest import rendering
from gitreg.manifest.layout import Layout
from gitreg.registry.store import Store
from gitreg.registry.tagbook import TagBook

PERSON = Person(name="Bench Mark", email="bench@example.com")
PARAMS = {"criterion": "gini", "max_depth": "8", "n_estimators": "200", "random_state": "42"}
TAGS = {"team": "risk", "framework": "sklearn"}
PRODUCTION = 50  # the version of each model that holds the stage
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


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
    when = BEGAN + timedelta(minutes=version)
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


def fill(place: Path, shape: Shape) -> None:
    """Put all models and versions into one commit on top of the first, with their tags."""
    repository = Repository.at(place)
    with Store(repository) as store:
        sink = PackSink(place / "objects", repository.algorithm)
        base = store.branch().commit
        assert base is not None  # the registry was just made
        models = {model_name(n): _model(sink, model_name(n), shape.versions) for n in range(shape.models)}
        root = dict(store.reader.tree(store.reader.commit(base).tree))
        root["models"] = Entry(FOLDER, sink.write("tree", encode_tree(models)))
        signed = Signature(person=PERSON, when=BEGAN + timedelta(days=1))
        data = encode_commit(
            tree=sink.write("tree", encode_tree(root)),
            parents=(base,),
            author=signed,
            committer=signed,
            message=f"register {shape.total:,} versions\n",
        )
        head = sink.write("commit", data)
        tags = {
            name: Tagged(
                oid=sink.write("tag", encode_tag(name=name, target=head, tagger=signed, message=message)),
                target=head,
            )
            for name, message in _tags(shape)
        }
        sink.flush()
        sink.stands()
        write_refs(place, head, tags)
        TagBook(store, store.view(head).settings).completed(head)


def _model(sink: PackSink, name: str, versions: int) -> Entry:
    value = RegisteredModel(name=name, created=BEGAN, updated=BEGAN, description=f"Scores of {name}.")
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


class Tagged(NamedTuple):
    """A tag object, and the commit that it is on."""

    oid: str
    target: str


def write_refs(place: Path, head: str, tags: Mapping[str, Tagged]) -> None:
    """Make the branch and all tags (by their names) in one packed file, as ``git pack-refs --all`` does.

    100,000 loose refs first would take minutes.
    """
    lines = ["# pack-refs with: peeled fully-peeled sorted ", f"{head} refs/heads/main"]
    for name in sorted(tags):  # gitformat: in the order of their bytes
        lines += [f"{tags[name].oid} refs/tags/{name}", f"^{tags[name].target}"]
    (place / "packed-refs").write_text("\n".join(lines) + "\n")
    (place / "refs" / "heads" / "main").unlink()
