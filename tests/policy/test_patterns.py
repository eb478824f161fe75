"""Expressions that somebody else wrote."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.policy.patterns import BadPattern, compiled, found, steps


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("a{3}", 3),
        ("a{2,}b", 3),
        ("a{2,5}", 5),
        ("[0-9a-f]{64}", 64),
        ("(ab{3}){2}", 10),
        (r"(a\){2}){3}", 12),
        ("(a[)]{2}){3}", 12),
        ("(a[]){2}]{2}){3}", 12),
        ("((a{1000}){1000}){1000}", 1_001_001_000),
        ("a{b}", 4),
        ("a{99999999999999999999}", 999_999_999),
        ("a)b{2}", 4),
    ],
)
def test_how_much_is_compiled(pattern: str, size: int) -> None:
    assert steps(pattern) == size


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", "[a", "a**", "(?P<x", "\\"),
        *("(?R)", "(?#()a", "(?x)a", "(?V1)a", "[[:alpha:]]", "(?1)(a)"),
        *("a{100000}", "(a{1000}){1000}", "(" * 600 + ")" * 600),
    ],
)
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern) as caught:
        compiled(pattern)
    assert "the pattern" in str(caught.value)


def test_it_is_found_anywhere() -> None:
    assert found("b", "abc", seconds=1)
    assert not found("^b", "abc", seconds=1)
    assert found(r"^\p{Lu}", "Ärger", seconds=1), "as ECMA 262 knows it"


def test_B20_time_is_over() -> None:
    with pytest.raises(TimeoutError):
        found("^(a|aa|b?)+$", "a" * 5000 + "!", seconds=0.05)


PARTS = st.sampled_from([*"ab(|)*+?^$.", "\\d", "[ab]", "[^)]", "(?:", "{2}", "{1,3}", "(?=", "\\)"])


@given(st.lists(PARTS, max_size=12).map("".join), st.text("ab)", max_size=6))
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    try:
        plain = re.search(pattern, text)
    except re.error:
        return
    try:
        assert found(pattern, text, seconds=5) is (plain is not None)
    except BadPattern as error:
        assert "can't be read" in str(error)
