from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from gitreg.render import svg

_NS = "{http://www.w3.org/2000/svg}"


def picture(*children: svg.Markup, title: str = "A title", description: str = "What it is") -> str:
    return svg.document(*children, width=100, height=50, title=title, description=description)


def test_a_picture_is_xml_with_a_name_and_a_description_for_those_who_cannot_see_it() -> None:
    root = ET.fromstring(picture(svg.text(1, 2, "hello")))
    assert root.tag == f"{_NS}svg"
    assert root.get("role") == "img"
    named = {child.get("id"): child.text for child in root}
    assert [named[key] for key in (root.get("aria-labelledby") or "").split()] == ["A title", "What it is"]
    assert root.get("viewBox") == "0 0 100 50"


NASTY = "<script>alert('x')</script> & \"q\" \x00\x1b[31m\x7f\ud800\uffff\u202e\ufffe end"


def test_text_cannot_leave_its_place_and_what_xml_cannot_hold_is_shown_as_an_escape() -> None:
    made = picture(svg.element("rect", title=NASTY, data_x=NASTY), svg.text(0, 0, NASTY), title=NASTY)
    root = ET.fromstring(made.encode())  # strict: UTF-8, XML 1.0
    said = root.findall(f".//{_NS}text")[0].text or ""
    assert said.startswith("<script>alert('x')</script> & \"q\" \\x00\\x1b[31m\\x7f\\ud800\\uffff\\u202e")
    assert root.findall(f".//{_NS}script") == []
    assert root.findall(f".//{_NS}rect")[1].get("data-x") == said


def test_a_picture_names_nothing_outside_itself() -> None:
    made = picture(svg.text(0, 0, "x"))
    assert "href" not in made
    assert "url(" not in made
    assert made.count("http") == 1  # the name space


def test_the_same_values_give_the_same_bytes_and_others_other_ids() -> None:
    assert picture() == picture()
    first, second = (ET.fromstring(picture(title=title)) for title in ("one", "two"))
    assert first.get("aria-labelledby") != second.get("aria-labelledby")


def test_style_rules_stay_inside_the_picture() -> None:
    rules = [row for row in svg.STYLE.splitlines() if row.endswith("}") and "{" in row]
    assert rules
    assert all(row.lstrip().startswith(".gitreg-picture") for row in rules)


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (1.0, "1"), (0.1 + 0.2, "0.3"), (-0.001, "0"), (-2.5, "-2.5"), (100, "100")]
)
def test_coordinates_are_short(value: float, text: str) -> None:
    assert svg.number(value) == text


def test_attributes_are_written_with_hyphens_and_none_leaves_one_out() -> None:
    assert svg.element("a", class_="b", stroke_width=2.0, x=None) == '<a class="b" stroke-width="2"/>'


def test_a_group_holds_its_elements_and_a_tooltip_first() -> None:
    made = svg.group(svg.element("a"), svg.element("b"), title="tip")
    assert [child.tag for child in ET.fromstring(made)] == ["title", "a", "b"]


def test_a_long_text_is_cut_to_its_room() -> None:
    assert svg.shortened("short", 100) == "short"
    cut = svg.shortened("a rather long name", 60)
    assert cut.endswith("…")
    assert svg.text_width(cut) <= 60
    assert svg.shortened("anything", 3) == ""


def test_wide_characters_are_counted_as_such() -> None:
    assert svg.text_width("日本") > svg.text_width("ab") * 1.4
    assert svg.text_width("e\u0301") == svg.text_width("e")
