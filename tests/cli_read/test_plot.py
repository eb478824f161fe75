from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Run

_NS = "{http://www.w3.org/2000/svg}"


def test_programs_get_a_row_for_each_version(run: Run, filled: Path) -> None:
    assert run("plot", "churn", "--metric", "auc", "--metric", "f1").out.splitlines() == [
        "version\tauc\tf1\tstages\tpromoted\tdeprecated",
        "1\t0.91\t0.8\tNone\tno\tno",
        "2\t0.95\t\tProduction\tyes\tno",
        "3\t0.97\t\tNone\tno\tno",
    ]


def test_the_model_may_be_given_as_a_uri(run: Run, filled: Path) -> None:
    assert run("plot", "models:/churn").out == run("plot", "churn").out


def test_numbers_that_json_lacks_are_written_as_in_manifests(
    run: Run, filled: Path, registry: Registry
) -> None:
    registry.register("churn", "s3://b/4", metrics={"auc": float("nan")})
    registry.register("churn", "s3://b/5", metrics={"auc": float("inf")})
    found = run("plot", "churn", "--metric", "auc", "--json").json
    assert [version["metrics"]["auc"] for version in found["versions"][3:]] == ["NaN", "Infinity"]
    assert [row["auc"] for row in run("plot", "churn", "--metric", "auc").rows[3:]] == ["NaN", "Infinity"]


def test_the_json_document_says_what_is_drawn(run: Run, filled: Path) -> None:
    found = run("plot", "churn", "--metric", "f1", "--json").json
    assert (found["name"], found["stage"], found["evaluation"]) == ("churn", "Production", None)
    assert found["versions"][0] == {
        "version": 1,
        "metrics": {"f1": 0.8},
        "stages": [],
        "promoted": False,
        "deprecated": False,
    }
    assert found["versions"][1]["metrics"] == {}


def test_without_a_metric_the_first_is_drawn_and_the_others_are_named(
    run: Run, filled: Path, registry: Registry
) -> None:
    registry.register("churn", "s3://b/4", metrics={"auc": 1, "f1": 1, "loss": 1, "zeta": 1})
    said = run("plot", "churn")
    assert said.out.splitlines()[0].split("\t")[1] == "auc"
    assert said.err == "other metrics: --metric f1, --metric loss\n"


def test_the_past_can_be_drawn(run: Run, filled: Path, registry: Registry) -> None:
    registry.register("churn", "s3://b/4", metrics={"auc": 0.5})
    assert len(run("plot", "churn", "--metric", "auc", "--at", "HEAD~1").rows) == 3
    assert len(run("plot", "churn", "--metric", "auc").rows) == 4


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("churn/1",), 2, "churn/1 is a version: the plot is of a model"),
        (("models:/churn/1", "--metric", "auc"), 2, "help: gitreg plot churn\n"),
        (("churn", "--metric", "acu"), 3, 'did you mean "auc"? metrics: "auc", "f1"'),
        (("churm",), 3, 'did you mean "churn"?'),
        (("fraud",), 3, 'no version of "fraud" has a metric'),
        (("churn", "--metric", "auc", "--stage", "Prodction"), 3, 'did you mean "Production"?'),
        (("churn", "--evaluation", "holdout"), 3, "gitreg evaluate"),
        (("churn", "--svg", "x.svg", "--json"), 2, "exclude each other"),
    ],
)
def test_what_is_wrong_is_said(run: Run, filled: Path, args: tuple[str, ...], code: int, said: str) -> None:
    assert said in run("plot", *args, code=code).err


def test_an_evaluation_is_drawn_by_name(run: Run, filled: Path, registry: Registry) -> None:
    registry.evaluate("churn/2", "holdout", metrics={"auc": 0.5, "f1": 0.25})
    said = run("plot", "churn", "--evaluation", "holdout")
    assert [row["auc"] for row in said.rows] == ["", "0.5", ""]
    assert said.err == "other metrics: --metric f1\n"


def test_the_picture_names_its_points(run: Run, filled: Path, tmp_path: Path) -> None:
    run("plot", "churn", "--metric", "auc", "--svg", tmp_path / "x.svg")
    made = (tmp_path / "x.svg").read_text()
    assert run("plot", "churn", "--metric", "auc", "--svg", "-").out == made
    tips = [one.findtext(f"{_NS}title") for one in ET.fromstring(made).iter(f"{_NS}circle")]
    assert tips == ["version 1: auc 0.91", "version 2: auc 0.95, Production", "version 3: auc 0.97"]


def test_a_terminal_gets_a_curve_with_marks(terminal: Callable[..., str], filled: Path) -> None:
    plain = re.sub(r"\x1b\[[\d;]*m", "", terminal("plot", "churn", "--metric", "auc"))
    assert plain.startswith("churn: auc\n")
    assert plain.count("●") == 3
    assert plain.count("▲") == 2  # at version 2, and in the legend
    assert "stages: Production v2" in plain
