"""Scales and ticks of the axes of pictures: numbers and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor, isfinite, log10

_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_DAY = 86_400
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12_000)
_KNOWN = {"Production": 0, "Staging": 1, "Archived": 2}
_FREE = (3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A place on an axis, in the axis' own measure (times: seconds since 1970), and what stands there."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps ``low`` … ``high`` to ``begin`` … ``end``; what lies outside lands on the nearer end."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """Where ``value`` lies."""
        # In halves: the range from the least to the greatest number there is would be infinite.
        length = self.high / 2 - self.low / 2
        part = (value / 2 - self.low / 2) / length if length > 0 else 0.5
        return self.begin + (self.end - self.begin) * min(max(part, 0.0), 1.0)


def number_ticks(low: float, high: float, most: int) -> list[Tick]:
    """At most ``most`` (two or more) round numbers between ``low`` and ``high``."""
    if not high - low > max(abs(low), abs(high), 1e-290) * 1e-12:
        return [Tick(at=low, label=f"{low:.6g}")]
    if not isfinite(high - low):
        return [Tick(at=at, label=f"{at:.2g}") for at in (low, high)]
    step = _round_step((high - low) / max(most - 1, 1))
    while floor(high / step + 1e-9) - ceil(low / step - 1e-9) + 1 > most:
        step = _round_step(step * 1.01)
    first = ceil(low / step - 1e-9)
    ticks = [place * step for place in range(first, floor(high / step + 1e-9) + 1)]
    decimals = max(0, -floor(log10(step) + 1e-9) + (f"{step:e}"[:3] == "2.5"))
    return [Tick(at=at, label=_said(at, step, decimals)) for at in ticks]


def _said(at: float, step: float, decimals: int) -> str:
    at = 0.0 if abs(at) < step / 2 else at
    if decimals > 6 or abs(at) >= 1e7:
        return f"{at:.{max(2, floor(log10(abs(at) / step)) + 2)}g}" if at else "0"
    return f"{at:.{decimals}f}"


def _round_step(least: float) -> float:
    power: float = 10.0 ** floor(log10(least))
    return next(unit * power for unit in (1, 2, 2.5, 5, 10, 20) if unit * power >= least * (1 - 1e-9))


def whole_ticks(low: int, high: int, most: int) -> list[Tick]:
    """At most ``most`` whole numbers between ``low`` and ``high``, evenly spaced."""
    if high - low + 1 <= most:
        return [Tick(at=at, label=str(at)) for at in range(low, high + 1)]
    step = max(1, round(_round_step((high - low) / max(most - 1, 1))))
    while high // step - -(-low // step) + 1 > most:
        step = round(_round_step(step * 1.01 + 1))
    return [Tick(at=at, label=str(at)) for at in range(-(-low // step) * step, high + 1, step)]


def time_ticks(begin: datetime, end: datetime, most: int) -> list[Tick]:
    """At most ``most`` round times between ``begin`` and ``end``, in UTC.

    The first says the whole date, the others what changes: ``2026-01-15 10:00``, ``11:00``; at
    midnight and at a new year the day and the year.
    """
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    for length in (*_SECONDS, *(days * _DAY for days in _DAYS)):
        if (end - begin).total_seconds() / length <= most:
            found = list(_steps(begin, end, length))
            if len(found) <= most:
                return _labelled(found, length)
    for months in _MONTHS:
        found = list(_months(begin, end, months))
        if len(found) <= most:
            return _labelled(found, months * 31 * _DAY)
    return []


def _steps(begin: datetime, end: datetime, length: int) -> Iterator[datetime]:
    # From the beginning of the year on, so that two pictures of one registry have the same ticks.
    origin = begin.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    count = ceil((begin - origin).total_seconds() / length)
    while (when := origin + timedelta(seconds=count * length)) <= end:
        yield when
        count += 1


def _months(begin: datetime, end: datetime, step: int) -> Iterator[datetime]:
    month = begin.year * 12 + begin.month - 1
    month += -month % step
    while month // 12 <= end.year:
        when = datetime(max(month // 12, 1), month % 12 + 1, 1, tzinfo=UTC)
        if when > end:
            return
        if when >= begin:
            yield when
        month += step


def _labelled(times: Sequence[datetime], length: float) -> list[Tick]:
    return [
        Tick(at=when.timestamp(), label=_time_label(when, times[place - 1] if place else None, length))
        for place, when in enumerate(times)
    ]


def _time_label(when: datetime, before: datetime | None, length: float) -> str:
    if length >= 366 * _DAY:
        return f"{when.year}"
    if length >= 28 * _DAY:
        return f"{when:%Y-%m}"
    day = f"{when:%Y-%m-%d}" if before is None or when.year != before.year else f"{when:%m-%d}"
    if length >= _DAY:
        return day
    clock = f"{when:%H:%M}" if length >= 60 else f"{when:%H:%M:%S}"
    if before is None:
        return f"{day} {clock}"
    return clock if when.date() == before.date() else day


def lasting(seconds: float) -> str:
    """How long something took, in one unit: ``40 s``, ``12 min``, ``5 h``, ``132 days``, ``2.5 years``.

    A clock that ran backwards makes it ``""``.
    """
    if seconds < 0:
        return ""
    for length, unit, most in ((1, "s", 120), (60, "min", 7200), (3600, "h", 48 * 3600)):
        if seconds < most:
            return f"{seconds // length:.0f} {unit}"
    days = seconds / _DAY
    return f"{days:.0f} days" if days < 730 else f"{days / 365.25:.1f} years"


def stage_colours(stages: Sequence[str]) -> Mapping[str, int]:
    """Which of a picture's colours each stage has: the same stages get the same ones everywhere."""
    others = [stage for stage in stages if stage not in _KNOWN]
    return {
        stage: _KNOWN[stage] if stage in _KNOWN else _FREE[others.index(stage) % len(_FREE)]
        for stage in stages
    }
