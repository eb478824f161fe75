"""``docs/ci.md``: what it says to type works, and what it shows is what is printed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from gitreg.registry.ci import _PATHS
from tests.cli_read.conftest import Run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ci.md"


def test_the_commands_and_what_they_print(filled: Path, run: Run) -> None:
    text = PAGE.read_text()
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert block
    lines = [shlex.split(line.removeprefix("$ gitreg ")) for line in block[1].splitlines()]
    assert [line[0] for line in lines] == ["init", "codeowners", "reconcile", "event"]
    said = [run(*line) for line in lines]
    shown = json.loads(text.split("```json\n")[1].split("```")[0])
    found = said[-1].json
    for event in (shown, found):
        for key in ("commit", "time"):
            event[key] = re.sub("[0-9a-f]", "0", event[key])
    assert list(shown) == list(found) and shown == found


def test_the_files_are_those_that_are_written() -> None:
    text = PAGE.read_text()
    assert all(f"`{path}`" in text for path in _PATHS.values())
