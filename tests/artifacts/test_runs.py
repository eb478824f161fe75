"""Runs and logged models, read from real MLflow stores."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitreg.artifacts.folder import digest_folder
from gitreg.artifacts.origin import describe
from gitreg.artifacts.runs import look_up
from gitreg.domain.model import Dataset

# Importing MLflow here would start its telemetry: gitreg's own lazy import is what is tested.
missing = not (importlib.util.find_spec("mlflow") and importlib.util.find_spec("sklearn"))
pytestmark = [
    pytest.mark.mlflow,
    pytest.mark.skipif(missing, reason="needs MLflow and scikit-learn"),
    pytest.mark.xdist_group("mlflow"),  # one server and one training serve all of them
]

SIGNATURE = {
    "inputs": [{"type": "double", "name": "alcohol", "required": True}],
    "outputs": [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A tracking folder with ``mlflow.db`` and ``artifacts``, what was logged there and to a server."""

    folder: Path
    run_id: str
    model_id: str
    server: str
    served_run_id: str
    served_model_id: str
    served_experiment_id: str

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder / 'mlflow.db'}"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    """A small classifier of wines, logged in a process of its own, as a user's training is."""
    folder = tmp_path_factory.mktemp("tracking")
    script = Path(__file__).with_name("log_wine.py")
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    # Without its job runners the server starts one process instead of ten.
    server_env = {**env, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with tracking_server(tmp_path_factory.mktemp("server"), server_env) as address:
        done = subprocess.run(
            [sys.executable, script, folder, address], capture_output=True, text=True, check=True, env=env
        )
        lines = [line.split() for line in done.stdout.splitlines()]
        here, there = (words[1:] for words in lines if words[0] == "logged")
        yield Logged(
            folder=folder,
            run_id=here[0],
            model_id=here[1],
            server=address,
            served_run_id=there[0],
            served_model_id=there[1],
            served_experiment_id=there[2],
        )


@contextlib.contextmanager
def tracking_server(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """A real tracking server with its own database, which passes its artifacts on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", (folder / "artifacts").as_uri()]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def entries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_run_tells_all_of_its_lineage(logged: Logged, tmp_path: Path) -> None:
    source = f"runs:/{logged.run_id}/model"
    before = snapshot(logged.folder)
    description = describe(source, env={"MLFLOW_TRACKING_URI": logged.uri}, cwd=tmp_path)
    assert description.warnings == ()
    origin = description.origin
    assert (origin.source, origin.run_id, origin.run_link) == (source, logged.run_id, None)
    assert (origin.experiment, origin.model_id) == ("wine quality", logged.model_id)
    assert origin.params == {"C": "3", "note": "é"}
    assert origin.metrics["accuracy"] == 0.9
    assert math.isnan(origin.metrics["undefined"])
    assert (origin.metrics["over"], origin.metrics["under"]) == (math.inf, -math.inf)
    digest = origin.datasets[0].digest
    dataset = Dataset(name="wine", uri="https://example.org/wine.csv", digest=digest)
    assert digest and origin.datasets == (dataset,)
    assert origin.code and origin.code.repository == "https://example.org/wine.git"
    assert origin.code.commit == "0123456789abcdef0123456789abcdef01234567" and origin.code.dirty is True
    assert origin.code.path and origin.code.path.endswith("log_wine.py")
    artifact = origin.artifact
    assert artifact and artifact.uri
    local = Path(artifact.uri.removeprefix("file://"))
    found = digest_folder(local)
    assert (artifact.digest, artifact.size, artifact.files) == (found.digest, found.size, found.files)
    assert "MLmodel" in artifact.files
    assert set(artifact.flavors) == {"python_function", "sklearn"}
    assert artifact.signature == SIGNATURE
    assert snapshot(logged.folder) == before
    assert entries(tmp_path) == []


def test_a_logged_model_leads_to_its_run(logged: Logged, tmp_path: Path) -> None:
    env = {"MLFLOW_TRACKING_URI": logged.uri}
    by_model, warnings = look_up(f"models:/{logged.model_id}", env=env, cwd=tmp_path)
    by_run, _ = look_up(f"runs:/{logged.run_id}/model", env=env, cwd=tmp_path)
    assert by_model and by_run and warnings == ()
    assert (by_model.run_id, by_model.artifact) == (logged.run_id, by_run.artifact)
    assert math.isnan(by_model.metrics["undefined"])
    # Logged after the model: the run's latest value is not what this model scored when it was made.
    assert (by_model.metrics["accuracy"], by_run.metrics["accuracy"]) == (0.8, 0.9)


def test_a_file_inside_the_model_and_one_of_the_run(logged: Logged, tmp_path: Path) -> None:
    env = {"MLFLOW_TRACKING_URI": logged.uri}
    inside, _ = look_up(f"runs:/{logged.run_id}/model/MLmodel", env=env, cwd=tmp_path)
    assert inside and inside.artifact and list(inside.artifact.files) == ["MLmodel"]
    beside, _ = look_up(f"runs:/{logged.run_id}/notes.txt", env=env, cwd=tmp_path)
    assert beside and beside.artifact and beside.artifact.size == len("fine")


def test_a_local_folder_with_a_run_id_keeps_its_own_digest(logged: Logged, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "weights").write_text("x")
    env = {"MLFLOW_TRACKING_URI": logged.uri}
    description = describe("copy", env=env, cwd=tmp_path, run_id=logged.run_id)
    origin = description.origin
    assert description.warnings == ()
    assert origin.source == (tmp_path / "copy").as_uri()
    assert origin.metrics["accuracy"] == 0.9 and origin.run_id == logged.run_id
    assert origin.artifact and origin.artifact.digest == digest_folder(tmp_path / "copy").digest
    assert origin.artifact.uri is None


def test_an_mlflow_folder_names_its_own_run(logged: Logged, tmp_path: Path) -> None:
    artifact = describe(f"runs:/{logged.run_id}/model", env={"MLFLOW_TRACKING_URI": logged.uri}, cwd=tmp_path)
    assert artifact.origin.artifact and artifact.origin.artifact.uri
    described = describe(artifact.origin.artifact.uri, env={"MLFLOW_TRACKING_URI": logged.uri}, cwd=tmp_path)
    assert described.origin.run_id == logged.run_id
    assert described.origin.params == {"C": "3", "note": "é"}


def test_the_store_in_the_current_folder_is_found(logged: Logged, tmp_path: Path) -> None:
    source = f"runs:/{logged.run_id}/model"
    found, warnings = look_up(source, env={}, cwd=logged.folder)
    assert found and found.experiment == "wine quality" and warnings == ()
    relative, _ = look_up(source, env={"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, cwd=logged.folder)
    assert relative == found or (relative and math.isnan(relative.metrics["undefined"]))
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "no MLflow tracking store is configured; set MLFLOW_TRACKING_URI"),
        ("sqlite:///{cwd}/absent.db", "there is no database"),
        ("sqlite:///absent/mlflow.db", "there is no database"),
        ("sqlite://", "not found"),
        ("{cwd}/mlruns", "there is no folder"),
        ("mlruns", "there is no folder"),
        ("file:///{cwd}/mlruns", "there is no folder"),
        ("http://127.0.0.1:9", "127.0.0.1"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_nothing_is_created_where_there_is_no_store(uri: str, reason: str, tmp_path: Path) -> None:
    source = "runs:/0123456789abcdef0123456789abcdef/model"
    start = time.monotonic()
    description = describe(source, env={"MLFLOW_TRACKING_URI": uri.format(cwd=tmp_path)}, cwd=tmp_path)
    assert description.origin.source == source and description.origin.params == {}
    (warning,) = description.warnings
    assert warning.startswith(f"{source} is registered as given") and reason in warning
    assert entries(tmp_path) == []
    assert time.monotonic() - start < 20


def test_a_missing_run_or_artifact_is_said(logged: Logged, tmp_path: Path) -> None:
    env = {"MLFLOW_TRACKING_URI": logged.uri}
    missing, (warning,) = look_up("runs:/0123456789abcdef/model", env=env, cwd=tmp_path)
    assert missing is None and "0123456789abcdef" in warning and "mlflow.db" in warning
    found, (warning,) = look_up(f"runs:/{logged.run_id}/modle", env=env, cwd=tmp_path)
    assert found and found.params and "there is no artifact at" in warning


@pytest.mark.parametrize("revision", ["0584bdc529eb", "ffffffffffff", None])
def test_a_database_of_another_mlflow_is_not_migrated(
    logged: Logged, tmp_path: Path, revision: str | None
) -> None:
    database = tmp_path / "mlflow.db"
    shutil.copyfile(logged.folder / "mlflow.db", database)
    with sqlite3.connect(database) as connection:
        # A missing table is what makes MLflow migrate without asking.
        connection.execute("DROP TABLE logged_model_tags")
        connection.execute("DELETE FROM alembic_version")
        if revision:
            connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
    connection.close()
    before = snapshot(tmp_path)
    found, (warning,) = look_up(f"runs:/{logged.run_id}/model", env={}, cwd=tmp_path)
    assert found is None and "mlflow db upgrade" in warning
    assert snapshot(tmp_path) == before


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("hello")
    found, (warning,) = look_up("runs:/0123456789abcdef/model", env={}, cwd=tmp_path)
    assert found is None and "not a database" in warning
    assert snapshot(tmp_path) == {"mlflow.db": b"hello"}


def test_the_folders_of_a_file_store_are_read(logged: Logged, tmp_path: Path) -> None:
    """MLflow 3.13 and later refuse ``mlruns`` by default; a look at one needs no permission."""
    code = (
        "import mlflow\n"
        "with mlflow.start_run() as run:\n"
        "    mlflow.log_params({'C': 1}); mlflow.log_metric('auc', float('-inf'))\n"
        "    mlflow.log_text('fine', 'model/notes.txt')\n"
        "print(run.info.run_id)\n"
    )
    env = {
        **os.environ,
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": "mlruns",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    run_id = done.stdout.split()[-1]
    before = entries(tmp_path)
    found, warnings = look_up(f"runs:/{run_id}/model", env={}, cwd=tmp_path)
    assert found and warnings == ()
    assert (found.params, found.metrics, found.experiment) == ({"C": "1"}, {"auc": -math.inf}, "Default")
    assert found.artifact and list(found.artifact.files) == ["notes.txt"]
    assert entries(tmp_path) == before
    (tmp_path / "mlruns" / ".trash").rmdir()  # as Git leaves it out of a clone
    found, (warning,) = look_up(f"runs:/{run_id}/model", env={}, cwd=tmp_path)
    assert found is None and "mkdir" in warning and not (tmp_path / "mlruns" / ".trash").exists()


def test_mlflow_is_not_imported_and_says_nothing(logged: Logged, tmp_path: Path) -> None:
    """In a process of its own: imports are lazy, logs are quiet, the environment is as before."""
    code = (
        "import os, sys, logging\n"
        "from pathlib import Path\n"
        "from gitreg.artifacts.origin import describe\n"
        "heavy = {'mlflow', 'git', 'jsonschema', 'rich', 'sqlalchemy'}\n"
        "here, environ = Path.cwd(), dict(os.environ)\n"
        "describe('s3://bucket/model', env=environ, cwd=here)\n"
        "describe('runs:/0123456789abcdef/model', env={}, cwd=here)\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert describe(sys.argv[1], env=environ, cwd=here).origin.params\n"
        "assert dict(os.environ) == environ, set(os.environ.items()) ^ set(environ.items())\n"
        "assert logging.root.manager.disable == 0\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "assert get_telemetry_client() is None\n"
    )
    env = {k: v for k, v in os.environ.items() if "MLFLOW_" not in k}
    done = subprocess.run(
        [sys.executable, "-c", code, f"runs:/{logged.run_id}/model"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**env, "MLFLOW_TRACKING_URI": logged.uri},
    )
    assert (done.stderr, done.stdout, done.returncode) == ("", "", 0)
    assert entries(tmp_path) == []


def test_a_tracking_server_gives_a_link_and_what_it_passes_on(logged: Logged, tmp_path: Path) -> None:
    user = logged.server.replace("http://", "http://me:hunter2@")
    source = f"runs:/{logged.served_run_id}/model"
    description = describe(source, env={"MLFLOW_TRACKING_URI": f"{user}/"}, cwd=tmp_path)
    origin = description.origin
    assert description.warnings == ()
    page = f"/#/experiments/{logged.served_experiment_id}/runs/{logged.served_run_id}"
    assert origin.run_link == logged.server + page
    assert (origin.model_id, origin.experiment) == (logged.served_model_id, "wine served")
    assert origin.metrics["accuracy"] == 0.9
    artifact = origin.artifact
    assert artifact and artifact.uri and artifact.uri.startswith("mlflow-artifacts:")
    assert set(artifact.flavors) == {"python_function", "sklearn"} and artifact.signature == SIGNATURE
    assert (artifact.digest, dict(artifact.files)) == (None, {}) and artifact.size
    env = {"MLFLOW_TRACKING_URI": logged.server}
    direct = describe(artifact.uri, env=env, cwd=tmp_path, run_id=logged.served_run_id).origin
    assert direct.artifact and direct.artifact.signature == SIGNATURE and direct.artifact.uri is None
    assert "hunter2" not in repr(description)
