"""Readers beside writers: every answer is the state at some commit, and none is older than what was asked after."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitreg.registry.open import open_registry
from tests.index import proof
from tests.index.histories import OPENING
from tests.index.reference import Reference, Truth
from tests.index.steps import Ask, Back, Register
from tests.index.world import BEGIN, World, template

READERS, WRITERS, EACH, READS = 8, 4, 8, 12

# What a process says of each look: the head before it, the commit that it got, and the state there.
_LOOK = """
import json, os, subprocess, sys
from gitreg.registry.indexing import slice_of
from gitreg.registry.open import open_registry

place, number, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def head():
    return subprocess.run(["git", "-C", place, "rev-parse", "main"],
                          capture_output=True, text=True, check=True).stdout.strip()

def look(registry, least):
    view = registry.at()
    by_view = {
        state.name: {str(v.version): sorted(v.stages) for v in state.newest_first()} for state in view.models()
    }
    part = slice_of(registry.store)
    held = part.rows("SELECT h.name, h.number, h.stage FROM holding h WHERE $h")
    newest = next(iter(registry.log()))
    print(json.dumps([least, view.commit, by_view, part.commit, held, newest.commit.oid]), flush=True)
"""
_READ = f"""{_LOOK}
kept = open_registry(place)
for n in range(times):
    look(kept, head())
    with open_registry(place) as fresh:
        look(fresh, head())
"""
_WRITE = f"""{_LOOK}
with open_registry(place) as registry:
    for n in range(times):
        made = registry.register(f"m{{number % 2}}", f"s3://{{number}}/{{n}}")
        mine = head()
        assert registry.version(f"{{made.name}}/{{made.version}}").source == made.source
        look(registry, mine)
        registry.transition(f"{{made.name}}/{{made.version}}", "Production", archive_existing=True)
        look(registry, head())
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "registry"
    template(made)
    world = World(made)
    world.now = BEGIN
    world.play(OPENING)
    world.registry.close()
    return made


def _start(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(processes: list[subprocess.Popen[str]]) -> Iterator[list[Any]]:
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert errors == ""
        yield [json.loads(line) for line in out.splitlines()]


def test_eight_readers_beside_four_writers(place: Path) -> None:
    writers = [_start(_WRITE, place, number, EACH) for number in range(WRITERS)]
    readers = [_start(_READ, place, number, READS) for number in range(READERS)]
    looks = list(_ended([*writers, *readers]))
    truth = Reference(place).truth("main")
    assert len(truth.moments) == 6 + WRITERS * EACH * 2
    seen = {_check(truth, told) for told in looks}
    assert len(seen) > 3, "they did not run beside each other"
    with open_registry(place) as registry:
        proof.check(registry, Reference(place), views=truth.moments[-2:])


def _check(truth: Truth, told: list[Any]) -> int:
    """One process's looks; returns the number of the first commit that it saw."""
    seqs = {moment.commit.oid: moment.seq for moment in truth.moments}
    last = 0
    for least, viewed, states, cut, held, newest in told:
        for oid in (viewed, cut, newest):
            assert seqs[oid] >= seqs[least], "older than the head before the look"
            assert seqs[oid] >= last, "older than what was answered before"
            last = seqs[oid]
        assert states == _states(truth, viewed)
        due = {(name, number, stage) for name, number, stage, _ in truth.at(cut).tree.holdings()}
        assert {tuple(row) for row in held} == due
    assert told
    return seqs[told[0][1]]


def _states(truth: Truth, oid: str) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {name: {} for name in truth.at(oid).tree.models}
    for (name, number), version in truth.at(oid).tree.versions.items():
        found[name][str(number)] = sorted(version.stages)  # type: ignore[union-attr]
    return found


# Commands, which may meet an index that is being built, catch up, or cut.
_COMMANDS = (
    ("log", "--json"),
    ("list", "--json"),
    ("list", "--stage", "Production", "--json"),
    ("index", "--verify"),
    ("show", "churn/1", "--json"),
)


def test_commands_while_the_branch_is_rewritten(place: Path) -> None:
    world = World(place)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _AGAIN, json.dumps([list(command)]), "6"],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in _COMMANDS
    ]
    for number in range(200):
        if all(process.poll() is not None for process in running):
            break
        world.play([Register(2 + number % 3), Ask("transition", 0, 1, number), Back("reset", 1 + number % 2)])
    for process in running:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        assert out.count("done") == 6
    with world.registry as registry:
        proof.check(registry, Reference(place))


# A branch that was rewritten between two looks may be told (7); it is no defect that is told as one.
_AGAIN = """
import json, subprocess, sys
for _ in range(int(sys.argv[2])):
    for command in json.loads(sys.argv[1]):
        done = subprocess.run([sys.executable, "-m", "gitreg", *command], capture_output=True, text=True)
        told = done.stdout[:300] + done.stderr
        assert done.returncode == 0 or (done.returncode == 7 and "rewritten" in done.stderr), (command, told)
        assert "locked" not in told and "Traceback" not in told, told
        print("done", flush=True)
"""


def test_many_processes_that_find_no_index_build_one(place: Path) -> None:
    processes = [_start(_READ, place, number, 1) for number in range(READERS)]
    truth = Reference(place).truth()
    for told in _ended(processes):
        assert _check(truth, told) == truth.head.seq
    assert len(list((place / ".git" / "gitreg" / "index").glob("*.db"))) == 1
