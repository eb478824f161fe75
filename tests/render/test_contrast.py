from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gitreg.domain.contrast import Contrast, Row, Section, contrast, measured
from gitreg.domain.contrast_model import ModelContrast, RegistryContrast, contrast_models
from gitreg.domain.model import (
    Artifact,
    Evaluation,
    Mark,
    ModelState,
    ModelTombstone,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
    versions_of,
)
from gitreg.render.contrast import Paper, model_lines, registry_lines, version_lines
from gitreg.render.contrast_data import flat_rows, model_data, model_rows, registry_data, version_data
from gitreg.render.contrast_markdown import model_markdown, registry_markdown, version_markdown
from gitreg.render.contrast_words import change, line_changes, pair
from gitreg.render.markdown import code, fenced, table_head, table_row
from gitreg.render.text import safe

AT = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = ("m/1", "m/2")
METRICS = Section(kind="metrics", rows=())


def version(number: int = 1, **more: Any) -> ModelVersion:
    state = {key: more.pop(key) for key in list(more) if key not in Origin.__slots__}
    origin = Origin(**{"source": "s3://x", **more})
    return ModelVersion(name="m", version=number, created=AT, updated=AT, origin=origin, **state)


def models() -> ModelContrast:
    """Production went from 1 to 2, 1 got a tag, 3 was deleted, 4 came."""
    held = {"Production": AT}
    gone = VersionTombstone(name="m", version=3, deleted=Mark(at=AT, reason="leaked | data"))
    old = (version(1, stages=held, metrics={"auc": 0.91}), version(2, metrics={"auc": 0.93}), version(3))
    new = (replace(old[0], stages={}, tags={"a": "b"}), replace(old[1], stages=held), gone, version(4))
    model = RegisteredModel(name="m", created=AT, updated=AT, aliases={"champion": 1})
    before = ModelState(name="m", model=model, versions=versions_of({one.version: one for one in old}))
    after = ModelState(
        name="m",
        model=replace(model, aliases={"champion": 2}),
        versions=versions_of({one.version: one for one in new}),
    )
    return contrast_models(before, after, [1, 2, 3, 4], stages=["Staging", "Production"])


class TestWords:
    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            (0.91, 0.93, "+0.02 (+2.2 %)"),
            (0.5, 0.25, "−0.25 (−50.0 %)"),
            (-2.0, -1.0, "+1 (+50.0 %)"),
            (0.0, 3.0, "+3"),
            (1, 10_000, "+9999 (+999,900 %)"),
            (1.0, 1.0000001, "+1e-07 (+1e-05 %)"),
            (nan, 1.0, ""),
            (1.0, inf, ""),
            (None, 1.0, "added"),
            (nan, None, "removed"),
            (nan, nan, ""),
        ],
    )
    def test_change(self, before: float | None, after: float | None, said: str) -> None:
        assert change(METRICS, measured("x", before, after), {}) == said

    @pytest.mark.parametrize(
        ("direction", "after", "said"),
        [
            ("higher", 2.0, "+1 (+100.0 %), better"),
            ("lower", 2.0, "+1 (+100.0 %), worse"),
            ("lower", 0.0, "−1 (−100.0 %), better"),
            ("higher", 1.0, ""),
            ("higher", nan, ""),
        ],
    )
    def test_a_verdict_where_the_direction_is_known(self, direction: Any, after: float, said: str) -> None:
        assert change(METRICS, measured("x", 1.0, after), {"x": direction}) == said

    def test_no_verdict_on_what_is_no_metric(self) -> None:
        size = Section(kind="artifact", rows=())
        assert change(size, measured("size", 1000, 2000), {"size": "lower"}) == "+1.0 kB (+100.0 %)"

    def test_values_that_would_look_alike_are_told_in_full(self) -> None:
        row = measured("x", 0.9123456, 0.9123457)
        assert pair(METRICS, row) == ("0.9123456", "0.9123457")
        digests = [f"sha256:{'0' * 20}{digit}" for digit in "12"]
        files = Section(kind="files", rows=())
        told = pair(files, Row(key="f", before=digests[0], after=digests[1], same=False))
        assert told == tuple(digests)

    def test_line_changes(self) -> None:
        before = "\n".join(["a", "b", "c", "d", "e", "f"])
        told = list(line_changes(before, before.replace("e", "E")))
        assert told == [("…", ""), (" ", "d"), ("-", "e"), ("+", "E"), (" ", "f")]
        assert list(line_changes("", "x")) == [("+", "x")]

    def test_line_changes_of_long_texts_take_no_time(self) -> None:
        many = [str(number) for number in range(50_000)]
        told = list(line_changes("\n".join(many), "\n".join([*many[:400], "new", *many[401:]])))
        assert told == [("…", ""), (" ", "399"), ("-", "400"), ("+", "new"), (" ", "401")]

    @given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
    def test_line_changes_tell_every_line_that_differs(self, before: list[str], after: list[str]) -> None:
        told = list(line_changes("\n".join(before), "\n".join(after)))
        gone = sum(sign == "-" for sign, _ in told)
        came = sum(sign == "+" for sign, _ in told)
        assert came - gone == len(after) - len(before) and bool(told) == (before != after)


