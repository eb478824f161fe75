"""Kill a command at each of its mutating system calls, and look what the next command makes of it.

    python -m tests.faults.sweep [--verb register] [--kind bare] [--victim parent] [--every 1] [-- COMMAND …]

COMMAND is what stands before the verb; without it the store's own driver is used. Victims:

parent  the command itself dies before its k-th call; git children that are at work go on
child   a git child that writes dies before its k-th call; the command must cope or fail in order
both    as `child`, and the command dies with it
disk    nobody dies, but the command's k-th call fails with "No space left on device"
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.harness import (
    MUTATING,
    STORE,
    STRACE,
    Broken,
    arguments,
    assert_sound,
    environment,
    git,
    perform,
    prepare,
)

_WRITERS = ("update-ref", "update-index", "index-pack", "pack-refs", "repack")
_NEEDS_SPACE = ("write", "pwrite64", "mkdir", "rename", "link", "symlink", "fsync", "ftruncate")
_CALL = re.compile(r"(?:\d+ +)?(\w+)\(")
# Stands in for git: traces the runs that write, or kills one of them.
_WRAPPER = """#!/bin/bash
for word in "$@"; do
  case "$word" in
    {writers})
      {strace} -qq -o {log}.$word -e trace={calls} $(cat {place}/inject.$word 2>/dev/null) {git} "$@"
      code=$?
      if [ $code -ge 128 ]; then touch {mark}; {then}; kill -9 $$; fi
      exit $code;;
  esac
done
exec {git} "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One system call: the ``nth`` one called ``call`` of the command, or of its child ``git WORD``."""

    word: str
    call: str
    nth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one kill led to: whether it struck, and whether the change was made all the same."""

    point: Point
    struck: bool
    made: bool


def sweep(
    *, verb: str, kind: str, victim: str, every: int = 1, command: Sequence[str] = STORE
) -> list[Outcome]:
    """Kill at each of the command's mutating calls (or at every n-th of them).

    Raises:
        Broken: After one of the kills something is wrong; the message says at which call.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        origin = prepare(place, kind, command)
        if victim in ("child", "both"):  # few refs move in process, but not where Git sets their modes
            git(origin, "config", "core.sharedRepository", "group")
        line = arguments(command, verb)
        target = place / "target"
        outcomes = []
        points = record(origin, target, line, victim, place)
        if victim == "disk":
            points = [point for point in points if point.call in _NEEDS_SPACE]
        for point in points[::every]:
            shutil.copytree(origin, target, symlinks=True)
            try:
                outcomes.append(kill_once(target, line, victim, point, place))
                after(target, command)
            except Broken as error:
                raise Broken(
                    f"{verb} in a {kind} registry, {victim} killed before {point}: {error}"
                ) from error
            shutil.rmtree(target)
        return outcomes


def record(origin: Path, target: Path, command: Sequence[str], victim: str, place: Path) -> list[Point]:
    """The mutating calls of one undisturbed run, in their order."""
    shutil.copytree(origin, target, symlinks=True)
    log = place / "log"
    env = environment()
    if victim in ("parent", "disk"):
        command = [str(STRACE), "-qq", "-o", f"{log}.parent", "-e", f"trace={MUTATING}", "--", *command]
    else:
        env["PATH"] = f"{wrapper(place, victim)}:{env['PATH']}"
    subprocess.run(command, cwd=target, env=env, check=True, capture_output=True)
    shutil.rmtree(target)
    points = []
    for path in sorted(place.glob("log.*"), key=lambda each: each.stat().st_mtime_ns):
        seen: Counter[str] = Counter()
        for found in filter(None, map(_CALL.match, path.read_text().splitlines())):
            seen[found[1]] += 1
            points.append(Point(word=path.suffix[1:], call=found[1], nth=seen[found[1]]))
    return points


def kill_once(target: Path, command: Sequence[str], victim: str, point: Point, place: Path) -> Outcome:
    """Run a command and kill it, or its child, before one call."""
    before = git(target, "rev-parse", "main")
    mark = place / "struck"
    mark.unlink(missing_ok=True)
    env = environment()
    fault = "error=ENOSPC" if victim == "disk" else "signal=SIGKILL"
    inject = f"-e inject={point.call}:{fault}:when={point.nth}"
    if victim in ("parent", "disk"):
        command = [
            str(STRACE),
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            f"trace={MUTATING}",
            *inject.split(),
            *command,
        ]
    else:
        for old in place.glob("inject.*"):
            old.unlink()
        (place / f"inject.{point.word}").write_text(inject)
        env["PATH"] = f"{wrapper(place, victim)}:{env['PATH']}"
    done = subprocess.run(command, cwd=target, env=env, capture_output=True, text=True, check=False)
    struck = done.returncode in (-9, 137) if victim == "parent" else mark.exists()
    made = git(target, "rev-parse", "main") != before
    if victim == "disk":
        return _full(point, done, made)
    if not struck and done.returncode:
        raise Broken(f"not killed, but failed with {done.returncode}: {done.stderr}")
    if done.returncode == 0 and not made:
        raise Broken("the command answered, but nothing was changed")
    if victim == "child" and done.returncode not in (0, 7):
        raise Broken(f"exit code {done.returncode}: {done.stderr}")
    return Outcome(point=point, struck=struck, made=made)


def _full(point: Point, done: subprocess.CompletedProcess[str], made: bool) -> Outcome:
    if done.returncode not in (0, 7) and "stdout" not in done.stderr:
        raise Broken(f"exit code {done.returncode}: {done.stderr}")
    if done.returncode == 7 and made and "the change is committed" not in done.stderr:
        raise Broken(f"it failed without saying that the change is made: {done.stderr}")
    return Outcome(point=point, struck=done.returncode != 0, made=made)


def wrapper(place: Path, victim: str) -> Path:
    """A folder with a ``git`` that traces or kills the real one when it writes."""
    folder = place / "bin"
    folder.mkdir(exist_ok=True)
    text = _WRAPPER.format(
        writers="|".join(_WRITERS),
        strace=STRACE,
        calls=MUTATING,
        log=place / "log",
        place=place,
        git=shutil.which("git"),
        mark=place / "struck",
        then="kill -9 $PPID" if victim == "both" else ":",
    )
    (folder / "git").write_text(text)
    (folder / "git").chmod(0o755)
    return folder


def after(target: Path, command: Sequence[str]) -> None:
    """The next command must succeed, and leave everything in order."""
    before = set(git(target, "rev-list", "--first-parent", "main").split())
    perform(target, arguments(command, "register"))
    now = git(target, "rev-list", "--first-parent", "main").split()
    if len(now) != len(before) + 1 or not before <= set(now):
        raise Broken("the next command did not add exactly one commit")
    assert_sound(target)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verb", default="register", choices=["register", "transition"])
    parser.add_argument("--kind", default="bare", choices=["bare", "plain"])
    parser.add_argument("--victim", default="parent", choices=["parent", "child", "both", "disk"])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("command", nargs="*", default=list(STORE))
    options = parser.parse_args()
    if STRACE is None:
        sys.exit("strace is missing: apt-get install strace")
    outcomes = sweep(
        verb=options.verb,
        kind=options.kind,
        victim=options.victim,
        every=options.every,
        command=options.command,
    )
    struck = [outcome for outcome in outcomes if outcome.struck]
    made = sum(outcome.made for outcome in struck)
    print(f"{len(struck)} kills: {len(struck) - made} left the old state, {made} the new one; all sound")


if __name__ == "__main__":
    main()
