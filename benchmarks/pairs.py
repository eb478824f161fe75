"""Two programs timed in turns, and what their times say about each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table: what was measured, what was wanted and what came out; texts, ready to print.

    ``met`` is None where nothing was promised.
    """

    what: str
    target: str
    ours: str
    rival: str = ""
    ratio: str = ""
    met: bool | None = None


Timed = Callable[[], float]
"""Does one thing and gives the seconds that it took, preparations left out."""


def timed(act: Callable[[], object]) -> Timed:
    """``act`` with a clock beside it."""

    def measured() -> float:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began

    return measured


def interleave(
    sides: Mapping[str, Callable[[], object]], *, rounds: int, warmup: int
) -> dict[str, list[float]]:
    """Seconds of each side in each round, all of ``act`` timed: see ``in_turns``."""
    return in_turns({name: timed(act) for name, act in sides.items()}, rounds=rounds, warmup=warmup)


def in_turns(sides: Mapping[str, Timed], *, rounds: int, warmup: int) -> dict[str, list[float]]:
    """Seconds of each side in each round; all sides run once in a round, always in the same order.

    The price of an fsync drifts by the minute, on shared disks by the second: only neighbours may be
    compared.

    Args:
        sides: Name → what is timed.
        rounds: Rounds that count.
        warmup: Rounds before them that do not.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(-warmup, rounds):
        for name, act in sides.items():
            took = act()
            if number >= 0:
                times[name].append(took)
    return times


def ratio(ours: list[float], rival: list[float]) -> float:
    """The median of the ratios of neighbours."""
    return median(a / b for a, b in zip(ours, rival, strict=True))


def milliseconds(times: list[float]) -> str:
    """``9.1 ms (8.0–14.2)``: median, smallest and largest; below a millisecond with more digits."""
    digits = 1 if median(times) >= 0.001 else 3
    low, mid, high = (f"{1000 * each:.{digits}f}" for each in (min(times), median(times), max(times)))
    return f"{mid} ms ({low}–{high})"


def at_most(what: str, limit: float, ours: list[float], rival: list[float], *, against: str = "") -> Row:
    """The row for "ours takes at most ``limit`` times as long as the rival".

    Args:
        against: Who the rival is, where the table's title does not say it.
    """
    found = ratio(ours, rival)
    return Row(
        what=what,
        target=f"≤ {limit:g} ×",
        ours=milliseconds(ours),
        rival=" ".join((against, milliseconds(rival))).strip(),
        ratio=f"{found:.2f} ×",
        met=found <= limit,
    )


def at_least(what: str, limit: float | None, ours: list[float], rival: list[float]) -> Row:
    """The row for "ours is at least ``limit`` times as fast as the rival"; None: nothing was promised."""
    found = ratio(rival, ours)
    return Row(
        what=what,
        target=f"≥ {limit:g} × faster" if limit else "",
        ours=milliseconds(ours),
        rival=milliseconds(rival),
        ratio=f"{found:.1f} ×",
        met=found >= limit if limit else None,
    )
