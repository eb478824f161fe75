"""list, show, resolve and log: what people see on a terminal, and what programs get."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

HEAVY = ("git", "gitdb", "jsonschema", "rich", "mlflow")


@pytest.mark.parametrize(
    "args",
    [["resolve", "churn/2"], ["show", "churn/2"], ["show", "churn"], ["list"], ["list", "churn"], ["log"]],
    ids=" ".join,
)
def test_a_piped_read_imports_nothing_heavy(filled: Path, args: list[str]) -> None:
    code = (
        "import sys; from gitreg.cli import app; assert app.run(sys.argv[1:]) == 0; "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout


class TestResolve:
    @pytest.mark.parametrize(
        "uri", ["churn/2", "churn/v2", "churn/Production", "churn@champion", "models:/churn/2"]
    )
    def test_prints_the_source_alone(self, run: Run, filled: Path, uri: str) -> None:
        assert run("resolve", uri).out == "s3://bucket/churn/2\n"

    def test_version(self, run: Run, filled: Path) -> None:
        assert run("resolve", "churn/latest", "--version").out == "churn/3\n"

    def test_json(self, run: Run, filled: Path) -> None:
        found = run("resolve", "churn/1", "--json").json
        assert found == {
            "name": "churn",
            "version": 1,
            "source": "s3://bucket/churn/1",
            "digest": "sha256:" + "0" * 64,
        }

    def test_in_the_past(self, run: Run, filled: Path, git: Git) -> None:
        before = git("rev-parse", "HEAD~2", at=filled)
        assert (
            "no version of churn is in stage Production"
            in run("resolve", "churn/Production", "--at", before, code=3).err
        )

    def test_a_model_alone_is_not_enough(self, run: Run, filled: Path) -> None:
        assert "say which version" in run("resolve", "churn", code=3).err


class TestList:
    def test_models(self, run: Run, filled: Path) -> None:
        churn, fraud = run("list").rows
        assert churn["name"] == "churn" and churn["versions"] == "3" and churn["latest"] == "3"
        assert churn["stages"] == "Production: 2" and churn["aliases"] == "champion: 2"
        assert fraud["versions"] == "1" and fraud["stages"] == ""

    def test_models_as_json(self, run: Run, filled: Path) -> None:
        churn = run("list", "--json").json[0]
        assert churn["version_count"] == 3 and churn["latest_version"] == 3
        assert churn["stages"] == {"Production": [2]} and churn["aliases"] == {"champion": 2}

    def test_updated_is_the_latest_of_what_happened(self, run: Run, filled: Path, registry: Registry) -> None:
        version = registry.version("churn/Production")
        assert run("list").rows[0]["updated"].startswith(version.stages["Production"].isoformat()[:23])

    def test_deleted_versions_do_not_count(self, run: Run, filled: Path, registry: Registry) -> None:
        registry.delete("churn/3", reason="broken")
        assert run("list").rows[0]["versions"] == "2" and run("list").rows[0]["latest"] == "2"
        assert [row["version"] for row in run("list", "churn").rows] == ["2", "1"]
        (gone,) = run("list", "churn", "--deleted").rows
        assert gone["version"] == "3" and gone["reason"] == "broken"
        assert run("list", "churn", "--deleted", "--json").json[0]["deleted"]["reason"] == "broken"

    def test_versions_newest_first_with_their_metrics(self, run: Run, filled: Path) -> None:
        rows = run("list", "churn").rows
        assert [row["version"] for row in rows] == ["3", "2", "1"]
        assert [row["metrics.auc"] for row in rows] == ["0.97", "0.95", "0.91"]
        assert (
            rows[1]["stages"] == "Production"
            and rows[1]["aliases"] == "champion"
            and rows[0]["stages"] == "None"
        )

    def test_a_metric_that_was_asked_for(self, run: Run, filled: Path) -> None:
        assert [row["metrics.f1"] for row in run("list", "churn", "--metric", "f1").rows] == ["", "", "0.8"]

    @pytest.mark.parametrize("args", [["--stage", "production"], ["churn", "--stage", "Production"]])
    def test_by_stage(self, run: Run, filled: Path, args: list[str]) -> None:
        (row,) = run("list", *args).rows
        assert row["name"] == "churn" and row["version"] == "2"

    def test_limit(self, run: Run, filled: Path) -> None:
        assert len(run("list", "-n", "1").rows) == 1
        assert [row["version"] for row in run("list", "churn", "-n", "2").rows] == ["3", "2"]

    def test_the_past(self, run: Run, filled: Path, git: Git) -> None:
        then = git("rev-list", "--max-parents=0", "HEAD", at=filled)
        assert run("list", "--at", then).rows == []

    def test_deleted_and_renamed_models(self, run: Run, filled: Path, registry: Registry) -> None:
        registry.rename("churn", "attrition")
        registry.delete("fraud", reason="unused")
        churn, fraud = run("list", "--deleted").rows
        assert churn["renamed_to"] == "attrition" and churn["last_version"] == "3"
        assert fraud["reason"] == "unused" and fraud["deleted"]
        assert "attrition" in run("list", "churn", code=3).err

    def test_an_empty_registry_says_so(self, run: Run, empty: Path) -> None:
        assert "no registered models yet" in run("list").err
        assert run("list", "--json").json == []

    def test_many_models_and_names_that_need_encoding(
        self, run: Run, empty: Path, registry: Registry
    ) -> None:
        names = ["a b", "grün", "x@y", "CON", ".hidden"]
        for name in names:
            registry.register(name, "s3://x")
        assert sorted(row["name"] for row in run("list").rows) == sorted(names)
        assert run("resolve", "--", "x@y/1").out == "s3://x\n"


class TestShow:
    def test_a_version(self, run: Run, filled: Path) -> None:
        page = run("show", "churn/1").out
        for said in (
            "churn/1",
            "by Ada Lovelace (commit ",
            "s3://bucket/churn/1",
            "telco",
            "depth",
            "growth",
        ):
            assert said in page
        assert "\\x1b[31mred\\u202e" in page and "\x1b" not in page

    def test_the_stage_and_since_when(self, run: Run, filled: Path) -> None:
        page = run("show", "churn/Production").out
        assert "Production (since " in page and "champion" in page and "models:/churn/1" in page

    def test_a_model(self, run: Run, filled: Path) -> None:
        page = run("show", "churn").out
        assert (
            "3 versions" in page
            and "Production: 2" in page
            and "champion: 2" in page
            and "auc 0.91, f1 0.8" in page
        )

    def test_json(self, run: Run, filled: Path, git: Git) -> None:
        found = run("show", "churn/2", "--json").json
        assert found["registered"]["commit"] == git("rev-list", "-1", "churn/v2", at=filled)
        assert found["aliases"] == ["champion"] and list(found["stages"]) == ["Production"]
        model = run("show", "churn", "--json").json
        assert [each["version"] for each in model["versions"]] == [3, 2, 1]

    def test_yaml_is_the_file(self, run: Run, filled: Path) -> None:
        assert run("show", "churn/2", "--yaml").out == (filled / "models/churn/versions/2.yaml").read_text()
        assert run("show", "churn", "--yaml").out == (filled / "models/churn/model.yaml").read_text()

    def test_a_tag_that_was_moved_is_not_believed(self, run: Run, filled: Path, git: Git) -> None:
        git(
            "tag",
            "-f",
            "-a",
            "-m",
            "x",
            "churn/v3",
            git("rev-list", "--max-parents=0", "HEAD", at=filled),
            at=filled,
        )
        told = run("show", "churn/3", "--json").json["registered"]["commit"]
        assert told == git("log", "--format=%H", "--grep=^churn: register version 3$", at=filled)

    def test_what_is_not_there(self, run: Run, filled: Path) -> None:
        assert 'did you mean "churn"?' in run("show", "churm", code=3).err
        assert "no version 9" in run("show", "churn/9", code=3).err
        assert "exclude" in run("show", "churn", "--yaml", "--json", code=2).err


class TestLog:
    def test_newest_first_in_words(self, run: Run, filled: Path) -> None:
        lines = run("log", "--oneline").out.splitlines()
        assert [line.partition(" ")[2] for line in lines] == [
            "fraud: register version 1",
            "churn: transition version 2 to Production",
            "churn: register version 3",
            "churn: register version 2",
            "churn: register version 1",
        ]

    def test_one_row_a_change(self, run: Run, filled: Path, git: Git) -> None:
        rows = run("log", "churn/2").rows
        assert [(row["event"], row["stage"]) for row in rows] == [
            ("transition", "Production"),
            ("register", ""),
        ]
        assert rows[0]["commit"] == git("rev-parse", "HEAD~1", at=filled)
        assert rows[0]["author"] == "Ada Lovelace"

    def test_a_forged_trailer_is_a_persons_words(self, run: Run, filled: Path) -> None:
        entry = run("log", "churn/2", "-n", "1", "--json").json[0]
        assert entry["message"] == "Better than 1\n\nGitreg-Event: delete"
        assert [change["event"] for change in entry["changes"]] == ["transition"]

    def test_hand_edits_and_merges_are_told(self, run: Run, filled: Path, git: Git) -> None:
        git("switch", "-qc", "topic", at=filled)
        path = filled / "models/churn/versions/3.yaml"
        path.write_text(path.read_text() + "description: By hand\n")
        git("commit", "-qam", "edit", at=filled)
        git("switch", "-q", "main", at=filled)
        git("merge", "-q", "--no-ff", "-m", "merge it", "topic", at=filled)
        entry = run("log", "-n", "1", "--json").json[0]
        assert len(entry["parents"]) == 2 and entry["message"] == ""
        assert entry["changes"][0]["summary"] == "update description of version 3"

    def test_what_cannot_be_read_is_named(self, run: Run, filled: Path, git: Git) -> None:
        (filled / "models/churn/versions/3.yaml").write_text("{")
        git("commit", "-qam", "oops", at=filled)
        assert "models/churn/versions/3.yaml, which can't be read" in run("log", "-n", "1", "--oneline").out

    def test_since_and_until(self, run: Run, filled: Path) -> None:
        assert len(run("log", "--since", "2020-01-01", "--json").json) == 5
        assert run("log", "--until", "2020-01-01", "--json").json == []
        assert "lies in the future" in run("log", "--since", "2999-01-01", code=3).err
        assert "--since" in run("log", "--since", "yesterday", code=3).err

    def test_from_a_commit_on(self, run: Run, filled: Path) -> None:
        assert run("log", "--at", "HEAD~2", "--oneline", "-n", "1").out.endswith(
            "churn: register version 3\n"
        )

    def test_a_deleted_model_and_version_still_have_a_history(
        self, run: Run, filled: Path, registry: Registry
    ) -> None:
        registry.delete("churn/3")
        assert "delete version 3" in run("log", "churn/3").out
        registry.delete("churn")
        assert run("log", "churn", "--oneline", "-n", "1").out.endswith("churn: delete model\n")
        assert "no registered model" in run("log", "nobody", code=3).err


class TestTerminal:
    def test_tables_pages_and_ages(self, terminal: Callable[..., str], filled: Path) -> None:
        assert "just now" in terminal("list") and "\t" not in terminal("list")
        page = terminal("show", "churn/1")
        assert page.startswith("\x1b[1mchurn/1\x1b[0m\n") and "just now" in page
        assert "\\x1b[31mred\\u202e" in page
        assert "    Better than 1\n" in terminal("log")

    def test_no_color(
        self, terminal: Callable[..., str], filled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in terminal("show", "churn/1")
        assert "\x1b" not in terminal("log")
