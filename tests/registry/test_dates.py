"""What dates mean, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.clock import utc_now
from gitreg.registry.dates import is_date, not_a_point, parse_moment
from gitreg.registry.registry import Registry


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-15", datetime(2026, 1, 15, 23, 59, 59, 999000, tzinfo=UTC)),
        (" 2026-01-15 ", datetime(2026, 1, 15, 23, 59, 59, 999000, tzinfo=UTC)),
        ("2026-01-15T10:30", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
        ("2026-01-15 10:30:05+02:00", datetime(2026, 1, 15, 8, 30, 5, tzinfo=UTC)),
        ("2026-01-15T10:30Z", datetime(2026, 1, 15, 10, 30, tzinfo=UTC)),
    ],
)
def test_one_way_to_read_it(text: str, moment: datetime) -> None:
    assert is_date(text)
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "2026-01-15T25:00", "2026-01-15T10:30+99:00"])
def test_what_no_calendar_has(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no date") as caught:
        parse_moment(text)
    assert "year-month-day" in caught.value.hint


@pytest.mark.parametrize("text", ["01/02/2026", "1.2.2026", "1-2-26", "01/02"])
def test_what_could_mean_several_days(text: str) -> None:
    assert not is_date(text)
    assert "several ways" in not_a_point(text).message


@pytest.mark.parametrize("text", ["2026-1-5", "2026/01/15", "20260115", "2026", "2026-01"])
def test_what_is_written_in_another_way(text: str) -> None:
    assert not is_date(text)
    found = not_a_point(text)
    assert "not written as dates are here" in found.message and "year-month-day" in found.hint


@pytest.mark.parametrize("text", ["v1.2.3", "main", "churn/v1", "abcdef0", "HEAD~2"])
def test_what_looks_like_a_revision(text: str) -> None:
    assert isinstance(not_a_point(text), NotFound)


def test_the_future_is_refused(registry: Registry) -> None:
    registry.register("m", "s3://1")
    today = f"{utc_now():%Y-%m-%d}"
    assert registry.at(today).version("m/1").source == "s3://1"
    for when in ("2999-01-01", utc_now() + timedelta(days=3)):
        with pytest.raises(InvalidInput, match="lies in the future"):
            registry.at(when)
    with pytest.raises(NotFound, match="begins after"):
        registry.at("1999-01-01")


def test_a_naive_time_is_utc(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    registry.register("m", "s3://1")
    later = utc_now() + timedelta(seconds=5)
    assert registry.at(later.replace(tzinfo=None)).version("m/1").version == 1
    with pytest.raises(NotFound):
        registry.at((later - timedelta(hours=1)).replace(tzinfo=None))


def test_a_day_of_the_calendar_means_its_end(registry: Registry) -> None:
    registry.register("m", "s3://1")
    assert registry.at(utc_now().date()).version("m/1").source == "s3://1"
    with pytest.raises(NotFound, match="begins after"):
        registry.at(datetime(1999, 1, 1).date())


@pytest.mark.parametrize("limit", [0, -1])
def test_a_log_of_less_than_one_commit(registry: Registry, limit: int) -> None:
    registry.register("m", "s3://1")
    with pytest.raises(InvalidInput, match="the limit is"):
        list(registry.log(limit=limit))
