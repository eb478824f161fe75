"""Runs jobs of a workflow as a service would: their scripts in a real bash, their expressions evaluated."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

BIN = Path(sys.executable).parent
INSTALL = "Install gitreg"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a job ended: the code of the step that failed, or 0; what it said; its outputs."""

    code: int
    said: str
    outputs: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> Any:
    """A YAML file as the services read it (``on`` is a word)."""
    return yaml.load(path.read_text(), Loader=yaml.BaseLoader)


def value(expression: str, context: dict[str, str]) -> Any:
    """A GitHub expression: names, texts, ``!``, ``==``, ``!=``, ``&&``, ``||``; an unknown name is an error."""
    text = expression.replace("&&", " and ").replace("||", " or ").replace("!cancelled()", "True")
    text = re.sub(
        r"'[^']*'|[a-z_]+(?:\.[A-Za-z_]+)+", lambda m: m[0] if m[0][0] == "'" else f"c[{m[0]!r}]", text
    )
    return eval(text, {"c": context, "__builtins__": {}})


def filled(text: str, context: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(value(match[1], context) or ""), text)


def condition(job: Any, context: dict[str, str]) -> bool:
    """Whether a job would run."""
    return bool(value(re.sub(r"^\$\{\{ (.*) \}\}$", r"\1", job.get("if", "True")), context))


def bash(script: str, *, at: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A script as GitHub runs it with ``shell: bash``, in nobody's environment but what is given."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "TZ") if key in os.environ}
    kept["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    env = {**kept, **env}
    return subprocess.run(argv, cwd=at, env=env, capture_output=True, text=True, check=False, timeout=600)


def run_job(
    workflow: Any, name: str, context: dict[str, str], *, at: Path, install: bool = False, **more: str
) -> Ran:
    """Run the steps of one job of a workflow for GitHub or Gitea.

    Args:
        context: Values of the expressions' names.
        at: The workspace; ``runner.temp`` lies beside it.
        install: Run that step, too; else gitreg is there already.
        more: Of the environment.
    """
    temp = at.with_name(f"{at.name}.temp")
    for folder in (at, temp):
        folder.mkdir(exist_ok=True)
    files = {key: temp / key for key in ("GITHUB_OUTPUT", "GITHUB_PATH")}
    for file in files.values():
        file.write_text("")
    env = {key: filled(text, context) for key, text in workflow["env"].items()}
    env |= {"RUNNER_TEMP": str(temp), **{key: str(file) for key, file in files.items()}, **more}
    said = ""
    outputs: dict[str, str] = {}
    for step in workflow["jobs"][name]["steps"]:
        assert "uses" not in step and "${{" not in step["run"]  # nothing of others, nothing injected
        if step["name"] == INSTALL and not install:
            continue
        own = {key: filled(text, context) for key, text in step.get("env", {}).items()}
        paths = files["GITHUB_PATH"].read_text().split()
        first = {"PATH": os.pathsep.join([*paths, str(BIN), os.environ["PATH"]])} if paths else {}
        done = bash(step["run"], at=at, env={**env, **own, **more, **first})
        said += done.stdout + done.stderr
        outputs |= dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        if done.returncode:
            return Ran(code=done.returncode, said=said, outputs=outputs)
    return Ran(code=0, said=said, outputs=outputs)


def run_gitlab(pipeline: Any, name: str, env: dict[str, str], *, at: Path, install: bool = False) -> Ran:
    """Run one job of a pipeline for GitLab: its lines are one script there, too."""
    at.mkdir(exist_ok=True)
    job, base = pipeline[name], pipeline[pipeline[name]["extends"]]
    lines = [*base["before_script"][0 if install else 1 :], *job["script"]]
    done = bash("\n".join(lines), at=at, env={**base["variables"], **env})
    return Ran(code=done.returncode, said=done.stdout + done.stderr)
