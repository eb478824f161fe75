"""Kill writers at random moments while eight of them write, and count what they acknowledged.

    python -m tests.faults.kills [--kills 200] [--writers 8] [--kind bare] [-- COMMAND …]

Every version that a writer was told is there must be there, with its tag; numbers must be dense.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.harness import STORE, Broken, arguments, assert_sound, environment, git, perform, prepare

_LONGEST = 4.0  # seconds that a writer may live: time enough for some of eight to finish


@dataclass(slots=True)
class Tally:
    """What came out: kills that struck, and the tags that were acknowledged."""

    killed: int = 0
    acknowledged: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


def run(*, kills: int, writers: int, kind: str, command: Sequence[str] = STORE, seed: int = 1) -> Tally:
    """Let writers run until ``kills`` of them were killed, then look at the registry.

    Raises:
        Broken: A version that was acknowledged is lost, a number is missing, or something is unsound.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = prepare(Path(folder), kind, command)
        tally = Tally()
        threads = [
            threading.Thread(
                target=_write, args=(target, command, tally, kills, random.Random(seed + number))
            )
            for number in range(writers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if tally.failures:
            raise Broken(f"writers failed by themselves: {tally.failures[:3]}")
        perform(target, arguments(command, "register"))
        assert_sound(target)
        _assert_dense(target, tally)
        return tally


def _write(target: Path, command: Sequence[str], tally: Tally, kills: int, chance: random.Random) -> None:
    line = arguments(command, "register")
    while tally.killed < kills and not tally.failures:
        process = subprocess.Popen(
            line, cwd=target, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # Only the writer: its git children live on, and still hold its lock.
        timer = threading.Timer(chance.uniform(0.1, _LONGEST), os.kill, (process.pid, signal.SIGKILL))
        timer.start()
        out, errors = process.communicate()
        timer.cancel()
        told = re.search(r"m/v\d+", out)
        if told:
            tally.acknowledged.add(told[0])
        if process.returncode == -signal.SIGKILL:
            tally.killed += 1
        elif process.returncode:
            tally.failures.append(errors)


def _assert_dense(target: Path, tally: Tally) -> None:
    files = git(target, "ls-tree", "--name-only", "main", "models/m/versions/").split()
    numbers = sorted(int(Path(file).stem) for file in files)
    if numbers != list(range(1, len(numbers) + 1)):
        raise Broken(f"numbers are not dense: {numbers}")
    lost = tally.acknowledged - set(git(target, "tag").split())
    if lost:
        raise Broken(f"acknowledged, and lost: {sorted(lost)}")
    commits = int(git(target, "rev-list", "--count", "main"))
    if commits != len(numbers) + 1:
        raise Broken(f"{commits} commits for {len(numbers)} versions")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--kind", default="bare", choices=["bare", "plain"])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("command", nargs="*", default=list(STORE))
    options = parser.parse_args()
    tally = run(
        kills=options.kills,
        writers=options.writers,
        kind=options.kind,
        command=options.command,
        seed=options.seed,
    )
    sys.stdout.write(f"{tally.killed} kills, {len(tally.acknowledged)} acknowledged, none lost\n")


if __name__ == "__main__":
    main()
