"""What of Git's variables a hook hands on, and what it never does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.errors import UsageError
from gitreg.githooks.updates import Update, pushed, received
from gitreg.gitstore.inherited import index_of_commit, quarantine
from gitreg.gitstore.process import environment, run
from gitreg.gitstore.repository import Repository
from tests.githooks.conftest import Clone

ONE, TWO, ZERO = "1" * 40, "2" * 40, "0" * 40


@pytest.fixture
def repository(first: Clone) -> Repository:
    return Repository.at(first.folder)


def incoming(repository: Repository, path: Path | None = None) -> dict[str, str]:
    folder = path or repository.common_dir / "objects" / "tmp_objdir-incoming-x"
    folder.mkdir(parents=True, exist_ok=True)
    return {"GIT_QUARANTINE_PATH": str(folder), "GIT_OBJECT_DIRECTORY": str(folder)}


def handed_on() -> set[str]:
    return {key for key in environment() if key.startswith("GIT_")}


def test_outside_of_a_quarantine_nothing_is_handed_on(repository: Repository) -> None:
    before = handed_on()
    with quarantine(repository, {"GIT_OBJECT_DIRECTORY": "/elsewhere"}) as inside:
        assert not inside and handed_on() == before


def test_the_quarantine_is_seen_and_no_ref_can_move_in_it(repository: Repository) -> None:
    env = incoming(repository)
    before = handed_on()
    with quarantine(repository, env) as inside:
        assert inside
        assert handed_on() - before == {
            "GIT_QUARANTINE_PATH",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        }
        made = run(["hash-object", "-w", "--stdin"], at=repository.root, stdin=b"new").stdout.decode().strip()
        assert (Path(env["GIT_OBJECT_DIRECTORY"]) / made[:2] / made[2:]).exists()
        run(["cat-file", "-e", "HEAD"], at=repository.root)  # what was there before is seen, too
        refused = run(["update-ref", "refs/heads/x", "HEAD"], at=repository.root, accept=(128,))
        assert "quarantine" in refused.stderr
    assert handed_on() == before


@pytest.mark.parametrize("where", ["elsewhere", "objects/deeper/still", "linked"])
def test_one_elsewhere_is_refused(repository: Repository, tmp_path: Path, where: str) -> None:
    objects = repository.common_dir / "objects"
    env = {
        "elsewhere": lambda: incoming(repository, tmp_path / "elsewhere"),
        "objects/deeper/still": lambda: incoming(repository, objects / "deeper" / "still"),
        "linked": lambda: linked(repository, tmp_path),
    }[where]()
    with pytest.raises(UsageError, match="outside of the repository"), quarantine(repository, env):
        raise AssertionError("it was taken")


def linked(repository: Repository, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "elsewhere").mkdir()
    link = repository.common_dir / "objects" / "tmp_objdir-incoming-y"
    link.symlink_to(tmp_path / "elsewhere")
    return {"GIT_QUARANTINE_PATH": str(link), "GIT_OBJECT_DIRECTORY": str(link)}


def test_two_variables_that_disagree_are_refused(repository: Repository, tmp_path: Path) -> None:
    env = incoming(repository) | {"GIT_OBJECT_DIRECTORY": str(tmp_path)}
    with pytest.raises(UsageError), quarantine(repository, env):
        raise AssertionError("it was taken")


def test_the_index_of_a_commit(repository: Repository, tmp_path: Path) -> None:
    file = repository.git_dir / "next-index-1.lock"
    with index_of_commit(repository, {"GIT_INDEX_FILE": os.path.relpath(file)}):
        assert environment()["GIT_INDEX_FILE"] == str(file)
    assert "GIT_INDEX_FILE" not in environment()
    with (
        pytest.raises(UsageError),
        index_of_commit(repository, {"GIT_INDEX_FILE": str(tmp_path / "index")}),
    ):
        raise AssertionError("it was taken")


def test_a_path_with_a_colon(tmp_path: Path, own_home: Path) -> None:
    folder = Clone(tmp_path / 'a:b"c')
    folder.folder.mkdir()
    folder.git("init", "-q", "-b", "main")
    folder.git("commit", "-q", "--allow-empty", "-m", "x")
    repository = Repository.at(folder.folder)
    with quarantine(repository, incoming(repository)):
        run(["cat-file", "-e", "HEAD"], at=repository.root)


def test_lines_of_a_push() -> None:
    assert received(f"{ONE} {ZERO} refs/heads/a\n".encode()) == [
        Update(ref="refs/heads/a", old=ONE, new=None)
    ]
    lines = f"(delete) {ZERO} refs/heads/a {ONE}\nHEAD~1 {TWO} refs/heads/b {ZERO}\n".encode()
    assert pushed(lines) == [
        Update(ref="refs/heads/a", old=ONE, new=None),
        Update(ref="refs/heads/b", old=None, new=TWO),
    ]


@pytest.mark.parametrize("line", [b"x", b"1 2 refs/heads/a", f"{ONE} {TWO}".encode()])
def test_other_input_is_refused(line: bytes) -> None:
    with pytest.raises(UsageError):
        received(line)