class TestLines:
    def test_columns_are_aligned_over_sections(self) -> None:
        found = contrast(
            version(metrics={"auc": 0.91}, params={"depth": "3"}),
            version(2, metrics={"auc": 0.93}, params={"depth": "5"}),
        )
        assert version_lines(found, LABELS) == [
            "",
            "         m/1   m/2",
            "Metrics",
            "  auc    0.91  0.93  +0.02 (+2.2 %)",
            "Parameters",
            "  depth  3     5",
        ]

    def test_what_does_not_fit_stands_on_lines_of_its_own(self) -> None:
        found = contrast(version(source="s3://" + "a" * 60), version(2, source="s3://" + "b" * 60))
        lines = version_lines(found, LABELS, Paper(columns=80))
        assert lines[-2:] == [f"  source  - s3://{'a' * 60}", f"          + s3://{'b' * 60}"]

    def test_a_long_key_pushes_no_column(self) -> None:
        found = contrast(version(), version(2, params={"p" * 70: "1", "q": "2"}))
        lines = version_lines(found, LABELS, Paper(columns=80))
        at = next(line for line in lines if line.startswith("  q")).index("2")
        under = lines[lines.index("  " + "p" * 70) + 1]
        assert under.index("1") == at

    def test_all(self) -> None:
        found = contrast(version(params={"a": "same"}), version(2, params={"a": "same"}))
        assert version_lines(found, LABELS) == []
        assert any("same" in line for line in version_lines(found, LABELS, Paper(everything=True)))

    def test_thousands_of_files_are_counted(self) -> None:
        files = {f"part-{number}": "sha256:" + "0" * 64 for number in range(1000)}
        lines = version_lines(contrast(version(), version(2, artifact=Artifact(files=files))), LABELS)
        assert len(lines) < 120 and lines[-1] == "  and 900 more rows, which --json shows"

    def test_a_model(self) -> None:
        lines = model_lines(models(), ("then", "now"))
        text = "\n".join(lines)
        assert "  Production  1     2" in lines and "  champion    1     2" in lines
        assert "  3  deleted: leaked | data" in lines and "  4  registered  s3://x" in lines
        assert "Production: m/1 → m/2" in lines and "  auc  0.91  0.93  +0.02 (+2.2 %)" in lines
        assert text.count("since") == 0, "moves are told once, at the top"

    def test_a_registry_tells_each_model_in_short(self) -> None:
        lines = registry_lines(RegistryContrast(models=(models(),)), ("then", "now"))
        assert "  stages: Production  1 → 2" in lines and "  1  changed: stages, tags" in lines
        assert not any("auc" in line for line in lines)

    @pytest.mark.parametrize(
        ("gone", "said"),
        [
            (ModelTombstone(name="m", last_version=1, renamed_to="n"), "  renamed to n"),
            (ModelTombstone(name="m", last_version=1, deleted=Mark(at=AT, reason="r")), "  deleted: r"),
            (None, "  removed without a tombstone"),
        ],
    )
    def test_a_model_that_went(self, gone: ModelTombstone | None, said: str) -> None:
        model = RegisteredModel(name="m", created=AT, updated=AT)
        before = ModelState(name="m", model=model)
        found = contrast_models(before, ModelState(name="m", model=gone), [], stages=[])
        assert said in model_lines(found, LABELS)

    @given(st.text(max_size=30), st.text(max_size=30))
    def test_nothing_from_a_registry_steers_the_terminal(self, key: str, value: str) -> None:
        found = contrast(
            version(tags={key: value}, evaluations=(Evaluation(name=key or "e", at=AT, metrics={key: 1.0}),)),
            version(2, description=value, params={key: value}),
        )
        lines = version_lines(found, LABELS, Paper(columns=60))
        assert lines == [safe(line) for line in lines]


