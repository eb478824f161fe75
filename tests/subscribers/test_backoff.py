"""How long is waited."""

from __future__ import annotations

from gitreg.subscribers.backoff import MOST_ATTEMPTS, pause, retry_after


def test_pauses_double_up_to_six_hours() -> None:
    pauses = [pause(attempts, jitter=0.5) for attempts in range(1, MOST_ATTEMPTS)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses == sorted(pauses) and pauses[-1] == 6 * 3600
    assert 1.5 < sum(pauses) / 86_400 < 3


def test_chance_moves_them_by_a_quarter() -> None:
    assert (pause(3, jitter=0.0), pause(3, jitter=1.0)) == (30, 50)


def test_a_receiver_can_ask_for_more_up_to_a_day() -> None:
    assert pause(1, jitter=0.5, asked=100) == 100
    assert pause(5, jitter=0.5, asked=1) == 160
    assert pause(1, jitter=0.5, asked=10**9) == 86_400


def test_retry_after_in_both_forms() -> None:
    assert retry_after("120", 0.0) == 120
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_717.0) == 60
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 10**9) == 0
    assert retry_after("9" * 400, 0.0) is not None
    for text in (None, "", "soon", "-5", "1e3", "١٢"):
        assert retry_after(text, 0.0) is None
