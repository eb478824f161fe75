"""gitreg blame on the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

HEAVY = ("git", "gitdb", "jsonschema", "rich", "yaml", "mlflow")


def test_imports_nothing_heavy(filled: Path, run: Run) -> None:
    run("blame", "churn/2")  # the index stands
    code = (
        "import sys; from gitreg.cli import app; assert app.run(sys.argv[1:]) == 0; "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    argv = [sys.executable, "-c", code, "blame", "churn/2"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stderr == "[]\n"


def test_piped_it_is_one_line_a_field(run: Run, filled: Path, git: Git) -> None:
    rows = {row["field"]: row for row in run("blame", "churn/2").rows}
    moved = git("log", "--format=%H", "--grep=transition version 2", at=filled)
    assert rows["stages.Production"]["commit"] == moved
    assert rows["stages.Production"]["author"] == "Ada Lovelace"
    assert rows["metrics.auc"]["value"] == "0.95"
    assert rows["parents"]["value"] == '["models:/churn/1"]'
    assert rows["source"]["commit"] == rows["aliases.champion"]["commit"] != moved
    assert rows["source"]["subject"] == "churn: register version 2"


def test_on_a_terminal_the_registration_is_one_line(terminal: Callable[..., str], filled: Path) -> None:
    head, *rows = terminal("blame", "churn/2").splitlines()
    assert [word for word in ("field", "value", "commit", "author", "time") if word not in head] == []
    # what does not fit goes on below, indented
    fields = [row.split()[0] for row in rows if not row.startswith(" ")]
    assert fields == ["(registered)", "stages.Production"]
    said = " ".join("\n".join(rows).split())
    assert "source, parents, metrics (1)" in said and "aliases.champion" in said
    assert "(registered)" not in terminal("blame", "churn/2", "--all")


def test_text_from_the_registry_is_harmless(terminal: Callable[..., str], filled: Path) -> None:
    said = terminal("blame", "churn/1", "--all")
    assert "\x1b[31m" not in said and "\u202e" not in said and "\\x1b[31mred" in said


def test_json(run: Run, filled: Path, git: Git) -> None:
    found = run("blame", "churn/2", "--json").json
    assert (found["name"], found["version"]) == ("churn", 2)
    assert found["commit"] == git("rev-parse", "HEAD", at=filled)
    fields = {(one["field"], one.get("key")): one for one in found["fields"]}
    assert fields["source", None]["value"] == "s3://bucket/churn/2"
    assert fields["source", None]["event"] == "register"
    assert fields["stages", "Production"]["author"] == {"name": "Ada Lovelace", "email": "ada@example.com"}
    assert fields["aliases", "champion"]["value"] == 2


def test_a_model(run: Run, filled: Path, registry: Registry, git: Git) -> None:
    registry.update("churn", description="Who leaves")
    head = git("rev-parse", "HEAD", at=filled)
    found = run("blame", "churn", "--json").json
    assert "version" not in found
    assert {one["field"]: one["commit"] for one in found["fields"]}["description"] == head


def test_in_the_past(run: Run, filled: Path, git: Git) -> None:
    before = git("rev-parse", "HEAD~2", at=filled)
    assert "stages.Production" not in run("blame", "churn/2", "--at", before).out


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("churn/9", "there is no version 9"),
        ("nosuch", "there is no registered model"),
        ("churn@x", "no alias"),
    ],
)
def test_refused(run: Run, filled: Path, uri: str, said: str) -> None:
    assert said in run("blame", uri, code=3).err
