"""Refs that are moved in process stand as ``git update-ref`` leaves them, reflogs too."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gitreg.errors import Conflict, EnvironmentFailure, MovedRef
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.refs import RefMove, move
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.transaction import fits, move_here
from tests.gitstore.conftest import MAIN, git, make, write

WHO = ("Ada Lovelace", "ada@example.com")
KINDS = ["plain", "bare", "sha256"]


@pytest.fixture
def place(tmp_path: Path) -> Repository:
    """A repository with two commits, the branch at the first of them."""
    return with_commits(make("plain", tmp_path))


def with_commits(repository: Repository) -> Repository:
    with Reader(repository) as reader:
        write(repository, reader, {"a": b"1\n"}, "a/v1")
        write(repository, reader, {"a": b"2\n"})
    git("update-ref", MAIN, f"{MAIN}~1", at=repository.root)
    git("update-ref", "refs/next", f"{head(repository)}", at=repository.root)
    return repository


def head(repository: Repository) -> str:
    return repository.refs.read(MAIN) or ""


def newer(repository: Repository) -> str:
    found = git("rev-list", "--all", "--reflog", at=repository.root).split() or [""]
    return next(oid for oid in found if oid != head(repository))


def locks(repository: Repository) -> list[Path]:
    """Lock files of Git's."""
    return [path for path in repository.common_dir.rglob("*.lock") if path.parent.name != "gitreg"]


def state(repository: Repository) -> dict[str, str]:
    """All refs, and every reflog without its times."""
    refs = git("for-each-ref", "--format=%(refname) %(objectname)", at=repository.root)
    found = dict(line.split(" ") for line in refs.splitlines())
    logs = repository.common_dir / "logs"
    for path in sorted(logs.rglob("*")) if logs.exists() else []:
        if path.is_file():
            found[str(path.relative_to(logs))] = re.sub(r"> \d+ [+-]\d+\t", "> T\t", path.read_text())
    return found


@pytest.mark.parametrize("setting", ["", "true", "false", "always"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_leaves_what_git_leaves(kind: str, setting: str, tmp_path: Path) -> None:
    ours = make(kind, tmp_path)
    if setting:
        git("config", "core.logAllRefUpdates", setting, at=ours.root)
    with Reader(ours) as reader:
        write(ours, reader, {"a": b"1\n"}, "a/v1")
        old = head(ours)
        write(ours, reader, {"a": b"2\n"})
    new = head(ours)
    git("update-ref", MAIN, old, at=ours.root)
    git("pack-refs", "--all", at=ours.root)
    copy = tmp_path / "copy"
    shutil.copytree(ours.root, copy, symlinks=True)
    theirs = Repository.at(copy)
    ours = Repository.at(ours.root)
    moves = [
        RefMove(name=MAIN, new=new, old=old),
        RefMove(name="refs/tags/a/v2", new=new, old=None),
        RefMove(name="refs/tags/deep/er/v1", new=new, old=None),
    ]
    assert fits(ours, moves, WHO)
    move_here(ours, moves, reason="a: register\n version 2", who=WHO)
    move(theirs.refs, moves, reason="a: register\n version 2", who=WHO)
    assert state(ours) == state(theirs)
    assert not locks(ours)


def test_a_ref_that_moved_is_told_and_nothing_changes(place: Repository) -> None:
    before = state(place)
    moves = [
        RefMove(name="refs/tags/new", new=head(place), old=None),
        RefMove(name=MAIN, new=head(place), old="1" * 40),
    ]
    with pytest.raises(MovedRef):
        move_here(place, moves, reason="", who=WHO)
    assert state(place) == before
    assert not locks(place)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["refs/tags/a/v1", "refs/tags/a", "refs/tags/a/v1/x"])
def test_a_ref_in_the_way_is_told_and_nothing_changes(place: Repository, name: str, packed: bool) -> None:
    if packed:
        git("pack-refs", "--all", at=place.root)
    before = state(place)
    with pytest.raises(Conflict):
        move_here(place, [RefMove(name=name, new=head(place), old=None)], reason="", who=WHO)
    assert state(place) == before
    assert not locks(place)


def test_a_folder_that_git_left_empty_is_no_obstacle(place: Repository) -> None:
    (place.common_dir / "refs/tags/b/c").mkdir(parents=True)
    move_here(place, [RefMove(name="refs/tags/b", new=head(place), old=None)], reason="", who=WHO)
    assert place.refs.read("refs/tags/b") == head(place)


@pytest.mark.parametrize("name", ["HEAD", MAIN])
def test_a_lock_of_somebody_else_is_named(place: Repository, name: str) -> None:
    lock = place.refs.file(name).with_name(place.refs.file(name).name + ".lock")
    lock.write_text("")
    before = state(place)
    new = newer(place)
    with pytest.raises(EnvironmentFailure) as caught:
        move_here(place, [RefMove(name=MAIN, new=new, old=head(place))], reason="", who=WHO)
    assert caught.value.where == str(lock)
    assert state(place) == before
    assert lock.exists()


def test_what_it_does_not_know_is_left_to_git(place: Repository) -> None:
    new = head(place)
    made = [RefMove(name="refs/tags/t", new=new, old=None)]
    assert fits(place, made, WHO)
    assert not fits(place, [RefMove(name="refs/tags/a/v1", new=None, old=new)], WHO)
    assert not fits(place, made, ("", ""))
    git("symbolic-ref", "refs/heads/other", MAIN, at=place.root)
    assert not fits(place, [RefMove(name="refs/heads/other", new=new, old=new)], WHO)
    git("config", "core.sharedRepository", "group", at=place.root)
    assert not fits(Repository.at(place.root), made, WHO)
