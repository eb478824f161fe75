"""diff: versions, stages, models and registries, at one time and between two."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.domain.model import Dataset, Origin
from gitreg.domain.requests import Register
from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

HEAVY = ("git", "gitdb", "jsonschema", "rich", "mlflow")


def keyed(rows: list[dict[str, str]]) -> dict[tuple[str, str], tuple[str, str, str]]:
    return {(row["section"], row["key"]): (row["before"], row["after"], row["change"]) for row in rows}


@pytest.mark.parametrize("args", [[], ["--markdown"], ["--json"]], ids=["tsv", "markdown", "json"])
def test_a_piped_diff_imports_nothing_heavy(filled: Path, args: list[str]) -> None:
    code = (
        "import sys; from gitreg.cli import app; assert app.run(sys.argv[1:]) == 0; "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    argv = [sys.executable, "-c", code, "diff", "churn/1", "churn/3", *args]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "auc" in done.stdout


class TestVersions:
    def test_one_row_a_difference(self, run: Run, filled: Path) -> None:
        rows = keyed(run("diff", "churn/1", "churn/2").rows)
        assert rows["metrics", "auc"] == ("0.91", "0.95", "0.04")
        assert rows["metrics", "f1"] == ("0.8", "", "")
        assert rows["parents", "models:/churn/1"] == ("", "true", "")
        assert rows["aliases", "champion"] == ("", "true", "")
        assert rows["stages", "Production"][1].endswith("Z")
        assert ("params", "depth") in rows and ("tags", "team") in rows

    @pytest.mark.parametrize(
        "pair",
        [
            ["churn/1", "churn/Production"],
            ["churn/v1", "churn@champion"],
            ["models:/churn/1", "models:/churn/2"],
        ],
        ids=" ".join,
    )
    def test_however_they_are_named(self, run: Run, filled: Path, pair: list[str]) -> None:
        assert run("diff", *pair).rows == run("diff", "churn/1", "churn/2").rows

    def test_across_models(self, run: Run, filled: Path) -> None:
        found = run("diff", "churn/1", "fraud/latest", "--json").json
        assert found["before"]["name"] == "churn" and found["after"]["name"] == "fraud"
        assert found["version"]["lineage"]["run_id"]["before"] == "r1"

    def test_json(self, run: Run, filled: Path, git: Git) -> None:
        found = run("diff", "churn/Production", "churn/latest", "--json").json
        head = git("rev-parse", "HEAD", at=filled)
        assert found["before"].items() >= {"asked": "churn/Production", "version": 2, "commit": head}.items()
        assert found["equal"] is False
        assert found["version"]["metrics"]["auc"]["change"] == 0.02

    def test_equal_versions(self, run: Run, filled: Path) -> None:
        same = run("diff", "churn/2", "churn/Production")
        assert same.err == "no differences\n" and same.out == "section\tkey\tbefore\tafter\tchange\n"
        assert run("diff", "churn/2", "churn/2", "--json").json["equal"] is True
        assert "No differences." in run("diff", "churn/2", "churn/2", "--markdown").out

    def test_all_shows_what_is_equal(self, run: Run, filled: Path) -> None:
        rows = keyed(run("diff", "churn/1", "churn/1", "--all").rows)
        assert rows["metrics", "auc"] == ("0.91", "0.91", "")
        found = run("diff", "churn/1", "churn/1", "--all", "--json").json
        assert found["equal"] and found["version"]["params"]["depth"] == {"before": "3", "after": "3"}

    def test_at(self, run: Run, filled: Path) -> None:
        rows = keyed(run("diff", "churn/1", "churn/2", "--at", "HEAD~2").rows)
        assert ("stages", "Production") not in rows and ("aliases", "champion") in rows

    def test_markdown_is_safe_for_a_reviewer(self, run: Run, filled: Path) -> None:
        page = run("diff", "churn/1", "churn/2", "--markdown").out
        assert page.startswith("### `churn/1` → `churn/2`\n")
        assert "| `auc` | 0.91 | 0.95 | +0.04 (+4.4 %) |" in page
        assert "\x1b" not in page and "- try \\x1b[31mred\\u202e" in page


class TestTimes:
    def test_a_stage_then_and_now(self, run: Run, filled: Path, registry: Registry) -> None:
        registry.transition("churn/3", "Production")
        found = run("diff", "churn/Production", "--from", "HEAD~1", "--json").json
        assert (found["before"]["version"], found["after"]["version"]) == (2, 3)
        assert found["version"]["metrics"]["auc"] == {
            "before": 0.95,
            "after": 0.97,
            "change": 0.02,
            "percent": pytest.approx(2.105, abs=1e-3),
        }

    def test_one_version_at_two_times(self, run: Run, filled: Path, registry: Registry) -> None:
        registry.tag("churn/2", {"owner": "ada"})
        assert keyed(run("diff", "churn/2", "--from", "HEAD~1").rows) == {("tags", "owner"): ("", "ada", "")}

    def test_each_side_at_its_own_time(self, run: Run, filled: Path, registry: Registry) -> None:
        registry.transition("churn/3", "Production")
        argv = ["churn/Production", "churn/Production", "--from", "HEAD~1", "--to", "HEAD"]
        assert run("diff", *argv).rows == run("diff", "churn/Production", "--from", "HEAD~1").rows

    def test_a_model(self, run: Run, filled: Path, registry: Registry, git: Git) -> None:
        base = git("rev-parse", "HEAD", at=filled)
        registry.transition("churn/3", "Production")
        registry.delete("churn/1", reason="leak")
        registry.alias("churn/3", "champion")
        rows = run("diff", "churn", "--from", base).rows
        told = {(row["version"], row["section"], row["key"]): (row["before"], row["after"]) for row in rows}
        assert told["", "stages", "Production"] == ("2", "3")
        assert told["", "aliases", "champion"] == ("2", "3")
        assert told["1", "event", "delete"] == ("s3://bucket/churn/1", "")
        found = run("diff", "churn", "--from", base, "--json").json["model"]
        (holder,) = found["holders"]
        assert (holder["before"], holder["after"]) == (2, 3)
        assert holder["difference"]["metrics"]["auc"]["change"] == 0.02
        summaries = [change["summary"] for change in found["changes"]]
        assert "transition version 3 to Production" in summaries and "delete version 1" in summaries

    def test_two_dates(self, run: Run, filled: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
        path = filled / "models/churn/versions/3.yaml"
        for day, text in (("2030-01-10", "one"), ("2030-01-20", "two")):
            path.write_text(path.read_text().partition("description")[0] + f"description: {text}\n")
            monkeypatch.setenv("GIT_COMMITTER_DATE", f"{day}T12:00:00Z")
            git("commit", "-qam", text, at=filled)
        argv = ["diff", "churn/3", "--from", "2030-01-15"]
        assert keyed(run(*argv).rows)["description", "description"] == ("one", "two", "")
        assert run(*argv, "--to", "2030-01-19").rows == []

    def test_a_renamed_model_is_followed(self, run: Run, filled: Path, registry: Registry, git: Git) -> None:
        base = git("rev-parse", "HEAD", at=filled)
        registry.rename("churn", "attrition")
        registry.tag("attrition/2", {"owner": "ada"})
        registry.register("churn", "s3://another", metrics={"auc": 0.1})
        found = run("diff", "attrition", "--from", base, "--json").json["model"]
        assert (found["event"], found["former_name"]) == ("rename", "churn")
        assert [(each["version"], each["event"]) for each in found["versions"]] == [(2, "change")]
        assert run("diff", "attrition/Production", "--from", base, "--json").json["before"]["name"] == "churn"
        fresh = run("diff", "churn", "--from", base, "--json").json["model"]
        assert fresh["event"] == "register" and "former_name" not in fresh
        whole = run("diff", "--from", base, "--json").json["registry"]["models"]
        assert [(each["name"], each["event"]) for each in whole] == [
            ("attrition", "rename"),
            ("churn", "register"),
        ]

    def test_a_name_that_was_taken_again(self, run: Run, filled: Path, registry: Registry, git: Git) -> None:
        first = git("rev-parse", "HEAD", at=filled)
        registry.rename("churn", "attrition rate")
        registry.register("churn", "s3://another")
        second = git("rev-parse", "HEAD", at=filled)
        found = run("diff", "churn", "--from", first)
        assert [(row["key"], row["version"]) for row in found.rows] == [("register", ""), ("register", "4")]
        assert found.err == (
            "the model that was called churn then is now attrition rate: "
            f"gitreg diff 'attrition rate' --from {first}\n"
        )
        assert run("diff", "attrition rate", "--from", first).err == ""
        said = run("diff", "churn/latest", "--from", first, code=3).err
        assert f'the model that was called "churn" in commit {first[:10]} is now "attrition rate"' in said
        # Further on: each of the two is followed to where it went.
        registry.rename("attrition rate", "leaving")
        registry.rename("churn", "other")
        for since, now in ((first, "leaving"), (second, "other")):
            found = run("diff", "churn", "--from", since, "--json")
            assert (found.json["before"]["asked"], found.json["after"]["asked"]) == ("churn", now)
            model = found.json["model"]
            assert (model["name"], model["event"], model["former_name"]) == (now, "rename", "churn")
            assert found.err == ""
        registry.register("churn", "s3://third")
        said = run("diff", "churn", "--from", second, "--to", "HEAD").err
        assert said.endswith(f" is now other: gitreg diff other --from {second} --to HEAD\n")
        assert run("diff", "churn/4", "--from", second, code=3).err.startswith("error: ")

    def test_a_deleted_model_that_was_restored_is_followed(
        self, run: Run, filled: Path, registry: Registry
    ) -> None:
        registry.delete("fraud")
        registry.restore("fraud")
        registry.rename("fraud", "scam")
        found = run("diff", "fraud", "--from", "HEAD~3", "--json").json["model"]
        assert (found["name"], found["event"], found["former_name"]) == ("scam", "rename", "fraud")

    def test_back_in_time(self, run: Run, filled: Path, registry: Registry, git: Git) -> None:
        base = git("rev-parse", "HEAD", at=filled)
        registry.rename("churn", "attrition")
        registry.tag("attrition/2", {"owner": "ada"})
        back = ["--from", "HEAD", "--to", base]
        found = run("diff", "churn", *back, "--json").json["model"]
        assert (found["event"], found["name"], found["former_name"]) == ("rename", "churn", "attrition")
        assert keyed(run("diff", "churn/2", *back).rows) == {("tags", "owner"): ("ada", "", "")}
        registry.rename("attrition", "churn")
        found = run("diff", "churn", *back, "--json").json["model"]
        assert found["event"] == "change" and "former_name" not in found

    def test_a_renaming_on_a_branch_is_told_by_the_trees(
        self, run: Run, filled: Path, registry: Registry, git: Git
    ) -> None:
        git("branch", "before", at=filled)
        git("switch", "-qc", "topic", at=filled)
        registry.rename("churn", "attrition")
        registry.rename("attrition", "leaving")
        git("switch", "-q", "main", at=filled)
        found = run("diff", "leaving", "--from", "before", "--to", "topic", "--json").json["model"]
        assert (found["event"], found["former_name"]) == ("rename", "churn")
        whole = run("diff", "--from", "main", "--to", "topic", "--json").json["registry"]["models"]
        assert [each["name"] for each in whole] == ["leaving"]

    def test_a_model_that_came_and_went(self, run: Run, filled: Path, registry: Registry, git: Git) -> None:
        registry.delete("fraud", reason="unused")
        gone = run("diff", "fraud", "--from", "HEAD~1", "--json").json["model"]
        assert (gone["event"], gone["reason"]) == ("delete", "unused")
        first = git("rev-list", "--max-parents=0", "HEAD", at=filled)
        rows = run("diff", "churn", "--from", first, "--to", "HEAD~1").rows
        assert rows[0]["section"] == "event" and rows[0]["key"] == "register"
        assert [row["version"] for row in rows if row["key"] == "register"] == ["", "1", "2", "3"]

    def test_the_whole_registry(self, run: Run, filled: Path, registry: Registry) -> None:
        registry.tag("churn", {"team": "growth"})
        path = filled / "gitreg.yaml"
        path.write_text(path.read_text() + "description: Ours\n")
        subprocess.run(["git", "commit", "-qam", "settings"], cwd=filled, check=True, env=os.environ)
        rows = run("diff", "--from", "HEAD~2").rows
        assert [(row["model"], row["section"], row["key"], row["after"]) for row in rows] == [
            ("", "settings", "description", "Ours"),
            ("churn", "tags", "team", "growth"),
        ]
        assert run("diff", "--from", "HEAD").err == "no differences\n"
        assert run("diff", "churn", "--from", "HEAD").err == "no differences\n"

    def test_other_files_of_a_model(self, run: Run, filled: Path, git: Git) -> None:
        (filled / "models/churn/README.md").write_text("# Card\n")
        git("add", "-A", at=filled)
        git("commit", "-qm", "card", at=filled)
        blob = git("rev-parse", "HEAD:models/churn/README.md", at=filled)
        (row,) = run("diff", "churn", "--from", "HEAD~1").rows
        assert (row["section"], row["key"], row["after"]) == ("other_files", "README.md", blob)

    def test_what_cannot_be_read_is_named(self, run: Run, filled: Path, registry: Registry, git: Git) -> None:
        registry.tag("churn/2", {"a": "b"})
        (filled / "models/churn/versions/3.yaml").write_text("{")
        git("commit", "-qam", "oops", at=filled)
        rows = run("diff", "churn", "--from", "HEAD~2").rows
        assert [(row["section"], row["key"]) for row in rows] == [
            ("tags", "a"),
            ("unread", "models/churn/versions/3.yaml"),
        ]
        assert "churn/versions/3.yaml" in run("diff", "churn/3", "churn/2", code=3).err

    @pytest.mark.parametrize("side", [("HEAD~2", "HEAD"), ("HEAD", "HEAD~2")], ids=["after", "before"])
    def test_it_does_not_hide_who_holds_a_stage(
        self, run: Run, filled: Path, registry: Registry, git: Git, side: tuple[str, str]
    ) -> None:
        registry.transition("churn/3", "Production")
        (filled / "models/churn/versions/1.yaml").write_text("stages: {Production: '")
        git("commit", "-qam", "oops", at=filled)
        rows = run("diff", "churn", "--from", side[0], "--to", side[1]).rows
        stages = [(row["before"], row["after"]) for row in rows if row["key"] == "Production"]
        assert sorted(stages[0]) == ["2", "3"]
        assert [row["key"] for row in rows if row["section"] == "unread"] == ["models/churn/versions/1.yaml"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("args", "code", "said"),
        [
            ([], 2, "gitreg diff --from 2026-01-15"),
            (["churn"], 2, "gitreg diff churn --from 2026-01-15"),
            (["churn/1"], 2, "say what to compare it with"),
            (["churn/1", "--at", "HEAD"], 2, "say what to compare it with"),
            (["churn", "churn/1"], 2, "churn is a model and churn/1 a version"),
            (["churn/1", "fraud"], 2, "churn/1 is a version and fraud a model"),
            (["churn", "fraud"], 2, "gitreg diff churn/latest fraud/latest"),
            (["churn/1", "churn/2", "--to", "HEAD"], 2, "--to says until when"),
            (["churn", "--from", "HEAD", "--at", "HEAD"], 2, "exclude each other"),
            (["churn/1", "churn/2", "--json", "--markdown"], 2, "exclude each other"),
            (["churn/1", "churn/9"], 3, "there is no version 9 of churn"),
            (["churn/1", "churm/1"], 3, 'did you mean "churn"?'),
            (["churn/1", "churn/Prodction"], 3, 'did you mean "Production"?'),
            (["churn", "--from", "nonsense"], 3, "--> --from"),
            (["churn", "--from", "2019-01-01"], 3, "--> --from"),
            (["churn", "--from", "HEAD~1", "--to", "2019-01-01"], 3, "--> --to"),
            (["churn/1", "churn/2", "--at", "2019-01-01"], 3, "--> --at"),
            (["nobody", "--from", "HEAD~1"], 3, 'no registered model "nobody"'),
            (["churn/Production", "--from", "HEAD~3"], 3, "churn/Production in commit "),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else None,
    )
    def test_what_where_and_what_next(
        self, run: Run, filled: Path, args: list[str], code: int, said: str
    ) -> None:
        assert said in run("diff", *args, code=code).err


class TestTerminal:
    def test_a_page(self, terminal: Callable[..., str], filled: Path) -> None:
        page = terminal("diff", "churn/1", "churn/2")
        assert page.startswith("\x1b[1mchurn/1 → churn/2\x1b[0m\n") and "\t" not in page
        assert "+0.04 (+4.4 %)" in page and "\x1b[1mMetrics\x1b[0m" in page
        assert "- try \\x1b[31mred\\u202e" in page

    def test_a_model_and_the_registry(
        self, terminal: Callable[..., str], filled: Path, registry: Registry
    ) -> None:
        registry.transition("churn/3", "Production")
        page = terminal("diff", "churn", "--from", "HEAD~1")
        assert "\x1b[1mProduction: churn/2 → churn/3\x1b[0m" in page and "+0.02 (+2.1 %)" in page
        assert "stages: Production  2 → 3" in terminal("diff", "--from", "HEAD~1")

    def test_equal(self, terminal: Callable[..., str], filled: Path) -> None:
        assert terminal("diff", "churn/2", "churn/Production") == ""


def test_the_api(registry: Registry) -> None:
    data = (Dataset(name="telco", digest="1"),)
    registry.apply(Register(name="m", origin=Origin(source="s3://1", metrics={"auc": 0.5}, datasets=data)))
    base = registry.store.head()
    registry.register("m", "s3://2", metrics={"auc": 0.75})
    found = registry.diff("m/1", "m/2")
    told = {
        (section.kind, row.key): row.change for section in found.contrast.sections for row in section.rows
    }  # type: ignore[union-attr]
    assert told["metrics", "auc"] == 0.25 and ("datasets", "telco") in told
    assert registry.diff("m", since=base).contrast.versions[0].event == "register"  # type: ignore[union-attr]
    assert registry.diff(since=base, until=base).equal and not registry.diff(since=base).equal
