"""The index as a user meets it: made by itself, asked for, proved, warned of."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from gitreg.registry import indexing
from gitreg.registry.open import open_registry
from tests.cli_read.conftest import Git, Run


def file_of(place: Path) -> Path:
    folder = place / ".git/gitreg/index"
    return folder / (folder / "current").read_text().strip()


class TestIndex:
    def test_says_how_far_it_goes(self, run: Run, filled: Path, git: Git) -> None:
        said = run("index").out.splitlines()
        head = git("rev-parse", "--short=10", "HEAD", at=filled)
        assert said[0] == f"the index stands at {head}: 6 commits, 8 events, 2 models, 4 versions"
        assert str(file_of(filled)) in said[1]
        told = run("index", "--json").json
        assert (told["commits"], told["versions"]) == (6, 4)

    def test_is_proved(self, run: Run, filled: Path) -> None:
        assert "equal to Git" in run("index", "--verify").out
        assert run("index", "--verify", "--json").json["equal"] is True

    @pytest.mark.parametrize(
        "lie",
        [
            "UPDATE version SET doc = replace(doc, 's3://bucket/churn/2', 's3://evil')",
            "DELETE FROM event WHERE event = 'transition'",
            "UPDATE holding SET number = 3",
            "DELETE FROM attribute WHERE kind = 'metric'",
        ],
    )
    def test_a_lie_is_found_and_put_right(self, run: Run, filled: Path, lie: str) -> None:
        run("index")
        with sqlite3.connect(file_of(filled)) as db:
            assert db.execute(lie).rowcount > 0
        db.close()
        found = run("index", "--verify", code=1)
        assert "differs from Git" in found.out and "made anew" in found.err
        assert "equal to Git" in run("index", "--verify").out

    def test_rebuild_makes_another_file(self, run: Run, filled: Path) -> None:
        run("index")
        first = file_of(filled)
        run("index", "--rebuild")
        assert file_of(filled) != first and not first.exists()

    def test_a_rewritten_branch_is_told_once(self, run: Run, filled: Path, git: Git) -> None:
        run("log")
        git("reset", "--hard", "--quiet", "HEAD~2", at=filled)
        git("commit", "--allow-empty", "-qm", "x", at=filled)
        warned = run("list")
        assert "was rewritten" in warned.err and "2 commits are" in warned.err
        assert run("list").err == ""
        assert [row["name"] for row in warned.rows] == ["churn"]

    def test_a_branch_without_a_commit_of_before(self, run: Run, filled: Path, git: Git) -> None:
        run("log")
        git("reset", "-q", "--hard", git("commit-tree", "HEAD~1^{tree}", "-m", "new", at=filled), at=filled)
        assert "was rewritten" in run("list").err
        assert run("list").err == ""

    def test_a_merge_that_puts_the_former_head_aside(self, run: Run, filled: Path, git: Git) -> None:
        git("switch", "-qc", "feature", "HEAD~1", at=filled)
        git("commit", "-q", "--allow-empty", "-m", "x", at=filled)
        git("switch", "-q", "main", at=filled)
        run("log")
        former = git("rev-parse", "--short=10", "HEAD", at=filled)
        git("switch", "-q", "feature", at=filled)
        git("merge", "-q", "--no-edit", "main", at=filled)
        git("switch", "-q", "main", at=filled)
        git("merge", "-q", "--ff-only", "feature", at=filled)
        warned = run("list").err
        assert f"former head {former} its second parent" in warned and "git reset --keep" in warned

    def test_another_branch_is_no_rewriting(self, run: Run, filled: Path, git: Git) -> None:
        run("log")
        git("switch", "-qc", "other", "HEAD~2", at=filled)
        assert run("list").err == ""
        git("switch", "-q", "main", at=filled)
        assert run("list").err == "" and len(run("list").rows) == 2


def test_a_read_of_a_long_history_does_not_wait_for_the_index(
    run: Run, filled: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(filled / ".git/gitreg/index")  # as in a fresh clone
    monkeypatch.setattr(indexing, "_NEAR", 3)
    assert run("resolve", "churn/Production").out == "s3://bucket/churn/2\n"
    assert run("list", "--stage", "Production", "--at", "HEAD").rows[0]["version"] == "2"
    assert not (filled / ".git/gitreg/index/current").exists()
    assert len(run("log").rows) == 8  # only Git's whole history can answer: now it is made
    assert file_of(filled).exists()
    with open_registry(filled) as registry:
        for n in range(5):
            registry.register("churn", f"s3://more/{n}")
    stood = sqlite3.connect(file_of(filled)).execute("SELECT max(seq) FROM chain").fetchone()
    assert run("resolve", "churn/latest").out == "s3://more/4\n"
    assert sqlite3.connect(file_of(filled)).execute("SELECT max(seq) FROM chain").fetchone() == stood
    assert len(run("log", "churn").rows) == 11
    assert "equal to Git" in run("index", "--verify").out


class TestLog:
    def test_by_stage(self, run: Run, filled: Path) -> None:
        with open_registry(filled) as registry:
            registry.transition("churn/3", "Production", archive_existing=True)
            registry.transition("churn/3", "None")
        rows = run("log", "--stage", "production").rows
        assert [(row["event"], row["version"], row["stage"]) for row in rows] == [
            ("unassign", "3", "Production"),
            ("transition", "3", "Production"),
            ("transition", "2", "Archived"),
            ("transition", "2", "Production"),
        ]

    def test_by_alias(self, run: Run, filled: Path) -> None:
        with open_registry(filled) as registry:
            registry.alias("churn/3", "champion")
        assert [row["summary"] for row in run("log", "--alias", "champion").rows] == [
            "point alias champion at version 3",
            "point alias champion at version 2",
        ]

    def test_by_person(self, run: Run, filled: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_AUTHOR_NAME", "Émilie du Châtelet")
        monkeypatch.setenv("GIT_AUTHOR_EMAIL", "emilie@example.com")
        (filled / "models/churn/versions/3.yaml").write_text(
            (filled / "models/churn/versions/3.yaml").read_text() + "description: by hand\n"
        )
        git("commit", "-qam", "by hand", at=filled)
        for word in ("émilie", "ÉMILIE", "du châ"):
            assert [row["summary"] for row in run("log", "--author", word).rows] == [
                "update description of version 3"
            ]
        assert len(run("log", "--author", "ada@EXAMPLE").rows) == 8

    def test_between_days(self, run: Run, filled: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
        for day in ("2030-01-10", "2030-01-20"):
            monkeypatch.setenv("GIT_COMMITTER_DATE", f"{day}T12:00:00Z")
            with (filled / "models/churn/versions/3.yaml").open("a") as file:
                file.write(f"x-{day}: 1\n")
            git("commit", "-qam", day, at=filled)
        assert len(run("log", "--since", "2030-01-10").rows) == 2
        assert len(run("log", "--since", "2030-01-11").rows) == 1
        assert len(run("log", "--since", "2030-01-10", "--until", "2030-01-10").rows) == 1
        assert run("log", "--since", "2030-02-30", code=3).err.count('"2030-02-30"') == 1

    def test_what_was_never_there(self, run: Run, filled: Path) -> None:
        assert 'did you mean "churn"?' in run("log", "churm", code=3).err
        assert "Production" in run("log", "--stage", "Prod", code=3).err
        assert json.loads(run("log", "--author", "nobody", "--json").out) == []
