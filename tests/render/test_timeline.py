from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from gitreg.domain.timeline import Bar, Lane, Timeline
from gitreg.render.canvas import Canvas, Look, coloured
from gitreg.render.scale import Scale, lasting, number_ticks, stage_colours, time_ticks, whole_ticks
from gitreg.render.timeline import Window, timeline_lines, window
from gitreg.render.timeline_svg import timeline_svg

START = datetime(2026, 1, 5, tzinfo=UTC)
_NS = "{http://www.w3.org/2000/svg}"


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def bar(version: int, since: float, until: float | None, **given: object) -> Bar:
    """A bar between two days; its places in the history are the days in hours."""
    return Bar(
        version=version,
        since=day(since),
        until=None if until is None else day(until),
        first=int(since * 24) + 1,
        last=None if until is None else int(until * 24) + 1,
        commit_since=f"{version:040d}",
        commit_until=None if until is None else "e" * 40,
        given_by="Ada",
        ended_by=None if until is None else "Bob",
        **given,  # type: ignore[arg-type]
    )


def timeline(lanes: dict[str, list[Bar]], name: str = "churn") -> Timeline:
    effect: dict[int, datetime] = {}
    for bars in lanes.values():
        for each in bars:
            effect[each.first] = each.since
            if each.last is not None and each.until is not None:
                effect[each.last] = each.until
    made = tuple(Lane(stage=stage, bars=tuple(bars)) for stage, bars in lanes.items())
    return Timeline(name=name, commit="c" * 40, time=day(10), lanes=made, effect=effect)


def lines(lanes: dict[str, list[Bar]], width: int = 60, end: float = 10, **look: bool) -> list[str]:
    found = timeline(lanes)
    shown = window(found, since=None, until=None, end=day(end), now=True)
    return timeline_lines(found, shown, Look(width=width, **look))


def test_bars_are_as_long_as_they_were_held() -> None:
    row = lines({"Production": [bar(1, 0, 5), bar(2, 5, 10), bar(3, 10, None)]}, width=65, end=20)[0]
    first, second, third = row.split("▐")[1:]
    assert "v1" in first
    assert "v2" in second
    assert "v3" in third
    assert len(first) + 1 == pytest.approx(len(third) / 2, abs=1)
    assert len(first) == pytest.approx(len(second), abs=1)


@pytest.mark.parametrize("width", [20, 40, 60, 100, 160, 300])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, unicode: bool) -> None:
    many = {
        "Production": [bar(n, n / 10, (n + 1) / 10) for n in range(100)] + [bar(100, 10, None)],
        "A-stage-with-a-very-long-name": [bar(n, n, None) for n in range(9)],
    }
    for row in lines(many, width=width, unicode=unicode):
        assert len(row) <= width
        assert unicode or row.isascii()
        assert row.isprintable()


def test_a_bar_too_short_to_see_is_a_tick() -> None:
    row = lines({"Production": [bar(1, 0, 0.01), bar(2, 5, 5.01), bar(3, 9, None)]}, end=20)[0]
    assert row.count("│") == 2
    assert "v3" in row


def test_a_bar_that_ended_before_it_began_is_a_tick() -> None:
    found = timeline({"Production": [bar(1, 3, 2), bar(2, 2, None)]})
    assert timeline_lines(found, Window(begin=day(0), end=day(10)), Look(width=60))[0].count("│") == 1


def test_a_holder_whose_bar_is_too_short_for_its_name_is_named_beside_it() -> None:
    assert lines({"Production": [bar(1, 0, 9.99), bar(27, 9.99, None)]})[0].endswith(" v27")


def test_versions_that_hold_a_stage_together_have_rows_and_too_many_are_counted() -> None:
    found = lines({"Archived": [bar(n, n / 10, None) for n in range(1, 21)]})
    assert [re.findall(r"v\d+", row) for row in found[:4]] == [["v20"], ["v19"], ["v18"], ["v17"]]
    assert "16 more" in found[4]


