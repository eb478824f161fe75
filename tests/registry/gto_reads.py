"""GTO's own commands, run in child processes on a repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def gto(folder: Path, *args: str, env: dict[str, str] | None = None) -> str:
    """What ``gto ARGS`` prints in a folder."""
    command = [str(Path(sys.executable).with_name("gto")), *args]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | (env or {})
    )
    assert done.returncode == 0, f"{args}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def read(folder: Path, *args: str) -> Any:
    """What ``gto ARGS --json`` prints, decoded."""
    return json.loads(gto(folder, *args, "--json"))


def versions(folder: Path, name: str, *args: str) -> dict[str, set[str]]:
    """The versions that ``gto show NAME`` shows, with their stages."""
    return {
        one["version"]: {stage["stage"] for stage in one["stages"]}
        for one in read(folder, "show", name, "--vs", "-1", *args)
    }


def happenings(folder: Path, name: str) -> list[tuple[str, str | None, str | None]]:
    """Event, version and stage of the rows of ``gto history NAME``, oldest first."""
    rows = read(folder, "history", name, "--asc")
    return [(row["event"], row["version"], row["stage"]) for row in rows]
