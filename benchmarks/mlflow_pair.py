"""The same registry twice: in MLflow's SQLite store and as a Git repository, filled from one description."""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from fixtures import BEGAN, PARAMS, PERSON, Shape, Tagged, metrics, model_name, source, write_refs
from workshop import Recipe, Workshop

from gitreg.domain.model import ModelVersion, Origin, RegisteredModel
from gitreg.gitstore.objects import Signature, encode_commit, encode_tag
from gitreg.gitstore.pack import PackSink
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FILE, FOLDER, Entry, encode_tree
from gitreg.manifest import rendering
from gitreg.manifest.layout import Layout
from gitreg.registry.entities import milliseconds
from gitreg.registry.store import Store
from gitreg.registry.tagbook import TagBook

RARE = 1000
"""One version in so many has the tag ``audit``; each second one has the tag ``team`` with ``TEAM``."""

TEAM = "risk"


def run_id(model: int, version: int) -> str:
    """The run that a version came from: a different one for each."""
    return f"{model:08x}{version:024x}"


def held(shape: Shape) -> dict[str, int]:
    """Which version of every model holds which stage."""
    return {"Production": max(1, shape.versions // 2), "Staging": shape.versions // 2 + 1}


def described(shape: Shape, model: int) -> RegisteredModel:
    """The registered model with that number."""
    stages = held(shape)
    return RegisteredModel(
        name=model_name(model),
        created=BEGAN,
        updated=BEGAN,
        description=f"Scores of {model_name(model)}.",
        tags={"team": TEAM},
        aliases={"champion": stages["Production"], "challenger": stages["Staging"]},
    )


def versions(shape: Shape, model: int) -> Iterator[ModelVersion]:
    """Its versions, in order; each was last updated when it was made."""
    stages = held(shape)
    for number in range(1, shape.versions + 1):
        when = BEGAN + timedelta(minutes=number * shape.models + model)
        tags = {"framework": "sklearn", "team": TEAM if (model + number) % 2 else "growth"}
        if (model * shape.versions + number) % RARE == 1:
            tags["audit"] = "yes"
        yield ModelVersion(
            name=model_name(model),
            version=number,
            created=when,
            updated=when,
            origin=Origin(
                source=source(model_name(model), number),
                run_id=run_id(model, number),
                params=PARAMS,
                metrics=metrics(number),
            ),
            stages={stage: when for stage, holder in stages.items() if holder == number},
            description="Trained by the nightly job.",
            tags=tags,
        )


# The side of Git


def fill(place: Path, shape: Shape) -> None:
    """Put everything into one commit on top of the first, as an import with ``--squash`` does."""
    with Store(Repository.at(place)) as store:
        sink = PackSink(place / "objects", store.repository.algorithm)
        base = store.branch().commit
        assert base is not None  # the registry was just made
        folders = {model_name(model): _folder(sink, shape, model) for model in range(shape.models)}
        root = dict(store.reader.tree(store.reader.commit(base).tree))
        root["models"] = Entry(FOLDER, sink.write("tree", encode_tree(folders)))
        signed = Signature(person=PERSON, when=BEGAN + timedelta(minutes=shape.total + shape.models))
        data = encode_commit(
            tree=sink.write("tree", encode_tree(root)),
            parents=(base,),
            author=signed,
            committer=signed,
            message=f"register {shape.total:,} versions\n",
        )
        head = sink.write("commit", data)
        tags = {}
        for name, message in _tags(shape):
            tag = encode_tag(name=name, target=head, tagger=signed, message=message)
            tags[name] = Tagged(oid=sink.write("tag", tag), target=head)
        sink.flush()
        sink.stands()
        write_refs(place, head, tags)
        TagBook(store, store.view(head).settings).completed(head)


def _folder(sink: PackSink, shape: Shape, model: int) -> Entry:
    name, layout = model_name(model), Layout()
    text = rendering.render_model(described(shape, model), None, path=layout.model_file(name))
    files = {}
    for version in versions(shape, model):
        path = layout.version_file(name, version.version)
        blob = sink.write("blob", rendering.render_version(version, None, path=path))
        files[f"{version.version}.yaml"] = Entry(FILE, blob)
    folder = {
        "model.yaml": Entry(FILE, sink.write("blob", text)),
        "versions": Entry(FOLDER, sink.write("tree", encode_tree(files))),
    }
    return Entry(FOLDER, sink.write("tree", encode_tree(folder)))


def _tags(shape: Shape) -> Iterator[tuple[str, str]]:
    for name in map(model_name, range(shape.models)):
        for number in range(1, shape.versions + 1):
            yield f"{name}/v{number}", f"{name} version {number}\n"
        for stage, number in held(shape).items():
            yield f"{name}/{stage}/1", f"{name} version {number} in {stage}\n"


PAIR = Recipe(name="pair", fill=fill)


# The side of MLflow


def database(workshop: Workshop, shape: Shape) -> Path:
    """An SQLite file as MLflow's store makes it, filled without its API; for who only reads."""
    place = workshop.folder / f"pair-{shape.models}x{shape.versions}.db"
    if not place.exists():
        aside = place.with_suffix(".making")
        aside.unlink(missing_ok=True)
        _schema(aside)
        with sqlite3.connect(aside) as db:
            for table, columns, rows in _rows(shape):
                marks = ", ".join("?" for _ in columns.split(","))
                db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        db.close()
        aside.rename(place)
    return place


def _schema(place: Path) -> None:
    """The tables, made by MLflow itself when its store is first opened."""
    from mlflow import MlflowClient  # slow to start: who measures nothing of MLflow does without

    uri = f"sqlite:///{place}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_registered_models()


def _rows(shape: Shape) -> Iterator[tuple[str, str, Iterator[tuple[object, ...]]]]:
    """Table, columns and rows."""
    numbers = range(shape.models)
    models = [described(shape, model) for model in numbers]
    yield (
        "registered_models",
        "name, creation_time, last_updated_time, description",
        ((each.name, _at(each.created), _at(each.updated), each.description) for each in models),
    )
    yield (
        "registered_model_tags",
        "name, key, value",
        ((each.name, *tag) for each in models for tag in each.tags.items()),
    )
    yield (
        "registered_model_aliases",
        "name, alias, version",
        ((each.name, *alias) for each in models for alias in each.aliases.items()),
    )
    yield (
        "model_versions",
        "name, version, creation_time, last_updated_time, description, current_stage, source, run_id, "
        "status, storage_location",
        (_version(each) for model in numbers for each in versions(shape, model)),
    )
    yield (
        "model_version_tags",
        "name, version, key, value",
        (
            (each.name, each.version, *tag)
            for model in numbers
            for each in versions(shape, model)
            for tag in each.tags.items()
        ),
    )


def _version(each: ModelVersion) -> tuple[object, ...]:
    times = (_at(each.created), _at(each.updated))
    stage = next(iter(each.stages), "None")
    return (
        each.name,
        each.version,
        *times,
        each.description,
        stage,
        each.source,
        each.run_id,
        each.status,
        each.source,
    )


def _at(moment: datetime) -> int:
    return milliseconds(moment)


def copied(workshop: Workshop, shape: Shape) -> Path:
    """A database of its own, for who writes."""
    place = workshop.place()
    place.mkdir()
    return Path(shutil.copyfile(database(workshop, shape), place / "mlflow.db"))
