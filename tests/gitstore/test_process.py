"""Git is found and run so that nothing around it can change what it does (CASES.md E01–E04, E12)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, GitFailure
from gitreg.gitstore import process
from gitreg.gitstore.log import history
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from tests.gitstore.conftest import MAIN, assert_sound, git, write


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("entry", ["", ".", "bin", "{cwd}", "{cwd}/../{name}"])
def test_a_git_in_the_current_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    marker = tmp_path / "ran"
    here = tmp_path / "here"
    for place in (here / "git", here / "bin" / "git"):
        script(place, f"touch {marker}")
    monkeypatch.chdir(here)
    first = entry.format(cwd=here, name=here.name)
    monkeypatch.setenv("PATH", f"{first}:{os.environ['PATH']}")
    assert process.version() >= process.MINIMUM
    assert not marker.exists()


def test_no_git_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailure, match="not found"):
        process.version()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo hello", "can't be understood"),
        ("echo git version 2.20.1", "too old"),
        ("exit 3", "exit code 3"),
        ("kill -9 $$", "signal 9"),
    ],
)
def test_a_git_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    script(tmp_path / "bin/git", text)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    with pytest.raises(GitFailure, match=words):
        process.check_version()


def test_a_git_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "bin/git", "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    began = time.monotonic()
    with pytest.raises(process.GitDied, match="no answer"):
        process.run(["version"], at=tmp_path, timeout=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("text", ["exit 0", "echo garbage", "head -c 300 /dev/zero"])
def test_garbage_with_exit_code_0(
    bare: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    head = bare.refs.read(MAIN) or ""
    script(tmp_path / "bin/git", text)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    with Reader(bare) as reader:
        with pytest.raises(GitFailure):
            reader.commit(head)
        with pytest.raises(GitFailure):
            reader.resolve("main")
        with pytest.raises(GitFailure):
            write(bare, reader, {"x": b"1\n"})
    assert bare.refs.read(MAIN) == head


def test_git_variables_of_the_environment_are_ignored(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "-q", "--bare", str(tmp_path / "trap.git"), at=tmp_path)
    for key in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(key, str(tmp_path / "trap.git"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Mallory")
    monkeypatch.setenv("GIT_NAMESPACE", "trap")
    with Reader(plain) as reader:
        write(plain, reader, {"x": b"1\n"}, "x/v1")
        assert plain.identity({}, "author").name == "Ada Lovelace"
    for key in list(os.environ):
        if key.startswith("GIT_") and not key.startswith("GIT_CONFIG_G"):
            monkeypatch.delenv(key)
    assert git("show", "main:x", at=plain.root) == "1"
    assert_sound(plain)


def test_a_hostile_repository_runs_no_program(plain: Repository, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = str(script(tmp_path / "evil", f"touch {marker}"))
    for hook in ("reference-transaction", "post-index-change", "pre-auto-gc", "post-checkout"):
        script(plain.git_dir / "hooks" / hook, f"touch {marker}")
    keys = ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "gpg.program", "diff.external")
    keys += ("core.alternateRefsCommand", "credential.helper", "filter.evil.clean", "filter.evil.smudge")
    keys += ("filter.evil.process", "diff.evil.textconv", "diff.evil.command", "core.askPass")
    for key in keys:
        git("config", key, evil, at=plain.root)
    git("config", "log.showSignature", "true", at=plain.root)
    git("config", "alias.update-ref", f"!{evil}", at=plain.root)
    (plain.git_dir / "info/attributes").write_text("* filter=evil diff=evil\n")
    with Reader(plain) as reader:
        write(plain, reader, {"models/a.yaml": b"1\n"}, "a/v1")
        write(plain, reader, {"models/a.yaml": b"2\n"}, "a/v2")
        head = plain.refs.read(MAIN) or ""
        assert len(list(history(plain, head=head, paths=["models"]))) == 2
        assert reader.resolve("main") == head
    assert not marker.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user(plain: Repository) -> None:
    root = plain.root
    for path in (root, root / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(EnvironmentFailure, match="another user") as caught:
        Repository.discover(root)
    assert "safe.directory" in caught.value.hint
    assert "safe" not in Path(os.environ["GIT_CONFIG_GLOBAL"]).read_text()
