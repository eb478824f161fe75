"""Ask the questions of ``docs/history.md`` again: ``python demo/answers.py`` writes the page anew.

Each ``console`` block's commands are typed, in the page's order, in the registry that ``example.py`` makes.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

import example
import run

PAGE = Path(__file__).resolve().parents[1] / "docs" / "history.md"


def answered(page: str) -> str:
    """``page`` with the answers that the commands in it give now.

    Raises:
        SystemExit: A command failed.
    """
    with tempfile.TemporaryDirectory() as place:
        registry = Path(place, "registry")
        example.make(registry)
        example.be(example.ALAN)
        return re.sub(
            r"(?<=^```console\n)(.*?)(?=^```$)",
            lambda block: answers(re.findall(r"^\$ (.*)$", block[1], re.MULTILINE), registry),
            page,
            flags=re.MULTILINE | re.DOTALL,
        )


def answers(commands: list[str], registry: Path) -> str:
    """The commands, each followed by what it prints on a terminal's stdout."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    terminal = {"COLUMNS": str(run.WIDTH), "TERM": "xterm", "PYTHONUTF8": "1"}
    environment = {**os.environ, **terminal, "PATH": path, "GITREG_REGISTRY": ""}
    shown = ""
    for command in commands:
        code, out, err = run.on_terminal(shlex.split(command), registry, environment)
        if code:
            raise SystemExit(f"{command} ended with {code}: {err}")
        lines = [line.rstrip() for line in run.plain(out).replace(f"{registry}/", "").splitlines()]
        shown += "\n".join([f"$ {command}", *lines]) + "\n"
    return shown


if __name__ == "__main__":
    if len(sys.argv) > 1:
        raise SystemExit("usage: python demo/answers.py")
    PAGE.write_text(answered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
