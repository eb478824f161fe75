from __future__ import annotations

import math
import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest

from gitreg.domain.series import Point, Series
from gitreg.render.canvas import Look
from gitreg.render.plot import bounds, plot_lines, runs, thinned
from gitreg.render.plot_svg import plot_svg
from gitreg.render.svg import text_width

_NS = "{http://www.w3.org/2000/svg}"
STAGES = ("Staging", "Production", "Archived")


def series(*values: float | None, held: dict[int, str] | None = None, **given: object) -> Series:
    """A series of one metric; ``held``: version → the stage that it holds."""
    held = held or {}
    points = tuple(
        Point(
            version=number,
            values=(value,),
            stages=(held[number],) if number in held else (),
            promoted=held.get(number) == "Production",
        )
        for number, value in enumerate(values, 1)
    )
    return Series(name="churn", metrics=("auc",), stage="Production", stages=STAGES, points=points, **given)  # type: ignore[arg-type]


def lines(found: Series, width: int = 80, **look: bool) -> list[str]:
    return plot_lines(found, Look(width=width, **look))


def spots(rows: list[str], sign: str) -> list[tuple[int, int]]:
    """Row and column of each sign, from left to right."""
    found = [
        (at, match.start()) for at, row in enumerate(rows) for match in re.finditer(re.escape(sign), row)
    ]
    return sorted(found, key=lambda place: place[1])


def test_greater_values_stand_higher_and_later_versions_further_right() -> None:
    places = spots(lines(series(0.1, 0.5, 0.9))[:13], "●")
    assert len(places) == 3
    assert [row for row, _ in places] == sorted((row for row, _ in places), reverse=True)
    gaps = [after - before for (_, before), (_, after) in pairwise(places)]
    assert gaps[0] == pytest.approx(gaps[1], abs=1)


def test_a_missing_value_is_a_gap() -> None:
    values = (1.0, 1.0, None, 2.0, math.nan, 3.0, math.inf, 4.0)
    assert list(runs(series(*values).points, 0)) == [[(1, 1.0), (2, 1.0)], [(4, 2.0)], [(6, 3.0)], [(8, 4.0)]]
    assert bounds(series(*values).points, 0) == pytest.approx((0.85, 4.15))


def test_the_curve_has_no_dot_where_nothing_is_known() -> None:
    whole = lines(series(1.0, 1.0, 1.0, 1.0))
    broken = lines(series(1.0, 1.0, None, 1.0))
    dots = [sum(0x2800 < ord(char) < 0x2900 for row in rows for char in row) for rows in (whole, broken)]
    assert dots[1] < dots[0] / 2


@pytest.mark.parametrize("width", [20, 60, 100, 160])
@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("count", [1, 2, 40, 2000])
def test_no_line_is_wider_than_the_terminal(width: int, unicode: bool, count: int) -> None:
    found = series(*(math.sin(n / 9) * n for n in range(count)), held={count: "Production"})
    rows = lines(found, width=width, unicode=unicode)
    assert max(map(len, rows[:-2])) <= width
    assert unicode or "".join(rows).isascii()
    assert "".join(rows).isprintable()


def test_promotions_stand_below_their_versions() -> None:
    rows = lines(series(1.0, 2.0, 3.0, 4.0, held={1: "Production", 3: "Production"}))
    marks = [column for _, column in spots(rows[:-1], "▲")]
    dots = [column for _, column in spots(rows, "●")]
    assert marks == [dots[0], dots[2]]


def test_a_deprecated_version_is_hollow() -> None:
    points = (Point(version=1, values=(1.0,), deprecated=True), Point(version=2, values=(2.0,)))
    found = Series(name="churn", metrics=("auc",), stage="Production", stages=STAGES, points=points)
    rows = lines(found)
    assert len(spots(rows[:-1], "○")) == len(spots(rows, "●")) == 1
    kinds = [one.get("class") for one in ET.fromstring(plot_svg(found)).iter(f"{_NS}circle")]
    assert kinds == ["hollow", "dot plain"]


def test_a_metric_whose_values_cannot_be_drawn_says_so() -> None:
    found = series(math.nan, math.inf, None)
    assert "no version has a value that can be drawn" in lines(found)[1]
    assert "can be drawn" in plot_svg(found)


