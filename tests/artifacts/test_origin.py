"""The one entry: which source is described how, and what the command line may override."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gitreg.artifacts.folder import digest_folder
from gitreg.artifacts.origin import as_given, describe, merge
from gitreg.domain.model import Artifact, Code, Dataset, Origin
from gitreg.errors import EnvironmentFailure, InvalidInput

MLMODEL = """\
flavors:
  sklearn:
    sklearn_version: 1.5.2
model_id: m-0123
run_id: 0123456789abcdef0123456789abcdef
signature:
  inputs: '[{"name": "age", "type": "double", "required": true}]'
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "été 1"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "model.pkl").write_bytes(
        b"cos\nsystem\n(S'touch ran'\ntR."
    )  # a pickle that would run a command
    return folder


def test_a_folder_is_registered_under_its_absolute_uri(model: Path, tmp_path: Path) -> None:
    description = describe("models/été 1", env={}, cwd=tmp_path)
    origin = description.origin
    found = digest_folder(model)
    assert description.warnings == ()
    assert origin.source == model.as_uri() and "%20" in origin.source
    assert (origin.run_id, origin.model_id) == ("0123456789abcdef0123456789abcdef", "m-0123")
    assert origin.artifact == Artifact(
        digest=found.digest,
        size=found.size,
        files=found.files,
        flavors={"sklearn": "1.5.2"},
        signature={"inputs": [{"name": "age", "type": "double", "required": True}]},
    )
    assert not (tmp_path / "ran").exists() and not Path("ran").exists()


@pytest.mark.parametrize("spelling", ["absolute", "uri", "dotted", "link"])
def test_every_spelling_of_a_folder_gives_one_origin(model: Path, tmp_path: Path, spelling: str) -> None:
    (tmp_path / "latest").symlink_to(model)
    source = {
        "absolute": str(model),
        "uri": model.as_uri(),
        "dotted": "../" + tmp_path.name + "/models/./été 1/",
        "link": "latest",
    }[spelling]
    assert describe(source, env={}, cwd=tmp_path) == describe("models/été 1", env={}, cwd=tmp_path)


def test_a_given_run_id_wins_over_the_mlmodel_file(model: Path, tmp_path: Path) -> None:
    assert describe(str(model), env={}, cwd=tmp_path, run_id="abc").origin.run_id == "abc"


def test_a_single_file(model: Path, tmp_path: Path) -> None:
    origin = describe(str(model / "model.pkl"), env={}, cwd=tmp_path).origin
    assert origin.artifact == Artifact(
        digest=digest_folder(model / "model.pkl").digest,
        size=(model / "model.pkl").stat().st_size,
        files=origin.artifact.files if origin.artifact else {},
    )
    assert origin.artifact and list(origin.artifact.files) == ["model.pkl"]


def test_a_broken_mlmodel_is_a_warning(model: Path, tmp_path: Path) -> None:
    (model / "MLmodel").write_text("flavors: [")
    description = describe(str(model), env={}, cwd=tmp_path)
    assert description.origin.artifact and description.origin.artifact.digest
    (warning,) = description.warnings
    assert "MLmodel" in warning and "broken" in warning


def test_a_path_that_is_not_there_is_registered_with_a_warning(tmp_path: Path) -> None:
    description = describe("file:///nonexistent/model", env={}, cwd=tmp_path)
    assert description.origin == Origin(source="file:///nonexistent/model")
    (warning,) = description.warnings
    assert "no such file or folder" in warning
    for source in ("modle", "/nonexistent/model", "~/model"):
        with pytest.raises(InvalidInput, match="no file or folder"):
            describe(source, env={}, cwd=tmp_path)


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("gone")
    with pytest.raises(EnvironmentFailure, match="No such file"):
        describe("latest", env={}, cwd=tmp_path)


def test_what_a_folder_may_not_hold_is_an_error(model: Path, tmp_path: Path) -> None:
    (model / "weights").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInput, match="symbolic link"):
        describe(str(model), env={}, cwd=tmp_path)


@pytest.mark.parametrize("source", ["runs:", "runs:/", "runs://"])
def test_a_runs_uri_without_a_run_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="names no run"):
        describe(source, env={}, cwd=tmp_path)


@pytest.mark.parametrize("source", ["runs://profile@databricks/abc/model", "runs:/../model", "runs:/a b/m"])
def test_an_odd_runs_uri_is_refused_or_left_alone(source: str, tmp_path: Path) -> None:
    try:
        description = describe(source, env={}, cwd=tmp_path)
    except InvalidInput:
        assert ".." in source
    else:
        assert description.origin == Origin(source=source) and "runs:/RUN_ID/PATH" in description.warnings[0]


SOURCES_ON_THE_NETWORK = [
    "http://127.0.0.1:{port}/model",
    "http://localhost:{port}/model",
    "http://2130706433:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://0x7f.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "s3://127.0.0.1:{port}/bucket",
    "mlflow-artifacts://127.0.0.1:{port}/1/model",
    "file://127.0.0.1:{port}/share",
    "//127.0.0.1:{port}/share",
    r"\\127.0.0.1@{port}\share",
    "models:/Fraud/1",
]


@pytest.mark.parametrize("source", SOURCES_ON_THE_NETWORK)
def test_d02_no_request_is_made_for_a_source(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        text = source.format(port=listener.getsockname()[1])
        # Names are not even resolved: that too is a request.
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))
        assert describe(text, env={}, cwd=tmp_path).origin == Origin(source=text)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert os.listdir(tmp_path) == []


def test_as_given_looks_at_nothing(model: Path) -> None:
    assert as_given(model.as_uri()).origin == Origin(source=model.as_uri())
    assert as_given("https://h/m?sig=x").warnings
    with pytest.raises(InvalidInput):
        as_given("dbfs:/../x")


def test_merge_prefers_what_was_given_key_by_key() -> None:
    wine, beer = Dataset(name="wine", digest="1"), Dataset(name="beer")
    origin = Origin(
        source="s3://b/m",
        run_id="r1",
        experiment="e1",
        code=Code(commit="c1", path="train.py"),
        datasets=(wine, beer),
        parents=("models:/A/1",),
        params={"C": "1", "depth": "3"},
        metrics={"auc": 0.9, "loss": 0.1},
        artifact=Artifact(digest="sha256:0"),
    )
    assert merge(origin) == origin
    newer = Dataset(name="wine", digest="2")
    merged = merge(
        origin,
        run_id="r2",
        code=Code(commit="c2"),
        datasets=[newer],
        parents=["models:/B/2", "models:/A/1"],
        params={"C": "2"},
        metrics={"auc": 0.95, "f1": 0.8},
    )
    assert (merged.run_id, merged.experiment, merged.code) == ("r2", "e1", Code(commit="c2"))
    assert merged.datasets == (beer, newer)
    assert merged.parents == ("models:/A/1", "models:/B/2")
    assert merged.params == {"C": "2", "depth": "3"}
    assert merged.metrics == {"auc": 0.95, "loss": 0.1, "f1": 0.8}
    assert (merged.source, merged.artifact) == (origin.source, origin.artifact)
