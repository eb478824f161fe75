"""Shared fixtures: no test may see or touch the user's own configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Hooks: they keep docs/mlflow-compatibility.md as the conformance checks say.
from tests.mlflow.conformance.collecting import pytest_runtest_logreport, pytest_sessionfinish  # noqa: F401


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, with an identity for Git and nothing else."""
    home = tmp_path_factory.mktemp("home")
    for key in [key for key in os.environ if key.startswith(("GIT_", "XDG_", "GITREG_"))]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
    )
    return home
