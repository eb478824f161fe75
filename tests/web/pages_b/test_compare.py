"""Versions beside each other."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gitreg.domain.contrast import contrast
from gitreg.domain.contrast_many import contrast_many, differing
from gitreg.domain.model import ModelVersion, Origin
from gitreg.render.compare_svg import Measured, compare_svg
from tests.web.pages_b.conftest import ODD, Browser, Read, named

THREE = "/compare?version=churn/1&version=churn/Production&version=churn/8"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def version(number: int, **metrics: float) -> ModelVersion:
    origin = Origin(source=f"s3://m/{number}", metrics=metrics, params={"depth": "3"})
    return ModelVersion(name="m", version=number, created=NOW, updated=NOW, origin=origin)


def test_the_differences_alone_are_shown_with_the_best_marked(browser: Browser) -> None:
    read = browser.get(THREE)
    assert "churn/7" in read.text and "churn/Production" in read.text
    assert "0.921 best" in read.text and "0.322 best" in read.text
    assert "+0.063 (+7.5 %), better" in read.text
    assert "READY" not in read.text, "the status is the same in all"
    assert "READY" in browser.get(THREE + "&all=1").text


def test_every_link_of_it_leads_somewhere(
    browser: Browser, leads_nowhere: Callable[[Read], list[str]]
) -> None:
    assert leads_nowhere(browser.get(THREE)) == []


def test_one_version_and_none_ask_for_more(browser: Browser) -> None:
    assert "Name two versions or more" in browser.get("/compare").text
    one = browser.get("/compare?version=churn/1")
    assert "churn/1 is alone" in one.text
    assert any(link.startswith("/compare?version=churn%2F1&version=churn%2F7") for link in one.links)


def test_a_version_by_two_names_is_shown_once(browser: Browser) -> None:
    assert "churn/7 is alone" in browser.get("/compare?version=churn/7&version=churn/Production").text


def test_models_can_be_mixed_and_two_have_a_command(browser: Browser) -> None:
    read = browser.get("/compare?version=churn/1&version=customer-embedding/latest")
    assert "customer-embedding/2" in read.text
    assert "gitreg diff churn/1 customer-embedding/2" in read.text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("version=churn/1&version=churn/99", 404, "99"),
        ("version=churn/1&version=churm/1", 404, "churn"),
        ("version=churn/1&version=churn", 400, "say which version"),
        ("version=churn/1&version=churn/Prodction", 400, "Production"),
    ],
)
def test_what_is_no_version_is_told_and_the_others_stay(
    browser: Browser, query: str, status: int, said: str
) -> None:
    read = browser.get(f"/compare?{query}", status=status)
    assert said in read.text
    assert any(each.get("value") == "churn/1" for each in read.all("input"))


def test_the_past_is_compared_as_it_was(browser: Browser) -> None:
    read = browser.get("/compare?version=churn/1&version=churn/Production&at=2025-03-01")
    assert "churn/2" in read.text and "churn/7" not in read.text
    assert all("at=2025-03-01" in link for link in read.links if link.startswith("/models/"))


def test_hostile_texts_are_shown_and_do_nothing(hostile: Browser) -> None:
    name = named(ODD)
    read = hostile.get(f"/compare?version={name}/1&version={name}/2&all=1")
    assert "<script>alert(1)</script>" in read.text
    assert "characters)" in read.text, "the huge tag is cut"


def test_many_sets_each_beside_the_first_as_contrast_does() -> None:
    versions = [version(1, auc=0.8, f1=0.5), version(2, auc=0.9), version(3, auc=0.85, loss=1.0)]
    found = {section.kind: section for section in contrast_many(versions, [(), (), ()], {"auc": "higher"})}
    rows = {row.key: row for row in found["metrics"].rows}
    expected = {
        row.key: row for section in contrast(versions[0], versions[2]).sections for row in section.rows
    }
    assert rows["auc"].rows[2] == expected["auc"]
    assert rows["auc"].best == {1}
    assert [one.after for one in rows["loss"].rows] == [None, None, 1.0]
    assert [one.same for one in rows["f1"].rows] == [True, False, False]
    assert rows["f1"].best == frozenset(), "no rule says which direction is the better one"
    kept = {row.key for section in differing(list(found.values())) for row in section.rows}
    assert kept == {"auc", "f1", "loss", "source"}


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_the_best_follows_the_direction_and_nobody_wins_a_draw(direction: str) -> None:
    better = {"a": direction, "b": direction}
    versions = [version(1, a=1.0, b=2.0), version(2, a=3.0, b=2.0), version(3, a=float("nan"), b=2.0)]
    (section,) = [one for one in contrast_many(versions, [(), (), ()], better) if one.kind == "metrics"]  # type: ignore[arg-type]
    best = {row.key: row.best for row in section.rows}
    assert best == {"a": {1 if direction == "higher" else 0}, "b": frozenset()}


def test_the_picture_is_xml_with_a_dot_for_each_value() -> None:
    measured = Measured(
        metric="a <b>", values=(0.1, None, float("inf"), 0.3), best=frozenset({3}), better="higher"
    )
    text = compare_svg(["m/1", "m/2", "m/3", "m/4"], [measured])
    root = ET.fromstring(text)
    dots = [each for each in root.iter() if re.search(r"\bdot\b", each.get("class", ""))]
    assert len(dots) == 2
    assert "m/4 0.3" in text and "higher is better" in text


def test_nothing_is_drawn_of_what_has_no_two_values() -> None:
    assert compare_svg(["m/1", "m/2"], [Measured(metric="a", values=(1.0, None))]) == ""
    assert compare_svg(["m/1", "m/2"], [Measured(metric="a", values=(1.0, 1.0))]) != ""
