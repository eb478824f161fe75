"""Run what ``docs/mlflow.md`` shows: ``python demo/moving.py`` writes the page anew with what is printed now.

A ``python`` block that begins with the comment of a file's name is that file; the commands of the ``console``
blocks are run in the page's order, in one empty folder. ``sh`` blocks are only shown.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "mlflow.md"

_BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
_CONFIG = "[user]\n\tname = Ada Byron\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"


class Folder:
    """Where the page's commands run. Leave it by ``with``: servers end then.

    Args:
        place: An empty folder.
    """

    def __init__(self, place: Path) -> None:
        self.place = place / "work"
        self.place.mkdir()
        (place / ".gitconfig").write_text(_CONFIG, encoding="utf-8")
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("GIT", "MLFLOW", "XDG"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONWARNINGS": "ignore"}
        shown = {"COLUMNS": "120", "PYTHONUTF8": "1", "TZ": "UTC", "MLFLOW_LOGGING_LEVEL": "ERROR"}
        self._env = {**kept, **quiet, **shown, "PATH": path, "HOME": str(place)}
        self._exported = ""
        self._servers: list[subprocess.Popen[bytes]] = []
        self._ports: dict[str, str] = {}  # as they are on the page → as they are here

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *exc: object) -> None:
        for server in self._servers:
            server.terminate()
            server.wait(20)

    def block(self, kind: str, text: str) -> str:
        """Do what a block says, and give it as it should be.

        Raises:
            SystemExit: A command failed.
        """
        if kind == "python":
            name = re.match(r"# (\w+\.py)\n", text)
            if name is not None:
                (self.place / name[1]).write_text(text, encoding="utf-8")
            return text
        return "".join(f"$ {command}\n{self._answer(command)}" for command in _COMMAND.findall(text))

    def _answer(self, command: str) -> str:
        if command.endswith(" &"):
            self._start(command)
            return ""
        if command.startswith("export "):
            self._exported += f"{command}\n"
            return ""
        done = subprocess.run(
            ["bash", "-c", self._exported + self._here(command)],
            cwd=self.place,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
        if done.returncode and not done.stdout:
            raise SystemExit(f"{command} failed: {done.stderr}")
        told = done.stdout.replace(str(self.place), "/home/ada/work")
        for page, here in self._ports.items():
            told = told.replace(here, page)
        return "".join(f"{line.rstrip()}\n" for line in told.splitlines())

    def _start(self, command: str) -> None:
        port = re.search(r"--port (\d+)", command)
        if port is None:
            raise SystemExit(f"on which port is it? {command}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._ports[port[1]] = str(probe.getsockname()[1])
        words = ["bash", "-c", f"{self._exported}exec {self._here(command).removesuffix(' &')}"]
        with (self.place.parent / f"server-{port[1]}.log").open("wb") as log:
            server = subprocess.Popen(
                words, cwd=self.place, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._servers.append(server)
        until = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", int(self._ports[port[1]])), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{command} did not start: {Path(log.name).read_text(errors='replace')}")

    def _here(self, command: str) -> str:
        for page, here in self._ports.items():
            command = command.replace(page, here)
        return command.replace("/home/ada/work", str(self.place))


def moved(page: str) -> str:
    """``page`` with what its commands print now."""
    with tempfile.TemporaryDirectory() as place, Folder(Path(place)) as folder:
        return _BLOCK.sub(
            lambda block: f"```{block[1]}\n{folder.block(block[1], block[2])}```",
            page,
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        raise SystemExit("usage: python demo/moving.py")
    PAGE.write_text(moved(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
