"""The fault scripts in moderate sizes; `python -m tests.faults.sweep` and its siblings run them in full."""

from __future__ import annotations

import pytest

from tests.faults import durable, kills, sweep
from tests.faults.harness import STRACE

pytestmark = pytest.mark.faults

traced = pytest.mark.skipif(STRACE is None, reason="strace is missing: apt-get install strace")


@traced
@pytest.mark.parametrize("kind", ["bare", "plain"])
@pytest.mark.parametrize(("victim", "every"), [("parent", 6), ("child", 3), ("both", 2), ("disk", 8)])
def test_every_fault_leaves_the_old_or_the_new_state(kind: str, victim: str, every: int) -> None:
    outcomes = sweep.sweep(verb="register", kind=kind, victim=victim, every=every)
    assert sum(outcome.struck for outcome in outcomes) >= 3


@traced
@pytest.mark.parametrize("kind", ["bare", "plain"])
def test_everything_is_on_the_disk_before_the_answer(kind: str) -> None:
    assert durable.trace(kind=kind).syncs >= 15


@pytest.mark.parametrize("kind", ["bare", "plain"])
def test_random_kills_lose_nothing(kind: str) -> None:
    tally = kills.run(kills=8, writers=4, kind=kind)
    assert tally.killed >= 8
    assert tally.acknowledged
