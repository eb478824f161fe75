"""What the shells are offered, through the scripts that they are given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import git


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which ``gitreg`` is this interpreter's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "gitreg"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gitreg "$@"\n')
    script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def bash(path: str):
    """Complete a line as Bash would: all lines in one shell, for its start-up is what costs."""

    def complete(*lines: str) -> list[list[str]]:
        script = ['eval "$(gitreg completion bash)"']
        for line in lines:
            function = "_git_reg" if line.startswith("git ") else "_gitreg_completion"
            script.append(
                f'COMP_LINE={line!r} COMP_POINT={len(line)}; COMPREPLY=(); {function}; echo "${{COMPREPLY[*]}}"'
            )
        done = subprocess.run(
            ["bash", "--norc", "-c", "\n".join(script)], env={**os.environ, "PATH": path},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return [line.split() for line in done.stdout.splitlines()]

    return complete


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash(churn, run, bash):
    run("register", "chat bot; touch x", "s3://x")
    run("register", "$(touch x)", "s3://x")
    run("register", "other", "s3://x")
    run("delete", "other", "-y")
    found = bash(
        "gitreg tra", "gitreg show ch", "gitreg show churn/", "gitreg show churn@", "gitreg show models:/churn/1",
        "gitreg transition churn/1 P", "gitreg explain GR012", "gitreg register churn s3://x --no-l", "gitreg rename ",
        f"gitreg --registry {churn} show ch", "gitreg nosuch x", "git reg show ch", 'gitreg show "',
    )  # fmt: skip
    assert found == [
        ["transition"], ["churn"],
        ["churn/2", "churn/1", "churn/latest", "churn/Staging", "churn/Production", "churn/Archived"],
        ["champion"], ["/churn/1"], ["Production"], ["GR012"], ["--no-look-up"], ["churn"], ["churn"], [], ["churn"], ["churn"],
    ]  # fmt: skip
    assert not (churn / "x").exists()


def ask(process, words: str, at: int, shell: str = "zsh", **env: str) -> tuple[str, str]:
    given = {"COMP_WORDS": words, "COMP_CWORD": str(at), "_GITREG_COMPLETE": f"{shell}_complete", **env}
    done = process(env=given)
    assert done.returncode == 0
    return done.stdout.decode(), done.stderr.decode()


def test_zsh_and_fish_are_answered(churn, process):
    assert ask(process, "gitreg show churn@", 2)[0] == "plain\nchurn@champion\n_\n"
    assert "plain,churn" in ask(process, "gitreg show ", 0, "fish", COMP_CWORD="ch")[0]


@pytest.mark.parametrize(
    "words", ["gitreg show ch", "gitreg show nosuch/", "gitreg show nosuch@", "gitreg nosuch x", "gitreg 'x"]
)
def test_nothing_is_said_where_there_is_no_registry(process, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    out, err = ask(process, words, len(words.split()) - 1)
    assert (out.strip(), err) == ("", "")


def test_a_broken_registry_is_silent(churn, process):
    (churn / "models/churn/model.yaml").write_text("[[[")
    git(churn, "commit", "-qam", "Break it")
    out, err = ask(process, "gitreg show ch", 2)
    assert (out.strip(), err) == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_valid(run, shell, tmp_path):
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    assert "_GITREG_COMPLETE" in script.read_text()
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(script)], check=True)


def test_an_unknown_shell(run):
    assert "'csh' is not one of" in run("completion", "csh", code=2).err
