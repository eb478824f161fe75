"""Shared fixtures: no test may see or touch the user's own configuration."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

# Hooks: they keep docs/mlflow-compatibility.md as the conformance checks say.
from tests.mlflow.conformance.collecting import pytest_runtest_logreport, pytest_sessionfinish  # noqa: F401

_MEMORY = Path("/dev/shm")
_ROOM = 6 * 1024**3  # bytes; the whole suite writes about a third of it


def pytest_configure() -> None:
    """Have the folders of tests in memory, where there is room: every write of gitreg's syncs the disk.

    That it does sync is told by the system calls that tests/faults counts, not by the time that it takes.
    """
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ and os.access(_MEMORY, os.W_OK):
        room = min(
            shutil.disk_usage(_MEMORY).free, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        )
        if room >= _ROOM:
            os.environ["PYTEST_DEBUG_TEMPROOT"] = str(_MEMORY)


@pytest.fixture(autouse=True, scope="session")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same as ``own_home`` for what several tests share, which is made before any test has its own."""
    with pytest.MonkeyPatch.context() as patch:
        yield move_in(tmp_path_factory.mktemp("home"), patch)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, with an identity for Git and nothing else."""
    return move_in(tmp_path_factory.mktemp("home"), monkeypatch)


def move_in(home: Path, patch: pytest.MonkeyPatch) -> Path:
    """Have nothing of the user's but a home."""
    for key in [key for key in os.environ if key.startswith(("GIT_", "XDG_", "GITREG_"))]:
        patch.delenv(key)
    patch.setenv("HOME", str(home))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
    )
    return home
