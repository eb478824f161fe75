"""Whoever builds or catches up the index may be killed at any moment: the next command answers right."""

from __future__ import annotations

import pytest

from tests.faults import index_kills
from tests.faults.harness import STRACE

pytestmark = pytest.mark.faults

traced = pytest.mark.skipif(STRACE is None, reason="strace is missing: apt-get install strace")


@traced
@pytest.mark.parametrize(
    ("scene", "every"), [("cold", 12), ("near", 12), ("far", 20), ("rewritten", 12), ("rebuild", 12)]
)
def test_a_kill_before_any_call_leaves_the_next_answer_right(scene: str, every: int) -> None:
    assert index_kills.sweep(scene, every=every) >= 3


def test_kills_at_random_leave_the_next_answer_right() -> None:
    assert index_kills.at_random(8) >= 6
