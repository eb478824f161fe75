"""Which refs the history of a commit holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitreg.gitstore.ancestry import look_ahead, merge_base, refs_within
from gitreg.gitstore.process import run
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


def test_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*args: str) -> str:
        return subprocess.run(
            ["git", *args], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    def grown(branch: str, since: str, *merged: str) -> str:
        git("switch", "-q", "-c", branch, since)
        git("commit", "-q", "--allow-empty", "-m", branch)
        for each in merged:
            git("merge", "-q", "--no-ff", "-m", "merge", each)
        return git("rev-parse", "HEAD")

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "0")
    root = git("rev-parse", "HEAD")
    brought = grown("brought", "main")
    further = grown("further", "brought")
    git("switch", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "merge", "brought")
    main = git("rev-parse", "HEAD")
    fresh, stale = grown("fresh", "main"), grown("stale", root)
    twice = grown("twice", root, "fresh")
    git("switch", "-q", "--orphan", "other")
    git("commit", "-q", "--allow-empty", "-m", "other")
    other = git("rev-parse", "HEAD")
    heads = [main, root, fresh, stale, brought, further, twice, other, "1" * 40]
    wanted = {
        each: subprocess.run(
            ["git", "merge-base", main, each], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        for each in heads
    }
    repository = Repository.at(tmp_path)
    look_ahead(repository, main, heads)
    look_ahead(repository, main, [])
    asked: list[str] = []

    def counted(args: list[str], **more: object) -> object:
        asked.append(args[-1])
        return run(args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("gitreg.gitstore.ancestry.run", counted)
    for head in heads[:-1]:
        assert (merge_base(repository, main, head) or "") == wanted[head].stdout.strip(), head
    assert asked == [twice, other], "the others are known"
    with pytest.raises(ValueError, match="not an object id"):
        look_ahead(repository, "--help", heads)
