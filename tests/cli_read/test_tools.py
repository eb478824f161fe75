"""fmt, explain, schema, config and doctor."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from gitreg.manifest.rules import RULES
from gitreg.manifest.schema import schema_names
from tests.cli_read.conftest import Git, Run

ONE = "models/churn/versions/1.yaml"


class TestFmt:
    def test_machine_written_files_are_canonical(self, run: Run, filled: Path) -> None:
        assert run("fmt", "--check").out == ""

    def test_writes_what_differs_and_keeps_comments_and_permissions(self, run: Run, filled: Path) -> None:
        path = filled / ONE
        canonical = path.read_text()
        path.write_text(canonical.replace("source: ", "source:    ") + "# the end\n")
        path.chmod(0o640)
        assert run("fmt", "--check", code=1).out == f"{ONE}\n"
        assert "+source: s3://bucket/churn/1" in run("fmt", "--diff").out
        assert "source:    " in path.read_text()
        assert run("fmt").out == f"{ONE}\n"
        assert path.read_text() == canonical + "# the end\n"
        assert path.stat().st_mode & 0o777 == 0o640
        assert sorted(os.listdir(path.parent)) == ["1.yaml", "2.yaml", "3.yaml"]

    def test_a_file_that_does_not_parse_is_reported_and_left(self, run: Run, filled: Path) -> None:
        (filled / ONE).write_text("a: [\n")
        done = run("fmt", code=3)
        assert f"{ONE}:" in done.err and "left 1 file" in done.err
        assert run("fmt", "--check", code=1).out == ""
        assert (filled / ONE).read_text() == "a: [\n"

    def test_files_outside_of_a_registry(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "some.yaml"
        path.write_text(
            'updated: "2026-11-23T10:00:00.000Z"\nname:   churn\ncreated: "2026-11-23T10:00:00.000Z"\n'
        )
        before = path.read_bytes()
        other = tmp_path / "model.yaml"
        other.write_bytes(before)
        for place in (path, other):
            assert "no manifest of a registry" in run("fmt", place, code=3).err
        run("fmt", tmp_path)
        assert path.read_bytes() == other.read_bytes() == before

    def test_what_is_not_there(self, run: Run, filled: Path, tmp_path: Path) -> None:
        assert "no such file" in run("fmt", "nothing.yaml", code=3).err
        run("init", "--bare", tmp_path / "r.git")
        assert "no files to format" in run("fmt", "--registry", tmp_path / "r.git", code=7).err


class TestExplain:
    @pytest.mark.parametrize("code", list(RULES))
    def test_every_rule(self, run: Run, code: str) -> None:
        said = run("explain", code.lower()).out
        assert said.startswith(f"{code}: {RULES[code].title}") and "Wrong:" in said and "Right:" in said

    def test_all_and_none(self, run: Run) -> None:
        assert [row["code"] for row in run("explain").rows] == list(RULES)
        assert run("explain", "GR012", "--json").json["code"] == "GR012"
        assert "did you mean" in run("explain", "GR0122", code=3).err


class TestSchema:
    def test_by_long_and_short_name(self, run: Run) -> None:
        assert [row["name"] for row in run("schema").rows] == list(schema_names())
        long, short = run("schema", "model-version.v1").out, run("schema", "model-version").out
        assert long == short and json.loads(long)["title"] == "gitreg model version"
        assert 'did you mean "model-version"?' in run("schema", "model-versio", code=3).err

    def test_the_registry_holds_the_same_for_editors(self, run: Run, empty: Path) -> None:
        for name in schema_names():
            assert (empty / "schemas" / f"{name}.schema.json").read_text() == run("schema", name).out


class TestConfig:
    def test_shows_values_and_where_they_come_from(self, run: Run, empty: Path) -> None:
        rows = {row["key"]: row for row in run("config").rows}
        assert rows["stages"]["value"] == "Staging,Production!,Archived"
        line = (empty / "gitreg.yaml").read_text().splitlines().index("stages:") + 1
        assert rows["stages"]["from"] == f"gitreg.yaml:{line}"
        assert rows["tags.prefix"]["from"] == "default"
        assert run("config", "branch").out == "main\n"
        assert run("config", "--json").json["layout"] == "flat"

    def test_sets_one_in_a_commit_that_keeps_comments(self, run: Run, empty: Path, git: Git) -> None:
        before = (empty / "gitreg.yaml").read_text()
        run("config", "tags.for", "stages", "-m", "fewer tags")
        assert (empty / "gitreg.yaml").read_text() == before.replace("  for: all", "  for: stages")
        message = git("log", "-1", "--format=%B", at=empty)
        assert "fewer tags" in message and "Gitreg-Event: policy" in message
        assert git("status", "--porcelain", at=empty) == ""
        assert run("log", "--oneline").out.endswith("registry: change tags of the registry\n")

    def test_nothing_to_change_and_dry_run(self, run: Run, empty: Path, git: Git) -> None:
        head = git("rev-parse", "HEAD", at=empty)
        assert "nothing to change" in run("config", "branch", "main").out
        assert "+name: other" in run("config", "name", "other", "--dry-run").out
        assert git("rev-parse", "HEAD", at=empty) == head

    def test_a_stage_that_is_held_stays(self, run: Run, filled: Path) -> None:
        assert "churn/2 holds the stage Production" in run("config", "stages", "Staging,Archived", code=4).err
        run("config", "stages", "Dev,Staging,Production,Archived")
        assert run("config", "stages").out == "Dev,Staging,Production,Archived\n"

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("nope", "x"),
            ("format", "2"),
            ("tags.for", "some"),
            ("branch", "a..b"),
            ("stages", "latest"),
            ("stages", ""),
        ],
    )
    def test_refuses(self, run: Run, empty: Path, key: str, value: str) -> None:
        before = (empty / "gitreg.yaml").read_bytes()
        run("config", key, value, code=3)
        assert (empty / "gitreg.yaml").read_bytes() == before

    def test_a_persons_edit_is_not_overwritten(self, run: Run, empty: Path) -> None:
        with (empty / "gitreg.yaml").open("a") as file:
            file.write("# mine\n")
        assert "gitreg.yaml" in run("config", "name", "other", code=4).err
        assert (empty / "gitreg.yaml").read_text().endswith("# mine\n")


class TestDoctor:
    def test_all_is_well(self, run: Run, filled: Path) -> None:
        assert run("doctor").out == "all is well\n"

    def test_missing_tags_are_made_again_exactly(self, run: Run, filled: Path, git: Git) -> None:
        before = git("for-each-ref", "refs/tags", at=filled)
        git("tag", "-d", "churn/v2", "churn/Production/1", at=filled)
        assert run("doctor", "--dry-run", code=6).out.count("would mend: churn/") == 2
        run("doctor")
        assert git("for-each-ref", "refs/tags", at=filled) == before

    def test_tags_of_hand_edits_are_made(self, run: Run, filled: Path, git: Git) -> None:
        path = filled / "models/churn/versions/3.yaml"
        path.write_text(path.read_text() + 'stages:\n  Staging: "2026-11-23T10:00:00.000Z"\n')
        git("commit", "-qam", "by hand", at=filled)
        assert "made the tag churn/Staging/1" in run("doctor").out
        assert git("rev-list", "-1", "churn/Staging/1", at=filled) == git("rev-parse", "HEAD", at=filled)

    def test_a_wrong_tag_is_left_to_a_person(self, run: Run, filled: Path, git: Git) -> None:
        git("tag", "-f", "churn/v2", "HEAD", at=filled)
        found = run("doctor", "--json", code=6).json["remaining"]
        assert [each["where"] for each in found] == ["churn/v2"] and "git tag -d churn/v2" in found[0]["help"]

    def test_a_wrong_marker_does_no_harm(self, run: Run, filled: Path, git: Git) -> None:
        (filled / ".git/gitreg/tagged").write_text("garbage")
        before = git("for-each-ref", "refs/tags", at=filled)
        assert run("doctor").out == "all is well\n"
        run("register", "churn", "s3://x/4")
        assert git("for-each-ref", "refs/tags", at=filled).splitlines() != before.splitlines()
        assert run("doctor").out == "all is well\n"

    def test_a_stale_lock_goes_and_a_young_one_stays(self, run: Run, filled: Path) -> None:
        lock = filled / ".git/index.lock"
        lock.touch()
        assert "remains" in run("doctor", code=7).out and lock.exists()
        old = lock.stat().st_mtime - timedelta(hours=2).total_seconds()
        os.utime(lock, (old, old))
        assert "mended" in run("doctor").out and not lock.exists()

    def test_a_work_tree_that_is_behind(self, run: Run, filled: Path, git: Git, tmp_path: Path) -> None:
        git("clone", "-q", filled, tmp_path / "clone")
        run("update", "churn/1", "-d", "pushed", "--registry", tmp_path / "clone")
        git("config", "receive.denyCurrentBranch", "ignore", at=filled)
        git("push", "-q", "--no-follow-tags", "origin", "main", at=tmp_path / "clone")
        (found,) = run("doctor", "--json", code=7).json["remaining"]
        assert found["kind"] == "work-tree" and found["where"] == ONE
        git(*found["help"].partition("git ")[2].split(), at=filled)
        assert run("doctor").out == "all is well\n"

    def test_the_environment_is_told_and_is_no_fault(self, run: Run, filled: Path, own_home: Path) -> None:
        (own_home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        said = run("doctor").out
        assert said.startswith("note: Git does not know your") and "git config --global user.name" in said

    def test_a_detached_head_is_told(self, run: Run, filled: Path, git: Git) -> None:
        git("switch", "-q", "--detach", at=filled)
        assert run("doctor").out.startswith("note: HEAD is detached")
        assert run("resolve", "churn/Production").out == "s3://bucket/churn/2\n"

    def test_a_clone_waits_for_the_push(self, run: Run, filled: Path, git: Git, tmp_path: Path) -> None:
        git("clone", "-q", "--no-tags", filled, tmp_path / "clone")
        assert run("doctor", "--registry", tmp_path / "clone").out == "all is well\n"

    def test_an_object_without_content(self, run: Run, filled: Path, git: Git) -> None:
        (filled / "note").write_text("mine")
        blob = git("hash-object", "-w", "note", at=filled)  # loose, as Git makes them
        path = filled / ".git/objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(b"")
        done = run("doctor", code=6).out
        assert "an object without content" in done and str(path) in done

    def test_a_bare_registry(self, run: Run, tmp_path: Path, git: Git) -> None:
        run("init", "--bare", tmp_path / "r")
        run("register", "churn", "s3://x/1", "--registry", tmp_path / "r")
        git("tag", "-d", "churn/v1", at=tmp_path / "r")
        assert "made the tag churn/v1" in run("doctor", "--registry", tmp_path / "r").out
