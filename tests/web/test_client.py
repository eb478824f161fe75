"""MLflow's own client over HTTP, on a machine where there is no gitreg: user code, unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mlflow.conftest import needs_mlflow
from tests.web.conftest import Git
from tests.web.serving import Served, served

pytestmark = [pytest.mark.mlflow, needs_mlflow]

WORKFLOW = Path(__file__).parents[1] / "mlflow" / "workflow_script.py"
MODEL = "EmailMarketingCampaign"

# The check stands before the user's code, in the same process.
WITHOUT = """
import importlib.metadata, importlib.util, runpy, sys
assert importlib.util.find_spec("gitreg") is None, "gitreg can be imported"
stores = importlib.metadata.entry_points(group="mlflow.model_registry_store")
assert not any("gitreg" in each.name for each in stores), "it is a plugin"
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert "gitreg" not in sys.modules
"""

AGAIN = f"""
import json, sys
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
client = MlflowClient(registry_uri=sys.argv[1], tracking_uri="sqlite:///:memory:")
told = []
def refused(call, *args, **named):
    try:
        call(*args, **named)
    except MlflowException as error:
        told.append([error.error_code, error.message])
    else:
        told.append(None)
refused(client.create_registered_model, "{MODEL}")
refused(client.get_registered_model, "gone")
refused(client.get_model_version, "{MODEL}", "99")
refused(client.transition_model_version_stage, "{MODEL}", "1", "Shelf")
refused(client.set_registered_model_alias, "{MODEL}", "latest", "1")
refused(client.create_model_version, "{MODEL}", "file:///etc/passwd")
refused(client.search_model_versions, "colour = 'red'")
refused(client.search_registered_models, max_results=10**9)
copied = client.copy_model_version("models:/{MODEL}/1", "Copied")
client.rename_registered_model("Copied", "Renamed")
client.delete_model_version_tag("{MODEL}", "2", "validated")
client.delete_registered_model_tag("{MODEL}", "team")
pages, token = [], None
while True:
    page = client.search_model_versions("name = '{MODEL}'", max_results=1, page_token=token, order_by=["version_number"])
    pages.append([int(version.version) for version in page])
    token = page.token
    if not token:
        break
renamed = client.get_model_version("Renamed", "1")
uri = client.get_model_version_download_uri("{MODEL}", "1")
client.delete_model_version("{MODEL}", "1")
client.delete_registered_model("Renamed")
print(json.dumps(dict(told=told, pages=pages, renamed=[renamed.source, renamed.run_id], uri=uri,
    models=[model.name for model in client.search_registered_models()])))
"""

Run = Callable[..., str]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of this environment but gitreg, for an interpreter that looks nowhere else."""
    folder = tmp_path_factory.mktemp("packages")
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "gitreg" not in entry.name.lower() and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def run(elsewhere: Path, tmp_path: Path) -> Run:
    """Runs a script as a client that has no gitreg; what it prints last."""

    def child(script: Path, *args: object, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, "-S", "-s", "-c", WITHOUT, script, *map(str, args)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(elsewhere), **env},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    return child


def test_the_first_workflow(place: Path, run: Run, git: Git, tmp_path: Path) -> None:
    before = git("rev-parse", "HEAD")
    script = tmp_path / "again.py"
    script.write_text(AGAIN)
    with served(place) as server:
        seen = json.loads(run(WORKFLOW, server.url, tmp_path))
        later = json.loads(
            run(script, server.url, MLFLOW_TRACKING_USERNAME="grace", MLFLOW_TRACKING_PASSWORD="x")
        )
        assert server.log.read_text() == ""

    _, second = seen["runs"]
    assert seen["staged"] == [["2", "Staging"]] or seen["staged"] == [[2, "Staging"]]
    assert len(seen["answers"]) == 3
    assert all(answer == [0, 1, 0, 1] for answer in seen["answers"].values())
    assert [str(seen["champion"][0]), *seen["champion"][1:]] == [
        "2",
        second,
        "Production",
        {"trained": "again", "validated": "yes"},
    ]
    assert seen["model"][:2] == ["Who opens our letters", {"team": "growth"}]
    assert [(stage, str(version)) for stage, version in seen["latest"]] == [
        ("Archived", "1"),
        ("Production", "2"),
    ]
    # Of a logged model the client sends the model's id and no run's, and answers over HTTP have no model's id.
    assert [(stage, of) for _, stage, of in seen["versions"]] == [("Archived", ""), ("Production", second)]
    assert "model_id: m-" in git("show", f"{MODEL}/v1:models/{MODEL}/versions/1.yaml")
    assert seen["models"] == [MODEL]

    codes = [told and told[0] for told in later["told"]]
    assert codes == [
        "RESOURCE_ALREADY_EXISTS",
        "RESOURCE_DOES_NOT_EXIST",
        "RESOURCE_DOES_NOT_EXIST",
        *["INVALID_PARAMETER_VALUE"] * 5,
    ]
    assert later["pages"] == [[1], [2]]
    assert later["renamed"] == [f"models:/{MODEL}/1", ""]
    assert "/artifacts/" in later["uri"] or later["uri"].startswith("models:/")
    assert later["models"] == [MODEL]

    log = git("log", "--reverse", "--format=%an|%s", f"{before}..HEAD").splitlines()
    assert log[:3] == [
        f"Ada Lovelace|{MODEL}: register model",
        f"Ada Lovelace|{MODEL}: register version 1",
        f"Ada Lovelace|{MODEL}: register version 2",
    ]
    assert log[-1].startswith("grace|")
    runs = git(
        "log", "--format=%(trailers:key=Gitreg-Run,valueonly,separator=%x2C)", f"{before}..HEAD"
    ).split()
    assert second in runs
    assert git("status", "--porcelain") == ""
    git("fsck", "--strict")


def test_several_clients_at_once_lose_nothing(place: Path, git: Git, run: Run, tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(
        """
import sys
from concurrent.futures import ThreadPoolExecutor
from mlflow import MlflowClient
client = MlflowClient(registry_uri=sys.argv[1], tracking_uri="sqlite:///:memory:")
client.create_registered_model("m")
with ThreadPoolExecutor(8) as pool:
    made = pool.map(lambda n: int(client.create_model_version("m", f"s3://b/{n}").version), range(40))
print(sorted(made) == list(range(1, 41)))
"""
    )
    with served(place, "--workers", "2") as server:
        assert run(script, server.url) == "True"
        status, said = server.get("model-versions/search?max_results=100")
    assert status == 200
    assert len({version["source"] for version in said["model_versions"]}) == 40
    assert len(git("tag", "--list", "m/v*").split()) == 40


def test_with_no_plugin_a_client_says_so(server: Served, run: Run, tmp_path: Path) -> None:
    """The check above is one: a gitreg URI means nothing to this client."""
    script = tmp_path / "plugin.py"
    script.write_text(
        """
import sys
from mlflow import MlflowClient
try:
    MlflowClient(registry_uri="gitreg+file:///x", tracking_uri="sqlite:///:memory:").search_registered_models()
except Exception as error:
    print(error)
"""
    )
    assert "not supported by the store with URI: 'gitreg+file:///x'" in run(script)
