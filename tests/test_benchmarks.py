"""The registries that speed is measured on are such as gitreg's own commands would have made."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.domain.changes import subject
from gitreg.registry.open import open_registry

ROOT = Path(__file__).resolve().parents[1]
_MODELS, _VERSIONS = 3, 100
_MAKE = f"""
import sys
from pathlib import Path
from workshop import HISTORY, Shape, Workshop

print(Workshop(Path(sys.argv[1])).original(Shape(models={_MODELS}, versions={_VERSIONS}), HISTORY))
"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    who = ("AUTHOR_NAME=T", "AUTHOR_EMAIL=t@e", "COMMITTER_NAME=T", "COMMITTER_EMAIL=t@e")
    done = subprocess.run(
        [sys.executable, "-c", _MAKE, str(folder)],
        cwd=ROOT / "benchmarks",
        env={**os.environ, **{f"GIT_{each.partition('=')[0]}": each.partition("=")[2] for each in who}},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def test_git_finds_no_fault(past: Path) -> None:
    asked = ["git", "-C", str(past), "fsck", "--strict", "--full"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("check", f"checked {_MODELS * (_VERSIONS + 1) + 1} files: no findings\n"),
        ("doctor", "all is well\n"),
    ],
)
def test_gitreg_finds_no_fault(
    past: Path, command: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run([command, "--registry", str(past)]) == 0
    assert "".join(capsys.readouterr()) == words


def test_every_commit_is_what_its_message_says(past: Path) -> None:
    with open_registry(past) as registry:
        entries = [entry for entry in registry.log() if entry.commit.parents]
    assert len(entries) == _MODELS * _VERSIONS * 11 // 10
    assert [subject(entry.changes) for entry in entries] == [entry.commit.subject for entry in entries]
    times = [entry.commit.commit_time for entry in entries]
    assert {(a - b).total_seconds() for a, b in pairwise(times)} == {60}
    assert len({entry.commit.author for entry in entries}) == 5
    events = {change.event for entry in entries for change in entry.changes}
    assert events == {"register", "transition", "alias", "tag", "update", "evaluate", "deprecate"}


def test_a_tag_that_was_lost_is_made_again_as_it_was(past: Path) -> None:
    def tags() -> set[str]:
        asked = ["git", "-C", str(past), "for-each-ref", "refs/tags"]
        return set(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines())

    before = tags()
    lost = ["model-0000/v7", "model-0002/Production/2", "model-0001/Archived/1"]
    subprocess.run(["git", "-C", str(past), "tag", "--delete", *lost], capture_output=True, check=True)
    assert len(tags()) == len(before) - len(lost)
    assert app.run(["doctor", "--registry", str(past)]) == 0
    assert tags() == before


@pytest.mark.mlflow
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("mlflow-store", "get_model_version, 100 versions (10 × 10)"),
        ("mlflow-http", "model-versions/get, 100 versions (10 × 10)"),
        ("mlflow-import", "`--squash`, 100 versions (10 × 10)"),
    ],
)
def test_mlflow_is_measured_with_equal_answers(name: str, rows: str, tmp_path: Path) -> None:
    command = [sys.executable, "run.py", "--quick", "--only", name, "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"| {rows} |" in done.stdout
