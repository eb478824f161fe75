"""``gitreg check``: the rules that span files and states, each where it is broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

ONE = "models/churn/versions/1.yaml"
TWO = "models/churn/versions/2.yaml"
MODEL = "models/churn/model.yaml"


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new))


def codes(run: Run, *args: object, code: int = 1) -> list[tuple[str, str, int]]:
    found = run("check", *args, "--json", code=code).json["findings"]
    return [(one["code"], one["path"], one.get("line", 0)) for one in found]


def line_of(folder: Path, path: str, word: str) -> int:
    lines = (folder / path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if word in line)


def test_a_registry_in_order(run: Run, filled: Path) -> None:
    for args in ([], ["--staged"], ["--rev", "HEAD"], ["--rev", "HEAD~3"]):
        done = run("check", *args)
        assert done.out == "" and done.err.endswith("no findings\n")


def test_the_origin_was_edited(run: Run, filled: Path) -> None:
    edit(filled, ONE, "source: s3://bucket/churn/1", "source: s3://evil/1")
    edit(filled, ONE, "auc: 0.91", "auc: 0.99")
    assert codes(run) == [
        ("GR104", ONE, line_of(filled, ONE, "source:")),
        ("GR104", ONE, line_of(filled, ONE, "auc:")),
    ]
    assert "metrics.auc: this part of churn/1 never changes" in run("check", code=1).out


def test_the_same_by_index_and_by_commit(run: Run, filled: Path, git: Git) -> None:
    edit(filled, ONE, "auc: 0.91", "auc: 0.99")
    git("add", ".", at=filled)
    git("restore", "--worktree", "--source=HEAD", ONE, at=filled)
    found = [("GR104", ONE, line_of(filled, ONE, "auc:"))]
    assert codes(run, code=0) == [] and codes(run, "--staged") == found
    git("commit", "-qm", "edit", at=filled)
    assert codes(run, "--rev", "HEAD") == found
    assert codes(run, "--at", "HEAD") == found
    parent = git("rev-parse", "HEAD~1", at=filled)[:10]
    assert f"git checkout {parent} -- {ONE}" in run("check", "--rev", "HEAD", code=1).out
    assert codes(run, "--rev", "HEAD~1", code=0) == []


def test_a_person_may_edit_what_is_state(run: Run, filled: Path) -> None:
    path = filled / ONE
    path.write_text("# mine\n" + path.read_text() + 'deprecated:\n  at: "2026-11-23T10:00:00.000Z"\n')
    edit(filled, ONE, "team: growth", "team: risk")
    assert codes(run, code=0) == []


def test_evaluations_are_only_added_to(run: Run, filled: Path, registry: Registry, git: Git) -> None:
    registry.evaluate("churn/1", "holdout", {"auc": 0.88})
    edit(filled, ONE, "auc: 0.88", "auc: 0.98")
    assert [code for code, _, _ in codes(run)] == ["GR105"]


def test_manifests_do_not_vanish(run: Run, filled: Path) -> None:
    (filled / ONE).unlink()
    for path in sorted((filled / "models/fraud").rglob("*.yaml")):
        path.unlink()
    assert codes(run) == [
        ("GR103", ONE, 0),
        ("GR103", "models/fraud/model.yaml", 0),
        ("GR103", "models/fraud/versions/1.yaml", 0),
    ]


def test_deletions_that_leave_tombstones_pass(run: Run, filled: Path, registry: Registry) -> None:
    registry.delete("churn/3")
    registry.delete("fraud")
    registry.rename("churn", "attrition")
    for rev in ("HEAD", "HEAD~1", "HEAD~2"):
        assert codes(run, "--rev", rev, code=0) == []
    assert codes(run, code=0) == []


def test_an_alias_to_nothing_or_to_a_deleted_version(run: Run, filled: Path, registry: Registry) -> None:
    edit(filled, MODEL, "champion: 2", "champion: 9")
    assert codes(run) == [("GR106", MODEL, line_of(filled, MODEL, "champion"))]
    edit(filled, MODEL, "champion: 9", "champion: 2")
    registry.delete("churn/3")
    edit(filled, MODEL, "champion: 2", "champion: 3")
    assert "version 3 is deleted" in run("check", code=1).out


def test_an_exclusive_stage_is_held_once(run: Run, filled: Path) -> None:
    with (filled / ONE).open("a") as file:
        file.write('stages:\n  Production: "2026-11-23T10:00:00.000Z"\n')
    assert codes(run) == [("GR109", TWO, line_of(filled, TWO, "Production"))]


def test_a_stage_that_is_none_of_this_registry(run: Run, filled: Path) -> None:
    edit(filled, TWO, "Production:", "Prodction:")
    done = run("check", code=1)
    line = line_of(filled, TWO, "Prodction")
    assert done.out.startswith(
        f'{TWO}:{line}:3: error[GR012]: stage: "Prodction" is not a stage of this registry\n'
    )
    assert "    |   ^~~~~~~~~\n" in done.out.replace(f"  {line} |", "    |")
    assert 'help: did you mean "Production"?' in done.out
    assert done.err == "checked 7 files: 1 error\n"


def test_twins_and_the_later_is_at_fault(run: Run, filled: Path) -> None:
    (filled / "models/CHURN").mkdir()
    text = (
        (filled / MODEL)
        .read_text()
        .replace("name: churn", "name: CHURN")
        .replace("aliases:\n  champion: 2\n", "")
    )
    (filled / "models/CHURN/model.yaml").write_text(text)
    assert codes(run) == [("GR101", "models/CHURN/model.yaml", 0)]


def test_numbers_are_not_used_again(run: Run, filled: Path, registry: Registry) -> None:
    registry.delete("churn/3")
    (filled / "models/churn/versions/3.yaml").write_text(
        'version: 3\ncreated: "2999-01-01T00:00:00.000Z"\nupdated: "2999-01-01T00:00:00.000Z"\nsource: s3://x\n'
    )
    assert codes(run) == [("GR110", "models/churn/versions/3.yaml", 1)]


def test_a_restored_version_may_come_back(run: Run, filled: Path, registry: Registry) -> None:
    registry.delete("churn/3")
    registry.restore("churn/3")
    assert codes(run, "--rev", "HEAD", code=0) == []


def test_what_is_no_plain_file(run: Run, filled: Path, git: Git) -> None:
    (filled / "models/churn/versions/4.yaml").symlink_to("3.yaml")
    (filled / ONE).chmod(0o755)
    git("init", "-q", filled / "models/sub")
    git("commit", "-q", "--allow-empty", "-m", "x", at=filled / "models/sub")
    found = codes(run)
    assert ("GR107", "models/churn/versions/4.yaml", 0) in found
    assert ("GR107", ONE, 0) in found and ("GR107", "models/sub", 0) in found
    git("-c", "advice.addEmbeddedRepo=false", "add", ".", at=filled)
    assert codes(run, "--staged") == found


def test_strays_but_not_ignored_files(run: Run, filled: Path) -> None:
    (filled / "models/churn/notes.txt").write_text("x")
    (filled / "models/churn/versions/2.yaml~").write_text("x")
    (filled / ".gitignore").write_text("*~\n")
    assert codes(run) == [("GR102", "models/churn/notes.txt", 0)]


def test_an_unresolved_merge(run: Run, filled: Path, git: Git) -> None:
    for branch, text in (("topic", "ours"), ("main", "theirs")):
        git("switch", "-q", *(["-c"] if branch == "topic" else []), branch, at=filled)
        with (filled / ONE).open("a") as file:
            file.write(f"status_message: {text}\n")
        git("commit", "-qam", branch, at=filled)
    git("merge", "topic", at=filled, code=1)
    (found,) = codes(run)
    assert found[0] == "GR004" and found[2] == line_of(filled, ONE, "<<<<<<<")
    assert codes(run, "--staged") == [("GR004", ONE, 0)]


def test_paths(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(filled, ONE, "auc: 0.91", "auc: 0.99")
    edit(filled, TWO, "auc: 0.95", "auc: 0.99")
    assert [path for _, path, _ in codes(run, ONE)] == [ONE]
    assert [path for _, path, _ in codes(run, filled / "models/churn")] == [ONE, TWO]
    assert codes(run, "models/fraud", code=0) == []
    monkeypatch.chdir(filled / "models/churn")
    assert run("check", "versions/1.yaml", code=1).out.startswith("versions/1.yaml:")
    assert "no such file" in run("check", "versions/99.yaml", code=3).err
    assert "outside of the registry" in run("check", "/etc/passwd", code=2).err


def test_in_a_sub_folder_services_get_paths_from_the_repositorys_root(
    run: Run, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "-q", tmp_path)
    run("init", tmp_path / "ml")
    monkeypatch.chdir(tmp_path / "ml")
    run("register", "churn", "s3://x/1")
    edit(tmp_path / "ml", ONE, "s3://x/1", "s3://y/1")
    assert run("check", code=1).out.startswith(f"{ONE}:")
    assert f"file=ml/{ONE}," in run("check", "--format", "github", code=1).out
    assert f"git checkout HEAD -- ml/{ONE}" in run("check", "--format", "github", code=1).out
    assert codes(run, ONE) == [("GR104", f"ml/{ONE}", 5)]


def test_a_bare_registry_is_checked_at_its_head(run: Run, git: Git, filled: Path, tmp_path: Path) -> None:
    edit(filled, ONE, "auc: 0.91", "auc: 0.99")
    git("commit", "-qam", "edit", at=filled)
    git("clone", "-q", "--bare", filled, tmp_path / "bare.git")
    assert [code for code, _, _ in codes(run, "--registry", tmp_path / "bare.git")] == ["GR104"]
    assert "neither work tree nor index" not in run("check", "--registry", tmp_path / "bare.git", code=1).err


def test_a_sparse_checkout_hides_nothing_and_loses_nothing(run: Run, git: Git, filled: Path) -> None:
    git("status", at=filled)  # Git leaves files that it has not looked at since they were written
    git("sparse-checkout", "set", "--no-cone", "/gitreg.yaml", "/models/fraud/", at=filled)
    assert not (filled / MODEL).exists()
    assert codes(run, code=0) == []


def test_warnings_alone_pass(run: Run, filled: Path) -> None:
    path = filled / ONE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    done = run("check")
    assert "warning[" in done.out and "warning" in done.err


def test_broken_settings_are_one_finding(run: Run, filled: Path) -> None:
    edit(filled, "gitreg.yaml", "layout: flat", "layout: round")
    found = codes(run)
    assert [path for _, path, _ in found] == ["gitreg.yaml"]


def test_both_states_at_once_is_a_slip(run: Run, filled: Path) -> None:
    assert "exclude each other" in run("check", "--staged", "--rev", "HEAD", code=2).err


@pytest.mark.parametrize("format", ["json", "gitlab", "sarif"])
def test_formats_are_json(run: Run, filled: Path, format: str) -> None:
    assert json.loads(run("check", "--format", format).out) is not None


def test_control_characters_stay_out(run: Run, filled: Path) -> None:
    with (filled / ONE).open("a") as file:
        file.write('"x\\e]52;c;\\a": 1\n')
    done = run("check", code=1)
    assert "\x1b" not in done.out and "\x07" not in done.out
    name = os.fsdecode(b"models/churn/versions/\x1b[2J.yaml")
    (filled / name).write_text("x")
    assert "\x1b" not in run("check", code=1).out


def test_versions_that_no_model_owns(run: Run, filled: Path, git: Git) -> None:
    git("rm", "-q", MODEL, at=filled)
    git("commit", "-qm", "by hand", at=filled)
    assert {(code, path) for code, path, _ in codes(run)} >= {("GR111", ONE), ("GR111", TWO)}
    git("revert", "--no-edit", "HEAD", at=filled)
    run("rename", "churn", "attrition")
    git("checkout", "-q", "HEAD~1", "--", ONE, at=filled)
    assert ("GR111", ONE, 0) in codes(run)
