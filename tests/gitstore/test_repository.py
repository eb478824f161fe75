"""Where a registry is found, and what Git's own files say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, NotARegistry
from gitreg.gitstore.refs import Refs
from gitreg.gitstore.repository import Repository
from tests.gitstore.conftest import MAIN, git, make


def test_is_found_from_any_folder_below(tmp_path: Path) -> None:
    found = make("folder", tmp_path)
    deep = tmp_path / "repo/sub/models/x"
    deep.mkdir(parents=True)
    for start in (deep, deep.parent, tmp_path / "repo/sub"):
        again = Repository.discover(start)
        assert (again.work_tree, again.prefix, again.git_dir) == (found.work_tree, "sub/", found.git_dir)
    with pytest.raises(NotARegistry) as caught:
        Repository.discover(tmp_path / "repo")
    assert "gitreg init" in caught.value.hint


def test_a_linked_work_tree_shares_the_common_folder(tmp_path: Path) -> None:
    linked = make("worktree", tmp_path)
    assert linked.common_dir == tmp_path / "repo/.git"
    assert linked.git_dir == tmp_path / "repo/.git/worktrees/linked"
    assert linked.state_dir == tmp_path / "repo/.git/gitreg"
    assert linked.head().branch == MAIN
    assert linked.checked_out_elsewhere("refs/heads/other") == tmp_path / "repo"
    assert linked.checked_out_elsewhere(MAIN) is None
    assert Repository.of_work_tree(linked.root, git_dir=linked.git_dir) == linked


def test_a_bare_registry_in_a_folder(bare: Repository) -> None:
    git("config", "gitreg.prefix", "ml/registry/", at=bare.root)
    assert Repository.discover(bare.root / "refs").prefix == "ml/registry/"


def test_settings_without_a_repository(tmp_path: Path) -> None:
    (tmp_path / "gitreg.yaml").touch()
    with pytest.raises(NotARegistry, match="no Git repository"):
        Repository.discover(tmp_path)


def test_nothing_is_written_by_looking(plain: Repository) -> None:
    assert plain.head().oid
    assert plain.config
    assert not plain.state_dir.exists()


def test_head_detached_and_unborn(plain: Repository, tmp_path: Path) -> None:
    oid = git("rev-parse", "HEAD", at=plain.root)
    git("checkout", "-q", "--detach", at=plain.root)
    assert (plain.head().branch, plain.head().oid) == (None, oid)
    git("init", "-q", "-b", "trunk", str(tmp_path / "new"), at=tmp_path)
    fresh = Repository.at(tmp_path / "new")
    assert (fresh.head().branch, fresh.head().oid) == ("refs/heads/trunk", None)


def test_in_progress(plain: Repository) -> None:
    assert plain.in_progress() == ""
    (plain.git_dir / "MERGE_HEAD").touch()
    assert plain.in_progress() == "merge"


@pytest.mark.parametrize(
    ("env", "name", "email"),
    [
        ({}, "Ada Lovelace", "ada@example.com"),
        ({"GIT_AUTHOR_NAME": "Eve", "GIT_AUTHOR_EMAIL": "e@x"}, "Eve", "e@x"),
        ({"GIT_AUTHOR_NAME": "E\nv<e>\x07, "}, "Eve", "ada@example.com"),
        ({"GIT_COMMITTER_NAME": "Other"}, "Ada Lovelace", "ada@example.com"),
    ],
)
def test_identity(plain: Repository, env: dict[str, str], name: str, email: str) -> None:
    person = plain.identity(env, "author")
    assert (person.name, person.email) == (name, email)


def test_identity_is_asked_for(plain: Repository, own_home: Path) -> None:
    (own_home / ".gitconfig").write_text("")
    with pytest.raises(EnvironmentFailure) as caught:
        plain.identity({"GIT_AUTHOR_NAME": " <> "}, "author")
    assert "git config --global user.name" in caught.value.hint


def test_upstream(plain: Repository) -> None:
    assert plain.upstream("main") is None
    git("config", "branch.main.remote", "origin", at=plain.root)
    git("config", "branch.main.merge", "refs/heads/trunk", at=plain.root)
    assert Repository.at(plain.root).upstream("main") == "refs/remotes/origin/trunk"


def test_refs_loose_and_packed(plain: Repository) -> None:
    refs: Refs = plain.refs
    oid = git("rev-parse", "HEAD", at=plain.root)
    names = [f"refs/tags/m{n}/v1" for n in range(300)]
    text = "".join(f"create {name} {oid}\n" for name in names)
    git("update-ref", "--stdin", at=plain.root, stdin=text)
    git("tag", "-a", "-m", "x", "annotated", at=plain.root)
    git("pack-refs", "--all", at=plain.root)
    assert not refs.file(names[0]).exists()
    assert all(refs.read(name) == oid for name in names)
    assert refs.read("refs/tags/annotated") == git("rev-parse", "annotated", at=plain.root)
    assert refs.read(MAIN) == refs.read("HEAD") == oid
    for absent in (
        "refs/tags/m",
        "refs/tags/m0",
        "refs/tags/m0/v",
        "refs/tags/zz",
        "refs/a",
        "refs/tags/m0/v1/x",
    ):
        assert refs.read(absent) is None


def test_a_damaged_ref_is_named(plain: Repository) -> None:
    plain.refs.file(MAIN).write_bytes(b"")
    with pytest.raises(EnvironmentFailure) as caught:
        plain.refs.read(MAIN)
    assert caught.value.where.endswith("refs/heads/main")
