"""gitreg lineage on the command line: forms, roots, bounds and what is refused."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.domain import requests as ask
from gitreg.domain.model import Code, Origin
from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

HEAVY = ("git", "gitdb", "jsonschema", "rich", "yaml", "mlflow", "importlib.metadata")


@pytest.mark.parametrize(
    "form", [[], ["--json"], ["--format", "tree"], ["--format", "mermaid"], ["--format", "svg"]]
)
def test_imports_nothing_heavy(filled: Path, run: Run, form: list[str]) -> None:
    run("lineage", "churn/2")  # the index stands
    code = (
        "import sys; from gitreg.cli import app; assert app.run(sys.argv[1:]) == 0; "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    argv = [sys.executable, "-c", code, "lineage", "churn/2", *form]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n" and done.stdout


def test_piped_it_is_one_line_a_link(run: Run, filled: Path) -> None:
    rows = run("lineage", "churn/2").rows
    assert {"role": "parent", "kind": "version", "from": "churn/1", "to": "churn/2"}.items() <= rows[
        1
    ].items()
    data = next(row for row in rows if row["role"] == "dataset")
    assert data["from"] == "telco" and data["uri"] == "s3://data/telco" and data["to"] == "churn/1"


def test_tree_on_a_terminal(terminal: Callable[..., str], filled: Path) -> None:
    assert terminal("lineage", "churn/2").splitlines() == [
        "\x1b[1mchurn/2  Production\x1b[0m",
        "└─ came from",
        "   ├─ source     s3://bucket/churn/2",
        "   └─ parent     churn/1",
        "      ├─ run        r1",
        "      ├─ data set   telco  s3://data/telco",
        "      ├─ code       git@example.com:churn at 1a2b3c",
        "      └─ source     s3://bucket/churn/1  sha256:000000000000…  12.3 kB",
    ]


def test_a_terminal_without_unicode(
    terminal: Callable[..., str], filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    said = terminal("lineage", "churn/2")
    assert "   `- parent     churn/1" in said and said.isascii()


def test_stages_and_aliases_name_the_root(run: Run, filled: Path) -> None:
    first = run("lineage", "churn/2", "--json").out
    assert run("lineage", "models:/churn/Production", "--json").out == first
    assert run("lineage", "churn@champion", "--format", "json").out == first


def test_sides(run: Run, filled: Path) -> None:
    assert {row["to"] for row in run("lineage", "churn/1", "--downstream").rows} == {"churn/2"}
    assert {row["to"] for row in run("lineage", "churn/1", "--upstream").rows} == {"churn/1"}
    both = run("lineage", "churn/1").out
    assert run("lineage", "churn/1", "--upstream", "--downstream").out == both


def test_json(run: Run, filled: Path, git: Git) -> None:
    found = run("lineage", "churn/2", "--json").json
    assert found["commit"] == git("rev-parse", "HEAD", at=filled) and found["root"] == "version:churn/2"
    assert {"from": "version:churn/1", "to": "version:churn/2", "role": "parent"} in found["edges"]
    (root,) = (node for node in found["nodes"] if node["id"] == found["root"])
    assert root["stages"] == ["Production"] and root["state"] == "present"


def test_other_forms(run: Run, filled: Path) -> None:
    assert run("lineage", "churn/2", "--format", "mermaid").out.startswith(
        'graph LR\n  n1["churn/2<br/>Production"]'
    )
    assert run("lineage", "churn/2", "--format", "dot").out.startswith("digraph lineage {")
    assert ET.fromstring(run("lineage", "churn/2", "--format", "svg").out).tag.endswith("svg")


def test_svg_goes_into_a_file(run: Run, filled: Path, tmp_path: Path) -> None:
    place = tmp_path / "picture.svg"
    said = run("lineage", "churn/2", "--svg", place)
    assert said.out == "" and str(place) in said.err
    assert place.read_text() == run("lineage", "churn/2", "--svg", "-").out
    assert "can't write" in run("lineage", "churn/2", "--svg", tmp_path / "no" / "folder.svg", code=7).err


@pytest.mark.parametrize(
    "args",
    [["--run", "r1"], ["--dataset", "telco"], ["--dataset", "s3://data/telco"]],
)
def test_what_came_from_other_things(run: Run, filled: Path, args: list[str]) -> None:
    assert [(row["to"], row["role"]) for row in run("lineage", *args).rows] == [
        ("churn/1", args[0].removeprefix("--")),
        ("churn/2", "parent"),
    ]


def test_commit(run: Run, registry: Registry) -> None:
    registry.apply(
        ask.Register(name="m", origin=Origin(source="s3://m", code=Code(commit="0123456789abcdef")))
    )
    assert run("lineage", "--commit", "0123456").rows[0]["to"] == "m/1"
    assert "7 to 64 hex digits" in run("lineage", "--commit", "0123", code=2).err


def test_in_the_past(run: Run, filled: Path, git: Git, registry: Registry) -> None:
    before = git("rev-parse", "HEAD", at=filled)
    registry.register("churn", "s3://bucket/churn/4", parents=["churn/2"])
    assert "churn/4" in run("lineage", "churn/2").out
    assert "churn/4" not in run("lineage", "churn/2", "--at", before).out
    assert "there is no version 4" in run("lineage", "churn/4", "--at", before, code=3).err


def test_bounds_are_told(run: Run, registry: Registry) -> None:
    registry.register("a", "s3://a")
    registry.apply(
        *(ask.Register(name="b", origin=Origin(source="s3://b", parents=("models:/a/1",))) for _ in range(60))
    )
    tree = run("lineage", "a/1", "--format", "tree").out
    assert "   └─ … 10 more, --all\n" in tree
    assert "… 57 more" in run("lineage", "a/1", "-n", 3, "--format", "tree").out
    assert len(run("lineage", "a/1", "--all").rows) == 61
    assert "… 60 more, --depth 1" in run("lineage", "a/1", "--depth", 0, "--format", "tree").out


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ([], 2, "say which version"),
        (["churn/1", "--run", "r1"], 2, "exclude each other"),
        (["--run", "r1", "--dataset", "telco"], 2, "exclude each other"),
        (["--run", "r1", "--upstream"], 2, "--upstream needs a version"),
        (["churn/1", "--all", "-n", "3"], 2, "exclude each other"),
        (["churn/1", "--json", "--format", "dot"], 2, "exclude each other"),
        (["churn/1", "--svg", "x.svg", "--json"], 2, "exclude each other"),
        (["churn/1", "--depth", "-1"], 2, "--depth"),
        (["churn"], 3, "say which version"),
        (["churn/9"], 3, "there is no version 9"),
        (["--run", "nope"], 3, 'no version came from the run "nope"'),
        (["--commit", "xyz"], 2, "no commit id"),
    ],
)
def test_refused(run: Run, filled: Path, args: list[str], code: int, said: str) -> None:
    assert said in run("lineage", *args, code=code).err
