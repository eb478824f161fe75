"""Regular expressions that somebody else wrote: neither compiling nor matching one takes for ever."""

from __future__ import annotations

import re
from functools import lru_cache

import regex

MOST_STEPS = 20_000  # compiling one takes a tenth of a second then

_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}", re.ASCII)
_GROUP = re.compile(
    r"\(\?(?:[:=!]|<[=!A-Za-z_]|P[<=]|[aimsu]+[):])"
)  # and no comment, recursion or other flag
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)


class BadPattern(ValueError):
    """An expression that can't be read, or that is too large."""


def found(pattern: str, text: str, *, seconds: float) -> bool:
    """Whether an expression is found in a text, anywhere, as ECMA 262 searches.

    Raises:
        BadPattern: The expression can't be read.
        TimeoutError: It took more than ``seconds`` of the processor's time.
    """
    return compiled(pattern).search(text, timeout=seconds) is not None


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> regex.Pattern[str]:
    """The expression, compiled.

    Raises:
        BadPattern: It can't be read, or is too large.
    """
    if steps(pattern) > MOST_STEPS:
        raise BadPattern(f"the pattern {pattern[:60]!r} repeats too much")
    try:
        return regex.compile(pattern, regex.VERSION0)
    except (regex.error, LookupError, ValueError, RecursionError) as error:
        raise BadPattern(f"the pattern {pattern[:60]!r} can't be read: {str(error)[:80]}") from None


def steps(pattern: str) -> int:
    """How many parts an expression has with its repetitions written out: compiling costs as much.

    Raises:
        BadPattern: It is of a kind that ECMA 262 does not know and whose size can't be told from it.
    """
    totals = [0]
    last = at = 0
    while at < len(pattern):
        if pattern[at] == "(":
            if pattern.startswith("(?", at) and not _GROUP.match(pattern, at):
                raise BadPattern(f"the pattern {pattern[:60]!r} has a group that is not ECMA 262's")
            totals.append(1)
            at += 1
        elif pattern[at] == ")" and len(totals) > 1:
            last = totals.pop()
            totals[-1] += last
            at += 1
        elif pattern[at] == "{" and (repeat := _REPEAT.match(pattern, at)):
            times = max(int((each or "0")[:9]) for each in (*repeat.groups(), "1"))
            totals[-1] += last * (times - 1)
            last *= times
            at = repeat.end()
        else:
            totals[-1] += 1
            last = 1
            at = _after(pattern, at)
    return sum(totals)


def _after(pattern: str, at: int) -> int:
    """Where the next part begins after a character, an escape or a class."""
    if pattern[at] == "\\":
        return at + 2
    whole = _CLASS.match(pattern, at) if pattern[at] == "[" else None
    if whole and "[:" in whole[0][1:]:
        raise BadPattern(f"the pattern {pattern[:60]!r} has a class that is not ECMA 262's")
    return whole.end() if whole else at + 1
