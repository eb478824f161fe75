"""The real pre-commit framework runs the hooks of ``.pre-commit-hooks.yaml``, installed by pip as for a user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.githooks.conftest import VERSION, Clone, Said

pytestmark = [
    pytest.mark.packages,
    pytest.mark.skipif(find_spec("pre_commit") is None, reason="pre-commit is not installed"),
]

CHECKOUT = Path(__file__).parents[2]
SHIPPED = ("src", "schemas", "hooks", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """What a user's configuration names as ``repo``: this checkout as a repository with one commit."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SHIPPED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    made = Clone(folder)
    made.git("init", "-q", "-b", "main")
    made.git("add", "-A")
    made.git("-c", "user.name=T", "-c", "user.email=t@e", "commit", "-q", "-m", "as it is")
    return made


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps what it installs."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def consumer(first: Clone, checkout: Clone, environments: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A registry whose ``.pre-commit-config.yaml`` asks for all the hooks, with the framework installed."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(environments))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    hooks = [{"id": each["id"]} for each in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())]
    config = {"repos": [{"repo": f"file://{checkout.folder}", "rev": checkout.head, "hooks": hooks}]}
    first.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    first.commit("use pre-commit")
    run_framework(first, "install", "-t", "pre-commit", "-t", "commit-msg")
    return first


def run_framework(clone: Clone, *args: str, code: int = 0) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", *args], cwd=clone.folder, capture_output=True, text=True,
        env=dict(os.environ), timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == code, done
    return Said(code=done.returncode, out=done.stdout, err=done.stderr)


def commit(clone: Clone, message: str, *, code: int = 0) -> str:
    clone.git("add", "-A")
    said = clone.git("commit", "-m", message, code=code)
    return said.out + said.err


def test_a_consumers_commits(consumer: Clone) -> None:
    run_framework(consumer, "run", "--all-files")

    consumer.edit(VERSION.format(2), "version: 2", "version: 3")
    said = commit(consumer, "faulty", code=1)
    assert f"{VERSION.format(2)}:2:10: error[GR016]" in said, said
    assert "gitreg validate" in said and "Failed" in said
    consumer.git("restore", "--staged", "--worktree", ".")

    consumer.write(VERSION.format(2), consumer.read(VERSION.format(2)) + "description: good\n")
    said = commit(consumer, "good")
    assert said.count("gitreg check") == 1 and said.count("gitreg commit-msg") == 1  # each at its own time

    consumer.edit(VERSION.format(2), "metrics:\n  auc:", "metrics:\n      auc:")
    assert "files were modified by this hook" in commit(consumer, "ugly", code=1)
    assert "metrics:\n  auc:" in consumer.read(VERSION.format(2))  # gitreg-fmt has mended it
    consumer.git("restore", "--staged", "--worktree", ".")

    consumer.git("rm", "-q", VERSION.format(2))
    assert "error[GR103]" in commit(consumer, "removed", code=1)  # a commit that only deletes
    consumer.git("restore", "--staged", "--worktree", ".")

    consumer.write("NOTES.md", "x")
    said = commit(consumer, "mine\n\nGitreg-Event: register\nGitreg-Model: churn", code=1)
    assert "its trailers tell of what the commit does not do" in said
    commit(consumer, "mine")


def test_gitregs_own_hooks_go_before_those_of_the_framework(consumer: Clone) -> None:
    consumer.gitreg("hooks", "install")
    consumer.gitreg("hooks", "install")
    consumer.edit(VERSION.format(2), "metrics:\n  auc:", "metrics:\n      auc:")
    assert "files were modified by this hook" in commit(consumer, "ugly", code=1)
    consumer.edit(VERSION.format(2), "version: 2", "version: 3")
    assert "error[GR016]" in commit(consumer, "faulty", code=1)
    run_framework(consumer, "install", "-t", "pre-commit")  # takes ours for a legacy hook, and runs it
    said = commit(consumer, "faulty", code=1)
    assert "gitreg: checked 3 files: 1 error" in said  # the words of our own hook, not of the framework's
    assert "migration mode" not in said
    consumer.git("restore", "--staged", "--worktree", ".")
    consumer.write("NOTES.md", "x")
    commit(consumer, "good")
    consumer.gitreg("hooks", "uninstall")
    assert sorted(path.name for path in (consumer.folder / ".git/hooks").glob("pre-commit*")) == [
        "pre-commit",
        "pre-commit.sample",
    ]
    consumer.write("NOTES.md", "y")
    commit(consumer, "good, too")


def test_try_repo(first: Clone, checkout: Clone, environments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(environments))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    said = run_framework(first, "try-repo", str(checkout.folder), "gitreg-validate", "--all-files")
    assert "Passed" in said.out
    first.edit(VERSION.format(2), "version: 2", "version: 3")
    said = run_framework(
        first, "try-repo", str(checkout.folder), "gitreg-validate", "--files", VERSION.format(2), code=1
    )
    assert f"{VERSION.format(2)}:2:10: error[GR016]" in said.out
