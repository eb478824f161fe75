"""``gitreg search`` as people and programs read it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Run

Show = Callable[..., str]


def test_rows(filled: Path, run: Run) -> None:
    rows = run("search", "name = 'churn'", "--order-by", "metrics.auc DESC").rows
    assert [(row["version"], row["stages"], row["aliases"], row["metrics.auc"]) for row in rows] == [
        ("3", "None", "", "0.97"),
        ("2", "Production", "champion", "0.95"),
        ("1", "None", "", "0.91"),
    ]
    rows = run("search", "params.depth = '3' AND metrics.f1 > 0.5 AND flavor = 'sklearn'").rows
    assert rows[0] == {
        "name": "churn",
        "version": "1",
        "stages": "None",
        "aliases": "",
        "params.depth": "3",
        "metrics.f1": "0.8",
        "updated": rows[0]["updated"],
    }
    assert [row["name"] for row in run("search").rows] == ["fraud", "churn", "churn", "churn"], (
        "last updated first"
    )


@pytest.mark.parametrize(
    ("filter", "versions"),
    [
        ("stage = 'production'", [2]),
        ("stage = 'None' AND name = 'churn'", [3, 1]),
        ("alias = 'champion'", [2]),
        ("parent = 'churn/1'", [2]),
        ("dataset = 'telco' OR dataset.uri = 's3://data/telco'", [1]),
        ("commit LIKE '1a2b%'", [1]),
        ("author = 'ada@example.com' AND NOT name LIKE 'f%' AND metrics.auc < 0.96", [2, 1]),
        ("tags.team IS NOT NULL", [1]),
        ("description ILIKE '%TRY%'", [1]),
        ("created > '2000-01-01' AND run_id = 'r1'", [1]),
        ("created > '2999-01-01'", []),
    ],
)
def test_fields(filled: Path, run: Run, filter: str, versions: list[int]) -> None:
    found = run("search", filter, "--json").json
    assert [version["version"] for version in found["versions"]] == versions
    assert found["next_page_token"] is None


def test_json_and_pages(filled: Path, run: Run) -> None:
    whole = run("search", "--json").json["versions"]
    shown = run("show", "churn/2", "--json").json
    assert whole[1] == {key: value for key, value in shown.items() if key != "registered"}
    first = run("search", "-n", "3", "--json")
    token = first.json["next_page_token"]
    assert first.err == ""
    second = run("search", "-n", "3", "--page-token", token, "--json").json
    assert first.json["versions"] + second["versions"] == whole
    assert second["next_page_token"] is None
    told = run("search", "-n", "3")
    assert told.err == f"there are more; the next page: --page-token {token}\n"
    assert run("search", "-n", "3", "--page-token", "x", code=3).err.startswith(
        "error: this is no page token\n"
    )


def test_at(filled: Path, run: Run, registry: Registry) -> None:
    before = registry.store.head()
    token = run("search", "-n", "1", "--json").json["next_page_token"]
    registry.delete("churn/2")
    assert [row["version"] for row in run("search", "alias = 'champion'", "--at", before).rows] == ["2"]
    assert run("search", "alias = 'champion'").rows == []
    later = run("search", "--page-token", token, "--json").json
    assert len(later["versions"]) == 3, "as of the commit of the first page"
    assert run("search", "--page-token", token, "--at", "HEAD", code=3).err.startswith(
        "error: the page token belongs to another commit\n"
    )


def test_models(filled: Path, run: Run) -> None:
    assert [(row["name"], row["latest"], row["aliases"]) for row in run("search", "--models").rows] == [
        ("churn", "3", "champion: 2"),
        ("fraud", "1", ""),
    ]
    found = run("search", "stage = 'Production'", "--models", "--json").json
    assert [(each["name"], each["latest_version"]) for each in found["models"]] == [("churn", 3)]


def test_a_fault_is_shown_where_it_is(filled: Path, run: Run) -> None:
    said = run("search", "name = 'x' AND metric.auc > 0.9", code=3)
    assert said.err == (
        'error: "metric.auc" is not a field\n'
        "  --> filter, column 16\n"
        "    name = 'x' AND metric.auc > 0.9\n"
        "                   ^~~~~~~~~~\n"
        'help: did you mean "metrics.auc"?\n'
    )
    said = run("search", "stage = 'Prodction'", "--json", code=3)
    assert json.loads(said.err)["error"] == {
        "kind": "invalid-filter",
        "message": "'Prodction' is not a stage of this registry",
        "where": "filter, column 9",
        "help": 'did you mean "Production"?',
        "exit_code": 3,
        "text": "stage = 'Prodction'",
        "column": 9,
        "length": 11,
    }
    said = run("search", "name = 'x'\n\x1b[31m AND " + "tags.a = 'b' AND " * 20 + "x" * 200, code=3)
    lines = said.err.splitlines()
    assert "\x1b" not in said.err
    assert len(lines[2]) < 250
    assert lines[3].index("^") == lines[2].index("\\x1b")


def test_nothing_found_is_said(filled: Path, run: Run) -> None:
    said = run("search", "metrics.acu > 0.9")
    assert (said.out, said.err) == (
        "name\tversion\tstages\taliases\tmetrics.acu\tupdated\n",
        'no version matches\nno version has the metric "acu": did you mean "auc"?\n',
    )
    none = run("search", "name = 'x'", "--models")
    assert (none.out, none.err) == ("name\tlatest\taliases\towners\tupdated\n", "no model matches\n")
    assert run("search", "-n", "0", code=3).err.startswith('error: a page can\'t have "0" results\n')


@pytest.mark.parametrize(
    ("filter", "instead"),
    [
        ("run_id = NULL", "run_id IS NULL"),
        ("params.x != null", "params.x IS NOT NULL"),
        ("description NOT LIKE NULL", "description IS NOT NULL"),
    ],
)
def test_null_is_no_value(filled: Path, run: Run, filter: str, instead: str) -> None:
    said = run("search", filter, code=3)
    assert said.err.startswith("error: nothing compares with NULL\n")
    assert said.err.endswith(f"help: {instead}\n")


def test_days_at_the_end_of_the_calendar_are_times(filled: Path, run: Run) -> None:
    assert run("search", "updated >= '9999-12-31'").rows == []
    assert run("search", "updated > '9999-12-31'").rows == []
    assert len(run("search", "updated < '9999-12-31'").rows) == 4
    assert len(run("search", "updated >= '0001-01-01'").rows) == 4


def test_a_terminal_gets_the_beginning_of_a_long_value(
    filled: Path, terminal: Show, run: Run, registry: Registry
) -> None:
    long = "x" * 100_000
    registry.register("churn", "s3://b/4", params={"big": long})
    said = terminal("search", "params.big LIKE 'x%'")
    assert "x…" in "".join(said.split()) and said.count("x") < 80
    assert run("search", "params.big LIKE 'x%'").rows[0]["params.big"] == long


def test_on_a_terminal(filled: Path, terminal: Show) -> None:
    said = terminal("search", "metrics.auc > 0.9", "-n", "1", "--order-by", "metrics.auc DESC")
    assert "metrics.auc" in said
    assert "0.97" in said
    assert "the first 1 version; the next: --page-token " in said


def test_searching_imports_little(filled: Path) -> None:
    code = (
        "import sys; from gitreg.cli import app; app.run(['search', \"metrics.auc > 0.9 AND stage = 'Production'\"]);"
        "print(sorted({'git', 'jsonschema', 'yaml', 'rich', 'fastjsonschema'} & set(sys.modules)), file=sys.stderr)"
    )
    for _ in range(2):  # the index is made at first
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
