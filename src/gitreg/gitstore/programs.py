"""Programs that the owner of a server put beside a repository, run with data of ours."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitreg.gitstore.process import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a program ended: ``fault`` is ``""`` where it ended well, else why, with its last words."""

    path: Path
    fault: str


def executables(folder: Path) -> list[Path]:
    """The programs in a folder, by name; what is hidden or not executable is left out."""
    try:
        found = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in found if path.name[0] != "." and path.is_file() and os.access(path, os.X_OK)]


def run_program(path: Path, text: bytes, *, at: Path, seconds: float) -> Outcome:
    """Run a program to its end.

    Args:
        path: Of the program.
        text: For its standard input.
        at: The folder that it runs in.
        seconds: After which it is killed, with all that it started.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    out = subprocess.PIPE
    try:
        process = subprocess.Popen(
            [path], stdin=out, stdout=out, stderr=subprocess.STDOUT, cwd=at, env=env, start_new_session=True
        )
    except OSError as error:
        return Outcome(path=path, fault=f"it could not be run: {error.strerror}")
    try:
        said, _ = process.communicate(text, timeout=seconds)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # what has left the group may hold the pipe for ever
            process.communicate(timeout=1.0)
        return Outcome(path=path, fault=f"it was still at work after {seconds:g} s and was ended")
    if process.returncode == 0:
        return Outcome(path=path, fault="")
    last = printable(said[-400:]).splitlines()[-1:]
    return Outcome(path=path, fault=": ".join([f"exit code {process.returncode}", *last]))
