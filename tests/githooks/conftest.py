"""A server with gitreg's hooks, and clones that push to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitreg.cli import app


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Clone:
    """A work tree and what can be done in it."""

    folder: Path

    def git(self, *args: str, code: int | None = 0, **env: str) -> Said:
        more = {"cwd": self.folder, "capture_output": True, "text": True, "timeout": 120}
        done = subprocess.run(["git", *args], env={**os.environ, **env}, check=False, **more)
        said = Said(code=done.returncode, out=done.stdout, err=done.stderr)
        assert code is None or said.code == code, said
        return said

    def gitreg(self, *args: str, code: int = 0) -> None:
        got = app.run(["--registry", str(self.folder), *args])
        assert got == code

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text
        self.write(path, text.replace(old, new))

    def commit(self, subject: str = "edit") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject, "--no-verify")
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").out.strip()

    def push(self, *refs: str, code: int | None = 0) -> Said:
        return self.git("push", "origin", *(refs or ("main",)), code=code)

    def refused(self, *refs: str) -> str:
        """Push what the server must refuse; its words without ``remote:``."""
        said = self.push(*refs, code=1)
        assert "pre-receive hook declined" in said.err, said
        return "\n".join(line.removeprefix("remote: ").rstrip() for line in said.err.splitlines())


VERSION = "models/churn/versions/{}.yaml"


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Repositories that are made once and copied for each test."""
    return tmp_path_factory.mktemp("originals")


@pytest.fixture
def server(tmp_path: Path, own_home: Path) -> Clone:
    """An empty bare repository with the hooks of a server."""
    folder = tmp_path / "server.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    made = Clone(folder)
    made.gitreg("hooks", "install", "--server", "--proposals")
    return made


@pytest.fixture
def first(tmp_path: Path, originals: Path, own_home: Path) -> Clone:
    """A registry with churn/1 in Production and churn/2, nowhere pushed."""
    folder = originals / "churn"
    if not folder.exists():
        making = Clone(originals / "making")
        assert app.run(["init", str(making.folder)]) == 0
        making.gitreg("register", "churn", "s3://models/churn/1", "--metric", "auc=0.9")
        making.gitreg("register", "churn", "s3://models/churn/2", "--metric", "auc=0.92")
        making.gitreg("transition", "churn/1", "Production")
        making.folder.rename(folder)
    shutil.copytree(folder, tmp_path / "alice")
    return Clone(tmp_path / "alice")


@pytest.fixture
def alice(first: Clone, server: Clone) -> Clone:
    """The same, pushed to the server as a whole."""
    first.git("remote", "add", "origin", f"file://{server.folder}")
    first.git("push", "-q", "-u", "origin", "main", "--tags")
    return first


@pytest.fixture
def clone(server: Clone, tmp_path: Path) -> Callable[[str], Clone]:
    """Clone the server once more."""

    def made(name: str) -> Clone:
        subprocess.run(
            ["git", "clone", "-q", f"file://{server.folder}", str(tmp_path / name)], check=True, timeout=60
        )
        return Clone(tmp_path / name)

    return made
