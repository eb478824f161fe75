"""Every kind of store that MLflow reads: tables, a server, a folder; and all of them tell the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import gitreg
from gitreg.importers.mlflow.place import Place, place_of
from gitreg.importers.mlflow.source import open_source
from gitreg.importers.mlflow.values import LoggedFacts, RunFacts, SourceModel, SourceVersion
from tests.importers.conftest import Run, Store, filled, needs_mlflow
from tests.importers.fill_store import CHURN, GONE_RUN, PROMPT, UNICODE
from tests.mlflow.webserver import mlflow_server

pytestmark = [needs_mlflow, pytest.mark.mlflow]

LEFT_BEHIND = 3
Everything = tuple[
    dict[str, SourceModel], dict[str, list[SourceVersion]], dict[str, RunFacts], dict[str, LoggedFacts]
]


def everything(place: Place, store: Store, *, by_client: bool) -> Everything:
    with open_source(place, place, by_client=by_client) as source:
        models = {model.name: model for model in source.listing.models()}
        versions = {name: list(source.listing.versions(model)) for name, model in models.items()}
        assert source.tracking is not None
        runs = source.tracking.runs([store.ids["run"], GONE_RUN, store.ids["trashed"]])
        logged = source.tracking.logged_models([store.ids["logged"], "m-none"])
    return models, versions, runs, logged


def same_metrics(found: Everything) -> Everything:
    """NaN is unlike itself: it is compared as text."""
    models, versions, runs, logged = found
    runs = {
        key: replace(run, metrics={name: str(value) for name, value in run.metrics.items()})  # type: ignore[misc]
        for key, run in runs.items()
    }
    return models, versions, runs, logged


@pytest.fixture(scope="module")
def tables(original: Store) -> Everything:
    return same_metrics(everything(place_of(original.uri, cwd=Path("/")), original, by_client=False))


@pytest.fixture(scope="module")
def server(original: Store) -> Iterator[str]:
    """MLflow's own server before the same database."""
    with mlflow_server(original.file.parent, original.uri, workers=1) as address:
        yield address


def test_client_and_tables_tell_the_same(original: Store, tables: Everything) -> None:
    found = everything(place_of(original.uri, cwd=Path("/")), original, by_client=True)
    assert set(tables[2]) == {original.ids["run"], original.ids["trashed"]}
    assert set(tables[3]) == {original.ids["logged"]}
    assert same_metrics(found) == tables


def test_a_server_tells_the_same(original: Store, tables: Everything, server: str) -> None:
    found = everything(place_of(server, cwd=Path("/")), original, by_client=False)
    assert same_metrics(found) == tables


def test_from_a_server_the_registry_is_the_same(
    run: Run, original: Store, server: str, place: Path, tmp_path: Path
) -> None:
    run("import", "mlflow", server, code=LEFT_BEHIND)
    other = tmp_path / "from-tables"
    run("init", str(other))
    run("--registry", str(other), "import", "mlflow", original.uri, code=LEFT_BEHIND)
    mine, theirs = gitreg.open(place), gitreg.open(other)
    for name in (CHURN, UNICODE, PROMPT, "late gap"):
        assert mine.model(name) == theirs.model(name)
        assert mine.versions(name) == theirs.versions(name)
    assert run("import", "mlflow", server, "--json", code=LEFT_BEHIND).json["commits"] == 0
    # The tables of the same store are another way to the same place.
    assert run("import", "mlflow", original.uri, "--json", code=LEFT_BEHIND).json["commits"] == 0


def test_registry_and_runs_in_different_places(run: Run, original: Store, server: str, place: Path) -> None:
    run("import", "mlflow", original.uri, "--tracking-uri", server, "--models", CHURN)
    assert gitreg.open(place).version(f"{CHURN}/1").metrics["auc"] == 0.93


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in files, as MLflow made them before it gave them up."""
    return filled(f"file://{tmp_path_factory.mktemp('files')}/mlruns")


def test_a_folder(run: Run, folder: Store, place: Path) -> None:
    path = folder.uri.removeprefix("file://")
    before = sorted(str(each) for each in Path(path).rglob("*"))
    result = run("import", "mlflow", path, code=LEFT_BEHIND)
    assert "left behind: fraud: " in result.err
    registry = gitreg.open(place)
    assert [v.version for v in registry.versions(CHURN)] == [8, 7, 6, 5, 4, 2, 1]
    assert registry.version(f"{CHURN}/5").origin.model_id == folder.ids["logged"]
    assert registry.version(f"{CHURN}/5").metrics["recall"] == 0.75
    assert registry.version(f"{CHURN}/1").params["note"] == "äöü = yes"
    assert registry.version(f"{CHURN}@champion").version == 4
    assert list(registry.version(f"{CHURN}/7").stages) == ["Staging"]
    assert registry.model(PROMPT).aliases == {"best": 2}
    assert registry.versions("late gap")[0].version == 3
    assert run("import", "mlflow", folder.uri, "--json", code=LEFT_BEHIND).json["commits"] == 0
    assert sorted(str(each) for each in Path(path).rglob("*")) == before
    assert not (place / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("uri", "made"),
    [
        ("sqlite:///mlflow.db", "sqlite:////work/mlflow.db"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("mlruns", "file:///work/mlruns"),
        ("/data/mlruns", "file:///data/mlruns"),
        ("http://host:5000", "http://host:5000"),
    ],
)
def test_relative_places_are_made_whole(uri: str, made: str) -> None:
    assert place_of(uri, cwd=Path("/work")).uri == made


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://ada:secret@host:5000/x", "http://host:5000/x"),
        ("postgresql://ada:secret@host/db?sslpassword=other", "postgresql://ada@host/db"),
        ("mysql+pymysql://ada:p%40ss@host/db", "mysql+pymysql://ada@host/db"),
    ],
)
def test_places_are_shown_without_secrets(uri: str, shown: str) -> None:
    place = place_of(uri, cwd=Path("/"))
    assert str(place) == shown
    said = place.scrubbed(f"could not connect to {uri}: secret, p%40ss, p@ss and other are wrong")
    for word in ("secret", "p%40ss", "p@ss"):
        assert word not in said or word not in uri.replace("%40", "@") + uri


@pytest.mark.parametrize("name", ["old.db", "old.sqlite3", "plain"])
def test_a_file_is_not_taken_for_a_folder(run: Run, tmp_path: Path, name: str) -> None:
    if name == "plain":
        (tmp_path / name).write_text("")
    for verb in ("import", "export"):
        done = run(verb, "mlflow", str(tmp_path / name), code=3)
        assert f"sqlite:///{tmp_path / name}" in done.err
    assert not (tmp_path / name).is_dir()


def test_a_version_whose_time_is_no_date_is_told_and_left_out(run: Run, store: Store, place: Path) -> None:
    with store.database() as database:
        database.execute(
            "UPDATE model_versions SET creation_time = 100000000000000000 WHERE name = 'churn' AND version = 8"
        )
    done = run("import", "mlflow", store.uri, code=LEFT_BEHIND)
    assert "churn/8" in done.err and "its time is no date" in done.err
    with gitreg.open(place) as registry:
        numbers = {version.version for version in registry.versions(CHURN)}
    assert 8 not in numbers and numbers
