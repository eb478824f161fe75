"""``make demo``: two versions of a real model, from training to production, all of it in Git.

Types the commands that a person would type and shows what they print. Everything is made afresh in
``demo-registry/`` by each run, and stays there to look at.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "demo-registry"
MODEL = "tumor-classifier"
PICTURE = "lineage.svg"
WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Runs commands in the registry's folder as on a terminal 100 columns wide."""

    folder: Path
    environment: dict[str, str]
    coloured: bool

    def say(self, text: str) -> None:
        """A comment between the commands."""
        print(f"\n\x1b[36m# {text}\x1b[0m" if self.coloured else f"\n# {text}")

    def type(self, command: str) -> str:
        """Run one command line, show it with its output, and return what it printed.

        Raises:
            SystemExit: The command failed; so does the demo.
        """
        print(f"\x1b[1m$ {command}\x1b[0m" if self.coloured else f"$ {command}", flush=True)
        code, out, err = on_terminal(shlex.split(command), self.folder, self.environment)
        shown = out if self.coloured else "".join(f"{line.rstrip()}\n" for line in plain(out).splitlines())
        print(shown + err, end="", flush=True)
        if code:
            raise SystemExit(f"demo: the command above ended with {code}")
        return shown.strip()


def on_terminal(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run ``command`` with a terminal as its stdout; return exit code, stdout, stderr."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, WIDTH))
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=errors
        )
        os.close(theirs)
        out = b""
        while chunk := read(ours):
            out += chunk
        os.close(ours)
        code = process.wait()
        errors.seek(0)
        return code, out.decode("utf-8", "replace").replace("\r\n", "\n"), errors.read()


def plain(text: str) -> str:
    """``text`` without colours."""
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


def read(terminal: int) -> bytes:
    """The next piece of output, ``b""`` at its end."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side was closed
        return b""


def environment(tracking_uri: str) -> dict[str, str]:
    """The user's own, with the tracking store named and ``gitreg`` found beside this Python."""
    beside = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "MLFLOW_TRACKING_URI": tracking_uri,
        "GITREG_REGISTRY": "",
        "GIT_PAGER": "cat",
        "COLUMNS": str(WIDTH),
        **identity(),
    }


def identity() -> dict[str, str]:
    """Nothing where Git knows who acts, else a stand-in, so that the demo runs on a fresh machine."""
    ask = ["git", "-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"]
    if subprocess.run(ask, capture_output=True, check=False, cwd=FOLDER).returncode == 0:
        return {}
    who = {"NAME": "Demo User", "EMAIL": "demo@example.org"}
    return {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}


def main() -> None:
    """Tell the story."""
    started = time.monotonic()
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    registry = FOLDER / "registry"
    registry.mkdir(parents=True)
    print("Training a first classifier of tumors, with MLflow tracking in demo-registry/mlflow.db ...")
    import train  # takes seconds: MLflow and scikit-learn

    tracking_uri = train.set_up(FOLDER)
    shell = Shell(folder=registry, environment=environment(tracking_uri), coloured=sys.stdout.isatty())
    first = train.train(*train.logistic_regression())
    register_first(shell, first)
    print("\nTraining a second one ...")
    second = train.train(*train.scaled_regression())
    replace_by_second(shell, second)
    look_back(shell)
    roll_back(shell)
    shell.say("What serves: the source of the version in Production, for MLflow to load")
    source = shell.type(f"gitreg resolve {MODEL}/Production")
    print(f">>> mlflow.sklearn.load_model({source!r}).predict(three tumors)")
    print(train.predict(source))
    shell.say("Everything that the registry holds is in order")
    shell.type("gitreg check")
    farewell(registry, time.monotonic() - started)


