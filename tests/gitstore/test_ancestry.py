"""Which refs the history of a commit holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitreg.gitstore.ancestry import refs_within
from gitreg.gitstore.repository import Repository


def test_refs_whose_commits_are_held(tmp_path: Path) -> None:
    def git(*args: str) -> str:
        return subprocess.run(
            ["git", *args], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "-q", "-b", "main")
    for number in range(3):
        git("commit", "-q", "--allow-empty", "-m", str(number))
        git("branch", f"ours/{number}")
    git("switch", "-q", "-c", "ours/ahead/ü")
    git("commit", "-q", "--allow-empty", "-m", "ahead")
    repository = Repository.at(tmp_path)
    assert refs_within(repository, git("rev-parse", "main~1"), "refs/heads/ours/") == {
        "refs/heads/ours/0",
        "refs/heads/ours/1",
    }
    assert refs_within(repository, git("rev-parse", "HEAD"), "refs/heads/ours/ahead/") == {
        "refs/heads/ours/ahead/ü"
    }
    assert refs_within(repository, git("rev-parse", "HEAD"), "refs/none/") == frozenset()
    with pytest.raises(ValueError, match="not an object id"):
        refs_within(repository, "--help", "refs/heads/")