def test_several_metrics_have_panels_of_their_own() -> None:
    points = tuple(Point(version=n, values=(n / 10, 100.0 * n)) for n in range(1, 5))
    found = Series(name="churn", metrics=("auc", "loss"), stage="", stages=(), points=points)
    rows = lines(found)
    assert [row for row in rows if row.startswith("churn: ")] == ["churn: auc", "churn: loss"]
    assert len(spots(rows, "●")) == 8
    assert len(list(ET.fromstring(plot_svg(found)).iter(f"{_NS}circle"))) == 8


@pytest.mark.parametrize("extreme", [(-1.7e308, 1.7e308), (5e-324, 1e-323), (0.0, 0.0), (1.0, 1.0 + 1e-16)])
def test_extreme_values_are_drawn(extreme: tuple[float, float]) -> None:
    rows = lines(series(*extreme))
    assert spots(rows, "●")
    assert "nan" not in plot_svg(series(*extreme))


def test_thinning_keeps_what_can_be_seen() -> None:
    places = [(n / 100, math.sin(n)) for n in range(10_000)]
    thin = thinned(places, 1.0)
    assert len(thin) <= 400
    assert {max(y for _, y in places), min(y for _, y in places)} <= {y for _, y in thin}
    assert thin == sorted(thin)
    assert thinned(places[:3], 1.0) == places[:3]


def test_ten_thousand_versions_are_drawn_quickly_and_small() -> None:
    found = series(*(math.sin(n / 300) for n in range(10_000)), held={10_000: "Production"})
    begin = time.perf_counter()
    rows, made = lines(found), plot_svg(found)
    assert time.perf_counter() - begin < 2
    assert len(made) < 100_000
    assert len(rows) < 20


def test_the_stages_are_named_over_their_versions_without_overlap() -> None:
    found = series(*map(float, range(1, 101)), held={98: "Archived", 99: "Production", 100: "Staging"})
    tags = [
        one for one in ET.fromstring(plot_svg(found)).iter(f"{_NS}text") if "tag" in (one.get("class") or "")
    ]
    assert [one.text for one in tags] == ["Production v99", "Staging v100"]
    first, second = (float(one.get("x") or 0) for one in tags)
    assert second - first >= 80
    assert second <= 960


def test_names_can_break_neither_the_picture_nor_the_terminal() -> None:
    name = "</title><script>x</script>\x1b]0;\u202e&"
    found = Series(name=name, metrics=(name,), stage="", stages=(), points=series(1.0, 2.0).points)
    assert "".join(lines(found)).isprintable()
    made = plot_svg(found)
    assert ET.fromstring(made.encode()).findall(f".//{_NS}script") == []


def test_a_deprecated_version_that_holds_a_stage_is_hollow_in_its_colour() -> None:
    found = series(0.1, 0.5, 0.9, held={2: "Staging", 3: "Production"})
    points = tuple(replace(point, deprecated=point.version == 3) for point in found.points)
    drawn = plot_svg(replace(found, points=points))
    assert "○ deprecated" in drawn
    groups = [
        each.findall(f"{_NS}circle")
        for each in ET.fromstring(drawn).iter(f"{_NS}g")
        if each.find(f"{_NS}title") is not None
    ]
    ((outer, inner),) = groups
    assert re.fullmatch(r"dot s\d", outer.get("class") or "") and inner.get("class") == "on"
    assert float(inner.get("r") or 0) < float(outer.get("r") or 0)
    assert "version 3: auc 0.9, Production, deprecated" in drawn
    whole = plot_svg(found)
    assert 'class="on"' not in whole


def test_names_of_many_stages_and_holders_do_not_lie_on_each_other() -> None:
    stages = tuple(f"A rather long stage number {number}" for number in range(12))
    points = tuple(
        Point(version=number, values=(float(number),), stages=(stages[number % 12],), promoted=False)
        for number in range(1, 60)
    )
    drawn = plot_svg(Series(name="churn", metrics=("auc",), stage=stages[0], stages=stages, points=points))
    tags = [each for each in ET.fromstring(drawn).iter(f"{_NS}text") if "tag" in (each.get("class") or "")]
    assert len(tags) >= 3
    middles = [(float(each.get("x") or 0), 1.2 * text_width(each.text or "", 11)) for each in tags]
    assert middles[0][0] - middles[0][1] / 2 >= 0
    for (x, width), (beyond, other) in pairwise(middles):
        assert beyond - other / 2 >= x + width / 2