def register_first(shell: Shell, run_id: str) -> None:
    """An empty registry, one version, through Staging to Production."""
    shell.say("A registry is a Git repository")
    # Without a repository of its own, gitreg init would make the registry in the one around it.
    shell.type("git init --quiet --initial-branch=main")
    shell.type("gitreg init")
    shell.say("Register the model that the run logged; its lineage is read from MLflow")
    shell.type(f"gitreg register {MODEL} runs:/{run_id}/model -d 'Measurements as they come'")
    shell.say("Tried out, then released")
    shell.type(f"gitreg transition {MODEL}/1 Staging")
    shell.type(f"gitreg transition {MODEL}/1 Production -m 'Approved by the clinic'")


def replace_by_second(shell: Shell, run_id: str) -> None:
    """A better version takes the first one's place."""
    shell.say("It goes on from version 1, which is its parent")
    register = f"gitreg register {MODEL} runs:/{run_id}/model --parent {MODEL}/1"
    shell.type(f"{register} -d 'Measurements scaled first'")
    shell.type(f"gitreg transition {MODEL}/2 Staging")
    shell.say("Is it better than the one in Production?")
    shell.type(f"gitreg diff {MODEL}/Production {MODEL}/Staging")
    shell.say("It is: propose that it takes over, on a branch of its own")
    shell.type(f"gitreg promote {MODEL}/2 Production --archive-existing -m 'Better on all counts'")
    shell.say("What a reviewer is shown")
    shell.type(f"gitreg review {MODEL}/2 Production")
    shell.say("Merged as one commit; the former one is archived by it")
    shell.type(f"gitreg merge {MODEL}/2 Production --mode squash")
    shell.type("gitreg list")


def look_back(shell: Shell) -> None:
    """Questions about the past, and that plain Git tells the same."""
    shell.say("What happened, who did it, and why?")
    shell.type("gitreg log --oneline")
    shell.say("Which version held which stage, from when to when?")
    shell.type(f"gitreg timeline {MODEL}")
    shell.say("What was in Production when version 2 was registered? (A date will do as well as a tag)")
    shell.type(f"gitreg list --stage Production --metric auc --at {MODEL}/v2")
    shell.say("Where did version 2 come from? As a tree, and as a picture to look at in a browser")
    shell.type(f"gitreg lineage {MODEL}/2")
    shell.type(f"gitreg lineage {MODEL}/2 --svg ../{PICTURE}")
    shell.say("Which versions are good enough, and were trained on scaled measurements?")
    shell.type("gitreg search \"metrics.auc > 0.95 AND params.scaled = 'True'\"")
    shell.say("The same in plain Git: commits, tags, and a transition as the lines that it changed")
    shell.type("git log --oneline")
    shell.type("git tag -n1")
    shell.type("git show --format=%B HEAD")


def roll_back(shell: Shell) -> None:
    """The clinic calls at night: the former version serves again."""
    shell.say("The clinic calls at night: what was in Production before comes back, in one commit")
    shell.type(f"gitreg rollback {MODEL} Production -m 'Odd verdicts on young patients'")
    shell.type("gitreg log -n 1")


def farewell(registry: Path, seconds: float) -> None:
    """Where it all is, and what to try next."""
    here = registry.relative_to(Path.cwd()) if registry.is_relative_to(Path.cwd()) else registry
    print(f"\nDone in {seconds:.0f} s. {here} stays until the next make demo makes it afresh. Try:\n")
    print(f"  source {Path(sys.prefix, 'bin', 'activate')} && cd {registry}")
    for command, meaning in {
        "gitreg revert HEAD": "the alarm was false: take the rollback back",
        f"gitreg blame {MODEL}/1": "which commit set each field",
        f"gitreg plot {MODEL} --metric auc": "how good each version is",
        f"gitreg show {MODEL}/1 --at {MODEL}/v2": "version 1 as it was when version 2 came",
        f"gitreg alias {MODEL}/2 champion": "a name of your own for a version",
        f"gitreg register {MODEL} s3://bucket/path": "any URI can be a source",
        f"xdg-open ../{PICTURE}": "the picture of the lineage (on macOS: open)",
        "mlflow ui --backend-store-uri sqlite:///../mlflow.db": "the runs behind the versions",
    }.items():
        print(f"  {command:<55} # {meaning}")


if __name__ == "__main__":
    main()
