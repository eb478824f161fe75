"""What GitPython does, and that it does it under our environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.errors import GitFailure, UsageError
from gitreg.gitstore import porcelain
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from tests.gitstore.conftest import MAIN, assert_sound, git, write
from tests.gitstore.test_process import script


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_init_and_first_commit(tmp_path: Path, bare: bool, algorithm: str) -> None:
    made = porcelain.init(tmp_path / "new/deep", bare=bare, branch="trunk", algorithm=algorithm)
    assert (made.bare, made.head().branch, made.algorithm) == (bare, "refs/heads/trunk", algorithm)
    git("symbolic-ref", "HEAD", MAIN, at=made.root)
    with Reader(made) as reader:
        write(made, reader, {"gitreg.yaml": b"format: 1\n"})
    assert_sound(made)
    assert porcelain.init(tmp_path / "new/deep", bare=bare, branch="other") == made


def test_clone(plain: Repository, reader: Reader, tmp_path: Path) -> None:
    oid = write(plain, reader, {"x": b"1\n"}, "x/v1")
    seen: list[str] = []
    url = f"file://{plain.root}"
    copy = porcelain.clone(url, tmp_path / "copy", progress=lambda words, now, total: seen.append(words))
    assert copy.head().oid == oid
    assert git("tag", at=copy.root) == "x/v1"
    mirror = porcelain.clone(url, tmp_path / "mirror.git", bare=True, tags=False)
    assert mirror.bare
    assert git("tag", at=mirror.root) == ""
    assert_sound(copy)


@pytest.mark.parametrize("url", ["ext::sh -c 'touch {marker}'", "--upload-pack=touch {marker}"])
def test_urls_that_could_run_a_program(tmp_path: Path, url: str) -> None:
    marker = tmp_path / "ran"
    with pytest.raises((UsageError, GitFailure)):
        porcelain.clone(url.format(marker=marker), tmp_path / "copy")
    assert not marker.exists()


def test_a_failure_has_git_s_words(tmp_path: Path) -> None:
    with pytest.raises(GitFailure, match="does not exist"):
        porcelain.clone(str(tmp_path / "none"), tmp_path / "copy")


def test_configure(plain: Repository) -> None:
    porcelain.configure(plain, "gitreg.prefix", "ml/registry")
    porcelain.configure(plain, "branch.a.b.remote", "origin")
    again = Repository.at(plain.root)
    assert (again.setting("gitreg.prefix"), again.setting("branch.a.b.remote")) == ("ml/registry", "origin")
    with pytest.raises(UsageError):
        porcelain.configure(plain, "gitreg.prefix", "x\n[core]\nfsmonitor = evil")


def test_runs_no_program_that_templates_or_the_environment_name(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "ran"
    evil = script(tmp_path / "evil", f"touch {marker}; exit 1")
    template = tmp_path / "template"
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        script(template / "hooks" / hook, f"touch {marker}")
    git("config", "--global", "init.templateDir", str(template), at=tmp_path)
    git("config", "--global", "core.fsmonitor", str(evil), at=tmp_path)
    script(tmp_path / "here/git", f"touch {marker}")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    for key in ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "GIT_PYTHON_GIT_EXECUTABLE", "GIT_ASKPASS"):
        monkeypatch.setenv(key, str(evil))
    for key in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"):
        monkeypatch.setenv(key, str(tmp_path / "trap"))
    porcelain.clone(f"file://{plain.root}", tmp_path / "copy")
    made = porcelain.init(tmp_path / "new", bare=False, branch="main")
    porcelain.configure(made, "user.name", "Ada")
    assert not marker.exists()
    assert not (tmp_path / "trap").exists()
