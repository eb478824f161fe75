"""Manifests that can't be read: nothing hides behind them, and the rest is told all the same."""

from __future__ import annotations

from pathlib import Path

from tests.cli_read.conftest import Git, Run

V2 = "models/churn/versions/2.yaml"


def break_it(place: Path, git: Git, path: str = V2) -> str:
    file = place / path
    text = file.read_text()
    file.write_text(text + ": [\n")
    git("commit", "-qam", "break it", at=place)
    return text


def test_breaking_and_mending_hides_nothing(run: Run, filled: Path, git: Git) -> None:
    text = break_it(filled, git)
    (filled / V2).write_text(text.replace("s3://bucket/churn/2", "s3://evil"))
    git("commit", "-qam", "mend it", at=filled)
    rows = run("log", "churn/2").rows[:2]
    assert [(row["event"], row["summary"]) for row in rows] == [
        ("rewrite", "rewrite source of version 2"),
        ("", f"change {V2}, which can't be read"),
    ]
    assert "equal to Git" in run("index", "--verify").out
    run("index", "--rebuild")
    assert run("log", "churn/2").rows[:2] == rows


def test_mending_alone_is_no_event(run: Run, filled: Path, git: Git) -> None:
    text = break_it(filled, git)
    (filled / V2).write_text(text)
    git("commit", "-qam", "mend it", at=filled)
    assert [row["event"] for row in run("log", "churn/2").rows][:2] == ["", "transition"]


def test_a_version_that_came_broken_is_registered_when_it_is_mended(run: Run, filled: Path, git: Git) -> None:
    file = filled / "models/churn/versions/4.yaml"
    text = (filled / V2).read_text().replace("version: 2", "version: 4").partition("stages:")[0]
    file.write_text(text + "stages: [\n")
    git("add", "-A", at=filled)
    git("commit", "-qm", "broken", at=filled)
    file.write_text(text)
    git("commit", "-qam", "mended", at=filled)
    assert [row["event"] for row in run("log", "churn/4").rows] == ["register", ""]


def test_lists_tell_what_can_be_read(run: Run, filled: Path, git: Git) -> None:
    break_it(filled, git)
    for command, key, wanted in (
        (("list", "churn"), "version", ["3", "1"]),
        (("list",), "name", ["churn", "fraud"]),
        (("list", "--stage", "Production"), "version", []),
    ):
        found = run(*command, code=3)
        assert [row[key] for row in found.rows] == wanted
        assert f"{V2}:" in found.err
    assert run("list", "fraud").err == ""
    assert run("list", "--stage", "Staging").err == "no version holds this stage\n"
    shown = run("show", "churn", code=3)
    assert "s3" not in shown.err and f"{V2}:" in shown.err and "2 versions" in shown.out


def test_a_broken_model_hides_no_other(run: Run, filled: Path, git: Git) -> None:
    break_it(filled, git, "models/churn/model.yaml")
    found = run("list", code=3)
    assert [row["name"] for row in found.rows] == ["fraud"] and "models/churn/model.yaml:" in found.err


def test_a_stage_that_is_no_more(run: Run, filled: Path, git: Git) -> None:
    settings = filled / "gitreg.yaml"
    settings.write_text(
        "\n".join(
            line
            for line in settings.read_text().splitlines()
            if "Production" not in line and "exclusive" not in line
        )
        + "\n"
    )
    git("commit", "-qam", "no Production", at=filled)
    assert [row["version"] for row in run("list", "--stage", "production").rows] == ["2"]
    assert len(run("log", "--stage", "Production").rows) == 1
    assert "is not a stage" in run("list", "--stage", "Nowhere", code=3).err


def test_a_version_that_never_was(run: Run, filled: Path) -> None:
    assert "no version 99" in run("log", "churn/99", code=3).err
