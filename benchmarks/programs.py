"""The programs that are timed: gitreg's command, plain Git and Python, as a person starts them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# By absolute path: what a shell looks up once must not cost a search of PATH each time.
GIT = shutil.which("git") or "git"
GITREG = str(Path(sys.executable).with_name("gitreg"))


def run(argv: Sequence[str], at: Path) -> bytes:
    """Run a program in a folder and give what it prints.

    Raises:
        SystemExit: It failed; so does the benchmark.
    """
    done = subprocess.run(argv, cwd=at, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise SystemExit(f"{' '.join(argv[:6])} … in {at} ended with {done.returncode}: {words}")
    return done.stdout


def git(at: Path, *args: str, settings: Sequence[str] = ()) -> str:
    """Run Git with the user's configuration; ``settings`` are given with ``-c``."""
    extra = [word for setting in settings for word in ("-c", setting)]
    return run([GIT, *extra, *args], at).decode().strip()