def test_what_began_before_the_history_is_open_at_its_left() -> None:
    row = lines({"Production": [bar(1, 0, None, began_before=True)]})[0]
    assert row.startswith("Production  ‹░▒▓█")


def test_ascii_has_no_sign_of_unicode() -> None:
    row = lines({"Production": [bar(1, 0, 5), bar(2, 5, None)]}, unicode=False)[0]
    assert re.fullmatch(r"Production  \[=+ v1 =+\[=+ v2 =+>", row)


def test_colours_are_there_when_wanted_and_only_then() -> None:
    lanes = {"Production": [bar(1, 0, None)], "Odd": [bar(1, 0, None)]}
    assert "\x1b" not in "".join(lines(lanes))
    shown = lines(lanes, colours=True)
    assert coloured(0) in shown[0]
    assert coloured(3) in shown[1]
    assert all(row.endswith("\x1b[0m") for row in shown[:2])
    assert [re.sub(r"\x1b\[[\d;]*m", "", row) for row in shown] == lines(lanes)


def test_the_axis_tells_dates_and_now() -> None:
    axis, labels = lines({"Production": [bar(1, 0, None)]}, width=80)[-2:]
    assert axis.count("┬") == len(labels.split()) - 1
    assert labels.split()[0] == "2026-01-05"
    assert labels.endswith("now")


def test_one_moment_still_makes_a_picture() -> None:
    found = timeline({"Production": [bar(1, 0, None)]})
    shown = window(found, since=None, until=None, end=day(0), now=True)
    assert shown.end > shown.begin
    assert "v1" in timeline_lines(found, shown, Look(width=60))[0]


# SVG


def shapes(made: str) -> list[tuple[str, str]]:
    """Class and tooltip of each bar."""
    root = ET.fromstring(made.encode())
    return [
        (one.get("class") or "", one.findtext(f"{_NS}title") or "")
        for one in root.iter()
        if one.tag in (f"{_NS}rect", f"{_NS}path") and one.find(f"{_NS}title") is not None
    ]


def picture(lanes: dict[str, list[Bar]], name: str = "churn") -> str:
    found = timeline(lanes, name)
    return timeline_svg(found, window(found, since=None, until=None, end=day(20)))


def test_each_bar_of_the_picture_says_who_held_what_when() -> None:
    made = picture({"Production": [bar(1, 0, 5), bar(2, 5, None)], "Staging": [bar(3, 1, None)]})
    assert shapes(made) == [
        (
            "s0",
            "Production: version 1 from 2026-01-05 00:00 UTC to 2026-01-10 00:00 UTC (5 days), by Ada in 0000000000; "
            "ended by Bob in eeeeeeeeee",
        ),
        ("s0", "Production: version 2 since 2026-01-10 00:00 UTC, by Ada in 0000000000"),
        ("s1", "Staging: version 3 since 2026-01-06 00:00 UTC, by Ada in 0000000000"),
    ]


def test_the_picture_of_a_shallow_clone_does_not_name_a_beginning() -> None:
    ((kind, tip),) = shapes(picture({"Production": [bar(1, 0, None, began_before=True)]}))
    assert kind == "s0 before"
    assert tip == "Production: version 1 since before 2026-01-05 00:00 UTC"


def test_names_cannot_break_the_picture() -> None:
    made = picture({"<b>&": [bar(1, 0, None)]}, name='</title><script>alert(1)</script>"\x1b\u202e')
    root = ET.fromstring(made.encode())
    assert root.findall(f".//{_NS}script") == []
    assert "\\x1b\\u202e" in (root.findtext(f"{_NS}title") or "")


def test_the_same_timeline_gives_the_same_picture() -> None:
    lanes = {"Production": [bar(1, 0, 5), bar(2, 5, None)]}
    assert picture(lanes) == picture(lanes)


