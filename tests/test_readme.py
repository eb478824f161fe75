"""The first screen of the README: its commands are run, and print what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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
