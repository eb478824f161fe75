"""The README: its first screen and its Python are run, and its pictures drawn again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shape(text: str) -> str:
    """``text`` without what changes from run to run."""
    return re.sub(r"\b[0-9a-f]{10}\b", "COMMIT", text).strip()


def test_first_screen(tmp_path: Path) -> None:
    block = re.search(r"```console\n(\$ pip install.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block
    here = tmp_path
    steps = re.split(r"^\$ ", block[1], flags=re.MULTILINE)[2:]  # what comes after the installation
    assert len(steps) == 6
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for step in steps:
        command, _, shown = step.partition("\n")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=here,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        printed = shape(done.stdout)
        # The hint about what comes next is for terminals alone.
        expected = "\n".join(line for line in shape(shown).splitlines() if not line.startswith("next: "))
        if "--oneline" in command:
            assert (
                re.sub(r"^COMMIT ", "", expected, flags=re.MULTILINE).splitlines()
                == [
                    line.split("\t")[-1] if "\t" in line else line.removeprefix("COMMIT ")
                    for line in printed.splitlines()
                ][-len(expected.splitlines()) :]
            )
        else:
            assert printed == expected
        if "cd registry" in command:
            here = tmp_path / "registry"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder in which ``registry`` has seven months of history."""
    demo("example.py", str(tmp_path / "registry"))
    return tmp_path


def demo(*command: str) -> None:
    script, *rest = command
    subprocess.run([sys.executable, str(ROOT / "demo" / script), *rest], check=True, capture_output=True)


def test_python(example: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    opened, plugin, client = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert "gitreg+file://" in plugin  # tests/mlflow/test_workflow.py runs the like of it
    said = run_python(opened, example).splitlines()
    assert said[0] == "s3://models/churn/6"
    assert said[1:4] == [
        "2025-06-30 10:00:00+00:00 Grace Hopper churn: transition version 7 to Production (from Staging)",
        "2025-06-12 03:12:00+00:00 Alan Turing churn: roll Production back to version 5",
        "2025-06-04 14:00:00+00:00 Grace Hopper churn: transition version 6 to Production (from Staging)",
    ]
    assert re.match(r"\(Section\(kind='stages'.*key='auc', before=0.905, after=0.93, .*change=0.025", said[4])
    log = subprocess.run(
        ["git", "log", "--format=%s", "-n1"],
        cwd=example / "registry",
        capture_output=True,
        text=True,
        check=True,
    )
    assert log.stdout.strip() == "churn: roll Production back to version 5"
    run_python("import gitreg\n" + client.replace("version=3", "version=8"), example)


def run_python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_are_as_drawn_now(tmp_path: Path) -> None:
    demo("pictures.py", str(tmp_path))
    kept = ROOT / "docs" / "pictures"
    drawn = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    browsers = {"review.png", "web-models.png", "web-version.png"}  # no two browsers draw the same bytes
    assert {*drawn, *browsers} == {file.name for file in kept.iterdir()}
    assert drawn == {name: (kept / name).read_bytes() for name in drawn}, (
        "make them anew: python demo/pictures.py"
    )
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"\(docs/pictures/(\S+)\)", readme)) == {*drawn, *browsers}