def test_nothing_is_drawn_outside_the_picture() -> None:
    lanes = {"Production": [bar(n, n / 20, (n + 1) / 20) for n in range(199)] + [bar(200, 10, None)]}
    root = ET.fromstring(picture(lanes).encode())
    wide = float(root.get("width") or 0)
    for one in root.iter(f"{_NS}rect"):
        assert float(one.get("x") or 0) >= 0
        assert float(one.get("x") or 0) + float(one.get("width") or 0) <= wide
        assert float(one.get("width") or 0) > 0


def test_a_picture_of_nothing_is_still_a_picture() -> None:
    made = picture({})
    assert ET.fromstring(made.encode()).findtext(f"{_NS}desc") == "No version ever held a stage"


# Scales


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (0.1, ["2026-01-05 00:00", "00:30", "01:00", "01:30", "02:00"]),
        (1, ["2026-01-05 00:00", "06:00", "12:00", "18:00", "01-06"]),
        (20, ["2026-01-08", "01-15", "01-22"]),
        (400, ["2026-04", "2026-07", "2026-10", "2027-01"]),
        (4000, ["2028", "2030", "2032", "2034", "2036"]),
    ],
)
def test_time_ticks_are_round_and_say_no_more_than_needed(days: float, labels: list[str]) -> None:
    assert [tick.label for tick in time_ticks(START, day(days), 5)] == labels


@pytest.mark.parametrize("days", [0, 1e-6, 0.3, 3, 33, 333, 3333, 33_333, 999_999])
@pytest.mark.parametrize("most", [1, 2, 5, 12])
def test_ticks_lie_inside_and_are_no_more_than_asked(days: float, most: int) -> None:
    begin, end = START + timedelta(minutes=7), START + timedelta(minutes=7, days=days)
    ticks = time_ticks(begin, end, most)
    assert len(ticks) <= most
    assert all(begin.timestamp() <= tick.at <= end.timestamp() for tick in ticks)
    assert len({tick.at for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0, 1),
        (0.91, 0.97),
        (-5, 300),
        (1 + 1e-9, 1 + 2e-9),
        (-1.7e308, 1.7e308),
        (0, 5e-324),
        (3, 3),
        (0, 1000),
    ],
)
def test_number_ticks_are_few_inside_and_told_apart(low: float, high: float) -> None:
    ticks = number_ticks(low, high, 6)
    assert 1 <= len(ticks) <= 6
    assert len({tick.label for tick in ticks}) == len(ticks)
    room = (high / 2 - low / 2) * 1e-6
    assert all(low - room <= tick.at <= high + room for tick in ticks)
    assert [float(tick.label) for tick in ticks] == pytest.approx([tick.at for tick in ticks], rel=1e-5)


def test_quarters_are_written_without_needless_zeros() -> None:
    assert [tick.label for tick in number_ticks(0, 1000, 5)] == ["0", "250", "500", "750", "1000"]


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 3), (7, 60), (1, 10_000), (999, 1_000_001)])
def test_versions_have_whole_ticks(low: int, high: int) -> None:
    ticks = whole_ticks(low, high, 8)
    assert 1 <= len(ticks) <= 8
    assert all(low <= tick.at <= high and tick.label == str(int(tick.at)) for tick in ticks)


def test_a_scale_of_the_greatest_range_is_still_a_scale() -> None:
    scale = Scale(low=-1.7e308, high=1.7e308, begin=0, end=10)
    assert [scale(value) for value in (-1.7e308, 0.0, 1.7e308)] == [0, 5, 10]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, ""),
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7200, "2 h"),
        (172_800, "2 days"),
        (1e8, "3.2 years"),
    ],
)
def test_how_long_something_took_is_one_number(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_a_stage_has_its_colour_whatever_stands_beside_it() -> None:
    assert (
        stage_colours(["Staging", "Production"])["Production"] == stage_colours(["Production"])["Production"]
    )
    assert stage_colours(["a", "b"]) == {"a": 3, "b": 4}


def test_a_canvas_clips_what_lies_outside() -> None:
    canvas = Canvas(4, 1)
    canvas.put(-2, 0, "abc")
    canvas.put(3, 0, "xyz")
    assert canvas.lines(colours=False) == ["c  x"]
