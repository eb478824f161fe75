from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.render import text

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain text", "plain text"),
        ("grün 模型", "grün 模型"),
        ("\x1b]52;c;x\x07", "\\x1b]52;c;x\\x07"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\u202eevil", "\\u202eevil"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_safe_shows_what_a_terminal_would_obey(given_text: str, shown: str) -> None:
    assert text.safe(given_text) == shown


@given(st.text())
def test_nothing_invisible_gets_through(any_text: str) -> None:
    assert text.safe(any_text) == text.safe(text.safe(any_text))
    assert all(char.isprintable() or char.isspace() for char in text.safe(any_text))
    assert "\n" not in text.safe(any_text)
    assert all(char in "\n\t" or char == text.safe(char) for char in text.safe_block(any_text))


def test_safe_block_keeps_lines() -> None:
    assert text.safe_block("a\r\n\tb\x1b[0m\n") == "a\n\tb\\x1b[0m\n"


def test_moment_is_utc_whatever_the_zone() -> None:
    there = datetime.fromisoformat("2026-11-23T12:00:00+02:00")
    assert text.moment(there) == "2026-11-23 10:00 UTC"


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(days=3, hours=5), "3 days ago"),
        (timedelta(days=61), ""),
        (timedelta(seconds=-1), ""),
    ],
)
def test_ago(age: timedelta, said: str) -> None:
    assert text.ago(NOW - age, NOW) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.912345678, "0.912346"), (12.0, "12"), (1e-7, "1e-07"), (1e22, "1e+22"), (3, "3"), (-0.5, "-0.5")],
)
def test_number(value: float, said: str) -> None:
    assert text.number(value) == said


def test_number_that_is_none() -> None:
    assert text.number(float("nan")) == "nan"
    assert text.number(float("-inf")) == "-inf"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (12_345_678, "12.3 MB")],
)
def test_size(count: int, said: str) -> None:
    assert text.size(count) == said
