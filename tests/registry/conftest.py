from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitreg.domain.settings import Settings
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create, create_bare
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry

Git = Callable[..., str]


@pytest.fixture(params=["worktree", "bare"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A fresh registry, with a work tree and bare."""
    make = create_bare if request.param == "bare" else create
    folder = tmp_path / "registry"
    make(folder, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    return folder


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    folder = tmp_path / "registry"
    create(folder, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    return folder


@pytest.fixture
def registry(place: Path) -> Iterator[Registry]:
    with open_registry(place) as opened:
        yield opened


@pytest.fixture
def git() -> Git:
    """Plain Git, as a person types it."""

    def run(folder: Path, *args: str, check: bool = True) -> str:
        done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