SPITE = [
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "`x`",
    "```",
    "``` |",
    "<script>alert(1)</script>",
    "<!-- -->",
    "![x](http://evil)",
    "[x]: http://evil",
    "http://evil",
    "@octocat",
    "#1",
    "a\n\n# heading\n",
    "a\r\nb",
    "&#64;x",
    "\u202eevil",
    "$math$",
    "  ",
    "",
    "\\",
    "-",
]


def outside_of_code(page: str) -> list[str]:
    """The text of a page that a reader of Markdown sees anywhere but in code; raw HTML is not left out."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    inline = [child for token in tokens for child in token.children or ()]
    blocks = [token.content for token in tokens if token.type not in ("fence", "inline")]
    links = [str(value) for child in inline for value in child.attrs.values()]
    return [*blocks, *links, *(child.content for child in inline if child.type != "code_inline")]


def spiteful(marked: str) -> Contrast:
    """Two versions that differ in whatever can be called or hold ``marked``."""
    before = version(tags={marked: marked}, source=marked, params={marked: marked}, parents=(marked,))
    after = version(
        2,
        evaluations=(Evaluation(name=marked, at=AT, metrics={marked: 1.0}),),
        artifact=Artifact(files={marked: marked}, signature={"inputs": [{"name": marked, "type": marked}]}),
        description=marked,
        status_message=marked,
        deprecated=Mark(at=AT, reason=marked),
        extra={"x-a": marked},
    )
    return contrast(before, after, aliases=([marked], []))


class TestMarkdown:
    @pytest.mark.parametrize("text", SPITE)
    def test_a_code_span_holds_whatever_it_is_given(self, text: str) -> None:
        self.holds(text)

    @given(st.text(alphabet="`|\\ a@<\n", max_size=20))
    def test_any_code_span(self, text: str) -> None:
        self.holds(text)

    def holds(self, text: str) -> None:
        # cmark-gfm's scan_table_cell takes two backslashes for one, and the pipe behind them for the end.
        assert not re.search(r"(?<!\\)(?:\\\\)*\|", code(f"S{text}S"))
        page = "\n".join([*table_head(("a", "b")), table_row(("x", code(f"S{text}S")))])
        tokens = MarkdownIt("commonmark").enable("table").parse(page)
        cells = [token.children for token in tokens if token.type == "inline"]
        assert len(cells) == 4, "no pipe in it ends a cell"
        (span,) = cells[-1] or ()
        assert span.type == "code_inline"
        assert span.content.replace("\\x7c", "|") == safe(f"S{text}S")

    def test_nothing_is_told_as_such(self) -> None:
        assert code("") == "*empty*" and code("  ") == "*blank*"

    def test_a_code_span_is_cut(self) -> None:
        assert code("x" * 1000, most=10) == "`" + "x" * 10 + "…`"

    @given(st.lists(st.text(alphabet="`~ \na", max_size=8), max_size=5))
    def test_a_fence_is_longer_than_what_it_holds(self, lines: list[str]) -> None:
        block = fenced(lines, "diff")
        fence = block[-1]
        assert block[0] == fence + "diff" and len(block) == len(lines) + 2
        assert not any(line.strip().startswith(fence) for line in block[1:-1])

    @pytest.mark.parametrize("text", SPITE)
    def test_nothing_from_a_registry_stands_outside_of_code(self, text: str) -> None:
        marked = f"SPITE{text}SPITE"
        page = version_markdown(spiteful(marked), (marked, marked))
        assert page.count("SPITE") > 20
        assert [seen for seen in outside_of_code(page) if "SPITE" in seen] == []

    @given(st.text(alphabet="`|\\ a@<>[](!#&~\n\r-", max_size=25))
    def test_whatever_it_is(self, text: str) -> None:
        page = version_markdown(spiteful(f"SPITE{text}SPITE"), LABELS)
        assert [seen for seen in outside_of_code(page) if "SPITE" in seen] == []

    def test_tables(self) -> None:
        found = contrast(version(metrics={"auc": 0.91}), version(2, metrics={"auc": 0.93}))
        page = version_markdown(found, LABELS, better={"auc": "higher"})
        assert page.splitlines() == [
            "### `m/1` → `m/2`",
            "",
            "#### Metrics",
            "",
            "|  | `m/1` | `m/2` | Change |",
            "| --- | --- | --- | --- |",
            "| `auc` | 0.91 | 0.93 | +0.02 (+2.2 %), better |",
        ]

    def test_no_differences(self) -> None:
        assert version_markdown(contrast(version(), version(2)), LABELS).endswith("\n\nNo differences.\n")
        assert "No differences." in model_markdown(ModelContrast(name="m"), LABELS)
        assert "No differences." in registry_markdown(RegistryContrast(), LABELS)

    def test_a_model_and_a_registry(self) -> None:
        page = model_markdown(models(), ("then", "now"))
        assert "| 3 | deleted | `leaked \\| data` |" in page
        assert "#### `Production`: version 1 → 2" in page and "| `auc` | 0.91 | 0.93 |" in page
        whole = registry_markdown(RegistryContrast(models=(models(),)), ("then", "now"))
        assert "| `Production` | 1 | 2 |" in whole and "auc" not in whole

    @pytest.mark.parametrize("longest", [200, 1000, 5000, 60_000])
    def test_it_is_capped_at_whole_rows(self, longest: int) -> None:
        tags = {f"key-{number}": "v" * 150 for number in range(500)}
        found = contrast(
            version(tags=tags, params=tags),
            version(2, description="\n".join("line" * 40 for _ in range(500))),
        )
        page = version_markdown(found, LABELS, longest=longest)
        assert len(page) <= longest
        assert page.count("```") % 2 == 0
        rows = [line for line in page.splitlines() if line.startswith("| `key")]
        assert all(line.endswith("|") for line in rows)
        if longest < 5000:
            assert re.search(r"Cut here: [\d,]+ more rows would not fit\.\n$", page)


class TestData:
    def test_a_version(self) -> None:
        one = Evaluation(name="e.v", at=AT, metrics={"auc": 0.5})
        found = contrast(
            version(metrics={"auc": 0.5, "f1": nan}, evaluations=(one,), stages={"Staging": AT}),
            version(2, metrics={"auc": 0.75}, evaluations=(replace(one, metrics={}),), description="x"),
        )
        data = version_data(found)
        assert data["metrics"] == {
            "auc": {"before": 0.5, "after": 0.75, "change": 0.25, "percent": 50.0},
            "f1": {"before": "NaN", "after": None},
        }
        assert data["evaluations"]["e.v"]["auc"] == {"before": 0.5, "after": None}
        assert data["stages"]["Staging"] == {"before": "2026-01-01T00:00:00.000Z", "after": None}
        assert data["description"] == {"before": None, "after": "x"}
        json.dumps(data, allow_nan=False)

    def test_rows(self) -> None:
        found = contrast(version(metrics={"auc": 0.5}), version(2, metrics={"auc": 0.75}, parents=("p",)))
        assert list(flat_rows(found.shown())) == [
            ("metrics", "auc", "0.5", "0.75", 0.25),
            ("parents", "p", None, "true", None),
        ]

    def test_a_model(self) -> None:
        data = model_data(models())
        assert data["stages"]["Production"] == {"before": [1], "after": [2]}
        assert data["holders"][0]["difference"]["metrics"]["auc"]["change"] == 0.02
        assert [each["event"] for each in data["versions"]] == ["change", "change", "delete", "register"]
        assert {each["event"] for each in data["changes"]} >= {"unassign", "transition", "alias", "delete"}
        rows = list(model_rows(models()))
        assert ("m", None, "stages", "Production", "1", "2", None) in rows
        assert ("m", 3, "event", "delete", "s3://x", None, None) in rows
        assert ("m", 4, "event", "register", None, "s3://x", None) in rows
        assert registry_data(RegistryContrast(models=(models(),))) == {"models": [data]}


def test_stages_are_told_by_the_day_they_were_given() -> None:
    found = contrast(version(), version(2, stages={"Production": AT + timedelta(hours=5)}))
    assert any("since 2026-01-01" in line for line in version_lines(found, LABELS))
