from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.domain.settings import Settings, Stage, TagSettings
from gitreg.manifest.codec import decode_settings
from gitreg.registry.create import settings_text
from tests.cli_read.conftest import Git, Run


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_fresh_registry_is_one_commit_with_a_clean_work_tree(run: Run, git: Git, tmp_path: Path) -> None:
    where = tmp_path / "new" / "models"
    said = run("init", where).out
    assert "new/models (branch main, commit " in said
    assert git("rev-list", "--count", "HEAD", at=where) == "1"
    assert git("status", "--porcelain", at=where) == ""
    assert git("branch", "--show-current", at=where) == "main"
    assert git("check-attr", "eol", "--", "models/a/model.yaml", at=where).endswith("eol: lf")
    assert (where / ".git/gitreg/tagged").read_text().strip() == git("rev-parse", "HEAD", at=where)
    assert run("check", "--registry", where).out == ""


def test_gitreg_yaml_is_commented_and_says_what_was_asked_for(run: Run, tmp_path: Path) -> None:
    where = tmp_path / "r"
    run(
        "init", where, "--branch", "trunk", "--name", "Risk", "--stage", "Dev", "--stage", "Live!",
        "--layout", "sharded", "--tag-prefix", "ml/",
    )  # fmt: skip
    data = (where / "gitreg.yaml").read_bytes()
    assert decode_settings(data) == Settings(
        name="Risk",
        branch="trunk",
        layout="sharded",
        stages=(Stage(name="Dev"), Stage(name="Live", exclusive=True)),
        tags=TagSettings(prefix="ml/"),
    )
    assert data.count(b"\n# ") >= 4
    assert run("fmt", "--check", where).err == "would change 0 of 1 file\n"


def test_settings_text_holds_the_settings() -> None:
    assert decode_settings(settings_text(Settings())) == Settings()


def test_bare(run: Run, git: Git, tmp_path: Path) -> None:
    where = tmp_path / "r.git"
    assert run("init", "--bare", where, "--json").json["prefix"] == ""
    assert git("rev-parse", "--is-bare-repository", at=where) == "true"
    assert git("show", "main:gitreg.yaml", at=where).count("name: r\n") == 1
    assert run("list", "--registry", where).rows == []


@pytest.mark.parametrize("folder", [".", "ml/registry"])
def test_in_an_existing_repository_nothing_of_a_persons_is_lost(
    run: Run, git: Git, tmp_path: Path, folder: str
) -> None:
    git("init", "-qb", "trunk", tmp_path)
    (tmp_path / "code.py").write_text("one\n")
    here = tmp_path / folder
    here.mkdir(parents=True, exist_ok=True)
    (here / ".gitattributes").write_text("*.png binary")
    (here / "README.md").write_text("mine\n")
    git("add", ".", at=tmp_path)
    git("commit", "-qm", "first", at=tmp_path)
    (tmp_path / "code.py").write_text("two\n")
    (tmp_path / "staged.py").write_text("new\n")
    git("add", "staged.py", at=tmp_path)
    before = git("status", "--porcelain", at=tmp_path)
    run("init", here)
    assert git("status", "--porcelain", at=tmp_path) == before
    assert (here / ".gitattributes").read_text() == "*.png binary\n*.yaml text eol=lf\n"
    assert (here / "README.md").read_text() == "mine\n"
    assert git("rev-list", "--count", "HEAD", at=tmp_path) == "2"
    prefix = "" if folder == "." else "ml/registry/"
    changed = git("diff", "--name-only", "HEAD~1", "HEAD", at=tmp_path).splitlines()
    assert changed and all(path.startswith(prefix) for path in changed)
    assert decode_settings((here / "gitreg.yaml").read_bytes()).branch == "trunk"


def test_a_bare_clone_of_a_sub_folder_registry_is_told_its_prefix(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-q", tmp_path / "big")
    said = run("init", tmp_path / "big/ml").out
    assert "git config gitreg.prefix ml" in said
    run("register", "--registry", tmp_path / "big/ml", "churn", "s3://x/1")
    git("clone", "-q", "--bare", tmp_path / "big", tmp_path / "big.git")
    git("config", "gitreg.prefix", "ml", at=tmp_path / "big.git")
    assert run("resolve", "churn/1", "--registry", tmp_path / "big.git").out == "s3://x/1\n"


def test_an_existing_registry_stays_as_it_is(run: Run, git: Git, empty: Path) -> None:
    head = git("rev-parse", "HEAD", at=empty)
    before = files_of(empty)
    assert "there is a registry already" in run("init", empty, code=4).err
    assert "another registry" in run("init", empty / "models/x", code=4).err
    assert files_of(empty) == before and git("rev-parse", "HEAD", at=empty) == head


def test_an_existing_bare_registry_stays_as_it_is(run: Run, git: Git, tmp_path: Path) -> None:
    run("init", "--bare", tmp_path / "r")
    head = git("rev-parse", "HEAD", at=tmp_path / "r")
    assert "there is a registry already" in run("init", "--bare", tmp_path / "r", code=4).err
    assert git("rev-parse", "HEAD", at=tmp_path / "r") == head


@pytest.mark.parametrize("options", [[], ["--bare"]])
@pytest.mark.parametrize("exists", [False, True])
def test_without_an_identity_nothing_is_left_behind(
    run: Run, own_home: Path, tmp_path: Path, options: list[str], exists: bool
) -> None:
    (own_home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    where = tmp_path / "a" / "b"
    if exists:
        where.mkdir(parents=True)
    said = run("init", where, *options, code=7).err
    assert "git config --global user.name" in said and "user.email" in said
    assert list(tmp_path.rglob("*")) == ([tmp_path / "a", where] if exists else [])


def test_no_file_of_a_persons_is_taken_over(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-q", tmp_path)
    (tmp_path / ".gitattributes").write_text("mine\n")
    assert ".gitattributes" in run("init", tmp_path, code=4).err
    assert (tmp_path / ".gitattributes").read_text() == "mine\n"
    assert not (tmp_path / "gitreg.yaml").exists()
    assert git("rev-parse", "--verify", "-q", "HEAD", at=tmp_path, code=1) == ""


def test_bad_values_are_refused_before_anything_is_made(run: Run, tmp_path: Path) -> None:
    for options, word in (
        (["--stage", "latest"], "latest"),
        (["--stage", "a/b"], "a/b"),
        (["--stage", "Live", "--stage", "live"], "live"),
        (["--branch", "a..b"], "a..b"),
        (["--branch", "--upload-pack=touch x"], "--upload-pack=touch x"),
        (["--tag-prefix", "a b/"], "a b/"),
    ):
        assert word in run("init", tmp_path / "r", *options, code=3).err
        assert os.listdir(tmp_path) == []


def test_on_another_branch_than_the_one_checked_out(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-qb", "main", tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "x", at=tmp_path)
    assert "git switch -c other" in run("init", tmp_path, "--branch", "other", code=4).err
    git("checkout", "-q", "--detach", at=tmp_path)
    assert "HEAD is detached" in run("init", tmp_path, code=4).err


def test_sha256(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-q", "--object-format=sha256", tmp_path)
    run("init", tmp_path)
    assert len(git("rev-parse", "HEAD", at=tmp_path)) == 64


def test_a_folder_that_the_repository_ignores_is_refused(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-q", "-b", "main", at=tmp_path)
    (tmp_path / ".gitignore").write_text("out/\n")
    before = files_of(tmp_path)
    done = run("init", tmp_path / "out" / "registry", code=4)
    assert "git init" in done.err
    assert files_of(tmp_path) == before
