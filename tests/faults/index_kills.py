"""Kill whatever builds or catches up the index, and look what the next command answers.

    python -m tests.faults.index_kills [--scene cold] [--every 1] [--random 100]

Scenes: ``cold`` (no index is there), ``near`` (some commits behind), ``far`` (many commits behind),
``rewritten`` (the branch went another way), ``rebuild`` (made anew over one that is in use).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.registry.open import open_registry
from tests.faults.harness import MUTATING, STRACE, Broken, environment, git
from tests.faults.sweep import _CALL, Point
from tests.index import proof
from tests.index.histories import OPENING
from tests.index.reference import Reference, Truth
from tests.index.steps import Ask, Back, Register, Write
from tests.index.world import World, template

SCENES = ("cold", "near", "far", "rewritten", "rebuild")
_LONG = 80  # empty commits: more than a plain read catches up with one by one
GITREG = (sys.executable, "-m", "gitreg")
READER = """
import sys
from gitreg.registry.open import open_registry
from gitreg.registry.indexing import slice_of
while True:
    with open_registry(sys.argv[1]) as registry:
        slice_of(registry.store).rows("SELECT count(*) FROM event")
        list(registry.at().models())
        list(registry.log())
"""


@dataclass(frozen=True)
class Scene:
    """A registry just before the command that is killed.

    Attributes:
        place: The repository, never touched again; only copies are.
        command: What is killed.
        truth: What must be answered afterwards.
    """

    place: Path
    command: tuple[str, ...]
    truth: Truth


def index_of(place: Path) -> Path:
    return place / ".git" / "gitreg" / "index"


def prepare(place: Path, scene: str) -> Scene:
    """Make the registry of a scene in the folder ``place``."""
    target = place / "registry"
    template(target)
    world = World(target)
    with world.registry as registry:
        world.play([*OPENING, Register(2), Ask("rename", 0, 1, 5)])
        registry.store.index.slice()
        if scene == "far":
            _lengthen(world)
        if scene in ("near", "far", "rewritten"):
            kept = place / "kept"
            shutil.move(index_of(target), kept)
            world.play([Back("reset", 4)] if scene == "rewritten" else [])
            world.play([Register(1), Write(0, 1, ("Production",)), Ask("delete", 0, 1), Register(3)])
            shutil.rmtree(index_of(target), ignore_errors=True)
            shutil.move(kept, index_of(target))
        elif scene == "cold":
            shutil.rmtree(index_of(target))
    more = ("--rebuild",) if scene == "rebuild" else ()
    return Scene(target, (*GITREG, "index", *more), Reference(target).truth())


def _lengthen(world: World) -> None:
    text = []
    head = world.git("rev-parse", "HEAD")
    for number in range(_LONG):
        parent = f"from {head}\n" if number == 0 else ""
        text.append(
            f"commit refs/heads/main\ncommitter A <a@b> {world.now.timestamp():.0f} +0000\ndata 0\n{parent}\n"
        )
    world.git("fast-import", "--quiet", "--force", data="".join(text).encode())
    world.git("reset", "-q", "--hard")


def points(scene: Scene, place: Path) -> list[Point]:
    """The mutating calls that the command itself makes when nobody disturbs it."""
    log, target = place / "log", place / "target"
    shutil.copytree(scene.place, target, symlinks=True)
    trace = [str(STRACE), "-qq", "-f", "-o", str(log), "-e", f"trace={MUTATING}", "--", *scene.command]
    subprocess.run(trace, cwd=target, env=environment(), check=True, capture_output=True)
    shutil.rmtree(target)
    lines = log.read_text().splitlines()
    parent = lines[0].split()[0]
    seen: Counter[str] = Counter()
    found = []
    for match in map(_CALL.match, (line for line in lines if line.split()[0] == parent)):
        if match:
            seen[match[1]] += 1
            found.append(Point(word="gitreg", call=match[1], nth=seen[match[1]]))
    return found


def sweep(scene: str, *, every: int = 1) -> int:
    """Kill the command before every n-th of its mutating calls; how many kills struck.

    Raises:
        Broken: After one of them something is wrong.
    """
    struck = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made = prepare(place, scene)
        target = place / "target"
        for point in points(made, place)[::every]:
            shutil.copytree(made.place, target, symlinks=True)
            inject = f"inject={point.call}:signal=SIGKILL:when={point.nth}"
            trace = [str(STRACE), "-qq", "-o", "/dev/null", "-e", f"trace={MUTATING}", "-e", inject]
            line = [*trace, *made.command]
            done = subprocess.run(line, cwd=target, env=environment(), capture_output=True, check=False)
            struck += done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
            try:
                assert_right(target, made.truth)
            except BaseException as error:
                raise Broken(f"{scene}, killed before {point}: {error}") from error
            shutil.rmtree(target)
    return struck


def assert_right(target: Path, truth: Truth) -> None:
    """The next command answers as the reference does, finds the index equal to Git, and leaves no rubbish."""
    reference = Reference(target)
    with open_registry(target) as registry:
        proof.check(registry, reference, views=truth.moments[-3:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITREG_REGISTRY", str(target))
        if app.run(["index", "--verify"]):
            raise Broken("the index is not equal to Git")
        app.run(["index", "--rebuild"])
    left = [path.name for path in index_of(target).iterdir() if path.name.endswith(".db")]
    if len(left) != 1:
        raise Broken(f"left behind: {left}")


def at_random(kills: int, *, seed: int = 1) -> int:
    """Kill readers at any moment while the branch grows and is rewritten; how many kills struck."""
    chance = random.Random(seed)
    struck = 0
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "registry"
        template(target)
        world = World(target)
        reference = Reference(target)
        world.play(OPENING)
        for number in range(kills):
            if chance.random() < 0.3:
                shutil.rmtree(index_of(target), ignore_errors=True)
            reader = subprocess.Popen(
                [sys.executable, "-c", READER, str(target)],
                env=environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            steps = [Register(number), Ask("transition", 0, 1, number), Back("reset", chance.randint(1, 2))]
            world.play(chance.sample(steps, k=chance.randint(1, 3)))
            time.sleep(chance.uniform(0.05, 0.4))  # any moment
            if reader.poll() is None:
                os.kill(reader.pid, signal.SIGKILL)
                struck += 1
            errors = reader.communicate()[1].decode()
            # A branch that is rewritten under a reader may say so; nothing else may go wrong.
            if reader.returncode != -signal.SIGKILL and "Moved" not in errors:
                raise Broken(f"the reader failed by itself: {errors}")
            truth = reference.truth()
            with open_registry(target) as registry:
                proof.check(registry, reference, views=truth.moments[-3:])
        world.registry.close()
        git(target, "fsck", "--strict")
        assert_right(target, truth)
    return struck


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--random", type=int, default=0)
    options = parser.parse_args(argv)
    if STRACE is None:
        sys.exit("strace is missing: apt-get install strace")
    for scene in options.scene or SCENES:
        print(f"{scene}: {sweep(scene, every=options.every)} kills, all answers right", flush=True)
    if options.random:
        print(f"{at_random(options.random, seed=int(time.time()))} kills at random, all answers right")


if __name__ == "__main__":
    main()
