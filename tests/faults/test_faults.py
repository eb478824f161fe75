"""The fault scripts in moderate sizes; `python -m tests.faults.sweep` and its siblings run them in full."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults import durable, kills, sweep
from tests.faults.harness import STRACE

pytestmark = pytest.mark.faults

traced = pytest.mark.skipif(STRACE is None, reason="strace is missing: apt-get install strace")


@traced
@pytest.mark.parametrize("kind", ["bare", "plain"])
@pytest.mark.parametrize(("victim", "every"), [("parent", 6), ("child", 3), ("both", 2), ("disk", 3)])
def test_every_fault_leaves_the_old_or_the_new_state(kind: str, victim: str, every: int) -> None:
    outcomes = sweep.sweep(verb="register", kind=kind, victim=victim, every=every)
    assert sum(outcome.struck for outcome in outcomes) >= 3


@traced
@pytest.mark.parametrize("kind", ["bare", "plain"])
def test_everything_is_on_the_disk_before_the_answer(kind: str) -> None:
    # pack, index, their folder, two refs and two of their folders; a work tree adds three
    assert durable.trace(kind=kind).syncs >= (7 if kind == "bare" else 10)


@traced
@pytest.mark.parametrize("verb", ["register", "transition"])
def test_the_command_line_stands_the_same_faults(verb: str) -> None:
    command = [str(Path(sys.executable).parent / "gitreg")]
    outcomes = sweep.sweep(verb=verb, kind="plain", victim="parent", every=7, command=command)
    assert sum(outcome.struck for outcome in outcomes) >= 3


@pytest.mark.parametrize("kind", ["bare", "plain"])
def test_random_kills_lose_nothing(kind: str) -> None:
    tally = kills.run(kills=8, writers=4, kind=kind)
    assert tally.killed >= 8
    assert tally.acknowledged
