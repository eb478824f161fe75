"""``gitreg hook validate``: one file alone, and how little it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from gitreg.cli import app
from gitreg.githooks.validate import main, validate
from tests.githooks.conftest import VERSION, Clone

HEAVY = ("click", "jsonschema", "git", "rich", "subprocess", "gitreg.gitstore", "gitreg.registry")


def run(clone: Clone, *files: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gitreg", "hook", "validate", *files]
    return subprocess.run(command, cwd=clone.folder, capture_output=True, text=True, check=False)


def test_good_files_say_nothing(first: Clone) -> None:
    done = run(first, "gitreg.yaml", "models/churn/model.yaml", VERSION.format(1))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fault_is_told_with_its_place(first: Clone) -> None:
    first.edit(VERSION.format(1), "version: 1", "version: 7")
    done = run(first, VERSION.format(1), VERSION.format(2))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{VERSION.format(1)}:2:10: error[GR016]: ")


def test_stages_are_those_of_the_registry(first: Clone) -> None:
    first.edit("gitreg.yaml", "- Production", "- Live")
    assert "error[GR012]" in run(first, VERSION.format(1)).stdout


def test_a_registry_in_a_folder(first: Clone, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    first.folder.rename(tmp_path / "big" / "ml")
    big = Clone(tmp_path / "big")
    big.edit(f"ml/{VERSION.format(1)}", "version: 1", "version: 7")
    assert f"ml/{VERSION.format(1)}:2:10: error[GR016]" in run(big, f"ml/{VERSION.format(1)}").stdout


def test_what_belongs_to_no_registry_is_passed_over(tmp_path: Path) -> None:
    other = Clone(tmp_path)
    other.write("models/layers.yaml", "a: 1\na: 2\n")
    assert run(other, "models/layers.yaml").returncode == 0


@pytest.mark.parametrize("kind", ["link", "executable"])
def test_a_file_of_another_kind(first: Clone, kind: str) -> None:
    path = first.folder / VERSION.format(1)
    if kind == "link":
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")
    else:
        path.chmod(0o755)
    findings = validate([str(path)])
    assert [each.code for each in findings] == ["GR107"]


def test_a_removed_file_is_for_the_whole_registrys_check(first: Clone) -> None:
    (first.folder / VERSION.format(1)).unlink()
    assert main([str(first.folder / VERSION.format(1))]) == 0


def test_a_stray_file_is_told(first: Clone) -> None:
    first.write("models/churn/notes.yaml", "a: 1\n")
    assert [each.code for each in validate([str(first.folder / "models/churn/notes.yaml")])] == ["GR102"]


def test_the_way_through_click_gives_the_same(first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    first.edit(VERSION.format(1), "version: 1", "version: 7")
    path = str(first.folder / VERSION.format(1))
    assert app.run(["hook", "validate", path]) == 1
    assert capsys.readouterr().out == run(first, path).stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_that_cannot_be_read_is_an_error_and_no_traceback(first: Clone) -> None:
    (first.folder / VERSION.format(1)).chmod(0)
    done = run(first, VERSION.format(1))
    assert done.returncode == 7 and "Traceback" not in done.stderr


def test_it_imports_little(first: Clone) -> None:
    code = (
        "import sys; from gitreg.__main__ import main; sys.argv = ['gitreg', 'hook', 'validate', *sys.argv[1:]];"
        f"code = main(); print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, VERSION.format(1)], cwd=first.folder, capture_output=True, text=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_one_file_takes_at_most_two_and_a_half_times_the_import_of_click(first: Clone) -> None:
    ours = [sys.executable, "-m", "gitreg", "hook", "validate", VERSION.format(1)]
    theirs = [sys.executable, "-c", "import click"]
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(15):
        for name, command in (("ours", ours), ("theirs", theirs)):
            begun = time.perf_counter()
            subprocess.run(command, cwd=first.folder, check=True)
            times[name].append(time.perf_counter() - begun)
    # A machine that is busy with other things is slow with both: click alone takes 0.06 s at the most.
    assert min(times["ours"]) < 0.15 * max(1.0, min(times["theirs"]) / 0.06)
    assert median(times["ours"]) < 2.5 * median(times["theirs"])
