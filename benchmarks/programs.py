"""The programs that are timed: gitreg's command, plain Git and Python, as a person starts them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
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


# Linux hands the largest memory of the process that starts a program on to it: so a small one starts it.
_WEIGH = """
import os, sys
silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, mode, 0) for fd, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY))]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
unit = 1 if sys.platform == "darwin" else 1024
print(usage.ru_maxrss * unit)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What one run of a program took.

    Attributes:
        seconds: From start to end.
        largest: Bytes of the largest resident set among the program and those that it started. Git's
            includes the packs that it has mapped, which are the system's to drop.
        private: Bytes of all of these together that belong to none but them, looked at ten times a
            second; None where there is no ``/proc``.
    """

    seconds: float
    largest: int
    private: int | None


def weigh(argv: Sequence[str], at: Path) -> Weight:
    """Run a program, by its absolute path, and give what it took."""
    began = time.perf_counter()
    command = [sys.executable, "-I", "-S", "-c", _WEIGH, *argv]
    with subprocess.Popen(command, cwd=at, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        private = _private(process.pid)
        while process.poll() is None:
            time.sleep(0.1)
            private = max(private, _private(process.pid))
        assert process.stdout is not None
        answer = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(argv[:6])} … in {at} ended with {process.returncode}")
    took = time.perf_counter() - began
    return Weight(seconds=took, largest=int(answer), private=private or None)


def peak_memory(argv: Sequence[str], at: Path) -> int:
    """Run a program, by its absolute path, and give the largest resident set (see ``Weight``)."""
    return int(run([sys.executable, "-I", "-S", "-c", _WEIGH, *argv], at))


def _private(root: int) -> int:
    """Bytes of anonymous memory below a process; 0 where there is no ``/proc`` (proc(5))."""
    parents, held = {}, {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            text = (place / "status").read_text()
        except OSError:  # it ended just now
            continue
        found = dict(re.findall(r"^(PPid|RssAnon):\s+(\d+)", text, re.MULTILINE))
        parents[int(place.name)] = int(found.get("PPid", 0))
        held[int(place.name)] = int(found.get("RssAnon", 0)) * 1024
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(held.get(pid, 0) for pid in family - {root})
