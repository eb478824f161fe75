"""Git folders that lie elsewhere, refs of another kind, and a bulk write that was killed half way."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.gitstore import journal, recovery, transaction
from gitreg.gitstore.packed import add_tags
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.writer import open_session
from tests.gitstore.conftest import ADA, MAIN, NOON, add, assert_sound, git, make, write
from tests.gitstore.test_worktree import left_behind


def test_a_kill_is_mended_in_a_repository_with_a_separate_git_folder(tmp_path: Path) -> None:
    plain = make("plain", tmp_path)
    git("init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere.git"), str(plain.root), at=tmp_path)
    moved = Repository.discover(plain.root)
    assert moved.git_dir == tmp_path / "elsewhere.git"
    with Reader(moved) as reader:
        write(moved, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n"})
        left_behind(moved, reader)
        recovery.settle(moved, reader)
    assert_sound(moved)
    assert (moved.root / "m/c.yaml").read_text() == "new\n"


def test_a_linked_work_tree_is_found_by_its_relative_path(tmp_path: Path) -> None:
    linked = make("worktree", tmp_path)
    pointer = linked.git_dir / "gitdir"
    pointer.write_text(os.path.relpath(linked.root / ".git", linked.git_dir) + "\n")
    other = Repository.discover(tmp_path / "repo")
    with Reader(other) as reader, pytest.raises(Conflict) as caught:
        write(other, reader, {"x": b"1\n"})
    assert caught.value.where == str(linked.root)
    assert_sound(linked)


def test_reftable_is_refused_by_name(plain: Repository) -> None:
    (plain.common_dir / "reftable").mkdir()
    with pytest.raises(EnvironmentFailure, match="reftable") as caught:
        Repository.discover(plain.root)
    assert "git refs migrate" in caught.value.hint


@pytest.mark.parametrize("foreign", [False, True])
def test_tags_of_a_bulk_write_that_was_killed_before_the_branch_moved_go(
    bare: Repository, reader: Reader, foreign: bool
) -> None:
    write(bare, reader, {"x": b"1\n"}, "x/v1")
    old = bare.refs.read(MAIN) or ""
    with open_session(bare, reader, ref=MAIN) as session:
        new = add(session, {"y": b"1\n"})
        names = [f"y/v{number}" for number in range(70)]
        tags = {
            f"refs/tags/{name}": session.tag(name=name, target=new, message="x", tagger=ADA, when=NOON)
            for name in names
        }
        session._sink.flush()
        plan = journal.Journal(ref=MAIN, old=old, new=new, tags=tags)
        journal.save(bare.state_dir, plan, fsync=True)
        add_tags(bare.refs, {name: (oid, new) for name, oid in tags.items()})
    if foreign:
        tree = git("rev-parse", "main^{tree}", at=bare.root)
        later = git("commit-tree", "-p", old, "-m", "foreign", tree, at=bare.root)
        git("update-ref", MAIN, later, at=bare.root)
    assert len(git("tag", at=bare.root).split()) == 71
    recovery.settle(bare, reader)
    assert git("tag", at=bare.root) == "x/v1"
    assert_sound(bare)


@pytest.mark.parametrize("kind", ["plain", "bare"])
def test_a_foreign_git_that_goes_on_from_our_commit_undoes_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make(kind, tmp_path)
    real = transaction.move_here

    def overtaken(*args: Any, **more: Any) -> None:
        real(*args, **more)
        tip = repository.refs.read(MAIN) or ""
        child = git("commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", "theirs", at=repository.root)
        git("update-ref", MAIN, child, tip, at=repository.root)

    monkeypatch.setattr(transaction, "move_here", overtaken)
    with Reader(repository) as reader:
        oid = write(repository, reader, {"m/a.yaml": b"1\n"}, "m/v1")
    monkeypatch.undo()
    assert git("log", "--format=%s", "-2", MAIN, at=repository.root).split() == ["theirs", "change"]
    assert git("rev-parse", "m/v1^{commit}", at=repository.root) == oid
    assert journal.load(repository.state_dir) is None
    assert_sound(repository)


def test_recovery_waits_once_for_all_locks(
    plain: Repository, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(plain, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n"})
    left = left_behind(plain, reader)
    names = [f"refs/tags/m/v{number}" for number in range(40)]
    for name in names:
        lock = plain.refs.file(name).with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_text("")
    tag = left.tags["refs/tags/a/v2"]
    journal.save(plain.state_dir, replace(left, tags=dict.fromkeys(names, tag)), fsync=True)
    slept: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(recovery.time, "sleep", lambda seconds: (slept.append(seconds), sleep(seconds)))
    recovery.settle(plain, reader)
    assert sum(slept) < 1.5
    assert not list((plain.common_dir / "refs").rglob("*.lock"))
