"""``gitreg review`` on real branches: every format, and where it is not told what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_read.conftest import Git, Run


@pytest.fixture
def proposed(filled: Path, run: Run, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    """churn/3 is proposed for Production on the branch that ``gitreg promote`` would take."""
    for key in ("CI_MERGE_REQUEST_IID", "GITHUB_REF", "GITHUB_EVENT_PATH"):
        monkeypatch.delenv(key, raising=False)
    git("switch", "-q", "-c", "gitreg/promote/churn/3/Production")
    run("transition", "churn/3", "Production", "--archive-existing")
    git("switch", "-q", "main")
    return filled


@pytest.mark.parametrize(
    "asked",
    [
        ("churn/3", "Production"),
        ("churn/latest", "production"),
        ("gitreg/promote/churn/3/Production",),
        ("main", "gitreg/promote/churn/3/Production"),
    ],
)
def test_text(proposed: Path, run: Run, asked: tuple[str, ...]) -> None:
    first, *rest = run("review", *asked).out.splitlines()
    assert first.startswith("churn/3 would take Production from churn/2: auc 0.95 → 0.97")
    assert any(line.endswith("gitreg rollback churn Production") for line in rest)


def test_markdown(proposed: Path, run: Run) -> None:
    found = run("review", "churn/3", "Production", "--format", "markdown").out
    assert found.startswith("<!-- gitreg-review -->\n\n`churn/3` would take Production from `churn/2`")
    assert run("review", "churn/3", "Production", "--format", "markdown").out == found


def test_json(proposed: Path, run: Run) -> None:
    found = run("review", "churn/3", "Production", "--json").json
    (move,) = found["moves"]
    assert (move["candidate"]["version"], move["incumbent"]["version"]) == (3, 2)
    assert move["undo"] == "gitreg rollback churn Production"
    assert found["changes"][0]["summary"] == "transition version 2 to Archived (from Production)"


def test_annotations_are_the_findings(proposed: Path, run: Run) -> None:
    assert run("review", "churn/3", "Production", "--format", "github").out == "".join(
        f"::error {one}\n" for one in run("review", "churn/3", "Production", "--json").json["findings"]
    )


def test_nothing_to_review(proposed: Path, run: Run) -> None:
    assert run("review", "main", "main").out == "Nothing of the registry changes.\n"


def test_nobody_proposes_it(proposed: Path, run: Run) -> None:
    told = run("review", "churn/1", "Production", code=3)
    assert "nobody proposes that churn/1 enters Production" in told.err
    assert "gitreg promote churn/1 Production" in told.err


def test_options_that_exclude_each_other(proposed: Path, run: Run) -> None:
    run("review", "churn/3", "Production", "--json", "--format", "text", code=2)


def test_what_the_commit_names_is_not_run(proposed: Path, run: Run) -> None:
    told = run("review", "main", "--", "--output=/tmp/x", code=3)
    assert "there is no commit or proposal" in told.err
    assert json.dumps("--output=/tmp/x") in told.err
