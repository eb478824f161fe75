"""Reading commands in a clone with the newest commits alone: what nobody can know is not claimed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

NOTE = "this is a shallow clone: what happened up to "
ADA, GRACE = "Ada Lovelace", "Grace Hopper"


@pytest.fixture
def clone(
    registry: Registry, empty: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], str]:
    """Clones that many commits and makes the clone the current folder; gives the id of the first of them.

    Version 1 was in Production and 2 is, the third last commit gave it the stage; 3 and 4 came then.
    """
    for number in (1, 2):
        registry.register("churn", f"s3://b/{number}", metrics={"auc": number / 4})
    registry.transition("churn/1", "Production")
    registry.transition("churn/2", "Production", archive_existing=True)
    registry.register("churn", "s3://b/3", metrics={"auc": 0.75})
    monkeypatch.setenv("GIT_AUTHOR_NAME", GRACE)
    with open_registry(empty) as other:
        other.register("churn", "s3://b/4", metrics={"auc": 1.0}, parents=["churn/3"])

    def call(depth: int) -> str:
        git("clone", "-q", "--depth", depth, f"file://{empty}", tmp_path / "clone")
        monkeypatch.chdir(tmp_path / "clone")
        return git("rev-list", "HEAD").split()[depth - 1]

    return call


def test_blame_marks_the_commit_before_which_nothing_is_known(
    run: Run, clone: Callable[[int], str], terminal: Callable[..., str]
) -> None:
    first = clone(2)
    commits = {row["field"]: row["commit"] for row in run("blame", "churn/2").rows}
    assert set(commits.values()) == {f"^{first}"}
    assert NOTE in run("blame", "churn/2").err
    found = run("blame", "churn/2", "--json")
    assert {field["commit"] for field in found.json["fields"]} == {first} and NOTE in found.err
    assert f"^{first[:10]}" in terminal("blame", "churn/2")
    known = run("blame", "churn/4")
    assert "^" not in known.out and known.err == ""


def test_timeline_does_not_name_who_gave_what_was_held_before(
    run: Run, clone: Callable[[int], str], terminal: Callable[..., str]
) -> None:
    first = clone(2)
    found = run("timeline", "churn", "--stage", "Production")
    (row,) = found.rows
    assert (row["version"], row["since"], row["given_by"], row["commit_since"]) == ("2", "", "", "")
    assert NOTE in found.err
    (lane,) = run("timeline", "churn", "--stage", "Production", "--json").json["lanes"]
    (bar,) = lane["bars"]
    assert bar["began_before"] is True
    assert (bar["since"], bar["given_by"], bar["commit_since"]) == (None, None, None)
    shown = terminal("timeline", "churn", "--stage", "Production")
    assert "before " in shown and ADA not in shown and first[:10] not in shown


def test_plot_does_not_say_that_a_version_never_was_promoted(run: Run, clone: Callable[[int], str]) -> None:
    clone(2)
    found = run("plot", "churn")
    assert [(row["version"], row["promoted"]) for row in found.rows] == [
        ("1", ""),
        ("2", "yes"),
        ("3", ""),
        ("4", "no"),
    ]
    assert NOTE in found.err
    found = run("plot", "churn", "--json")
    assert [each["promoted"] for each in found.json["versions"]] == [None, True, None, False]
    assert NOTE in found.err
    assert NOTE in run("plot", "churn", "--svg", "-").err


@pytest.mark.parametrize(
    ("filter", "versions"),
    [
        (f"author = '{ADA}'", []),
        (f"author != '{GRACE}'", []),
        (f"NOT author = '{GRACE}'", []),
        (f"NOT author != '{ADA}'", []),
        (f"author NOT IN ('{GRACE}')", []),
        (f"author = '{GRACE}'", ["4"]),
        (f"author != '{ADA}'", ["4"]),
        ("author LIKE '%'", ["4"]),
        ("author NOT LIKE '%zz%'", ["4"]),
        ("author IS NULL", ["1", "2", "3"]),
        ("NOT author IS NULL", ["4"]),
        ("author IS NOT NULL", ["4"]),
        (f"author = '{ADA}' OR version = 1", ["1"]),
    ],
)
def test_search_does_not_know_who_registered_what_was_there_before(
    run: Run, clone: Callable[[int], str], filter: str, versions: list[str]
) -> None:
    clone(2)
    found = run("search", filter)
    assert sorted(row["version"] for row in found.rows) == versions
    assert NOTE in found.err
    assert NOTE in run("search", filter, "--json").err


def test_nothing_is_said_where_nothing_rests_on_history(run: Run, clone: Callable[[int], str]) -> None:
    clone(2)
    assert run("search", "metrics.auc > 0.6").err == ""
    assert run("lineage", "churn/4").err == ""


def test_lineage_does_not_guess_what_a_stage_meant(
    run: Run, registry: Registry, empty: Path, git: Git, clone: Callable[[int], str]
) -> None:
    file = empty / "models/churn/versions/3.yaml"
    file.write_text(file.read_text() + "parents:\n  - models:/churn/Production\n")
    git("commit", "-qam", "by hand", at=empty)
    clone(1)
    found = run("lineage", "churn/3", "--json")
    nodes = {node["label"]: node for node in found.json["nodes"]}
    assert nodes["models:/churn/Production"]["state"] == "present" and "churn/2" not in nodes
    assert NOTE in found.err


def test_where_all_is_there_all_is_told(run: Run, clone: Callable[[int], str]) -> None:
    assert "^" not in run("blame", "churn/1").out
    assert [row["promoted"] for row in run("plot", "churn").rows] == ["yes", "yes", "no", "no"]
    found = run("search", f"author = '{ADA}'")
    assert len(found.rows) == 3 and found.err == ""
    assert len(run("search", f"author != '{GRACE}'").rows) == 3
