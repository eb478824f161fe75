"""``gitreg review`` on real branches: every format, and where it is not told what it needs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli_read.conftest import Git, Run

BRANCH = "gitreg/promote/churn/3/Production"


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
    assert any(line.endswith("gitreg rollback churn Production --to 2") for line in rest)


def test_markdown(proposed: Path, run: Run) -> None:
    found = run("review", "churn/3", "Production", "--format", "markdown").out
    assert found.startswith("<!-- gitreg-review -->\n\n`churn/3` would take Production from `churn/2`")
    assert run("review", "churn/3", "Production", "--format", "markdown").out == found


def test_json(proposed: Path, run: Run) -> None:
    found = run("review", "churn/3", "Production", "--json").json
    (move,) = found["moves"]
    assert (move["candidate"]["version"], move["incumbent"]["version"]) == (3, 2)
    assert move["undo"] == "gitreg rollback churn Production --to 2"
    assert found["changes"][0]["summary"] == "transition version 2 to Archived (from Production)"


def test_annotations_are_the_findings(proposed: Path, run: Run) -> None:
    assert run("review", "churn/3", "Production", "--format", "github").out == "".join(
        f"::error {one}\n" for one in run("review", "churn/3", "Production", "--json").json["findings"]
    )


def test_nothing_to_review(proposed: Path, run: Run) -> None:
    found = run("review", "main", "main")
    assert (found.out, found.err) == ("Nothing of the registry changes.\n", "")


def test_the_wrong_way_round(proposed: Path, run: Run, git: Git) -> None:
    head, base = (git("rev-parse", "--short=10", each) for each in (BRANCH, "main"))
    found = run("review", BRANCH, "main")
    assert found.out == "Nothing of the registry changes.\n"
    assert (
        found.err
        == f"{base} is merged into {head} already; the other way round: gitreg review {base} {head}\n"
    )


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ([], ["transition fresh/1 Production"]),
        (["transition fresh/1 Staging"], ["transition fresh/1 Production"]),
        (["transition fresh/1 Production"], ["transition fresh/2 Production --archive-existing"]),
        (["transition fresh/1 Production", "transition fresh/2 Staging"], ["assign fresh/2 Production"]),
        (
            ["transition fresh/1 Production", "transition fresh/2 Production --archive-existing"],
            ["rollback fresh Production"],
        ),
        (
            ["transition fresh/1 Production", "transition fresh/2 Staging"],
            ["transition fresh/2 Production --archive-existing", "transition fresh/3 Staging"],
        ),
        ([], ["register fresh s3://b/4", "transition fresh/4 Production"]),
        (["register -- -x s3://x"], ["transition -- -x/1 Production"]),
    ],
    ids=["first", "from a stage", "takes", "assigned", "rollback", "two", "registered", "dash"],
)
def test_what_takes_it_back_does(
    filled: Path, run: Run, git: Git, before: list[str], change: list[str]
) -> None:
    """Typed as it stands there, it gives every stage but Archived back to those who held it."""
    for each in ("1", "2", "3"):
        run("register", "fresh", f"s3://b/{each}")
    for words in before:
        run(*words.split())
    held = stages(run)
    git("switch", "-q", "-c", "proposal")
    for words in change:
        run(*words.split())
    git("switch", "-q", "main")
    moves = run("review", "proposal", "--json").json["moves"]
    assert moves
    run("merge", "proposal")
    assert stages(run) != held
    for undo in dict.fromkeys(each["undo"] for each in moves):
        _, *words = shlex.split(undo)
        run(*words)
    assert stages(run) == held


def stages(run: Run) -> set[tuple[str, int, str]]:
    found = run("search", "--json").json["versions"]
    return {
        (each["name"], each["version"], stage)
        for each in found
        for stage in each["stages"]
        if stage != "Archived"
    }


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
