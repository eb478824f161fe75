"""Repositories of every kind that a registry can live in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitreg.gitstore.objects import Person
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import Entry
from gitreg.gitstore.writer import Session, open_session

ADA = Person(name="Ada Lovelace", email="ada@example.com")
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
MAIN = "refs/heads/main"

Git = Callable[..., str]


def git(*args: str, at: Path, stdin: str = "") -> str:
    """Plain Git, as a person would run it; its output without the last newline."""
    done = subprocess.run(
        ["git", "-C", str(at), *args],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",
    )
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
    return done.stdout.rstrip("\n")


def children() -> set[int]:
    """The children of this process: servers that other tests need are among them."""
    with subprocess.Popen(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True) as asked:
        pairs = [line.split() for line in asked.communicate()[0].splitlines()]
    return {int(pid) for pid, parent in pairs if int(parent) == os.getpid()} - {asked.pid}


KINDS = ("plain", "bare", "sha256", "bare-sha256", "worktree", "folder")


def make(kind: str, place: Path) -> Repository:
    """A repository with one commit that holds gitreg.yaml (in ``sub/`` for ``folder``)."""
    source = place / "repo"
    algorithm = ["--object-format=sha256"] if kind.endswith("sha256") else []
    git("init", "-q", "-b", "main", *algorithm, str(source), at=place)
    registry = source / "sub" if kind == "folder" else source
    registry.mkdir(exist_ok=True)
    (registry / "gitreg.yaml").write_text("format: 1\n")
    git("add", ".", at=source)
    git("commit", "-q", "-m", "start", at=source)
    if kind.startswith("bare"):
        git("clone", "-q", "--bare", str(source), str(place / "bare.git"), at=place)
        return Repository.discover(place / "bare.git")
    if kind == "worktree":
        git("checkout", "-q", "-b", "other", at=source)
        git("worktree", "add", "-q", str(place / "linked"), "main", at=source)
        return Repository.discover(place / "linked")
    return Repository.discover(registry)


@pytest.fixture(params=KINDS)
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """One repository of each kind in turn."""
    return make(request.param, tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Repository:
    """A repository with a work tree."""
    return make("plain", tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Repository:
    """A bare repository."""
    return make("bare", tmp_path)


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader of the test's repository."""
    name = next(name for name in ("repository", "plain", "bare") if name in request.fixturenames)
    with Reader(request.getfixturevalue(name)) as found:
        yield found


def write(
    repository: Repository,
    reader: Reader,
    changes: Mapping[str, bytes | Entry | None],
    *tags: str,
    message: str = "change",
) -> str:
    """One commit with its tags, published."""
    with open_session(repository, reader, ref=MAIN) as session:
        oid = add(session, changes, message=message)
        for name in tags:
            session.tag(name=name, target=oid, message=name, tagger=ADA, when=NOON)
        session.publish()
    return oid


def add(session: Session, changes: Mapping[str, bytes | Entry | None], *, message: str = "change") -> str:
    """One more commit in a session."""
    return session.commit(
        parent=session.tip, changes=changes, message=message, author=ADA, committer=ADA, when=NOON
    )


def assert_sound(repository: Repository) -> None:
    """Git finds no fault, and the work tree is clean."""
    git("fsck", "--full", "--strict", at=repository.root)
    if not repository.bare:
        assert git("status", "--porcelain", at=repository.root) == ""
